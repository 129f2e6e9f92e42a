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
        string="Usual Quantity", readonly=True, help="Mean quantity a time."
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
