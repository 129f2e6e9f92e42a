"""What customers will probably buy next: at most five products each, with when, how much and why.

In: rows that the reader of this room writes. Out: those that can be suggested right now, for call
card, contact, quotation, till, shop and e-mails; the reason in the reader's language.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ...kernel.next_product import SUGGESTIONS
from ...tools.fields import UncheckedMany2one

#: what came back is not suggested for so many days, unless it is bought again
RETURNED_DAYS = 60


class LifecycleNextProduct(models.Model):
    """A product that a customer may buy next.

    As of the last look at the customer: what has become impossible since is left out by ``_of``.
    """

    _name = "lifecycle.next.product"
    _description = "Next Product"
    _log_access = False
    _order = "partner_id, rank"
    _rec_name = "product_id"

    # without foreign keys: nobody's deletion has to look through millions of rows
    company_id = UncheckedMany2one("res.company", readonly=True)
    partner_id = UncheckedMany2one("res.partner", string="Customer", readonly=True)
    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")
    product_id = UncheckedMany2one("product.product", readonly=True)
    category_id = fields.Many2one(related="product_id.categ_id", string="Product Category")
    rank = fields.Integer(readonly=True, aggregator=None, help="1 is the likeliest.")
    kind = fields.Selection(
        [("again", "Buys it again"), ("alike", "Bought next by others")], readonly=True
    )
    due_on = fields.Date(string="Expected On", readonly=True)
    quantity = fields.Float(
        readonly=True,
        digits="Product Unit",
        aggregator=None,
        help="What the customer took last, or others mostly take, in the unit of the product.",
    )
    chance = fields.Float(
        readonly=True,
        aggregator="avg",
        help="To buy it within the horizon of the company's model, as of the last look.",
    )
    because_product_id = UncheckedMany2one("product.product", string="Because Of", readonly=True)
    share = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Of the buyers of the product that it is because of, how many went on to buy it.",
    )
    days = fields.Float(
        string="Days After",
        readonly=True,
        aggregator="avg",
        digits=(12, 1),
        help="Usual number of days from the one to the other.",
    )
    support = fields.Integer(
        readonly=True,
        aggregator=None,
        help="Customers who bought it next; or days on which the customer bought it himself.",
    )
    reason = fields.Char(compute="_compute_reason")

    _customer_idx = models.Index("(company_id, partner_id)")
    _product_idx = models.Index("(company_id, product_id)")

    # ----- WHY -----

    @api.depends_context("lang")
    @api.depends("kind", "share", "days", "because_product_id", "partner_id", "product_id")
    def _compute_reason(self):
        last = self._last_days()
        for row in self:
            if row.kind == "alike":
                row.reason = row._reason_of_others()
                continue
            day = last.get((row.company_id.id, row.partner_id.id, row.product_id.id))
            row.reason = row._reason_of_himself(
                day and format_date(self.env, day, date_format="medium")
            )

    def _last_days(self):
        """Dict (company, customer, product) → day on which he bought it last."""
        again = self.filtered(lambda row: row.kind == "again")
        if not again:
            return {}
        # sudo: whoever may read that he buys it again may know when he bought it
        found = (
            self.env["lifecycle.purchase.item"]
            .sudo()
            ._read_group(
                Domain("company_id", "in", again.company_id.ids)
                & Domain("partner_id", "in", again.partner_id.ids)
                & Domain("product_id", "in", again.product_id.ids)
                & Domain("quantity", ">", 0),
                ["company_id", "partner_id", "product_id"],
                ["day:max"],
            )
        )
        return {
            (company.id, partner.id, product.id): day for company, partner, product, day in found
        }

    def _reason_of_himself(self, day):
        if not day:
            return self.env._("Bought before")
        if self.support < 2:
            return self.env._("Bought before, on %s", day)
        return self.env._(
            "Buys it about every %(days)s days, last on %(date)s",
            days=max(round(self.days), 1),
            date=day,
        )

    def _reason_of_others(self):
        values = {
            "share": max(round(100 * self.share), 1),
            # sudo: the name of what the customer has
            "product": self._name_of(self.because_product_id.sudo()),
        }
        if self.days < 2:
            return self.env._(
                "Bought by %(share)s %% of those who have %(product)s, usually the next day",
                **values,
            )
        if self.days < 14:
            return self.env._(
                "Bought by %(share)s %% of those who have %(product)s, usually %(days)s days later",
                days=round(self.days),
                **values,
            )
        if self.days < 61:
            return self.env._(
                "Bought by %(share)s %% of those who have %(product)s, usually %(weeks)s weeks "
                "later",
                weeks=round(self.days / 7),
                **values,
            )
        return self.env._(
            "Bought by %(share)s %% of those who have %(product)s, usually %(months)s months later",
            months=round(self.days / 30.44),
            **values,
        )

    @api.model
    def _name_of(self, product):
        """The name of a product with its variant, without codes: for people who talk."""
        return product.with_context(display_default_code=False).display_name

    def _names(self):
        return [self._name_of(row.product_id) for row in self]

    def _sentences(self):
        """List of sentences in the reader's language: product, quantity and reason."""
        return [
            self.env._(
                "“%(product)s”, %(quantity)g at a time: %(reason)s",
                product=row._name_of(row.product_id),
                quantity=row.quantity,
                reason=row.reason,
            )
            for row in self
        ]

    # ----- WHAT CAN BE SUGGESTED NOW -----

    @api.model
    def _of(self, partners, company, limit=SUGGESTIONS):
        """What customers may buy next and can be sold, the likeliest first.

        With the rights of who asks: on customers, and on products. Contacts of a company count
        with it. A branch shows what its head office knows of who has never bought in it.

        :param partners: res.partner records
        :param company: res.company record
        :param limit: suggestions for each customer at most
        :return: records, those of a customer together and in their order
        """
        above = company._lifecycle_above()
        companies = company | (above & self.env.companies)
        found = self.search(
            Domain("partner_id", "in", partners.commercial_partner_id.ids)
            & Domain("company_id", "in", companies.ids)
        )
        if not found:
            return found
        products = self._suggestable(found.product_id, company)
        returned = self._just_returned(company, found.partner_id.ids)
        kept = []
        for partner, rows in found.grouped("partner_id").items():
            nearest = next(each for each in above if each in rows.company_id)
            rows = rows.filtered(
                lambda row, near=nearest, who=partner: (
                    row.company_id == near
                    and row.product_id in products
                    and (who.id, row.product_id.id) not in returned
                )
            )
            kept += rows.sorted("rank")[:limit].ids
        return self.browse(kept)

    @api.model
    def _suggestable(self, products, company):
        """Those of some products that may be suggested, and that the reader may read."""
        sold = self._domain_sold(company) & Domain("id", "in", products.ids)
        return self._available(products.search(sold), company)

    @api.model
    def _domain_sold(self, company):
        """Domain of the products that can be suggested to a company's customers at all."""
        # sudo: which categories a manager leaves out is no secret
        left_out = (
            self.env["product.category"].sudo().search([("lifecycle_never_suggest", "=", True)])
        )
        domain = (
            Domain("active", "=", True)
            & Domain("sale_ok", "=", True)
            & Domain("product_tmpl_id.lifecycle_never_suggest", "=", False)
            & Domain("company_id", "in", [False, *company._lifecycle_above().ids])
            & Domain("lifecycle_is_money", "=", False)
            & Domain("id", "not in", self.env["lifecycle.preference"]._products_that_are_no_goods())
        )
        return domain & ~Domain("categ_id", "child_of", left_out.ids) if left_out else domain

    @api.model
    def _sold(self, company, product_ids):
        """Ids of those products that can be suggested to a company's customers at all."""
        # sudo: for everybody, whoever looks
        return (
            self.env["product.product"]
            .sudo()
            .search(self._domain_sold(company) & Domain("id", "in", product_ids))
            .ids
        )

    @api.model
    def _available(self, products, company):
        """Those of some products that are in stock, or on their way, or need no stock."""
        if "is_storable" not in products._fields:
            return products
        # sudo: whether there is any, for whoever may sell it
        stocked = products.sudo().with_company(company).filtered("is_storable")
        gone = stocked.filtered(
            lambda product: product.virtual_available <= 0 and product.incoming_qty <= 0
        )
        return products.filtered(lambda product: product.id not in gone.ids)

    @api.model
    def _just_returned(self, company, partner_ids):
        """Pairs (customer, product) of what came back lately and was not bought again since."""
        since = fields.Date.subtract(company._lifecycle_today(), days=RETURNED_DAYS)
        self.env.flush_all()
        found = self.env.execute_query(
            SQL(
                """SELECT DISTINCT back.partner_id, back.product_id
                     FROM (%(returns)s) back
                    WHERE NOT EXISTS (
                          SELECT FROM lifecycle_purchase_item item
                           WHERE item.company_id = %(company)s
                             AND item.partner_id = back.partner_id
                             AND item.product_id = back.product_id
                             AND item.quantity > 0 AND item.day > back.day)""",
                returns=SQL(" UNION ALL ").join(
                    self._returns_sql(company._lifecycle_family().ids, partner_ids, since)
                ),
                company=company.id,
            )
        )
        return set(found)

    @api.model
    def _returns_sql(self, company_ids, partner_ids, since):
        """SELECTs of customer, product and day of what came back.

        Meant to be extended by add-ons that take goods back in another way.
        """
        parts = [
            SQL(
                """SELECT move.commercial_partner_id AS partner_id, item.product_id,
                          COALESCE(move.invoice_date, move.date) AS day
                     FROM account_move move
                     JOIN account_move_line item ON item.move_id = move.id
                    WHERE move.commercial_partner_id = ANY(%(partners)s)
                      AND move.company_id = ANY(%(companies)s)
                      AND move.move_type = 'out_refund' AND move.state = 'posted'
                      AND COALESCE(move.invoice_date, move.date) >= %(since)s
                      AND item.display_type = 'product' AND item.product_id IS NOT NULL
                      AND item.quantity > 0""",
                partners=partner_ids,
                companies=company_ids,
                since=since,
            )
        ]
        buyers = SQL(
            "SELECT id, commercial_partner_id FROM res_partner "
            "WHERE commercial_partner_id = ANY(%s)",
            partner_ids,
        )
        if "sale_line_id" in self.env.get("stock.move", self)._fields:
            parts.append(
                SQL(
                    """SELECT buyer.commercial_partner_id, move.product_id, move.date::date
                         FROM (%(buyers)s) buyer
                         JOIN sale_order ordering ON ordering.partner_id = buyer.id
                         JOIN sale_order_line line ON line.order_id = ordering.id
                         JOIN stock_move move ON move.sale_line_id = line.id
                         JOIN stock_location origin ON origin.id = move.location_id
                         JOIN stock_location target ON target.id = move.location_dest_id
                        WHERE ordering.company_id = ANY(%(companies)s) AND move.state = 'done'
                          AND origin.usage = 'customer' AND target.usage != 'customer'
                          AND move.date >= %(since)s""",
                    buyers=buyers,
                    companies=company_ids,
                    since=since,
                )
            )
        if "pos.order.line" in self.env:
            parts.append(
                SQL(
                    """SELECT buyer.commercial_partner_id, line.product_id,
                              ordering.date_order::date
                         FROM (%(buyers)s) buyer
                         JOIN pos_order ordering ON ordering.partner_id = buyer.id
                         JOIN pos_order_line line ON line.order_id = ordering.id
                        WHERE ordering.company_id = ANY(%(companies)s) AND line.qty < 0
                          AND ordering.state IN ('paid', 'done', 'invoiced')
                          AND ordering.date_order >= %(since)s""",
                    buyers=buyers,
                    companies=company_ids,
                    since=since,
                )
            )
        return parts

    @api.autovacuum
    def _gc_next_products(self):
        """Forget what was suggested to contacts, and in companies, that are gone."""
        self.env.cr.execute(
            "DELETE FROM lifecycle_next_product gone "
            "WHERE company_id NOT IN (SELECT id FROM res_company) "
            "OR NOT EXISTS (SELECT FROM res_partner WHERE id = gone.partner_id)"
        )
