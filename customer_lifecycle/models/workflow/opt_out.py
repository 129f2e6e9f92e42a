"""A person's "no" to marketing, which stays with the person as well as with the address.

In come unsubscribing, withdrawn agreement, corrected addresses and merged contacts; out goes what
``lifecycle.consent`` judges by. An address on Odoo's blacklist is refused whoever has it; a row
here refuses the person whatever his address is by now, and remembers what unsubscribing took, so
that subscribing again gives back exactly that.
"""

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.context import own, own_value

#: set while we change blacklist and agreement ourselves: the watch is on what others change
OURS = "lifecycle_consent_ours"


class LifecycleOptOut(models.Model):
    """One "no": of a person, of an address, mostly of both."""

    _name = "lifecycle.opt.out"
    _description = "No to Marketing"
    _order = "id desc"
    _rec_name = "email"

    # nobody: an address that no contact has
    partner_id = fields.Many2one(
        "res.partner", string="Person", readonly=True, ondelete="cascade", index="btree_not_null"
    )
    email = fields.Char(
        string="Said For",
        readonly=True,
        index="btree_not_null",
        help="Address by which the person said no.",
    )
    spared = fields.Char(
        readonly=True, help="The person's other addresses at that time, which it does not concern."
    )
    source = fields.Selection(
        [
            ("link", "Unsubscribed with the link in an e-mail"),
            ("blacklist", "Former address was blacklisted"),
            ("list", "Former address had left a mailing list"),
            ("consent", "Agreement withdrawn"),
        ],
        required=True,
        readonly=True,
    )
    date = fields.Datetime(required=True, readonly=True)
    active = fields.Boolean(default=True, readonly=True, help="Not taken back since.")
    took_blacklist = fields.Boolean(readonly=True, help="The address was blacklisted by this.")
    took_consent = fields.Boolean(readonly=True, help="Agreement was withdrawn by this.")
    consent_date = fields.Date(readonly=True, help="Since when the person had agreed before.")

    def _spares(self, email):
        """Whether this "no" leaves an address of its person alone."""
        return email != self.email and email in (self.spared or "").split(", ")

    @api.model
    def _of(self, partners, emails):
        """What some people, or whoever has some addresses, have said and not taken back."""
        said = Domain("partner_id", "in", partners.ids) | Domain(
            "email", "in", [email for email in emails if email]
        )
        return self.sudo().with_context(active_test=True).search(said)

    @api.model
    def _say(self, partners, email, source, **values):
        """Note that people have said no by an address; once for each person, address and way.

        :param partners: contacts; empty where nobody has the address
        :return: what was noted now
        """
        consent = self.env["lifecycle.consent"]
        present = self._of(partners, [email]).filtered(
            lambda one: one.email == (email or False) and one.source == source
        )
        there = present.partner_id
        new = []
        for partner in (partners - there) or ([] if present else [partners]):
            spared = [one for one in consent._addresses(partner) if one != email]
            new.append(
                {
                    "partner_id": partner.id,
                    "email": email or False,
                    "spared": source != "consent" and ", ".join(spared),
                    "source": source,
                    "date": fields.Datetime.now(),
                    **values,
                }
            )
        return self.sudo().create(new)

    def _lift(self):
        self.sudo().write({"active": False})

    # ----- THE LINK IN E-MAILS -----

    @api.model
    def _unsubscribe(self, email):
        """Take a person off all marketing by one address, these workflows' and Odoo's own.

        Kept is what this took, and from whom: see ``_subscribe_again``.
        """
        email = tools.email_normalize(email)
        if not email:
            return
        consent, ours = self.env["lifecycle.consent"], {OURS: own()}
        took = not consent._blacklisted([email])
        if took:
            self.env["mail.blacklist"].sudo().with_context(**ours)._add(
                email, message=self.env._("Unsubscribed with the link in an e-mail")
            )
        partners = self._owners([email])
        for partner in partners or [partners]:
            self._say(partner, email, "link")
        rows = self._unsubscribed(email)
        if took:
            rows.took_blacklist = True
        for partner in partners.filtered("lifecycle_marketing_consent"):
            others = [one for one in consent._addresses(partner) if one != email]
            if set(others) - consent._blacklisted(others):
                # who reads the other addresses has not said anything
                continue
            rows.filtered(lambda one, partner=partner: one.partner_id == partner).write(
                {
                    "took_consent": True,
                    "consent_date": partner.lifecycle_marketing_consent_date,
                }
            )
            partner.with_context(**ours).lifecycle_marketing_consent = False

    @api.model
    def _unsubscribed(self, email):
        """What was said for an address by the link; if anything, it can be taken back."""
        email = tools.email_normalize(email)
        found = self._of(self.env["res.partner"], [email]) if email else self.browse()
        return found.filtered(lambda one: one.source == "link")

    @api.model
    def _subscribe_again(self, email):
        """Undo ``_unsubscribe``, for whoever clicked by mistake.

        Gives back exactly what that took: who is on the blacklist by a colleague's hand stays on
        it, and nobody agrees who had not agreed.

        :return: whether the address may be written to again
        """
        rows = self._unsubscribed(email)
        email = tools.email_normalize(email)
        if any(rows.mapped("took_blacklist")):
            self.env["mail.blacklist"].sudo().with_context(**{OURS: own()})._remove(
                email, message=self.env._("Subscribed again on the page behind the link")
            )
            # so have people who had the address then and have corrected it since
            since = self._of(self.env["res.partner"], [email])
            rows |= since.filtered(lambda one: one.source == "blacklist")
        for row in rows.filtered("took_consent"):
            partner = row.partner_id.with_context(**{OURS: own()})
            if partner and not partner.lifecycle_marketing_consent:
                partner.lifecycle_marketing_consent = True
                partner.lifecycle_marketing_consent_date = row.consent_date
        rows._lift()
        return email not in self.env["lifecycle.consent"]._blacklisted([email])

    # ----- PAST THE ORM -----

    @api.model
    def _owners(self, emails):
        """All contacts, archived ones too, that have one of some addresses."""
        partners = self.env["res.partner"].sudo()
        emails = [email for email in emails if email]
        if not emails:
            return partners
        partners.flush_model(["email", "email_normalized"])
        self.env.cr.execute(
            SQL(
                """SELECT id, email, email_normalized = ANY(%(emails)s) AS first
                     FROM res_partner WHERE email_normalized = ANY(%(emails)s)
                    UNION ALL
                   SELECT id, email, FALSE FROM res_partner partner
                    WHERE email LIKE '%%@%%@%%' AND EXISTS (
                          SELECT FROM unnest(%(emails)s) wanted(email)
                           WHERE strpos(lower(partner.email), lower(wanted.email)) > 0)""",
                emails=emails,
            )
        )
        wanted = set(emails)
        ids = {
            partner_id
            for partner_id, email, first in self.env.cr.fetchall()
            if first or wanted & set(tools.mail.email_normalize_all(email))
        }
        return partners.browse(sorted(ids))

    @api.model
    def _more_addresses(self, partners=None):
        """Addresses after the first of contacts that have several in one field.

        :param partners: SQL of a query of contacts' ids; None: all
        :return: list of (contact id, normalised address)
        """
        self.env["res.partner"].flush_model(["email"])
        self.env.cr.execute(
            SQL(
                "SELECT id, email FROM res_partner WHERE email LIKE '%%@%%@%%' AND %s",
                SQL("id IN (%s)", partners) if partners else SQL("TRUE"),
            )
        )
        return [
            (partner_id, email)
            for partner_id, text in self.env.cr.fetchall()
            for email in dict.fromkeys(tools.mail.email_normalize_all(text)[1:])
        ]


class ResPartner(models.Model):
    """What a person has said about marketing, also when an address is corrected.

    Withdrawing agreement is a "no" as well.
    """

    # a file for each subject of this model
    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_marketing_contact = fields.Boolean(
        string="Gets Marketing",
        help="Where nobody has ordered yet, or who ordered has left, this person gets the "
        "customer's marketing messages.",
    )
    lifecycle_marketing_consent = fields.Boolean(
        string="Agreed to Marketing",
        help="Needed where the company's settings ask for explicit consent, for messages or for "
        "seeing whether they are opened.",
        # a duplicated contact becomes somebody else, who was not asked
        copy=False,
        tracking=True,
    )
    lifecycle_marketing_consent_date = fields.Date(
        string="Agreed On",
        compute="_compute_lifecycle_marketing_consent_date",
        store=True,
        copy=False,
        readonly=False,
    )

    lifecycle_workflow_count = fields.Integer(
        string="Workflows",
        compute="_compute_lifecycle_messaging",
        groups="sales_team.group_sale_salesman",
    )
    lifecycle_has_opted_out = fields.Boolean(
        string="Has Said No to Marketing",
        compute="_compute_lifecycle_messaging",
        groups="sales_team.group_sale_salesman",
    )
    lifecycle_opt_out_text = fields.Text(
        string="Said No to Marketing",
        compute="_compute_lifecycle_opt_out_text",
        compute_sudo=True,
        groups="sales_team.group_sale_salesman",
    )

    # those with several addresses are few, and looked up by parts of them
    _lifecycle_several_addresses_idx = models.Index("(id) WHERE email LIKE '%@%@%'")

    @api.depends("email", "lifecycle_marketing_consent")
    def _compute_lifecycle_messaging(self):
        """Both in one query, as contacts are opened all day."""
        enrollments = self.env["lifecycle.workflow.enrollment"]
        enrollments.flush_model(["partner_id"])
        self.env["lifecycle.opt.out"].flush_model(["partner_id", "active"])
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        customers = self.commercial_partner_id._origin
        shown = enrollments._search([("partner_id", "in", customers.ids)])
        found = {
            partner_id: (count, said_no)
            for partner_id, count, said_no in self.env.execute_query(
                SQL(
                    """SELECT contact.id,
                              (SELECT COUNT(*) FROM lifecycle_workflow_enrollment enrollment
                                WHERE enrollment.partner_id = contact.commercial_partner_id
                                  AND enrollment.id IN %(shown)s),
                              EXISTS (SELECT FROM lifecycle_opt_out said
                                       WHERE said.partner_id = contact.id AND said.active)
                         FROM res_partner contact WHERE contact.id = ANY(%(ids)s)""",
                    shown=shown.subselect(),
                    ids=self._origin.ids,
                )
            )
        }
        for partner in self:
            count, said_no = found.get(partner._origin.id, (0, False))
            partner.lifecycle_workflow_count = count
            partner.lifecycle_has_opted_out = said_no

    def action_view_lifecycle_workflows(self):
        """Open the workflows that the customer is or was in."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_workflow_enrollment_action"
        )
        return {
            **action,
            "display_name": self.env._("Workflows of %s", self.commercial_partner_id.display_name),
            "domain": [("partner_id", "=", self.commercial_partner_id.id)],
            "context": {},
        }

    @api.depends("lifecycle_marketing_consent")
    def _compute_lifecycle_marketing_consent_date(self):
        for partner in self:
            if not partner.lifecycle_marketing_consent:
                partner.lifecycle_marketing_consent_date = False
            elif not partner.lifecycle_marketing_consent_date:
                partner.lifecycle_marketing_consent_date = fields.Date.context_today(partner)

    @api.depends("lifecycle_has_opted_out")
    @api.depends_context("lang")
    def _compute_lifecycle_opt_out_text(self):
        people = self.filtered("lifecycle_has_opted_out")._origin
        said = people and self.env["lifecycle.opt.out"]._of(people, []).grouped("partner_id") or {}
        ways = dict(
            self.env["lifecycle.opt.out"]._fields["source"]._description_selection(self.env)
        )
        for partner in self:
            partner.lifecycle_opt_out_text = "\n".join(
                ", ".join(
                    filter(
                        None,
                        (tools.format_date(self.env, one.date), one.email, ways[one.source]),
                    )
                )
                for one in said.get(partner._origin, [])
            )

    def action_lifecycle_lift_opt_out(self):
        """Let a person get marketing again who has asked a colleague for it.

        What Odoo's blacklist says of the present address stays: it is taken off there.
        """
        self.check_access("write")
        if not self.env.user.has_group("sales_team.group_sale_manager"):
            raise AccessError(
                self.env._("Only sales administrators can lift what a person has said.")
            )
        for partner in self:
            said = self.env["lifecycle.opt.out"]._of(partner, []).filtered(
                lambda one, partner=partner: one.partner_id == partner
            )
            if said:
                partner.message_post(
                    body=self.env._("May get marketing again: what was said is lifted by hand."),
                    subtype_xmlid="mail.mt_note",
                )
                said._lift()

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        agreed = partners.filtered("lifecycle_marketing_consent")
        if agreed:
            agreed._lifecycle_agree_again()
        return partners

    def write(self, vals):
        consent = self.env["lifecycle.consent"]
        before, was = {}, self.browse()
        if "email" in vals and not own_value(self.env, OURS):
            before = {partner: consent._addresses(partner) for partner in self.sudo()}
        if "lifecycle_marketing_consent" in vals and not own_value(self.env, OURS):
            was = self.sudo().filtered("lifecycle_marketing_consent")
        result = super().write(vals)
        for partner, addresses in before.items():
            partner._lifecycle_keep_no(addresses)
            now = consent._addresses(partner)
            if partner.message_bounce and now[:1] != addresses[:1] and "message_bounce" not in vals:
                # they came back from the former address
                partner.message_bounce = 0
        if "lifecycle_marketing_consent" in vals and not own_value(self.env, OURS):
            now = self.sudo().filtered("lifecycle_marketing_consent")
            if now - was:
                (now - was)._lifecycle_agree_again()
            if was - now:
                (was - now)._lifecycle_withdraw()
        return result

    def _lifecycle_keep_no(self, before):
        """Keep what was said for addresses that this contact had before."""
        self.ensure_one()
        consent, said = self.env["lifecycle.consent"], self.env["lifecycle.opt.out"]
        now = consent._addresses(self)
        gone = [email for email in before if email not in now]
        if not gone:
            return
        refused = consent._refused_elsewhere(gone)
        for email in gone:
            # others' words for the address were this person's too
            others = said._of(self, [email]).filtered(lambda one, email=email: one.email == email)
            if refused.get(email) == "blacklisted" or "link" in others.mapped("source"):
                way = "blacklist"
            elif email in refused:
                way = "list"
            elif others:
                way = others[:1].source
            else:
                continue
            if self not in others.partner_id:
                said._say(
                    self, email, way, spared=", ".join(one for one in now if one in before)
                )

    def _lifecycle_withdraw(self):
        """A person who has agreed agrees no longer: so says whoever else has the address."""
        consent, said = self.env["lifecycle.consent"], self.env["lifecycle.opt.out"]
        emails = {email for partner in self for email in consent._addresses(partner)}
        twins = said._owners(emails) | self
        for partner in twins:
            addresses = consent._addresses(partner)
            if partner not in self:
                addresses = [email for email in addresses if email in emails]
            for email in addresses or [False]:
                said._say(partner, email, "consent")
        (twins - self).filtered("lifecycle_marketing_consent").with_context(
            **{OURS: own()}
        ).lifecycle_marketing_consent = False
        # what unsubscribing took has been decided anew
        said._of(twins, []).filtered("took_consent").took_consent = False

    def _lifecycle_agree_again(self):
        """A person has agreed: a former withdrawal is over.

        Not where a file says so: it may be older than the withdrawal.
        """
        if self.env.context.get("import_file"):
            return
        consent = self.env["lifecycle.consent"]
        emails = {email for partner in self.sudo() for email in consent._addresses(partner)}
        said = self.env["lifecycle.opt.out"]._of(self, emails)
        said.filtered(lambda one: one.source == "consent")._lift()
        said.filtered(
            lambda one: one.took_consent and one.partner_id in self
        ).took_consent = False


class MailBlacklist(models.Model):
    """What colleagues decide about an address goes before what unsubscribing did."""

    _inherit = "mail.blacklist"

    def write(self, vals):
        watched = "active" in vals and not own_value(self.env, OURS)
        before = {entry: entry.active for entry in self} if watched else {}
        result = super().write(vals)
        changed = self.filtered(lambda entry: entry in before and entry.active != before[entry])
        if changed:
            # sudo: whoever may change the blacklist need not know what we keep
            said = self.env["lifecycle.opt.out"].sudo()._of(
                self.env["res.partner"], changed.mapped("email")
            ).filtered(lambda one: one.source != "consent")
            said.took_blacklist = False
            lifted = changed.filtered(lambda entry: not entry.active).mapped("email")
            said.filtered(lambda one: one.email in lifted)._lift()
        return result

    def unlink(self):
        emails = self.mapped("email")
        result = super().unlink()
        if emails and not own_value(self.env, OURS):
            said = self.env["lifecycle.opt.out"].sudo()._of(self.env["res.partner"], emails)
            said.filtered(lambda one: one.source != "consent")._lift()
        return result
