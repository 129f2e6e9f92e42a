"""The one decision about a message to a contact: it is sent, it waits, or it is refused.

In: what the message is (``tools/messages.py``), contacts or customers, a moment. Out: for each a
decision with addresses, or with a reason; for a customer also who of its people gets it. Asked by
workflows, automation rules, reminders, rewards for recommendations, audiences and the mail queue.
What people have said, and who writes that down, is in ``opt_out``.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.messages import REFUSE, SEND, WAIT, Decision
from ..profile.complaints import PAUSING, UNPAID
from .channels import CHANNELS, EMAIL

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


def first_reason(cases):
    """SQL: the first reason of (condition, reason) whose condition holds, else NULL."""
    return SQL("CASE %s END", SQL(" ").join(SQL("WHEN %s THEN %s", *case) for case in cases))


class LifecycleConsent(models.AbstractModel):
    """Whom a company may write to, who of a customer gets it, and when: the only place.

    Everything is looked up at the moment of asking, for some customers at once, as superuser.
    """

    _name = "lifecycle.consent"
    _description = "Consent to Marketing Messages"

    # ----- THE DECISION -----

    @api.model
    def _decide(self, message, contacts, moment=None):
        """What becomes of a message to each of some contacts.

        Every address is judged on its own; what a person has said holds for those he has got
        since.

        :param message: ``Message``
        :param contacts: ``res.partner``, archived ones included
        :param moment: when it is to be sent (UTC); None: now
        :return: dict contact id → ``Decision``
        """
        judged = self._judge(message, contacts)
        customers = contacts.sudo().commercial_partner_id
        profiles = self.env["lifecycle.profile"].sudo().search(
            [("partner_id", "in", customers.ids), ("company_id", "=", message.company.id)]
        )
        of_customer = profiles.grouped("partner_id")
        pairs = [
            (of_customer.get(one.person.commercial_partner_id, profiles[:0]), one)
            for one in judged.values()
        ]
        return dict(zip(judged, self._put_off(message, pairs, moment), strict=True))

    @api.model
    def _decide_customers(self, message, profiles, moment=None):
        """Who of each customer gets a message, and when, or why nobody does.

        The contact who ordered last; else a contact marked for marketing; else the customer
        itself where it is a person. Never an address for invoices.

        :param profiles: ``lifecycle.profile`` of the message's company
        :return: dict profile id → ``Decision``; without anybody to write to it is refused with
            "no_person"
        """
        people = self._candidates(message, profiles)
        judged = self._judge(message, self.env["res.partner"].union(*people.values()))
        pairs = [
            (profile, self._choose([judged[one.id] for one in people[profile.partner_id.id]]))
            for profile in profiles.sudo()
        ]
        return dict(zip(profiles.ids, self._put_off(message, pairs, moment), strict=True))

    @api.model
    def _choose(self, decisions):
        """Of the decisions about a customer's people that which counts."""
        free = [one for one in decisions if not one.is_refused]
        reachable = [one for one in decisions if one.reason not in ("no_address", "archived")]
        nobody = Decision(REFUSE, self.env["res.partner"].sudo(), reason="no_person")
        return (free or reachable or [nobody])[0]

    @api.model
    def _put_off(self, message, pairs, moment=None):
        """Let messages wait that nothing but the moment speaks against.

        :param pairs: list of (profile, ``Decision``)
        :return: list of ``Decision``, in the same order
        """
        if not message.purpose.is_limited or message.is_leaving:
            return [decision for _profile, decision in pairs]
        waits = self._waits(
            message,
            [(profile, decision.addresses) for profile, decision in pairs],
            moment,
        )
        return [
            decision
            if decision.is_refused or not wait
            else Decision(WAIT, decision.person, decision.addresses, *wait)
            for (_profile, decision), wait in zip(pairs, waits, strict=True)
        ]

    # ----- MAY WE WRITE -----

    @api.model
    def _judge(self, message, contacts):
        """Whether each contact may be written to at all: dict contact id → ``Decision``."""
        contacts = contacts.sudo()
        channel = CHANNELS[message.channel]
        asked = [
            (contact.id, address)
            for contact in contacts
            for address in channel.addresses(contact) or [None]
        ]
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """SELECT person.id, asked.address, %(refusal)s
                     FROM unnest(%(ids)s::integer[], %(addresses)s::varchar[])
                          WITH ORDINALITY asked(id, address, number)
                     JOIN res_partner person ON person.id = asked.id
                     JOIN res_partner customer ON customer.id = person.commercial_partner_id
                    ORDER BY asked.number""",
                refusal=self._refusal_sql(message, "person", "customer", SQL("asked.address")),
                ids=[contact_id for contact_id, _address in asked],
                addresses=[address for _contact_id, address in asked],
            )
        )
        found = {}
        for contact_id, address, reason in self.env.cr.fetchall():
            found.setdefault(contact_id, []).append((address, reason))
        decisions = {}
        for contact in contacts:
            rows = found.get(contact.id, [(None, "archived")])
            free = tuple(address for address, reason in rows if not reason)
            decisions[contact.id] = (
                Decision(SEND, contact, free)
                if free
                else Decision(REFUSE, contact, reason=rows[0][1])
            )
        return decisions

    @api.model
    def _refusal_sql(self, message, person, customer, address):
        """SQL: key of ``REFUSALS`` why a message must not go to an address; NULL where it may.

        For as many contacts as a query has; everything must have been flushed.

        :param person: alias of the contacts' table
        :param customer: alias of their commercial partners
        :param address: SQL of a normalised address, NULL where a contact has none
        """
        channel = CHANNELS[message.channel]
        cases = [
            (SQL("%s IS NOT TRUE", SQL.identifier(person, "active")), "archived"),
            (
                SQL(
                    "%s IS TRUE OR %s IS TRUE",
                    SQL.identifier(person, "lifecycle_exclude"),
                    SQL.identifier(customer, "lifecycle_exclude"),
                ),
                "excluded",
            ),
            *channel.unreachable_sql(person, address),
        ]
        if message.purpose.needs_consent:
            cases += self._said_no(message, channel, person, address)
        return first_reason(cases)

    @api.model
    def _said_no(self, message, channel, person, address):
        """(Condition, reason) where a person has said no, or has not agreed if that is needed.

        Each condition looks up one thing by itself, so that the database may read all who have
        said so at once where many are asked about.
        """
        elsewhere = channel.refused_sql(self.env, address)

        def said(*sources):
            return SQL(
                """(EXISTS (SELECT FROM lifecycle_opt_out said
                             WHERE said.active AND said.source = ANY(%(sources)s)
                               AND said.email = %(address)s)
                    OR EXISTS (SELECT FROM lifecycle_opt_out said
                                WHERE said.active AND said.source = ANY(%(sources)s)
                                  AND said.partner_id = %(person)s
                                  AND COALESCE(%(address)s
                                               <> ALL(string_to_array(said.spared, ', ')),
                                               TRUE)))""",
                sources=list(sources),
                address=address,
                person=SQL.identifier(person, "id"),
            )

        cases = []
        for reason, sources in (("blacklisted", ("link", "blacklist")), ("opted_out", ("list",))):
            if reason in elsewhere:
                cases.append((elsewhere[reason], reason))
            cases.append((said(*sources), reason))
        if message.company.sudo().lifecycle_consent_required:
            agreed = SQL.identifier(person, "lifecycle_marketing_consent")
            cases.append((SQL("%s IS NOT TRUE OR %s", agreed, said("consent")), "no_consent"))
        return cases

    @api.model
    def _addresses(self, partner):
        """The normalised e-mail addresses of a contact, each once."""
        return EMAIL.addresses(partner)

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
        refused = self._refused_elsewhere(emails)
        return {email for email in emails if refused.get(email) == "blacklisted"}

    @api.model
    def _refused_elsewhere(self, emails):
        """Dict address → why other apps' e-mails do not go to it; free ones are left out."""
        self.env.flush_all()
        email = SQL("asked.email")
        cases = [(sql, reason) for reason, sql in EMAIL.refused_sql(self.env, email).items()]
        self.env.cr.execute(
            SQL(
                """SELECT * FROM (SELECT email, %s AS reason
                                    FROM unnest(%s::varchar[]) asked(email)) judged
                    WHERE reason IS NOT NULL""",
                first_reason(cases),
                list(emails),
            )
        )
        return dict(self.env.cr.fetchall())

    # ----- WHO GETS IT -----

    @api.model
    def _candidates(self, message, profiles):
        """Dict commercial partner id → people of a customer, the first choice first."""
        Partner = self.env["res.partner"].sudo().with_context(active_test=False)
        customers = Partner.browse(profiles.sudo().partner_id.ids)
        if message.people is not None:
            return {
                customer.id: Partner.browse(message.people.get(customer.id, [])).filtered(
                    lambda one: one.type != "invoice"
                )
                for customer in customers
            }
        last = self._last_ordering(customers, message.company)
        marked = Partner.with_context(active_test=True).search(
            [
                ("commercial_partner_id", "in", customers.ids),
                ("lifecycle_marketing_contact", "=", True),
                ("type", "!=", "invoice"),
            ],
            order="id",
        ).grouped("commercial_partner_id")
        candidates = {}
        for customer in customers:
            people = Partner.browse(last.get(customer.id, []))
            people |= marked.get(customer, Partner)
            if not customer.is_company and customer.type != "invoice":
                people |= customer
            candidates[customer.id] = people
        return candidates

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
    def _waits(self, message, asked, moment=None):
        """Why messages that may be sent have to wait.

        :param asked: list of (profile or empty, addresses)
        :param moment: when they are to be sent (UTC); None: now
        :return: list, in the same order, of (key of ``PAUSES``, moment to ask again) or None
        """
        moment = moment or fields.Datetime.now()
        profiles = self.env["lifecycle.profile"].union(*(profile for profile, _some in asked))
        pauses = self._pauses(profiles, message.company, moment)
        addresses = sorted({address for _profile, some in asked for address in some if address})
        free = self._free_from(message, addresses, moment)
        waits = []
        for profile, some in asked:
            capped = [free[address] for address in some if address in free]
            waits.append(pauses.get(profile.id) or (capped and ("cap", max(capped))) or None)
        return waits

    @api.model
    def _free_from(self, message, addresses, moment):
        """From when on addresses that have had enough messages may get another one.

        Counts what workflows have sent and what ordinary mailings have.

        :return: dict address → datetime; addresses that are free are left out
        """
        if not addresses:
            return {}
        company, sent = message.company, {}
        for address, date in CHANNELS[message.channel].sent_lately(
            self.env, addresses, company, moment - MONTH
        ):
            sent.setdefault(address, []).append(date)
        free = {}
        for address, dates in sent.items():
            dates.sort(reverse=True)
            limits = [
                dates[most - 1] + span
                for most, span in (
                    (company.lifecycle_cap_week, WEEK),
                    (company.lifecycle_cap_month, MONTH),
                )
                if most and len(dates) >= most
            ]
            if limits and max(limits) > moment:
                free[address] = max(limits)
        return free

    @api.model
    def _pauses(self, profiles, company, moment):
        """Why some customers are left in peace, and until when.

        :return: dict profile id → (key of ``PAUSES``, datetime to look again)
        """
        zone = company.with_context(tz=company._lifecycle_timezone())
        today = fields.Datetime.context_timestamp(zone, moment).date()
        pauses = {}
        for profile in profiles.sudo():
            until = {
                complaint.pause: company.lifecycle_complaint_days - (today - date).days
                for complaint in PAUSING
                if (date := profile[complaint.date])
            }
            reason = max(until, key=until.get, default=None)
            if reason and until[reason] > 0:
                pauses[profile.id] = (reason, moment + timedelta(days=until[reason]))
            elif profile[UNPAID] and profile[UNPAID] < today:
                pauses[profile.id] = ("overdue", moment + timedelta(days=1))
        return pauses
