"""What a customer buys again and again, how often, and from when to when it is missing.

In: rows that the preferences write while customers are computed. Out: whether a product is due
and in which quantity. Read by quotations, call lists, e-mail templates and the workflows' trigger
“Usual item is missing”.
"""

from odoo import api, fields, models
from odoo.fields import Domain


class LifecycleUsualProduct(models.Model):
    """A product that a customer has bought on three days or more.

    Both dates follow from the product's own rhythm with this customer, so that they stay true
    while time passes: missing from one and a half gaps after the last time, given up after four.
    """

    _name = "lifecycle.usual.product"
    _description = "Usually Bought Product"
    _order = "amount desc, id"
    _rec_name = "product_id"
    _log_access = False

    profile_id = fields.Many2one(
        "lifecycle.profile", required=True, ondelete="cascade", index=True, readonly=True
    )
    product_id = fields.Many2one(
        "product.product", required=True, ondelete="cascade", index=True, readonly=True
    )
    product_name = fields.Char(related="product_id.name")
    currency_id = fields.Many2one(related="profile_id.currency_id")
    day_count = fields.Integer(string="Bought On (days)", readonly=True)
    quantity = fields.Float(
        string="Usual Quantity",
        readonly=True,
        help="What was bought most often a time; where it was never the same, the last time.",
    )
    amount = fields.Monetary(string="Net Amount", readonly=True)
    yearly_amount = fields.Monetary(
        string="Amount a Year", readonly=True, help="At this product's rhythm."
    )
    gap = fields.Float(string="Days Between", readonly=True, aggregator="avg")
    last_date = fields.Date(string="Last Time", readonly=True)
    missing_from = fields.Date(readonly=True)
    missing_until = fields.Date(readonly=True)
    is_missing = fields.Boolean(
        string="Missing Now", compute="_compute_is_missing", search="_search_is_missing"
    )

    _product_unique = models.UniqueIndex("(profile_id, product_id)")

    def _quantity_to_sell(self):
        """The usual quantity in the product's own unit, as it can be sold.

        Pieces are whole. What is weighed or measured is sold as it was bought.
        """
        self.ensure_one()
        unit = self.product_id.uom_id
        pieces = self.env.ref("uom.product_uom_unit", raise_if_not_found=False)
        if not pieces or unit._has_common_reference(pieces):
            return max(1, round(self.quantity))
        return unit.round(self.quantity) or 1

    @api.depends("missing_from", "missing_until")
    def _compute_is_missing(self):
        today = self.env["lifecycle.profile"]._lifecycle_today()
        for usual in self:
            usual.is_missing = usual.missing_from <= today <= usual.missing_until

    def _search_is_missing(self, operator, value):
        if operator != "in" or True not in value:
            return NotImplemented
        if False in value:
            return Domain.TRUE
        today = self.env["lifecycle.profile"]._lifecycle_today()
        return Domain("missing_from", "<=", today) & Domain("missing_until", ">=", today)
