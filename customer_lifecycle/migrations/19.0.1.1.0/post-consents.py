"""Bring along what people said before the addon kept it.

Comes in: a database that knows who is on the blacklist and whose agreement was unticked. Goes
out: rows of ``lifecycle.opt.out``, as if it had been kept from the beginning: who unsubscribed
with the link in an e-mail can still take that back, and withdrawn agreement stays withdrawn when
contacts are merged. Called by Odoo's update; running it twice adds nothing.
"""

from odoo import SUPERUSER_ID, api
from odoo.tools.translate import code_translations

ADDON = "customer_lifecycle"
#: what ``_opt_out`` writes on the entry of the blacklist, in the person's language
UNSUBSCRIBED = "Unsubscribed with the link in an e-mail"


def unsubscribed(env):
    """Addresses whose present entry on the blacklist was made by the link in an e-mail."""
    texts = {UNSUBSCRIBED} | {
        code_translations.get_python_translations(ADDON, lang).get(UNSUBSCRIBED, UNSUBSCRIBED)
        for lang, _name in env["res.lang"].get_installed()
    }
    env.cr.execute(
        """SELECT entry.email
             FROM mail_blacklist entry
             JOIN LATERAL (SELECT body FROM mail_message message
                            WHERE message.model = 'mail.blacklist' AND message.res_id = entry.id
                            ORDER BY message.id DESC LIMIT 1) last ON TRUE
            WHERE entry.active
              AND EXISTS (SELECT FROM unnest(%s) text WHERE strpos(last.body, text) > 0)
            ORDER BY entry.id""",
        [sorted(texts)],
    )
    return [row[0] for row in env.cr.fetchall()]


def withdrawn(env):
    """Contacts whose agreement was ticked and then unticked, as their chatter tells."""
    env.cr.execute(
        """SELECT partner.id
             FROM res_partner partner
             JOIN LATERAL (SELECT value.old_value_integer
                             FROM mail_message message
                             JOIN mail_tracking_value value ON value.mail_message_id = message.id
                             JOIN ir_model_fields field ON field.id = value.field_id
                              AND field.name = 'lifecycle_marketing_consent'
                            WHERE message.model = 'res.partner' AND message.res_id = partner.id
                            ORDER BY value.id DESC LIMIT 1) last ON last.old_value_integer = 1
            WHERE partner.lifecycle_marketing_consent IS NOT TRUE
            ORDER BY partner.id"""
    )
    return env["res.partner"].browse(row[0] for row in env.cr.fetchall())


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    said, consent = env["lifecycle.opt.out"], env["lifecycle.consent"]
    for email in unsubscribed(env):
        for partner in said._owners([email]) or [env["res.partner"]]:
            said._say(partner, email, "link", took_blacklist=True)
    for partner in withdrawn(env):
        for email in consent._addresses(partner) or [False]:
            if not said._unsubscribed(email):
                said._say(partner, email, "consent")
