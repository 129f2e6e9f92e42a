"""Writes collected facts to profiles: new ones, changed ones, and those to be archived.

In: the temporary tables of changes and of predictions. Out: rows of profiles, in batches by the
customer's id, and the temporary tables dropped at the end. Called by the nightly run and the
refresh of a few customers.
"""

from odoo import api, models
from odoo.tools import SQL

from ..prediction.prediction_columns import OUTPUTS, kept_sql, names_sql, whole_sql
from .collect import FACTS

#: profiles written between two commits
STORE_BATCH = 50_000


class LifecyclePipeline(models.AbstractModel):
    """Writing the facts that differ to the profiles."""

    # a file for each subject of this large model
    _inherit = "lifecycle.pipeline"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _next_position(self, after):
        """Last partner id of the next batch of changes, or None when the rest fits into one."""
        self.env.cr.execute(
            SQL(
                "SELECT partner_id FROM lifecycle_change WHERE partner_id > %s "
                "ORDER BY partner_id OFFSET %s LIMIT 1",
                after,
                STORE_BATCH - 1,
            )
        )
        row = self.env.cr.fetchone()
        return row and row[0]

    @api.model
    def _store_facts(self, company, after, until):
        """Write the changed facts of commercial partners in (after, until] to their profiles.

        New profiles get the predictions that ``lifecycle_outputs`` has for them at once.

        :return: number of rows inserted or changed
        """
        cr = self.env.cr
        columns = self._fact_columns()
        new = self._fact_columns("facts")
        predicted = whole_sql("new")
        # who has no purchases left has no prediction either
        bought = SQL("facts.order_count > 0")
        cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile
                      SET (%(columns)s) = ROW(%(new)s),
                          active = TRUE,
                          currency_id = %(currency)s,
                          (%(predictions)s) = ROW(%(kept)s),
                          predicted = profile.predicted AND %(bought)s,
                          clv_total = facts.clv_historical
                              + COALESCE(CASE WHEN %(bought)s THEN profile.clv_predicted END, 0)
                     FROM lifecycle_change facts
                    WHERE facts.partner_id = profile.partner_id
                      AND facts.found AND facts.known
                      AND facts.partner_id > %(after)s AND facts.partner_id <= %(until)s
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
        changed = cr.rowcount
        cr.execute(
            SQL(
                """INSERT INTO lifecycle_profile
                         (partner_id, company_id, currency_id, active, predicted, clv_total,
                          rhythm, %(predictions)s, %(columns)s)
                   SELECT facts.partner_id, %(company)s, %(currency)s, TRUE,
                          new.id IS NOT NULL,
                          facts.clv_historical + COALESCE(%(expected)s, 0), %(rhythm)s,
                          %(predicted)s, %(new)s
                     FROM lifecycle_change facts
                     JOIN res_partner customer ON customer.id = facts.partner_id
                     LEFT JOIN lifecycle_outputs new ON new.id = facts.partner_id
                    WHERE facts.found AND NOT facts.known
                      AND facts.partner_id > %(after)s AND facts.partner_id <= %(until)s
                      AND customer.id > %(after)s AND customer.id <= %(until)s
                   ON CONFLICT (partner_id, company_id) DO NOTHING""",
                columns=columns,
                new=new,
                predictions=names_sql(),
                predicted=SQL(", ").join(predicted.values()),
                expected=predicted["clv_predicted"],
                rhythm=self.env["lifecycle.classifier"]._rhythm_sql(
                    self.env["lifecycle.clv.model"]._current(company)
                ),
                company=company.id,
                currency=company.currency_id.id,
                after=after,
                until=until,
            )
        )
        return changed + cr.rowcount

    @api.model
    def _archive_without_facts(self, company, after, until):
        """Archive the profiles in (after, until] that no facts were found for.

        They stay, so that their history does.
        """
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile
                      SET active = FALSE, predicted = FALSE, clv_total = 0,
                          (%s, %s) = ROW(%s, %s)
                     FROM lifecycle_change gone
                    WHERE gone.partner_id = profile.partner_id AND NOT gone.found
                      AND gone.partner_id > %s AND gone.partner_id <= %s
                      AND profile.company_id = %s AND profile.active""",
                self._fact_columns(),
                names_sql(),
                SQL(", ").join(SQL(nothing) for nothing in FACTS.values()),
                SQL(", ").join(SQL("NULL") for _name in OUTPUTS),
                after,
                until,
                company.id,
            )
        )
        return self.env.cr.rowcount

    @api.model
    def _buyer_count(self):
        """Number of customers among the collected facts."""
        return self.env.execute_query(
            SQL("SELECT COUNT(*) FROM lifecycle_facts WHERE order_count > 0")
        )[0][0]

    @api.model
    def _forget_facts(self):
        """Drop what ``_collect_facts`` made."""
        self.env.cr.execute(
            "DROP TABLE pg_temp.lifecycle_facts, pg_temp.lifecycle_change, "
            "pg_temp.lifecycle_outputs"
        )
        self.env.cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_late")
