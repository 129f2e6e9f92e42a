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
                              NULLIF(contact.email_normalized, '') AS email,
                              NULLIF(contact.phone_sanitized, '') AS phone,
                              NULLIF(REGEXP_REPLACE(contact.phone, '[^0-9]', '', 'g'), '')
                                  AS digits,
                              NULLIF(UPPER(REGEXP_REPLACE(contact.vat, '[^[:alnum:]]', '', 'g')),
                                     '') AS vat,
                              %(address)s AS address
                         FROM res_partner contact
                        WHERE contact.commercial_partner_id IN (
                                  SELECT advocate_id FROM judged UNION
                                  SELECT friend_id FROM judged)
                   ), pair AS MATERIALIZED (
                       SELECT judged.id,
                              BOOL_OR(one.email = other.email) AS email,
                              BOOL_OR(one.phone = other.phone OR one.digits = other.digits)
                                  AS phone,
                              BOOL_OR(one.vat = other.vat) AS vat,
                              BOOL_OR(one.address = other.address) AS address
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
                           WHEN pair.address THEN 'address'
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
                bought=bought,
            )
        )
        reasons = {}
        for id_, reason in self.env.cr.fetchall():
            reasons.setdefault(reason, []).append(id_)
        return reasons

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
                """SELECT DISTINCT friend.commercial_partner_id, other.commercial_partner_id
                     FROM res_partner friend
                     JOIN res_partner other ON other.email_normalized = friend.email_normalized
                    WHERE friend.commercial_partner_id = ANY(%s)
                      AND NULLIF(friend.email_normalized, '') IS NOT NULL
                      AND other.commercial_partner_id <> friend.commercial_partner_id""",
                friend_ids,
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
                WHERE ordering.state = 'sale' AND ordering.company_id = %(company)s
                  AND contact.commercial_partner_id = ANY(%(ids)s)
                UNION ALL
               SELECT partner_id,
                      (day + 1)::timestamp AT TIME ZONE %(zone)s AT TIME ZONE 'UTC'
                 FROM (%(rows)s) purchases WHERE amount > 0""",
            company=company.id,
            ids=ids,
            zone=company._lifecycle_timezone(),
            rows=self.env["lifecycle.revenue.source"]._rows_sql(company, ids),
        )
