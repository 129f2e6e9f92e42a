"""After how many days a customer usually orders again, by his own gaps and the company's.

In: order count, first and last order of profiles, and the company's gaps at the last fit. Out: the
rhythm as SQL, and in profiles where it differs. Called when figures are stored, once a new model
is there, and for the rhythms of past and coming days.
"""

from odoo.tools import SQL

from ...tools.step import Step


def rhythm_sql(model):
    """Days after which a customer usually orders again, from columns of the profile.

    His own mean gap from four orders on; with two or three, blended with the company's mean, which
    weighs as two gaps; with one, the gap that nine of ten customers stay below.

    :param model: lifecycle.clv.model record
    """
    own = SQL("(last_order_date - first_order_date)::numeric")
    return SQL(
        """CASE WHEN order_count >= 4 THEN ROUND(%(own)s / (order_count - 1), 1)
                WHEN order_count >= 2
                THEN ROUND((%(own)s + 2 * %(mean)s) / (order_count + 1), 1)
                WHEN order_count = 1 THEN %(slow)s
           END""",
        own=own,
        mean=model.mean_interval or 60,
        slow=model.slow_interval or 120,
    )


class Rhythms(Step):
    """Writing the rhythms that differ."""

    def update(self):
        """Write them; return how many."""
        rhythm = rhythm_sql(self.env["lifecycle.clv.model"]._current(self.company))
        self.cr.execute(
            SQL(
                "UPDATE lifecycle_profile SET rhythm = %s WHERE company_id = %s AND %s "
                "AND rhythm IS DISTINCT FROM %s",
                rhythm,
                self.company.id,
                self.scope.few(SQL.identifier("partner_id")),
                rhythm,
            )
        )
        return self.cr.rowcount
