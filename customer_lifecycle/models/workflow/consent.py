"""The one place that decides whether a person may get marketing, and how often.

In: agreement, opt-outs, blacklist, mailing lists, what was sent lately, complaints, overdue
invoices. Out: addresses or a reason, the right person of a customer, and from when on. Asked by
workflows, reminders, rewards for recommendations, audiences, the unsubscribe page and mail.
"""

from datetime import timedelta

from odoo import api, fields, models, tools
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.context import own, own_value
from .opt_out import OURS

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
        compute="_compute_lifecycle_messaging",
        groups="sales_team.group_sale_salesman",
    )
    lifecycle_has_opted_out = fields.Boolean(
        string="Has Said No to Marketing",
        compute="_compute_lifecycle_messaging",
        groups="sales_team.group_sale_salesman",
    )

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


class LifecycleConsent(models.AbstractModel):
    """Whom a company may write to, who of a customer gets it, and how often: the only place.

    Everything is looked up at the moment of asking, for some customers at once, as superuser.
    """

    _name = "lifecycle.consent"
    _description = "Consent to Marketing Messages"

    # ----- MAY WE WRITE -----

    @api.model
    def _addresses(self, partner):
        """The normalised addresses of a contact, each once: Odoo writes to all in the field."""
        return list(dict.fromkeys(tools.mail.email_normalize_all(partner.sudo().email)))

    @api.model
    def _refusals(self, partners, company):
        """Why each contact must not get marketing messages.

        :param partners: contacts, archived ones included
        :return: dict id → key of ``REFUSALS``; contacts that may be written to are left out
        """
        return self._judge(partners, company)[1]

    @api.model
    def _allowed(self, partners, company):
        """Dict id → list of the addresses by which each contact may be written to."""
        return self._judge(partners, company)[0]

    @api.model
    def _judge(self, partners, company):
        """By which addresses each contact may get marketing messages, or why he must not.

        Every address is judged on its own; what a person has said holds for those he has got
        since.

        :param partners: contacts, archived ones included
        :return: dict id → list of addresses, dict id → key of ``REFUSALS``; each contact is in
            one of them
        """
        partners = partners.sudo()
        addresses = {partner: self._addresses(partner) for partner in partners}
        emails = {email for some in addresses.values() for email in some}
        opted_out, blacklisted = self._opted_out(emails), self._blacklisted(emails)
        said = self.env["lifecycle.opt.out"]._of(partners, emails)
        by_person, by_email = said.grouped("partner_id"), said.grouped("email")
        allowed, refusals = {}, {}
        for partner, some in addresses.items():
            reason, free = None, []
            if not partner.active:
                reason = "archived"
            elif partner.lifecycle_exclude or partner.commercial_partner_id.lifecycle_exclude:
                reason = "excluded"
            elif not (partner.email or "").strip():
                reason = "no_address"
            elif not some:
                reason = "invalid"
            elif partner.message_bounce:
                reason = "bounced"
            else:
                for email in some:
                    ways = {
                        one.source
                        for one in by_person.get(partner, said.browse())
                        if not one._spares(email)
                    } | set(by_email.get(email, said.browse()).mapped("source"))
                    why = None
                    if email in blacklisted or ways & {"link", "blacklist"}:
                        why = "blacklisted"
                    elif email in opted_out or "list" in ways:
                        why = "opted_out"
                    elif company.lifecycle_consent_required and (
                        not partner.lifecycle_marketing_consent or "consent" in ways
                    ):
                        why = "no_consent"
                    if not why:
                        free.append(email)
                    reason = reason or why
            if free:
                allowed[partner.id] = free
            else:
                refusals[partner.id] = reason
        return allowed, refusals

    @api.model
    def _may_measure(self, person, company):
        """Whether the company may see if a person opens and clicks its e-mails."""
        measure = company.sudo().lifecycle_measure
        person = person.sudo()
        if not person or measure not in ("all", "agreed"):
            return False
        addresses = self._addresses(person)
        said = self.env["lifecycle.opt.out"]._of(person, addresses)
        if measure == "agreed" and not person.lifecycle_marketing_consent:
            return False
        if measure == "all":
            said = said.filtered(lambda one: one.source != "consent")
        # somebody of a few who share the contact: none is measured
        return not said and not self._blacklisted(addresses)

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
    def _agreed_sql(self, person, company, email=None):
        """Condition that a contact has not said no, and has agreed where needed.

        For many contacts at once, as ``_judge`` decides; everything must have been flushed.

        :param person: alias of the contacts' table
        :param email: SQL of the normalised address that is asked about
        """
        email = email or SQL.identifier(person, "email_normalized")
        conditions = [
            SQL(
                """NOT EXISTS (SELECT FROM mail_blacklist blocked
                                WHERE blocked.active AND blocked.email = %s)""",
                email,
            )
        ]
        serious = SQL("said.active")
        if company.sudo().lifecycle_consent_required:
            conditions.append(
                SQL("%s IS TRUE", SQL.identifier(person, "lifecycle_marketing_consent"))
            )
        else:
            serious = SQL("said.active AND said.source <> 'consent'")
        conditions.append(
            SQL(
                """NOT EXISTS (
                       SELECT FROM lifecycle_opt_out said
                        WHERE %(serious)s AND said.email = %(email)s)
                   AND NOT EXISTS (
                       SELECT FROM lifecycle_opt_out said
                        WHERE %(serious)s AND said.partner_id = %(person)s
                          AND COALESCE(%(email)s <> ALL(string_to_array(said.spared, ', ')),
                                       TRUE))""",
                serious=serious,
                email=email,
                person=SQL.identifier(person, "id"),
            )
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
                    email,
                )
            )
        return SQL("(%s)", SQL(" AND ").join(conditions))

    @api.model
    def _opt_out(self, email):
        """Take a person off all marketing by one address, these workflows' and Odoo's own.

        Kept is what this took, and from whom: see ``_opt_in_again``.
        """
        email = tools.email_normalize(email)
        if not email:
            return
        ours = {OURS: own()}
        took = not self._blacklisted([email])
        if took:
            self.env["mail.blacklist"].sudo().with_context(**ours)._add(
                email, message=self.env._("Unsubscribed with the link in an e-mail")
            )
        said = self.env["lifecycle.opt.out"]
        partners = said._owners([email])
        for partner in partners:
            said._say(partner, email, "link")
        if not partners:
            said._say(partners, email, "link")
        rows = said._of(partners.browse(), [email]).filtered(lambda one: one.source == "link")
        if took:
            rows.took_blacklist = True
        for partner in partners.filtered("lifecycle_marketing_consent"):
            others = [one for one in self._addresses(partner) if one != email]
            if set(others) - self._blacklisted(others):
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
    def _may_opt_in_again(self, email):
        """Whether there is something that ``_opt_in_again`` would give back."""
        return bool(self._unsubscribed(email))

    @api.model
    def _unsubscribed(self, email):
        email = tools.email_normalize(email)
        said = self.env["lifecycle.opt.out"]
        found = email and said._of(self.env["res.partner"], [email])
        return (found or said).filtered(lambda one: one.source == "link")

    @api.model
    def _opt_in_again(self, email):
        """Undo ``_opt_out``, for whoever clicked by mistake.

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
            since = self.env["lifecycle.opt.out"]._of(self.env["res.partner"], [email])
            rows |= since.filtered(lambda one: one.source == "blacklist")
        for row in rows.filtered("took_consent"):
            partner = row.partner_id.with_context(**{OURS: own()})
            if partner and not partner.lifecycle_marketing_consent:
                partner.lifecycle_marketing_consent = True
                partner.lifecycle_marketing_consent_date = row.consent_date
        rows._lift()
        return email not in self._blacklisted([email])

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
        chosen = own_value(self.env, "lifecycle_people")
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
        """Dict commercial partner id → list with the id of the contact who ordered last.

        Wherever the company's purchases come from: orders, the shop, a till, invoices, imports.
        """
        self.env.flush_all()
        ordered = [
            sql
            for source in self.env["lifecycle.revenue.source"]._of_orders(company)
            if (sql := source._buyers_sql(company, customers.ids)) is not None
        ]
        if not ordered or not customers:
            return {}
        self.env.cr.execute(
            SQL(
                """SELECT DISTINCT ON (ordered.customer_id) ordered.customer_id, person.id
                     FROM (%s) ordered
                     JOIN res_partner person
                       ON person.id = ordered.person_id
                      AND person.commercial_partner_id = ordered.customer_id
                      AND person.type IS DISTINCT FROM 'invoice'
                    ORDER BY ordered.customer_id, ordered.moment DESC, person.id""",
                SQL(" UNION ALL ").join(ordered),
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
        if not emails:
            return []
        self.env["lifecycle.workflow.delivery"].flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT email, date FROM lifecycle_workflow_delivery
                    WHERE email = ANY(%(emails)s::text[]) AND company_id = %(company)s
                      AND kind = 'email' AND state = 'done' AND date > %(since)s
                    UNION ALL
                   SELECT other.email, date FROM lifecycle_workflow_delivery
                     JOIN unnest(%(emails)s::text[]) other(email)
                       ON other.email = ANY(string_to_array(other_emails, ', '))
                    WHERE other_emails IS NOT NULL
                      AND string_to_array(other_emails, ', ') && %(emails)s::text[]
                      AND company_id = %(company)s AND kind = 'email'
                      AND state = 'done' AND date > %(since)s""",
                emails=emails,
                company=company.id,
                since=since,
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
