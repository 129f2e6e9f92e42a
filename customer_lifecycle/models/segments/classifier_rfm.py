"""The RFM scores and groups of a company's buyers, written where they differ.

In: figures of the profiles, and the boundaries of the scale, which are measured anew when all
customers are looked at. Out: three scores, their code and the group on the profile, and no
transitions. Called with the other labels by the nightly run and the refresh of a few customers.
"""

from odoo import api, models
from odoo.tools import SQL

#: what the classification writes
RFM_COLUMNS = ("rfm_recency", "rfm_frequency", "rfm_monetary", "rfm_score", "rfm_group_id")


class LifecycleClassifier(models.AbstractModel):
    """Scores buyers by recency, frequency and monetary value."""

    # a file for each subject of this large model
    _inherit = "lifecycle.classifier"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _classify_rfm(self, company, today, cause="rule", partner_ids=None):
        """Write the scores and groups that differ.

        All customers are measured anew; for a few, the stored boundaries hold. Groups are no
        transitions: they compare customers with each other, so that one moves because of others.

        :return: (number of changed profiles, list of errors: always empty)
        """
        self.env.flush_all()
        scales = self.env["lifecycle.rfm.scale"].sudo()
        if partner_ids is None:
            scale = scales._update(company, today)
            self.env.flush_all()
        else:
            scale = scales._current(company)
            if not scale:
                return 0, []
        where = SQL("company_id = %s", company.id)
        if partner_ids is not None:
            where = SQL("%s AND partner_id = ANY(%s)", where, list(partner_ids))
        columns = SQL(", ").join(SQL.identifier(name) for name in RFM_COLUMNS)
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile SET (%(columns)s) = ROW(%(new)s)
                     FROM (SELECT id, %(new)s
                             FROM (SELECT scored.*, %(score)s AS score, %(group)s AS group_id
                                     FROM (SELECT id, order_count, last_order_date, %(columns)s,
                                                  %(scores)s
                                             FROM lifecycle_profile WHERE %(where)s) scored
                                  ) grouped
                            WHERE (%(columns)s) IS DISTINCT FROM (%(new)s)) changed
                    WHERE changed.id = profile.id""",
                columns=columns,
                new=SQL("recency, frequency, monetary, score, group_id"),
                score=SQL("recency::text || frequency::text || monetary::text"),
                scores=self._rfm_scores_sql(scale),
                group=SQL(
                    "CASE WHEN buyer THEN %s END",
                    self.env["lifecycle.rfm.group"]._group_sql(
                        scale.method,
                        (SQL("recency"), SQL("frequency"), SQL("monetary")),
                        SQL("order_count"),
                        SQL("(%s::date - last_order_date)", today),
                    ),
                ),
                where=where,
            )
        )
        count = self.env.cr.rowcount
        if count:
            self.env["lifecycle.profile"].invalidate_model(RFM_COLUMNS)
        return count, []

    @api.model
    def _rfm_scores_sql(self, scale):
        """Columns recency, frequency, monetary and buyer of a profile's row."""
        buyer = SQL("(active AND order_count > 0)")
        if scale.method == "scores":
            scores = [SQL("CASE WHEN %s THEN %s END", buyer, sql) for sql in scale._score_sql()]
        else:
            scores = [SQL("NULL::integer")] * 3
        return SQL(
            "%s AS recency, %s AS frequency, %s AS monetary, %s AS buyer", *scores, buyer
        )
