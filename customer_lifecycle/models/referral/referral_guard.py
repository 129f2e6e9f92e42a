"""Which recommendations must not be rewarded, found by comparing both customers.

In: recommendations under way. Out: refusals for the same mailbox, phone, tax number, address or
bank account, for excluded contacts and for purchases before, in orders or revenue sources.
Called when a recommendation is noted, and again before its reward is given.
"""

from odoo import api, models
from odoo.tools import SQL


class LifecycleReferral(models.Model):
    """Who must not be rewarded: whoever brings himself, or somebody who was here before."""

    # a file for each subject of this large model
    _inherit = "lifecycle.referral"  # pylint: disable=consider-merging-classes-inherited

    def _judge(self):
        """Refuse what must not be rewarded, for some recommendations under way at once.

        What a manager has accepted is only asked whether both are still two customers.
        """
        self = self.sudo().filtered(lambda one: one.state in ("joined", "ordered", "waiting"))
        for company, some in self.grouped("company_id").items():
            for reason, ids in some._reasons(company).items():
                self.browse(ids)._refuse(reason)

    def _reasons(self, company):
        """Dict reason → ids of those that must not be rewarded."""
        self.env.flush_all()
        return self.env["lifecycle.revenue.source"]._carefully(
            company, self.friend_id.commercial_partner_id.ids, lambda: self._find_reasons(company)
        )

    def _find_reasons(self, company):
        friends = self.friend_id.ids
        twins = self._twins(friends)
        bought = self._bought_sql(company, {*friends, *(twin for _id, twin in twins)})
        self.env.cr.execute(
            SQL(
                """WITH judged AS MATERIALIZED (
                       SELECT referral.id, referral.advocate_id, referral.friend_id,
                              referral.date, referral.accepted_id
                         FROM lifecycle_referral referral WHERE referral.id = ANY(%(ids)s)
                   ), twin AS MATERIALIZED (
                       SELECT * FROM UNNEST(%(twin_friends)s::integer[], %(twins)s::integer[])
                                  AS same(friend_id, partner_id)
                   ), person AS MATERIALIZED (
                       SELECT contact.commercial_partner_id AS partner_id,
                              %(emails)s AS emails,
                              NULLIF(contact.phone_sanitized, '') AS phone,
                              %(digits)s AS digits, %(vat)s AS vat, %(address)s AS address,
                              ARRAY(SELECT account.sanitized_acc_number
                                      FROM res_partner_bank account
                                     WHERE account.partner_id = contact.id
                                       AND account.sanitized_acc_number <> '')::text[]
                                  AS accounts
                         FROM res_partner contact
                        WHERE contact.commercial_partner_id IN (
                                  SELECT advocate_id FROM judged UNION
                                  SELECT friend_id FROM judged)
                        UNION ALL
                       -- where the new customer has his goods sent to
                       SELECT judged.friend_id, ARRAY[]::text[], NULL, NULL, NULL,
                              %(address)s, ARRAY[]::text[]
                         FROM judged
                         JOIN res_partner person ON person.commercial_partner_id = judged.friend_id
                         JOIN sale_order ordering ON ordering.partner_id = person.id
                         JOIN res_partner contact ON contact.id = ordering.partner_shipping_id
                        WHERE ordering.state = 'sale'
                          AND contact.commercial_partner_id <> judged.friend_id
                   ), pair AS MATERIALIZED (
                       SELECT judged.id,
                              BOOL_OR(one.emails && other.emails) AS email,
                              BOOL_OR(one.phone = other.phone OR one.digits = other.digits)
                                  AS phone,
                              BOOL_OR(one.vat = other.vat) AS vat,
                              BOOL_OR(one.address = other.address) AS address,
                              BOOL_OR(one.accounts && other.accounts) AS bank
                         FROM judged
                         JOIN person one ON one.partner_id = judged.advocate_id
                         JOIN person other ON other.partner_id = judged.friend_id
                        GROUP BY judged.id
                   ), bought AS MATERIALIZED (%(bought)s)
                   SELECT id, reason FROM (
                       SELECT judged.id, CASE
                           WHEN judged.advocate_id = judged.friend_id THEN 'self'
                           WHEN judged.accepted_id IS NOT NULL THEN NULL
                           WHEN pair.email THEN 'email'
                           WHEN pair.phone THEN 'phone'
                           WHEN pair.vat THEN 'vat'
                           WHEN pair.address OR EXISTS (
                               SELECT FROM res_partner person
                                 JOIN sale_order ordering ON ordering.partner_id = person.id
                                 JOIN res_partner target ON target.id = ordering.partner_shipping_id
                                WHERE person.commercial_partner_id = judged.friend_id
                                  AND target.commercial_partner_id = judged.advocate_id
                                  AND ordering.state = 'sale')
                               THEN 'address'
                           WHEN pair.bank THEN 'bank'
                           WHEN advocate.lifecycle_exclude OR friend.lifecycle_exclude
                               THEN 'excluded'
                           WHEN EXISTS (
                               SELECT FROM bought
                                WHERE bought.moment < judged.date
                                  AND (bought.partner_id = judged.friend_id
                                       OR bought.partner_id IN (
                                           SELECT twin.partner_id FROM twin
                                            WHERE twin.friend_id = judged.friend_id)))
                               THEN 'bought'
                           END AS reason
                         FROM judged
                         JOIN res_partner advocate ON advocate.id = judged.advocate_id
                         JOIN res_partner friend ON friend.id = judged.friend_id
                         LEFT JOIN pair ON pair.id = judged.id) found
                    WHERE reason IS NOT NULL""",
                ids=self.ids,
                twin_friends=[friend for friend, _twin in twins],
                twins=[twin for _friend, twin in twins],
                address=self._address_sql(),
                emails=self._emails_sql(SQL("contact")),
                digits=self._digits_sql(),
                vat=self._vat_sql(),
                bought=bought,
            )
        )
        reasons = {}
        for id_, reason in self.env.cr.fetchall():
            reasons.setdefault(reason, []).append(id_)
        return reasons

    @api.model
    def _mailbox_sql(self, address):
        """The mailbox behind an address in small letters: what follows a plus is the same one.

        At Google dots count for nothing, and its two names are one.
        """
        return SQL(
            """(CASE WHEN SPLIT_PART(%(address)s, '@', 2) IN ('gmail.com', 'googlemail.com')
                     THEN REPLACE(REGEXP_REPLACE(SPLIT_PART(%(address)s, '@', 1),
                                                 '(.)[+].*$', '\\1'), '.', '')
                          || '@gmail.com'
                     ELSE REGEXP_REPLACE(%(address)s, '^([^+@]+)[+][^@]*@', '\\1@') END)""",
            address=address,
        )

    @api.model
    def _emails_sql(self, alias):
        """Mailboxes of a contact: one field may name several addresses."""
        return SQL(
            r"""ARRAY(SELECT %(mailbox)s FROM REGEXP_MATCHES(
                          LOWER(CONCAT_WS(' ', %(alias)s.email, %(alias)s.email_normalized)),
                          '[^][[:space:]<>(),;:"]+@[^][[:space:]<>(),;:"@]+', 'g') found)""",
            alias=alias,
            mailbox=self._mailbox_sql(SQL("found[1]")),
        )

    @api.model
    def _digits_sql(self):
        """The end of a phone number, without what country and trunk are written before it."""
        digits = SQL("REGEXP_REPLACE(contact.phone, '[^0-9]', '', 'g')")
        return SQL(
            "(CASE WHEN LENGTH(%(digits)s) >= 8 THEN RIGHT(%(digits)s, 8) "
            "ELSE NULLIF(%(digits)s, '') END)",
            digits=digits,
        )

    @api.model
    def _vat_sql(self):
        """A tax number, with or without its country; placeholders such as “/” are none."""
        return SQL(
            r"""NULLIF(REGEXP_REPLACE(
                    UPPER(REGEXP_REPLACE(contact.vat, '[^[:alnum:]]', '', 'g')),
                    '^[A-Z]{2}(?=[0-9A-Z]{5})', ''), '')"""
        )

    @api.model
    def _address_sql(self):
        """Street and town of a contact as one word, NULL where one of them is missing."""
        return SQL(
            """(CASE WHEN COALESCE(contact.street, '') <> ''
                      AND COALESCE(NULLIF(contact.zip, ''), contact.city, '') <> ''
                     THEN LOWER(REGEXP_REPLACE(
                         CONCAT_WS('|', contact.street, contact.street2,
                                   COALESCE(NULLIF(contact.zip, ''), contact.city),
                                   contact.country_id),
                         '[^[:alnum:]|]', '', 'g')) END)"""
        )

    @api.model
    def _twins(self, friend_ids):
        """Pairs (customer, other customer with the same e-mail address).

        Guests of a web shop become a contact of their own with every order.
        """
        self.env.cr.execute(
            SQL(
                """WITH friend AS MATERIALIZED (
                       SELECT contact.commercial_partner_id, address
                         FROM res_partner contact
                        -- as it is written, and the mailbox behind it: each by the index
                        CROSS JOIN LATERAL UNNEST(
                              %(emails)s || contact.email_normalized::text) address
                        WHERE contact.commercial_partner_id = ANY(%(friends)s)
                          AND NULLIF(address, '') IS NOT NULL
                   )
                   SELECT DISTINCT friend.commercial_partner_id, other.commercial_partner_id
                     FROM friend
                     JOIN res_partner other ON other.email_normalized = friend.address
                    WHERE other.commercial_partner_id <> friend.commercial_partner_id""",
                emails=self._emails_sql(SQL("contact")),
                friends=friend_ids,
            )
        )
        return self.env.cr.fetchall()

    @api.model
    def _bought_sql(self, company, partner_ids):
        """SELECT (customer, moment) of what some customers have bought, from every source.

        Orders are known to the second; of other purchases only the day is, which ends before the
        next begins.
        """
        ids = list(partner_ids)
        return SQL(
            """SELECT contact.commercial_partner_id AS partner_id, ordering.date_order AS moment
                 FROM sale_order ordering
                 JOIN res_partner contact ON contact.id = ordering.partner_id
                WHERE ordering.state = 'sale' AND ordering.company_id = ANY(%(companies)s)
                  AND contact.commercial_partner_id = ANY(%(ids)s)
                UNION ALL
               SELECT partner_id,
                      (day + 1)::timestamp AT TIME ZONE %(zone)s AT TIME ZONE 'UTC'
                 FROM (%(rows)s) purchases WHERE amount > 0""",
            companies=company._lifecycle_family().ids,
            ids=ids,
            zone=company._lifecycle_timezone(),
            rows=self.env["lifecycle.revenue.source"]._rows_sql(company, ids),
        )
