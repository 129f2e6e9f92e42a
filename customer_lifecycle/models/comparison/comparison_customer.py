"""The customers listed behind a comparison: members, compared, left out, still waiting.

In: arrays of profiles, days, orders and revenue from the measurement. Out: rows that replace the
former ones. Written when a comparison is computed; shown by the buttons on its form.
"""

import numpy as np

from odoo import api, fields, models
from odoo.tools import SQL


class LifecycleComparisonCustomer(models.Model):
    """A customer behind a comparison, with what he bought before and after."""

    _name = "lifecycle.comparison.customer"
    _description = "Customer of a Comparison"
    _log_access = False
    _order = "revenue_after desc, id"
    _rec_name = "partner_id"

    comparison_id = fields.Many2one(
        "lifecycle.comparison", required=True, ondelete="cascade", readonly=True, index=True
    )
    company_id = fields.Many2one(related="comparison_id.company_id")
    currency_id = fields.Many2one(related="comparison_id.company_id.currency_id")
    profile_id = fields.Many2one(
        "lifecycle.profile", required=True, ondelete="cascade", readonly=True, index=True
    )
    partner_id = fields.Many2one(related="profile_id.partner_id", string="Customer")
    role = fields.Selection(
        [
            ("member", "Member"),
            ("compared", "Compared with"),
            ("left_out", "Left out"),
            ("waiting", "Still waiting"),
        ],
        required=True,
        readonly=True,
    )
    date = fields.Date(
        readonly=True,
        help="The day that divides before from after. A customer may be compared with on many "
        "days; here is the last.",
    )
    orders_before = fields.Integer(readonly=True)
    orders_after = fields.Integer(readonly=True)
    revenue_before = fields.Monetary(readonly=True)
    revenue_after = fields.Monetary(readonly=True)
    revenue_change = fields.Monetary(string="Change", readonly=True)

    @api.model
    def _replace(self, comparison, groups):
        """Put other customers in place of a comparison's.

        :param groups: dicts of ``role`` and arrays of equal length by column
        """
        cr = self.env.cr
        cr.execute(
            SQL("DELETE FROM lifecycle_comparison_customer WHERE comparison_id = %s", comparison.id)
        )
        digits = comparison.currency_id.decimal_places
        for group in groups:
            count = len(group["profile_id"])
            if not count:
                continue
            nothing = np.zeros(count)

            def column(name, group=group, nothing=nothing):
                return np.asarray(group.get(name, nothing)).tolist()

            cr.execute(
                SQL(
                    """INSERT INTO lifecycle_comparison_customer
                              (comparison_id, profile_id, role, date, orders_before,
                               orders_after, revenue_before, revenue_after, revenue_change)
                       SELECT %(comparison)s, profile_id, %(role)s, DATE '1970-01-01' + day,
                              orders_before, orders_after, ROUND(before, %(digits)s),
                              ROUND(after, %(digits)s),
                              ROUND(after, %(digits)s) - ROUND(before, %(digits)s)
                         FROM unnest(%(profiles)s::integer[], %(days)s::integer[],
                                     %(orders_before)s::integer[], %(orders_after)s::integer[],
                                     %(before)s::numeric[], %(after)s::numeric[])
                              rows (profile_id, day, orders_before, orders_after, before, after)""",
                    comparison=comparison.id,
                    role=group["role"],
                    profiles=column("profile_id"),
                    days=column("day"),
                    orders_before=column("orders_before"),
                    orders_after=column("orders_after"),
                    before=column("revenue_before"),
                    after=column("revenue_after"),
                    digits=digits,
                )
            )
        self.invalidate_model()

    def action_open_customer(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "views": [(False, "form")],
        }
