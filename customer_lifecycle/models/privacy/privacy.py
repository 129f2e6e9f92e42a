"""What this app keeps of a person: finding it, and forgetting it.

In come contacts (from the button *Anonymise*, from deleting a contact, from Odoo's privacy
lookup); out go the records of ours that speak of them, and the same records without names,
addresses, subjects and reasons. Numbers and money stay: they are the company's, not the person's.
"""

import base64
import hashlib

from odoo import api, models, tools
from odoo.tools import SQL

from ..segments.audience_export import PLATFORMS

PERSON = "res.partner"
PROFILE = "lifecycle.profile"
#: columns with words about or from a person, which anonymising empties
WORDS = {
    "lifecycle.profile": ("stage_reason", "vip_reason", "vip_problem"),
    "lifecycle.transition": ("reason", "why"),
    "lifecycle.contact.outcome": ("note", "reason"),
    "lifecycle.workflow.enrollment": ("waiting_reason", "error"),
    "lifecycle.workflow.delivery": (
        *("email", "other_emails", "emails_left", "subject", "error"),
    ),
    "lifecycle.referral": ("problem",),
    "lifecycle.loyalty.member": ("problem",),
    "lifecycle.opt.out": ("email", "spared"),
}
#: columns with words that say nothing about a person: keys, names of models, codes
KEPT = {
    "lifecycle.profile": ("rfm_score",),
    "lifecycle.workflow.enrollment": ("episode",),
    "lifecycle.workflow.delivery": ("res_model",),
    "lifecycle.referral": ("order_model",),
    # a number: without it a second import of the same file would double the purchases
    "lifecycle.external.purchase": ("reference",),
    "lifecycle.referral.code": ("name",),
    "lifecycle.former.firm": ("model",),
}
#: what guards and sums are made of: emptied where it would otherwise be deleted
NEVER_DELETED = (
    "lifecycle.profile",
    "lifecycle.transition",
    "lifecycle.workflow.enrollment",
    "lifecycle.workflow.delivery",
    "lifecycle.external.purchase",
    "lifecycle.order.touch",
    "lifecycle.referral",
    "lifecycle.comparison.customer",
    "lifecycle.segment.member",
)


class LifecyclePrivacy(models.AbstractModel):
    _name = "lifecycle.privacy"
    _description = "Privacy of the Customer Lifecycle"

    # ----- WHERE A PERSON IS -----

    @api.model
    def _personal_models(self):
        """Every stored model of ours that points at a person, by itself or by a profile.

        :return: dict model name → names of the fields that lead there
        """
        found = {}
        for name, model in self.env.items():
            if not name.startswith("lifecycle.") or not model._auto or model._abstract:
                continue
            if model._transient:
                continue
            paths = [
                field.name
                for field in model._fields.values()
                if field.store and field.type == "many2one"
                and field.comodel_name in (PERSON, PROFILE)
            ]
            # who has a field of his own is found by it; the profile says it of the others
            own = [path for path in paths if model._fields[path].comodel_name == PERSON]
            if paths:
                found[name] = own or paths
        return found

    @api.model
    def _rows_sql(self, name, people):
        """SELECT of the ids of a model's records that speak of some people.

        :param name: one of ``_personal_models``
        :param people: SQL of a SELECT of contacts' ids
        """
        model = self.env[name]
        profiles = SQL("SELECT id FROM lifecycle_profile WHERE partner_id IN (%s)", people)
        conditions = [
            SQL(
                "%s IN (%s)",
                SQL.identifier(path),
                people if model._fields[path].comodel_name == PERSON else profiles,
            )
            for path in self._personal_models()[name]
        ]
        return SQL(
            "SELECT id FROM %s WHERE %s",
            SQL.identifier(model._table),
            SQL(" OR ").join(conditions),
        )

    @api.model
    def _stays(self, name):
        """Whether records of a model are emptied where others are deleted."""
        return name in NEVER_DELETED

    # ----- FORGETTING -----

    @api.model
    def _forget(self, name, ids):
        """Empty the words of some records; columns without words stay as they are."""
        model = self.env[name]
        columns = [
            column for column in WORDS.get(name, ())
            if column in model._fields and model._fields[column].store
        ]
        if not columns or not ids:
            return
        model.flush_model(columns)
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s WHERE id = ANY(%s)",
                SQL.identifier(model._table),
                SQL(", ").join(SQL("%s = NULL", SQL.identifier(column)) for column in columns),
                list(ids),
            )
        )
        model.invalidate_model(columns)

    @api.model
    def _forget_people(self, partners, keep_no=True):
        """Empty all words about some contacts, and let audiences forget them.

        Who may do so is the caller's to check.

        :param keep_no: an address that must not be written to stays on Odoo's blacklist
        :return: exports that tell advertising platforms to forget them too
        """
        emails = self._emails_of(partners)
        if keep_no:
            self._keep_no(partners, emails)
        phones = {partner.phone_sanitized for partner in partners.sudo()} - {False}
        # whoever else has the address or number stays in the audience by it
        others = self.env["lifecycle.opt.out"]._owners(emails) - partners
        kept = self._emails_of(others)
        numbers = self.env["res.partner"].sudo().search(
            [("phone_sanitized", "in", list(phones)), ("id", "not in", partners.ids)]
        ).mapped("phone_sanitized")
        removals = self._forget_audiences(emails - kept, phones - set(numbers))
        self._cancel_mails(partners, emails)
        self.env.flush_all()
        people = SQL("SELECT unnest(%s::integer[])", partners.ids)
        for name in self._personal_models():
            self.env.cr.execute(self._rows_sql(name, people))
            self._forget(name, [row[0] for row in self.env.cr.fetchall()])
        return removals

    @api.model
    def _emails_of(self, partners):
        return {
            email
            for partner in partners.sudo()
            for email in tools.mail.email_normalize_all(partner.email)
        }

    @api.model
    def _left_behind(self, partners):
        """Records that name contacts and outlive them.

        :return: dict model name → ids
        """
        left = {}
        for name, paths in self._personal_models().items():
            records = self.env[name].sudo().with_context(active_test=False)
            for path in paths:
                if records._fields[path].ondelete == "set null":
                    found = records.search([(path, "in", partners.ids)])
                    left.setdefault(name, set()).update(found.ids)
        return left

    @api.model
    def _keep_no(self, partners, emails):
        """Keep on Odoo's blacklist the addresses of people who have said no.

        The one thing that has to outlive a person's data is that he does not want to be written
        to; Odoo's blacklist is where that is kept for all apps.
        """
        said = self.env["lifecycle.opt.out"]._of(partners, emails)
        refused = {one.email for one in said if one.email} & emails
        if said.filtered(lambda one: not one.email):
            refused = emails
        blacklist = self.env["mail.blacklist"].sudo()
        for email in sorted(refused):
            blacklist._add(email)
        # of nobody in particular: the blacklist says it now
        said.filtered(lambda one: not one.partner_id).sudo().unlink()

    @api.model
    def _cancel_mails(self, partners, emails):
        """Take back e-mails that are still waiting to leave."""
        waiting = self.env["mail.mail"].sudo().search(
            [("state", "=", "outgoing"), ("recipient_ids", "in", partners.ids)]
        )
        if emails:
            for email in emails:
                waiting |= self.env["mail.mail"].sudo().search(
                    [("state", "=", "outgoing"), ("email_to", "ilike", email)]
                )
        # what is meant for others too goes to the others
        for mail in waiting:
            others = mail.recipient_ids - partners
            if others and not mail.email_to:
                mail.recipient_ids = others
            else:
                mail.write({"state": "cancel", "email_to": False, "email_cc": False})
        return waiting

    # ----- AUDIENCES -----

    @api.model
    def _forget_audiences(self, emails, phones):
        """Take people out of the audiences and out of the files that were handed over.

        Where a platform still has them, a file with the removal alone is made for it, so that
        nobody has to remember to take them out there.

        :return: the exports with these files
        """
        removals = self.env["lifecycle.audience.export"].sudo()
        entries = self.env["lifecycle.audience.entry"].sudo()
        hashes = {hashlib.sha256(email.encode()).hexdigest() for email in emails}
        for phone in phones:
            hashes |= {
                hashlib.sha256(number.encode()).hexdigest()
                for number in (phone, phone.lstrip("+"))
            }
        if not hashes:
            return removals
        known = entries.search(
            ["|", ("email_hash", "in", list(hashes)), ("phone_hash", "in", list(hashes))]
        )
        self._strike_from_files(hashes)
        for (segment, company, platform), rows in known.grouped(
            lambda entry: (entry.segment_id, entry.company_id, entry.platform)
        ).items():
            removals |= self._order_removal(segment, company, platform, rows)
        known.unlink()
        return removals

    @api.model
    def _strike_from_files(self, hashes):
        """Delete the lines of people from all files that were exported."""
        files = self.env["ir.attachment"].sudo().search(
            [
                ("res_model", "=", "lifecycle.audience.export"),
                ("res_field", "in", ("addition_file", "removal_file")),
            ]
        )
        for attachment in files:
            lines = (attachment.raw or b"").decode().splitlines(keepends=True)
            kept = [line for line in lines if not hashes & set(line.strip().split(","))]
            if len(kept) < len(lines):
                attachment.raw = "".join(kept).encode()

    @api.model
    def _order_removal(self, segment, company, platform, rows):
        exports = self.env["lifecycle.audience.export"].sudo()
        last = exports.search(
            [
                ("segment_id", "=", segment.id),
                ("company_id", "=", company.id),
                ("platform", "=", platform),
            ],
            limit=1,
        )
        email, phone, _expression = PLATFORMS[platform]
        lines = [f"{email},{phone}", *(f"{row.email_hash},{row.phone_hash}" for row in rows)]
        return exports.create(
            {
                "segment_id": segment.id,
                "company_id": company.id,
                "platform": platform,
                "campaign_id": last.campaign_id.id,
                "user_id": self.env.uid,
                "date": self.env.cr.now(),
                "audience_count": max(0, last.audience_count - len(rows)),
                "added_count": 0,
                "removed_count": len(rows),
                "left_out_count": last.left_out_count,
                "removal_file": base64.b64encode(("\n".join(lines) + "\n").encode()),
                "removal_name": self.env._(
                    "%(segment)s %(platform)s erased people.csv",
                    segment=segment.name,
                    platform=platform,
                ),
            }
        )
