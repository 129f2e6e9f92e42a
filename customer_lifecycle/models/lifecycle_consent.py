from datetime import timedelta

from odoo import api, fields, models, tools
from odoo.fields import Domain
from odoo.tools import SQL

#: why a message is not sent, for good
REFUSALS = [
    ("no_person", "Nobody to write to"),
    ("no_address", "No e-mail address"),
    ("invalid", "Invalid e-mail address"),
    ("bounced", "E-mails come back"),
    ("archived", "Contact is archived"),
    ("excluded", "Excluded from the life cycle"),
    ("blacklisted", "Unsubscribed or blacklisted"),
    ("opted_out", "Opted out of a mailing list"),
    ("no_consent", "Has not agreed to marketing"),
]
#: refusals by which a person says no
OPT_OUTS = ("blacklisted", "opted_out", "no_consent")
#: reasons that may pass by themselves
PAUSES = [
    ("cap", "Enough messages lately"),
    ("complaint", "Has complained lately"),
    ("late", "A delivery came late"),
    ("overdue", "An invoice is overdue"),
]
WEEK, MONTH = timedelta(days=7), timedelta(days=30)


class ResPartner(models.Model):
    """What a person has said about marketing messages."""

    # consent is defined in this file alone
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
        tracking=True,
    )
    lifecycle_marketing_consent_date = fields.Date(
        string="Agreed On",
        compute="_compute_lifecycle_marketing_consent_date",
        store=True,
        readonly=False,
    )

    lifecycle_workflow_count = fields.Integer(
        string="Workflows",
        compute="_compute_lifecycle_workflow_count",
        groups="sales_team.group_sale_salesman",
    )

    def _compute_lifecycle_workflow_count(self):
        counts = dict(
            self.env["lifecycle.workflow.enrollment"]._read_group(
                [("partner_id", "in", self.commercial_partner_id.ids)], ["partner_id"], ["__count"]
            )
        )
        for partner in self:
            partner.lifecycle_workflow_count = counts.get(partner.commercial_partner_id, 0)

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


class LifecycleConsent(models.AbstractModel):
    """Whom a company may write to, who of a customer gets it, and how often: the only place.

    Everything is looked up at the moment of asking, for some customers at once, as superuser.
    """

    _name = "lifecycle.consent"
    _description = "Consent to Marketing Messages"

    # ----- MAY WE WRITE -----

    @api.model
    def _refusals(self, partners, company):
        """Why each contact must not get marketing messages.

        :param partners: contacts, archived ones included
        :return: dict id → key of ``REFUSALS``; contacts that may be written to are left out
        """
        partners = partners.sudo()
        emails = partners.mapped("email_normalized")
        opted_out, blacklisted = self._opted_out(emails), self._blacklisted(emails)
        refusals = {}
        for partner in partners:
            reason = None
            if not partner.active:
                reason = "archived"
            elif partner.lifecycle_exclude or partner.commercial_partner_id.lifecycle_exclude:
                reason = "excluded"
            elif not (partner.email or "").strip():
                reason = "no_address"
            elif not partner.email_normalized:
                reason = "invalid"
            elif partner.message_bounce:
                reason = "bounced"
            elif partner.email_normalized in blacklisted:
                reason = "blacklisted"
            elif partner.email_normalized in opted_out:
                reason = "opted_out"
            elif company.lifecycle_consent_required and not partner.lifecycle_marketing_consent:
                reason = "no_consent"
            if reason:
                refusals[partner.id] = reason
        return refusals

    @api.model
    def _may_measure(self, person, company):
        """Whether the company may see if a person opens and clicks its e-mails."""
        measure = company.sudo().lifecycle_measure
        person = person.sudo()
        allowed = person and (
            measure == "all" or (measure == "agreed" and person.lifecycle_marketing_consent)
        )
        return bool(allowed) and not self._blacklisted([person.email_normalized])

    @api.model
    def _blacklisted(self, emails):
        """Those of some normalised addresses that are on the blacklist now.

        The contact's own field forgets neither what it was asked before nor, where archived
        contacts are read too, who has left the blacklist.
        """
        entries = self.env["mail.blacklist"].sudo().search(
            [("email", "in", [email for email in emails if email]), ("active", "=", True)]
        )
        return set(entries.mapped("email"))

    @api.model
    def _opted_out(self, emails):
        """Those of some normalised addresses that have left a mailing list."""
        subscriptions = self.env.get("mailing.subscription")
        emails = [email for email in emails if email]
        if subscriptions is None or not emails:
            return set()
        left = subscriptions.sudo().search(
            Domain("opt_out", "=", True) & Domain("contact_id.email_normalized", "in", emails)
        )
        return set(left.contact_id.mapped("email_normalized"))

    @api.model
    def _agreed_sql(self, person, company):
        """Condition that a contact has not left a mailing list, and has agreed where needed.

        For many contacts at once, as ``_refusals`` decides; everything must have been flushed.

        :param person: alias of the contacts' table
        """
        conditions = [SQL("TRUE")]
        if company.sudo().lifecycle_consent_required:
            conditions.append(
                SQL("%s IS TRUE", SQL.identifier(person, "lifecycle_marketing_consent"))
            )
        if "mailing.subscription" in self.env:
            conditions.append(
                SQL(
                    """NOT EXISTS (
                           SELECT FROM mailing_subscription subscription
                             JOIN mailing_contact subscriber
                               ON subscriber.id = subscription.contact_id
                            WHERE subscription.opt_out
                              AND subscriber.email_normalized = %s)""",
                    SQL.identifier(person, "email_normalized"),
                )
            )
        return SQL("(%s)", SQL(" AND ").join(conditions))

    @api.model
    def _email_sql(self, person):
        """A contact's address, NULL where e-mails to it come back, as ``_refusals`` decides.

        :param person: alias of the contacts' table
        """
        return SQL(
            "CASE WHEN COALESCE(%s, 0) = 0 THEN LOWER(TRIM(%s)) END",
            SQL.identifier(person, "message_bounce"),
            SQL.identifier(person, "email_normalized"),
        )

    @api.model
    def _opt_out(self, email):
        """Take a person off all marketing, these workflows' and Odoo's own."""
        email = tools.email_normalize(email)
        self.env["mail.blacklist"].sudo()._add(
            email, message=self.env._("Unsubscribed with the link in an e-mail")
        )
        partners = self.env["res.partner"].sudo().search(
            [("email_normalized", "=", email), ("lifecycle_marketing_consent", "=", True)]
        )
        partners.lifecycle_marketing_consent = False

    @api.model
    def _opt_in_again(self, email):
        """Undo ``_opt_out``, for whoever clicked by mistake."""
        self.env["mail.blacklist"].sudo()._remove(
            tools.email_normalize(email),
            message=self.env._("Subscribed again on the page behind the link"),
        )

    # ----- WHO GETS IT -----

    @api.model
    def _recipients(self, profiles, company):
        """Who of each customer gets a message, or why nobody does.

        The contact who ordered last; else a contact marked for marketing; else the customer
        itself where it is a person. Never an address for invoices.

        :return: dict profile id → (contact or empty, key of ``REFUSALS`` or None)
        """
        Partner = self.env["res.partner"].sudo().with_context(active_test=False)
        customers = Partner.browse(profiles.sudo().partner_id.ids)
        last = self._last_ordering(customers, company)
        marked = Partner.with_context(active_test=True).search(
            [
                ("commercial_partner_id", "in", customers.ids),
                ("lifecycle_marketing_contact", "=", True),
                ("type", "!=", "invoice"),
            ],
            order="id",
        ).grouped("commercial_partner_id")
        candidates = {}
        # where the occasion is one person's own, such as a cart, nobody else hears of it
        chosen = self.env.context.get("lifecycle_people")
        for customer in customers:
            if chosen is not None:
                people = Partner.browse(chosen.get(customer.id, []))
                candidates[customer.id] = people.filtered(lambda one: one.type != "invoice")
                continue
            people = Partner.browse(last.get(customer.id, []))
            people |= marked.get(customer, Partner)
            if not customer.is_company and customer.type != "invoice":
                people |= customer
            candidates[customer.id] = people
        everybody = Partner.union(*candidates.values()) if candidates else Partner
        refusals = self._refusals(everybody, company)
        result = {}
        for profile in profiles.sudo():
            people = candidates[profile.partner_id.id]
            allowed = people.filtered(lambda person: person.id not in refusals)
            if allowed:
                result[profile.id] = (allowed[0], None)
                continue
            reachable = people.filtered(
                lambda person: refusals[person.id] not in ("no_address", "archived")
            )
            if reachable:
                result[profile.id] = (reachable[0], refusals[reachable[0].id])
            else:
                result[profile.id] = (Partner, "no_person")
        return result

    @api.model
    def _last_ordering(self, customers, company):
        """Dict commercial partner id → list with the id of the contact who ordered last."""
        self.env["sale.order"].flush_model(["partner_id", "date_order", "state", "company_id"])
        self.env["lifecycle.external.purchase"].flush_model(["partner_id", "date", "company_id"])
        self.env["res.partner"].flush_model(["commercial_partner_id", "type"])
        self.env.cr.execute(
            SQL(
                """WITH people AS MATERIALIZED (
                       SELECT id, commercial_partner_id FROM res_partner
                        WHERE commercial_partner_id = ANY(%(customers)s)
                          AND type IS DISTINCT FROM 'invoice'
                   ), orders AS (
                       SELECT partner_id, date_order AS moment FROM sale_order
                        WHERE state = 'sale' AND company_id = %(company)s
                          AND partner_id IN (SELECT id FROM people)
                       UNION ALL
                       SELECT partner_id, date FROM lifecycle_external_purchase
                        WHERE company_id = %(company)s
                          AND partner_id IN (SELECT id FROM people)
                   )
                   SELECT DISTINCT ON (people.commercial_partner_id)
                          people.commercial_partner_id, people.id
                     FROM orders JOIN people ON people.id = orders.partner_id
                    ORDER BY people.commercial_partner_id, orders.moment DESC, people.id""",
                customers=customers.ids,
                company=company.id,
            )
        )
        return {customer: [person] for customer, person in self.env.cr.fetchall()}

    # ----- HOW OFTEN -----

    @api.model
    def _free_from(self, emails, company):
        """Since when, or from when on, each address may get another message.

        Counts what workflows have sent and what ordinary mailings have.

        :param emails: normalised addresses
        :return: dict address → datetime; addresses that are free are left out
        """
        now = fields.Datetime.now()
        sent = {}
        emails = [email for email in emails if email]
        for email, moment in self._sent_lately(emails, company, now - MONTH):
            sent.setdefault(email, []).append(moment)
        free = {}
        for email, moments in sent.items():
            moments.sort(reverse=True)
            limits = [
                moments[most - 1] + span
                for most, span in (
                    (company.lifecycle_cap_week, WEEK),
                    (company.lifecycle_cap_month, MONTH),
                )
                if most and len(moments) >= most
            ]
            if limits and max(limits) > now:
                free[email] = max(limits)
        return free

    @api.model
    def _sent_lately(self, emails, company, since):
        self.env["lifecycle.workflow.delivery"].flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT email, date FROM lifecycle_workflow_delivery
                    WHERE email = ANY(%s) AND company_id = %s AND kind = 'email'
                      AND state = 'done' AND date > %s""",
                emails,
                company.id,
                since,
            )
        )
        rows = self.env.cr.fetchall()
        traces = self.env.get("mailing.trace")
        if traces is not None:
            rows += [
                (tools.email_normalize(trace.email), trace.sent_datetime)
                for trace in traces.sudo().search(
                    [
                        ("email", "in", emails),
                        ("sent_datetime", ">", since),
                        ("trace_type", "=", "mail"),
                    ]
                )
            ]
        return rows

    @api.model
    def _pauses(self, profiles, company):
        """Why some customers are left in peace for now, and until when.

        :return: dict profile id → (key of ``PAUSES``, datetime to look again)
        """
        now = fields.Datetime.now()
        today = company._lifecycle_today()
        pauses = {}
        for profile in profiles.sudo():
            until = {
                reason: company.lifecycle_complaint_days - (today - date).days
                for reason, date in (
                    ("complaint", profile.bad_rating_date),
                    ("late", profile.late_delivery_date),
                )
                if date
            }
            reason = max(until, key=until.get, default=None)
            if reason and until[reason] > 0:
                pauses[profile.id] = (reason, now + timedelta(days=until[reason]))
            elif profile.overdue_since and profile.overdue_since < today:
                pauses[profile.id] = ("overdue", now + timedelta(days=1))
        return pauses
