"""What is known of a customer besides his purchases: contact, complaints, taste, budget.

In: what signals and preferences write, and the yearly budget that people enter. Out: causes of
dissatisfaction, missing items, share and gap of the budget. Read by chips, the list of calls and
rules.
"""

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.fields import ClearedMany2one, OptionalFloat, OptionalMonetary
from .complaints import COMPLAINTS, UNPAID

#: dates of complaints
CAUSES = tuple(complaint.date for complaint in COMPLAINTS)
WEEKDAYS = [
    ("1", "Monday"),
    ("2", "Tuesday"),
    ("3", "Wednesday"),
    ("4", "Thursday"),
    ("5", "Friday"),
    ("6", "Saturday"),
    ("7", "Sunday"),
]


class LifecycleProfile(models.Model):
    """What rules and people look at besides purchases: contact, satisfaction, taste, potential."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    # ----- SIGNALS -----

    last_contact_date = fields.Date(string="Last Contact", readonly=True)
    referral_count = fields.Integer(
        string="Recommendations",
        readonly=True,
        help="Customers who came through this one and have bought.",
    )
    satisfaction_average = OptionalFloat(
        string="Satisfaction",
        readonly=True,
        digits=(3, 1),
        aggregator="avg",
        help="Average of the ratings given in the last two years, 1 to 5.",
    )
    satisfaction_last = OptionalFloat(
        string="Last Rating", readonly=True, digits=(3, 1), aggregator="avg"
    )
    delivery_date = fields.Date(
        string="Last Delivery",
        readonly=True,
        help="Without the app Inventory, and for services, the date of the last order.",
    )
    late_delivery_date = fields.Date(string="Last Late Delivery", readonly=True)
    return_date = fields.Date(string="Last Return", readonly=True)
    credit_note_date = fields.Date(string="Last Credit Note", readonly=True)
    bad_rating_date = fields.Date(string="Last Bad Rating", readonly=True)
    overdue_since = fields.Date(
        string="Unpaid Since", readonly=True, help="Oldest due date of an overdue invoice."
    )
    dissatisfaction = fields.Char(
        string="May Be Dissatisfied",
        compute="_compute_dissatisfaction",
        help="Late delivery, return, credit note or bad rating within a year, or an overdue "
        "invoice.",
    )

    # ----- PREFERENCES -----

    usual_weekday = fields.Selection(
        WEEKDAYS, readonly=True, help="Day of the week on which half of the orders or more fall."
    )
    usual_team_id = ClearedMany2one(
        "crm.team", string="Usual Channel", readonly=True, help="Sales team of most orders."
    )
    favorite_category_ids = fields.Many2many(
        "product.category",
        "lifecycle_profile_product_category_rel",
        "profile_id",
        "category_id",
        string="Favorite Categories",
        readonly=True,
        help="Up to three product categories that most of the money was spent on.",
    )
    usual_product_ids = fields.One2many(
        "lifecycle.usual.product", "profile_id", string="Usually Buys", readonly=True
    )
    # what the preferences were computed from: they are due again when it differs
    preference_order_count = fields.Integer(readonly=True)
    preference_order_date = fields.Date(readonly=True)

    # ----- POTENTIAL -----

    potential = OptionalMonetary(
        string="Yearly Budget",
        help="What the customer spends a year on what we sell, with anybody. Typed in or "
        "imported.",
    )
    potential_share = OptionalFloat(
        string="Share Won",
        compute="_compute_potential",
        search="_search_potential_share",
        aggregator="avg",
        digits=(3, 2),
        help="Revenue of the last 365 days divided by the yearly budget.",
    )
    potential_gap = OptionalMonetary(
        string="Not Won Yet",
        compute="_compute_potential",
        search="_search_potential_gap",
        aggregator="sum",
        help="Yearly budget less the revenue of the last 365 days.",
    )

    _potential_not_negative = models.Constraint(
        "CHECK (potential >= 0)", "A yearly budget cannot be negative."
    )

    # ----- COMPUTED WHEN READ -----

    @api.depends("potential", "revenue_year")
    def _compute_potential(self):
        for profile in self:
            known = profile.potential is not False
            won = profile.revenue_year
            profile.potential_share = won / profile.potential if profile.potential else False
            profile.potential_gap = max(0.0, profile.potential - won) if known else False

    def _field_to_sql(self, alias, field_expr, query=None):
        def column(name):
            return super(LifecycleProfile, self)._field_to_sql(alias, name, query)

        if field_expr == "potential_share":
            return SQL("(%s / NULLIF(%s, 0))", column("revenue_year"), column("potential"))
        if field_expr == "potential_gap":
            gap = SQL("%s - %s", column("potential"), column("revenue_year"))
            return SQL(
                "(CASE WHEN %s IS NOT NULL THEN GREATEST(0, %s) END)", column("potential"), gap
            )
        return super()._field_to_sql(alias, field_expr, query)

    def _search_potential_share(self, operator, value):
        return self._search_number("potential_share", operator, value)

    def _search_potential_gap(self, operator, value):
        return self._search_number("potential_gap", operator, value)

    @api.depends_context("lang")
    @api.depends(UNPAID, *CAUSES)
    def _compute_dissatisfaction(self):
        for profile in self:
            profile.dissatisfaction = "; ".join(profile._complaints()) or False

    def _complaints(self):
        """Causes of dissatisfaction within a year, each with its day."""
        self.ensure_one()
        today = self._lifecycle_today()
        year_ago = fields.Date.subtract(today, years=1)
        labels = self.fields_get([*CAUSES, UNPAID], ["string"])
        names = [name for name in CAUSES if self[name] and self[name] > year_ago]
        if self[UNPAID] and self[UNPAID] < today:
            names.append(UNPAID)
        return [f"{labels[name]['string']}: {self._date(self[name])}" for name in names]

    # ----- MISSING ITEMS -----

    def _missing_products(self):
        """Usually bought products that are due and were not in the last orders."""
        today = self._lifecycle_today()
        return self.usual_product_ids.filtered(
            lambda usual: usual.missing_from <= today <= usual.missing_until
        )
