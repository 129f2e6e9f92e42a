"""The last touch and campaign before each day on which a customer ordered.

In: rows that the attribution of touches writes in SQL, right after the preferences of the same
customers. Out: a report of its own, the touches on the profile, and the columns on channels in
the revenue report.
"""

from odoo import fields, models


class LifecycleOrderTouch(models.Model):
    """What happened last before a customer ordered.

    One row for each day with orders that a touch or a campaign led to: the last touch since the
    order before. Written set-based by ``lifecycle.touch``.
    """

    _name = "lifecycle.order.touch"
    _description = "Last Touch Before an Order"
    _order = "date desc, id desc"
    _rec_name = "profile_id"
    _log_access = False

    profile_id = fields.Many2one(
        "lifecycle.profile", required=True, ondelete="cascade", readonly=True
    )
    partner_id = fields.Many2one(related="profile_id.partner_id")
    company_id = fields.Many2one(related="profile_id.company_id")
    date = fields.Date(string="Ordered On", required=True, readonly=True)
    is_first = fields.Boolean(
        string="First Order", readonly=True, help="Whether these were the customer's first orders."
    )
    touch_count = fields.Integer(
        string="Touches", readonly=True, help="Touches since the order before."
    )
    touch_date = fields.Datetime(string="Last Touch On", readonly=True)
    touchpoint_id = fields.Many2one(
        "lifecycle.touchpoint.source",
        string="Last Touch",
        readonly=True,
        help="The last thing that happened between customer and company before the order.",
    )
    source_id = fields.Many2one(
        "utm.source",
        readonly=True,
        help="Named by the order itself, or else by the last touch that names a campaign.",
    )
    medium_id = fields.Many2one("utm.medium", readonly=True)
    campaign_id = fields.Many2one("utm.campaign", readonly=True)

    _profile_date_unique = models.Constraint(
        "UNIQUE (profile_id, date)", "A customer has one last touch for each day with orders."
    )
