from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class LifecycleVipTierPricelist(models.TransientModel):
    """Make a tier's pricelist from a discount per product category.

    The rules are Odoo's own formulas over the list price. A product whose discount would leave
    less than the minimum margin gets a rule of its own, with as much discount as the margin
    allows.
    """

    _name = "lifecycle.vip.tier.pricelist"
    _description = "Make Pricelist of VIP Tier"

    tier_id = fields.Many2one("lifecycle.vip.tier", required=True, readonly=True)
    company_id = fields.Many2one(related="tier_id.company_id")
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        compute="_compute_currency_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    discount = fields.Float(string="Discount on Everything Else (%)", digits=(5, 2))
    min_margin = fields.Float(
        string="Minimum Margin (%)",
        digits=(5, 2),
        help="Share of the price that stays after the product's cost. Products without a cost "
        "are not limited. The costs of today count.",
    )
    line_ids = fields.One2many("lifecycle.vip.tier.pricelist.line", "wizard_id")

    @api.depends("tier_id")
    def _compute_currency_id(self):
        for wizard in self:
            taken = wizard.tier_id.pricelist_ids.currency_id
            own = wizard.tier_id.company_id.currency_id
            wizard.currency_id = own if own not in taken else False

    def action_make(self):
        """Create the pricelist, attach it to the tier, and open it."""
        self.ensure_one()
        self.tier_id.check_access("write")
        self._check_numbers()
        if self.currency_id in self.tier_id.pricelist_ids.currency_id:
            raise UserError(
                self.env._(
                    "“%(tier)s” has a pricelist in %(currency)s already; remove it from the "
                    "tier first.",
                    tier=self.tier_id.name,
                    currency=self.currency_id.name,
                )
            )
        rules = [self._category_rule(line) for line in self.line_ids]
        if self.discount:
            rules.append({"applied_on": "3_global", **self._formula(self.discount)})
        if not rules:
            raise UserError(self.env._("Give at least one discount."))
        # sudo: whoever may edit tiers may make their prices; checked above
        pricelist = (
            self.env["product.pricelist"]
            .sudo()
            .create(
                {
                    "name": self.tier_id.name,
                    "company_id": self.tier_id.company_id.id,
                    "currency_id": self.currency_id.id,
                    # behind whatever is there: the first one is everybody's
                    "sequence": 100,
                    **self._website_values(),
                    "item_ids": [
                        Command.create(rule) for rule in [*self._margin_rules(), *rules]
                    ],
                }
            )
        )
        self.tier_id.pricelist_ids = [Command.link(pricelist.id)]
        return {
            "type": "ir.actions.act_window",
            "res_model": "product.pricelist",
            "res_id": pricelist.id,
            "views": [(False, "form")],
        }

    def _website_values(self):
        """The company's web shop, where it has exactly one: others' prices are not shown there."""
        if "website_id" not in self.env["product.pricelist"]._fields:
            return {}
        websites = self.env["website"].sudo().search(
            [("company_id", "=", self.tier_id.company_id.id)]
        )
        return {"website_id": websites.id} if len(websites) == 1 else {}

    def _check_numbers(self):
        discounts = [self.discount, *self.line_ids.mapped("discount")]
        if not all(0 <= discount < 100 for discount in discounts) or not (
            0 <= self.min_margin < 100
        ):
            raise UserError(self.env._("Give discounts and the margin between 0 and 100 %."))

    @api.model
    def _formula(self, discount):
        return {"compute_price": "formula", "base": "list_price", "price_discount": discount}

    def _category_rule(self, line):
        return {
            "applied_on": "2_product_category",
            "categ_id": line.categ_id.id,
            **self._formula(line.discount),
        }

    def _margin_rules(self):
        """Rules of the products that cannot bear the discount of their category."""
        if not self.min_margin:
            return []
        products = (
            self.env["product.product"]
            .sudo()
            .with_company(self.tier_id.company_id)
            .search(
                Domain("sale_ok", "=", True)
                & Domain("company_id", "in", [self.tier_id.company_id.id, False])
            )
        )
        rules = []
        for product in products:
            discount = self._discount_of(product.categ_id)
            if not discount or product.lst_price <= 0 or product.standard_price <= 0:
                continue
            least = product.standard_price / (1 - self.min_margin / 100)
            allowed = max(0, 100 * (1 - least / product.lst_price))
            if allowed < discount:
                rules.append(
                    {
                        "applied_on": "0_product_variant",
                        "product_id": product.id,
                        "product_tmpl_id": product.product_tmpl_id.id,
                        # rounded down: the margin is a minimum
                        **self._formula(int(allowed * 100) / 100),
                    }
                )
        return rules

    def _discount_of(self, category):
        """Discount of a category: its own line's, else its nearest parent's, else the rest's."""
        discounts = {line.categ_id: line.discount for line in self.line_ids}
        while category:
            if category in discounts:
                return discounts[category]
            category = category.parent_id
        return self.discount


class LifecycleVipTierPricelistLine(models.TransientModel):
    """Discount of one product category."""

    _name = "lifecycle.vip.tier.pricelist.line"
    _description = "Discount of a Category"

    wizard_id = fields.Many2one(
        "lifecycle.vip.tier.pricelist", required=True, ondelete="cascade"
    )
    categ_id = fields.Many2one("product.category", string="Product Category", required=True)
    discount = fields.Float(string="Discount (%)", digits=(5, 2))
