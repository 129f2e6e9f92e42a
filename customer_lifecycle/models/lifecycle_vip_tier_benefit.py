from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

FEATURE = "product.group_product_pricelist"


class LifecycleVipTier(models.Model):
    """What a tier gives, and the traps of Odoo's pricelists."""

    # a file for each subject of this large model
    _inherit = "lifecycle.vip.tier"  # pylint: disable=consider-merging-classes-inherited

    pricelist_ids = fields.Many2many(
        "product.pricelist",
        "lifecycle_vip_tier_pricelist_rel",
        "tier_id",
        "pricelist_id",
        string="Pricelists",
        domain="[('company_id', 'in', [company_id, False])]",
        help="One for each currency. Given to members who have no pricelist of their own, and "
        "taken back when they leave.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="For members who have none; taken back when they leave.",
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Sales Team",
        domain="[('company_id', 'in', [company_id, False])]",
        help="New quotations and opportunities of members who have no salesperson of their own "
        "start with this team.",
    )
    loyalty_program_id = fields.Many2one(
        "loyalty.program",
        domain="[('company_id', 'in', [company_id, False])]",
        help="Members get a card of it, and keep it when they leave. No mail is sent.",
    )
    benefit_warning = fields.Char(compute="_compute_benefit_warning")
    pricelists_off = fields.Boolean(compute="_compute_benefit_warning")

    def _in_charge(self):
        """Who looks after members: the salesperson, where he has left the leader of the team."""
        user = self.user_id
        if not user:
            return user
        there = user._lifecycle_in_charge(self.company_id)
        leader = self.team_id.user_id._lifecycle_works_in(self.company_id)
        return there or leader or user._lifecycle_robot()

    def _salesperson_warning(self):
        """Sentence on a salesperson who cannot look after anybody here."""
        user = self.sudo().user_id
        if not user or user._lifecycle_works_in(self.company_id) or user._lifecycle_robot():
            return False
        instead = self.sudo()._in_charge()
        if instead:
            return self.env._(
                "%(name)s has left: members go to %(leader)s, who leads the team. Choose another "
                "salesperson.",
                name=user.name,
                leader=instead.name,
            )
        return self.env._(
            "%s has left: new members get no salesperson. Choose another one.", user.name
        )

    @api.depends("pricelist_ids", "company_id", "user_id.active", "team_id.user_id")
    def _compute_benefit_warning(self):
        enabled = self.env["res.groups"]._is_feature_enabled(FEATURE)
        for tier in self:
            tier.pricelists_off = bool(tier.pricelist_ids) and not enabled
            hidden = tier._offline_pricelists()
            price = False
            if tier.pricelists_off:
                price = self.env._(
                    "Pricelists are switched off in the settings: until they are on, nobody "
                    "gets a price of this tier."
                )
            elif hidden:
                price = self.env._(
                    "The web shop does not use %s: set its website on the pricelist.",
                    ", ".join(hidden.mapped("name")),
                )
            tier.benefit_warning = " ".join(
                filter(None, (price, tier._salesperson_warning()))
            ) or False

    def _offline_pricelists(self):
        """The tier's pricelists that the company's web shop, if there is one, would not use."""
        nothing = self.env["product.pricelist"]
        if "website_id" not in nothing._fields:
            return nothing
        # sudo: websites are no secret of those who edit tiers
        shops = self.env["website"].sudo().search_count(
            [("company_id", "=", self.company_id.id)], limit=1
        )
        if not shops:
            return nothing
        return self.pricelist_ids.filtered(
            lambda one: not (one["website_id"] or one["selectable"] or one["code"])
        )

    @api.constrains("pricelist_ids", "company_id")
    def _check_pricelists(self):
        for tier in self:
            if len(tier.pricelist_ids.currency_id) < len(tier.pricelist_ids):
                raise ValidationError(
                    self.env._(
                        "“%s” has two pricelists in one currency; leave one of them.", tier.name
                    )
                )
            if tier.pricelist_ids.company_id - tier.company_id:
                raise ValidationError(
                    self.env._("Give “%s” pricelists of its own company.", tier.name)
                )

    @api.model_create_multi
    def create(self, vals_list):
        tiers = super().create(vals_list)
        tiers._keep_default_pricelist()
        return tiers

    def write(self, vals):
        result = super().write(vals)
        if {"pricelist_ids", "active"} & vals.keys():
            self._keep_default_pricelist()
        return result

    def _keep_default_pricelist(self):
        """See to it that no tier's pricelist is the one of everybody who has none.

        Odoo takes the first pricelist without countries for that. Where that is a tier's, one
        without rules is put before it, so that everybody else pays what he paid.
        """
        pricelists = self.env["product.pricelist"].sudo()
        for company in self.filtered("pricelist_ids").company_id:
            tiers = self.sudo().search([("company_id", "=", company.id)])
            first = pricelists.search(
                [
                    *pricelists._get_partner_pricelist_multi_search_domain_hook(company.id),
                    ("country_group_ids", "=", False),
                ],
                limit=1,
            )
            if first and first in tiers.pricelist_ids:
                pricelists.create(
                    {
                        "name": self.env._("Standard Prices"),
                        "company_id": company.id,
                        "currency_id": company.currency_id.id,
                        "sequence": first.sequence - 1,
                    }
                )

    def _benefit_cost(self, company, profile_ids):
        """What the tier's prices would have taken off the customers' last 12 months of orders.

        By product, at today's list prices; imported history and invoices without an order have
        no products and are not counted.
        """
        pricelist = self.pricelist_ids.filtered(
            lambda one: one.currency_id == company.currency_id
        )[:1]
        if not pricelist or not profile_ids:
            return 0.0
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """SELECT line.product_id,
                          SUM(line.price_subtotal / ordering.currency_rate)
                     FROM lifecycle_profile profile
                     JOIN res_partner contact
                       ON contact.commercial_partner_id = profile.partner_id
                     JOIN sale_order ordering ON ordering.partner_id = contact.id
                     JOIN sale_order_line line ON line.order_id = ordering.id
                    WHERE profile.id = ANY(%s) AND ordering.company_id = %s
                      AND ordering.state = 'sale' AND line.product_id IS NOT NULL
                      AND ordering.date_order > %s AND ordering.currency_rate > 0
                      AND NOT %s
                    GROUP BY line.product_id""",
                list(profile_ids),
                company.id,
                fields.Datetime.subtract(fields.Datetime.now(), days=365),
                self.env["lifecycle.revenue.source"]._unrated_order_sql(company),
            )
        )
        bought = dict(self.env.cr.fetchall())
        # sudo: the sum only
        products = self.env["product.product"].sudo().with_company(company).browse(bought)
        prices = pricelist.sudo()._get_products_price(products, 1)
        return sum(
            float(bought[product.id]) * max(0, 1 - prices[product.id] / product.lst_price)
            for product in products
            if product.lst_price > 0
        )

    # ----- ACTIONS -----

    def action_give_benefits(self):
        """Bring the benefits of all members up to date."""
        self.check_access("write")
        self.env["lifecycle.vip.benefit"].sudo()._request(self)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Members get their benefits within minutes; what is left over from former "
                    "tiers is taken back."
                ),
            },
        }

    def action_open_settings(self):
        """Open the settings where pricelists are switched on."""
        return self.env["ir.actions.act_window"]._for_xml_id("sale.action_sale_config_settings")

    def action_make_pricelist(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Pricelist of %s", self.name),
            "res_model": "lifecycle.vip.tier.pricelist",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_tier_id": self.id},
        }
