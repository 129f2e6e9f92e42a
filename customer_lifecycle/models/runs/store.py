"""Writes collected sums to profiles: new ones, changed ones, and those to be archived.

In: the temporary tables of ``Collect`` and ``PredictNew``. Out: rows of profiles, in batches by the
customer's id. Called by the night and by the refresh of a few customers.
"""

from odoo.tools import SQL

from ...tools.step import Step
from ..prediction.prediction_columns import OUTPUTS, kept_sql, names_sql, whole_sql
from ..prediction.rhythm import rhythm_sql
from .collect import SUMS, sum_columns

#: profiles written between two commits
STORE_BATCH = 50_000


class Store(Step):
    """Writing the sums that differ to the profiles; reads tables, makes none."""

    def next_position(self, after):
        """Last partner id of the next batch of changes, or None when the rest fits into one."""
        self.cr.execute(
            SQL(
                "SELECT partner_id FROM lifecycle_change WHERE partner_id > %s "
                "ORDER BY partner_id OFFSET %s LIMIT 1",
                after,
                STORE_BATCH - 1,
            )
        )
        row = self.cr.fetchone()
        return row and row[0]

    def store(self, after, until, late=True):
        """Write what differs for commercial partners in (after, until].

        :param late: mark those whose older purchases are new, too
        :return: number of rows inserted or changed
        """
        changed = self._write_facts(after, until) + self._archive(after, until)
        if late:
            self._mark_late(after, until)
        return changed

    def _write_facts(self, after, until):
        """Write the changed sums of commercial partners in (after, until] to their profiles.

        New profiles get the predictions that ``lifecycle_outputs`` has for them at once.

        :return: number of rows inserted or changed
        """
        company = self.company
        columns = sum_columns()
        new = sum_columns("sums")
        predicted = whole_sql("new")
        # who has no purchases left has no prediction either
        bought = SQL("sums.order_count > 0")
        self.cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile
                      SET (%(columns)s) = ROW(%(new)s),
                          active = TRUE,
                          currency_id = %(currency)s,
                          (%(predictions)s) = ROW(%(kept)s),
                          predicted = profile.predicted AND %(bought)s,
                          clv_total = sums.clv_historical
                              + COALESCE(CASE WHEN %(bought)s THEN profile.clv_predicted END, 0)
                     FROM lifecycle_change sums
                    WHERE sums.partner_id = profile.partner_id
                      AND sums.found AND sums.known
                      AND sums.partner_id > %(after)s AND sums.partner_id <= %(until)s
                      AND profile.partner_id > %(after)s AND profile.partner_id <= %(until)s
                      AND profile.company_id = %(company)s""",
                columns=columns,
                new=new,
                bought=bought,
                predictions=names_sql(),
                kept=kept_sql("profile", bought),
                currency=company.currency_id.id,
                company=company.id,
                after=after,
                until=until,
            )
        )
        changed = self.cr.rowcount
        self.cr.execute(
            SQL(
                """INSERT INTO lifecycle_profile
                         (partner_id, company_id, currency_id, active, predicted, clv_total,
                          rhythm, %(predictions)s, %(columns)s)
                   SELECT sums.partner_id, %(company)s, %(currency)s, TRUE,
                          new.id IS NOT NULL,
                          sums.clv_historical + COALESCE(%(expected)s, 0), %(rhythm)s,
                          %(predicted)s, %(new)s
                     FROM lifecycle_change sums
                     JOIN res_partner customer ON customer.id = sums.partner_id
                     LEFT JOIN lifecycle_outputs new ON new.id = sums.partner_id
                    WHERE sums.found AND NOT sums.known
                      AND sums.partner_id > %(after)s AND sums.partner_id <= %(until)s
                      AND customer.id > %(after)s AND customer.id <= %(until)s
                   ON CONFLICT (partner_id, company_id) DO NOTHING""",
                columns=columns,
                new=new,
                predictions=names_sql(),
                predicted=SQL(", ").join(predicted.values()),
                expected=predicted["clv_predicted"],
                rhythm=rhythm_sql(self.env["lifecycle.clv.model"]._current(company)),
                company=company.id,
                currency=company.currency_id.id,
                after=after,
                until=until,
            )
        )
        return changed + self.cr.rowcount

    def _archive(self, after, until):
        """Archive the profiles in (after, until] that no sums were found for.

        They stay, so that their history does.
        """
        self.cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile
                      SET active = FALSE, predicted = FALSE, clv_total = 0,
                          (%s, %s) = ROW(%s, %s)
                     FROM lifecycle_change gone
                    WHERE gone.partner_id = profile.partner_id AND NOT gone.found
                      AND gone.partner_id > %s AND gone.partner_id <= %s
                      AND profile.company_id = %s AND profile.active""",
                sum_columns(),
                names_sql(),
                SQL(", ").join(SQL(nothing) for nothing in SUMS.values()),
                SQL(", ").join(SQL("NULL") for _name in OUTPUTS),
                after,
                until,
                self.company.id,
            )
        )
        return self.cr.rowcount

    def _mark_late(self, after, until):
        """Note on the profiles in (after, until] what ``find_late`` has found."""
        self.cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile
                      SET history_until = late.until,
                          history_day = COALESCE(late.late_day, profile.history_day)
                     FROM lifecycle_late late
                    WHERE late.partner_id = profile.partner_id AND profile.company_id = %s
                      AND late.partner_id > %s AND late.partner_id <= %s""",
                self.company.id,
                after,
                until,
            )
        )
