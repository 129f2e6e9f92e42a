"""A batch of customers whose orders are looked at, and the people behind them.

In: who is due, or a few. Out: temporary tables that the readers of orders start from. Called by
the flow when it looks at customers.
"""

from odoo.tools import SQL

from ...tools.step import Step

#: profiles that are looked at together
BATCH = 20_000


class Chosen(Step):
    """- ``lifecycle_chosen``: profiles, with number, first and last day of their orders
    - ``lifecycle_contact``: all their contacts
    - ``lifecycle_buyer``: those who buy, or bought, for them, see ``lifecycle.former.firm``
    """

    TABLES = ("lifecycle_chosen", "lifecycle_contact", "lifecycle_buyer")

    def choose(self, due):
        """Choose the few in scope, whether they are due or not, or the next that are.

        :param due: conditions on ``lifecycle_profile profile``, one of which is enough
        :return: how many
        """
        where = SQL("(%s)", SQL(" OR ").join(due) or SQL("FALSE"))
        if self.scope.is_few:
            where = self.scope.few(SQL.identifier("profile", "partner_id"))
        self.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_chosen AS
                   SELECT profile.id, profile.partner_id, profile.order_count,
                          profile.first_order_date, profile.last_order_date
                     FROM lifecycle_profile profile
                    WHERE profile.company_id = %s AND profile.active AND %s
                    ORDER BY profile.id LIMIT %s""",
                self.company.id,
                where,
                None if self.scope.is_few else BATCH,
            )
        )
        count = self.cr.rowcount
        if count:
            self.cr.execute("CREATE UNIQUE INDEX ON lifecycle_chosen (id)")
            self.cr.execute("ANALYZE lifecycle_chosen")
            self._collect_contacts()
        return count

    def _collect_contacts(self):
        self.cr.execute(
            """CREATE TEMPORARY TABLE lifecycle_contact AS
               SELECT contact.id, chosen.id AS profile_id, contact.email_normalized,
                      contact.company_id, contact.create_date
                 FROM lifecycle_chosen chosen
                 JOIN res_partner contact ON contact.commercial_partner_id = chosen.partner_id"""
        )
        self.cr.execute("ANALYZE lifecycle_contact")
        self.cr.execute(
            """CREATE TEMPORARY TABLE lifecycle_buyer AS
               SELECT id, profile_id, TRUE AS present FROM lifecycle_contact
               UNION ALL
               SELECT DISTINCT former.partner_id, chosen.id, FALSE
                 FROM lifecycle_chosen chosen
                 JOIN lifecycle_former_firm former ON former.firm_id = chosen.partner_id
                WHERE NOT EXISTS (SELECT FROM lifecycle_contact contact
                                   WHERE contact.id = former.partner_id
                                     AND contact.profile_id = chosen.id)"""
        )
        self.cr.execute("ANALYZE lifecycle_buyer")
