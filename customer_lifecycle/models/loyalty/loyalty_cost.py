"""What discounts and free products of loyalty programs cost, by order, customer and program.

In: reward lines of sale orders and tills, less what was credited. Out: a report, two figures on
each profile, and sums on contacts and programs, for sales managers. Profiles are written by the
nightly run and the refresh of a few customers; the rows are read by spending, too. The figures'
fields are in the files of profile, contact and program.
"""

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.sql import row_id
from ..profile.reader import Reader
from ..sources.money import plausible_sql, unrated_order_sql, unrated_till_sql
from ..sources.revenue_payment import PAYMENT_PROGRAMS

MANAGER = "sales_team.group_sale_manager"


class LifecycleLoyaltyCost(models.Model):
    """What each order has cost in discounts and rewards of loyalty programmes, read live.

    A discount costs what it took off, a free product what it would have been sold for. Gift cards
    and eWallets are no cost: the customer pays with money that is already his. Prices of a
    pricelist are no reward of a programme and do not count either.
    """

    _name = "lifecycle.loyalty.cost"
    _description = "Cost of Loyalty Programs"
    _inherit = "lifecycle.document.mixin"
    _auto = False
    _order = "date desc, id desc"

    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    program_id = fields.Many2one("loyalty.program", string="Loyalty Program", readonly=True)
    date = fields.Date(readonly=True)
    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Document Id", model_field="res_model", readonly=True, aggregator=None
    )
    document_name = fields.Char(string="Order")
    cost = fields.Monetary(
        readonly=True,
        help="Discounts, and free products at the price they would have been sold for: untaxed, "
        "less what was credited, in company currency at the order's own rate. Gift cards and "
        "eWallets are no cost, for the customer pays with money that is already his; prices of "
        "a pricelist, as VIPs may have, are not counted here either.",
    )

    @property
    def _table_query(self):
        company = self.env.company.sudo()
        return SQL(
            """SELECT %(id)s, partner_id, %(company)s AS company_id, %(currency)s AS currency_id,
                      program_id, day AS date, res_model, res_id, cost
                 FROM (%(rows)s) rows""",
            id=row_id("res_model", "res_id", "program_id", "partner_id"),
            company=company.id,
            currency=company.currency_id.id,
            rows=self._rows_sql(company),
        )

    def _unreadable_name(self):
        return self.env._("An order that you may not open")

    # ----- SUMMING UP -----

    @api.model
    def _rows_sql(self, company, partner_ids=None):
        """SELECT (customer, programme, day, document, cost) of all orders with rewards.

        :param partner_ids: restrict to these commercial partners
        """
        selects = [self._sale_lines_sql(company, partner_ids)]
        # rewards given in shops: their lines are known once that app is there
        if "reward_id" in self.env.get("pos.order.line", self)._fields:
            selects.append(self._pos_lines_sql(company, partner_ids))
        return SQL(
            """SELECT partner_id, program_id, day, res_model, res_id, SUM(cost) AS cost
                 FROM (%s) lines
                GROUP BY partner_id, program_id, day, res_model, res_id
               HAVING SUM(cost) <> 0""",
            SQL(" UNION ALL ").join(selects),
        )

    @api.model
    def _lines_sql(self, model, rewarded, orders, condition, cost, joins, company, partner_ids):
        """SELECT of single reward lines, whatever app they are from.

        What a contact got while he was with another firm has cost that firm's account, where its
        purchase counts as well.
        """
        firms = self.env["lifecycle.former.firm"]
        customer = today = SQL("contact.commercial_partner_id")
        if firms._any():
            customer = SQL("COALESCE(former.firm_id, contact.commercial_partner_id)")
            joins = SQL(
                """LEFT JOIN lifecycle_former_firm former
                          ON former.model = %s AND former.res_id = ordering.id
                         AND former.partner_id = contact.id
                   %s""",
                model,
                joins,
            )
        few = SQL("TRUE")
        if partner_ids is not None:
            wanted = list(partner_ids)
            # the contacts are found first, by an index
            few = firms._wanted_sql(SQL("contact.id"), today, wanted)
            few = SQL("%s AND %s = ANY(%s)", few, customer, wanted)
        return SQL(
            """SELECT %(customer)s AS partner_id, reward.program_id,
                      (ordering.date_order AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS day,
                      %(model)s AS res_model, ordering.id AS res_id,
                      ROUND(%(cost)s / NULLIF(ordering.currency_rate::numeric, 0),
                            %(digits)s) AS cost
                 FROM %(rewarded)s
                 JOIN %(orders)s ordering ON ordering.id = line.order_id
                 JOIN loyalty_reward reward ON reward.id = line.reward_id
                 JOIN loyalty_program program ON program.id = reward.program_id
                 JOIN res_partner contact ON contact.id = ordering.partner_id
                 %(joins)s
                WHERE ordering.company_id = ANY(%(companies)s) AND %(condition)s AND %(few)s
                  AND %(plausible)s
                  AND program.program_type <> ALL(%(payment)s)""",
            zone=company._lifecycle_timezone(),
            model=model,
            cost=cost,
            digits=company.currency_id.decimal_places,
            rewarded=rewarded,
            orders=SQL.identifier(orders),
            joins=joins,
            companies=company._lifecycle_family().ids,
            condition=condition,
            plausible=plausible_sql(
                company,
                SQL("ordering.date_order"),
                self._cost_worth_sql(company, orders, cost),
            ),
            customer=customer,
            few=few,
            payment=list(PAYMENT_PROGRAMS),
        )

    @api.model
    def _cost_worth_sql(self, company, orders, cost):
        """A cost in company currency, NULL where no rate is known."""
        unrated = unrated_order_sql if orders == "sale_order" else unrated_till_sql
        return SQL(
            "(CASE WHEN NOT %s THEN %s / NULLIF(ordering.currency_rate::numeric, 0) END)",
            unrated(company),
            cost,
        )

    @api.model
    def _sale_lines_sql(self, company, partner_ids):
        """Reward lines of confirmed sale orders, less what credit notes took back.

        As for revenue, what was invoiced above the order is not there to be taken back: a
        reversed and reissued invoice changes nothing.
        """
        taxes = self.env["sale.order.line"]._fields["tax_ids"]
        joins = SQL(
            """CROSS JOIN LATERAL (
                   SELECT COALESCE(SUM(tax.amount) FILTER (WHERE tax.amount_type = 'percent'), 0)
                              AS percent,
                          COALESCE(SUM(tax.amount) FILTER (WHERE tax.amount_type = 'division'), 0)
                              AS division,
                          COALESCE(SUM(tax.amount) FILTER (WHERE tax.amount_type = 'fixed'), 0)
                              AS fixed
                     FROM %(taxes)s applied
                     LEFT JOIN account_tax_filiation_rel part
                            ON part.parent_tax = applied.%(tax)s
                     JOIN account_tax tax
                       ON tax.id = COALESCE(part.child_tax, applied.%(tax)s)
                     JOIN res_company payer ON payer.id = tax.company_id
                    WHERE applied.%(line)s = line.id
                      AND COALESCE(tax.price_include_override, payer.account_price_include)
                          = 'tax_included'
               ) included
               CROSS JOIN LATERAL (
                   SELECT COALESCE(SUM(item.price_subtotal) FILTER (WHERE NOT refund), 0)
                              AS invoiced,
                          COALESCE(SUM(item.price_subtotal) FILTER (WHERE refund), 0)
                              AS credited,
                          COALESCE(SUM(pieces) FILTER (WHERE NOT refund), 0) AS invoiced_pieces,
                          COALESCE(SUM(pieces) FILTER (WHERE refund), 0) AS credited_pieces
                     FROM sale_order_line_invoice_rel rel
                     JOIN account_move_line item ON item.id = rel.invoice_line_id
                     JOIN account_move move ON move.id = item.move_id
                     LEFT JOIN uom_uom unit ON unit.id = item.product_uom_id
                     LEFT JOIN uom_uom ordered_unit ON ordered_unit.id = line.product_uom_id
                     CROSS JOIN LATERAL (
                         SELECT move.move_type = 'out_refund' AS refund,
                                item.quantity * COALESCE(unit.factor / ordered_unit.factor, 1)
                                    AS pieces
                     ) piece
                    WHERE rel.order_line_id = line.id AND move.state = 'posted'
                      AND move.move_type IN ('out_invoice', 'out_refund')
               ) billed""",
            taxes=SQL.identifier(taxes.relation),
            line=SQL.identifier(taxes.column1),
            tax=SQL.identifier(taxes.column2),
        )
        cost = SQL(
            """(CASE WHEN reward.reward_type = 'product' THEN
                    ((line.price_unit - included.fixed) / (1 + included.percent / 100)
                     * (1 - included.division / 100) * line.product_uom_qty
                     - line.price_subtotal)
                    * GREATEST(0, 1 - GREATEST(0, billed.credited_pieces - GREATEST(
                          0, billed.invoiced_pieces - line.product_uom_qty))
                          / NULLIF(line.product_uom_qty, 0))
                ELSE
                    -line.price_subtotal - GREATEST(0, -billed.credited - GREATEST(
                        0, line.price_subtotal - billed.invoiced))
                END)::numeric"""
        )
        return self._lines_sql(
            "sale.order",
            SQL("sale_order_line line"),
            "sale_order",
            SQL("ordering.state = 'sale' AND line.reward_id IS NOT NULL"),
            cost,
            joins,
            company,
            partner_ids,
        )

    @api.model
    def _pos_lines_sql(self, company, partner_ids):
        """Reward lines of shops, where free products are discounts as well; refunds give back.

        A till stores a refund with the sign of the sale, so that quantity and price decide; it is
        taken off the order that it refunds, whoever it names.
        """
        amount = SQL(
            "ABS(given.price_subtotal) * SIGN(given.qty * given.price_unit::numeric) "
            "AS price_subtotal"
        )
        lines = SQL(
            """(SELECT given.order_id, %(amount)s, given.reward_id
                  FROM pos_order_line given
                 WHERE given.reward_id IS NOT NULL AND given.refunded_orderline_id IS NULL
                 UNION ALL
                SELECT refunded.order_id, %(amount)s, refunded.reward_id
                  FROM pos_order_line given
                  JOIN pos_order refund ON refund.id = given.order_id
                  JOIN pos_order_line refunded ON refunded.id = given.refunded_orderline_id
                 WHERE refunded.reward_id IS NOT NULL
                   AND refund.state IN ('paid', 'done', 'invoiced')
               ) line""",
            amount=amount,
        )
        return self._lines_sql(
            "pos.order",
            lines,
            "pos_order",
            SQL("ordering.state IN ('paid', 'done', 'invoiced')"),
            SQL("-line.price_subtotal::numeric"),
            SQL(),
            company,
            partner_ids,
        )

    # ----- PROFILES -----

    @api.model
    def _update_profiles(self, company, partner_ids=None):
        """Write the costs to a company's profiles, where they differ.

        :return: number of changed profiles
        """
        today = company._lifecycle_today()
        few = SQL("TRUE")
        if partner_ids is not None:
            few = SQL("profile.partner_id = ANY(%s)", list(partner_ids))
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_profile changed
                      SET loyalty_cost = found.cost, loyalty_cost_year = found.cost_year
                     FROM (SELECT profile.id, COALESCE(summed.cost, 0) AS cost,
                                  COALESCE(summed.cost_year, 0) AS cost_year
                             FROM lifecycle_profile profile
                             LEFT JOIN (
                                  SELECT partner_id, SUM(cost) AS cost,
                                         SUM(cost) FILTER (WHERE day > %(today)s - 365)
                                             AS cost_year
                                    FROM (%(rows)s) rows WHERE day <= %(today)s
                                   GROUP BY partner_id
                             ) summed ON summed.partner_id = profile.partner_id
                            WHERE profile.company_id = %(company)s AND profile.active AND %(few)s
                     ) found
                    WHERE found.id = changed.id
                      AND (COALESCE(changed.loyalty_cost, 0),
                           COALESCE(changed.loyalty_cost_year, 0))
                          <> (found.cost, found.cost_year)""",
                today=today,
                rows=self._rows_sql(company.sudo(), partner_ids),
                company=company.id,
                few=few,
            )
        )
        return self.env.cr.rowcount


class LoyaltyCostReader(Reader):
    """Reads what loyalty programmes have cost for each customer."""

    def update(self):
        costs = self.env["lifecycle.loyalty.cost"]
        return costs._update_profiles(self.company, self.scope.partner_ids), []
