"""What customers usually buy, which categories they favour, and on which weekday.

In: a batch of customers, lines of confirmed orders and till orders, days of imported purchases.
Out: usual products, favourite categories, weekday and sales team on the profiles. A reader, asked
when their orders have changed.
"""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..sources.money import plausible_sql, unrated_order_sql, unrated_till_sql
from .reader import Reader

#: a product is usual from so many days on
USUAL_DAYS = 3
#: usual products kept for each customer
USUAL_PRODUCTS = 10
#: a category is a favourite from this part of the money on
FAVORITE_SHARE = 0.15


class PreferenceReader(Reader):
    """Reads preferences of who has ordered since.

    - ``lifecycle_line``: the lines that the chosen customers bought
    - ``lifecycle_usual``, ``lifecycle_favorite``: their usual products, favourite categories
    """

    TABLES = ("lifecycle_line", "lifecycle_usual", "lifecycle_favorite")

    def is_due(self):
        """Whose orders are the same as last time has the same preferences."""
        return SQL(
            "(profile.order_count, profile.last_order_date) "
            "IS DISTINCT FROM (profile.preference_order_count, profile.preference_order_date)"
        )

    def read_orders(self):
        preferences = self.env["lifecycle.preference"]
        with self:
            preferences._collect_lines(self.company)
            preferences._store_usual_products(self.company)
            preferences._store_categories()
            preferences._store_habits(self.company)


class LifecyclePreference(models.AbstractModel):
    """What customers like, read from their orders.

    A profile remembers the number and the day of the orders that its preferences stand for.
    """

    _name = "lifecycle.preference"
    _description = "Customer Preferences"

    # ----- COLLECT -----

    @api.model
    def _bought_for_sql(self, model_name, document):
        """Whether a document of a contact in ``lifecycle_buyer`` counts for its profile."""
        if not self.env["lifecycle.former.firm"]._any():
            return SQL("TRUE")
        return SQL(
            """COALESCE((SELECT former.firm_id = (SELECT chosen.partner_id
                                                   FROM lifecycle_chosen chosen
                                                  WHERE chosen.id = contact.profile_id)
                           FROM lifecycle_former_firm former
                          WHERE former.model = %s AND former.res_id = %s
                            AND former.partner_id = contact.id), contact.present)""",
            model_name,
            document,
        )

    @api.model
    def _lines_sql(self, company):
        """SELECTs of what the contacts in ``lifecycle_contact`` bought, a row for each line.

        Columns: profile id, day, product, quantity, net amount in company currency, sales team.
        Meant to be extended by addons that sell in another way.
        """
        zone = company._lifecycle_timezone()

        def plausible(unrated):
            return plausible_sql(
                company,
                SQL("ordering.date_order"),
                SQL(
                    "(CASE WHEN NOT %s "
                    "THEN line.price_subtotal / NULLIF(ordering.currency_rate, 0)::numeric END)",
                    unrated,
                ),
            )

        no_goods = SQL(
            "(line.product_id = ANY(%s) OR line.product_id IN (%s))",
            self._products_that_are_no_goods(),
            # money that is not spent yet is no purchase either
            self.env["lifecycle.revenue.source"]._filling_products_sql(),
        )
        delivery = SQL("TRUE")
        if "is_delivery" in self.env["sale.order.line"]._fields:
            delivery = SQL("line.is_delivery IS NOT TRUE")
        parts = [
            SQL(
                """SELECT profile_id, day, product_id, quantity, amount, team_id FROM (
                      WITH bought AS MATERIALIZED (
                         SELECT contact.profile_id,
                                (ordering.date_order AT TIME ZONE 'UTC'
                                 AT TIME ZONE %(zone)s)::date AS day,
                                line.id AS line_id, line.product_id,
                                line.product_uom_qty * unit.factor / NULLIF(base.factor, 0)
                                    AS quantity,
                                line.price_subtotal / NULLIF(ordering.currency_rate, 0)
                                    AS amount,
                                ordering.team_id
                           FROM lifecycle_buyer contact
                           JOIN sale_order ordering ON ordering.partner_id = contact.id
                           JOIN sale_order_line line ON line.order_id = ordering.id
                           JOIN uom_uom unit ON unit.id = line.product_uom_id
                           JOIN product_product product ON product.id = line.product_id
                           JOIN product_template template
                             ON template.id = product.product_tmpl_id
                           JOIN uom_uom base ON base.id = template.uom_id
                          WHERE ordering.state = 'sale'
                            AND ordering.company_id = ANY(%(companies)s)
                            AND line.product_id IS NOT NULL AND line.display_type IS NULL
                            AND line.is_downpayment IS NOT TRUE AND line.reward_id IS NULL
                            AND line.product_uom_qty > 0 AND NOT %(no_goods)s
                            AND %(delivery)s AND %(bought_for)s AND %(plausible)s
                      )
                      SELECT * FROM bought WHERE line_id NOT IN (%(came_back)s)
                   ) kept""",
                bought_for=self._bought_for_sql("sale.order", SQL("ordering.id")),
                zone=zone,
                plausible=plausible(unrated_order_sql(company)),
                companies=company._lifecycle_family().ids,
                no_goods=no_goods,
                delivery=delivery,
                came_back=self._came_back_sql(),
            )
        ]
        if "pos.order.line" in self.env:
            settles = (
                SQL("line.sale_order_line_id IS NULL")
                if "sale_order_line_id" in self.env["pos.order.line"]._fields
                else SQL("TRUE")
            )
            team = (
                SQL("ordering.crm_team_id")
                if "crm_team_id" in self.env["pos.order"]._fields
                else SQL("NULL::integer")
            )
            reward = (
                SQL("line.is_reward_line IS TRUE")
                if "is_reward_line" in self.env["pos.order.line"]._fields
                else SQL("FALSE")
            )
            parts.append(
                SQL(
                    """SELECT contact.profile_id,
                              (ordering.date_order AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date,
                              line.product_id, line.qty,
                              line.price_subtotal / NULLIF(ordering.currency_rate, 0),
                              %(team)s
                         FROM lifecycle_buyer contact
                         JOIN pos_order ordering ON ordering.partner_id = contact.id
                         JOIN pos_order_line line ON line.order_id = ordering.id
                        WHERE ordering.state IN ('paid', 'done')
                          AND ordering.company_id = ANY(%(companies)s)
                          AND line.qty > 0 AND %(settles)s
                          AND %(plausible)s AND NOT %(no_goods)s AND NOT %(reward)s
                          AND %(bought_for)s
                          AND NOT EXISTS (
                              SELECT FROM pos_order_line back
                                JOIN pos_order refund ON refund.id = back.order_id
                               WHERE back.refunded_orderline_id = line.id
                                 AND refund.state IN ('paid', 'done', 'invoiced')
                              HAVING SUM(ABS(back.qty)) >= line.qty)""",
                    bought_for=self._bought_for_sql("pos.order.line", SQL("line.id")),
                    no_goods=no_goods,
                    reward=reward,
                    zone=zone,
                    plausible=plausible(unrated_till_sql(company)),
                    team=team,
                    companies=company._lifecycle_family().ids,
                    settles=settles,
                )
            )
        return SQL(" UNION ALL ").join(parts)

    @api.model
    def _products_that_are_no_goods(self):
        """Ids of what is on documents but is nothing that a customer likes.

        Delivery charges, tips, down payments and what rewards are booked with.
        """

        def found(model, path):
            if model not in self.env or path.split(".")[0] not in self.env[model]._fields:
                return set()
            # sudo, archived too: what was sold once may be closed by now
            records = self.env[model].sudo().with_context(active_test=False).search(Domain.TRUE)
            return set(records.mapped(path).ids)

        return sorted(
            found("delivery.carrier", "product_id")
            | found("pos.config", "tip_product_id")
            | found("pos.config", "down_payment_product_id")
            | found("res.company", "sale_down_payment_product_id")
            | found("loyalty.reward", "discount_line_product_id")
        )

    @api.model
    def _came_back_sql(self):
        """SELECT of the order lines in ``bought`` whose goods, or their price, all came back.

        Found in one go: most have neither a credit note nor a return, and looking each up takes
        longer than reading it.
        """
        credited = SQL(
            """SELECT rel.order_line_id
                 FROM (SELECT DISTINCT line_id FROM bought) line
                 JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = line.line_id
                 JOIN account_move_line item ON item.id = rel.invoice_line_id
                 JOIN account_move move ON move.id = item.move_id
                WHERE move.state = 'posted' AND move.move_type IN ('out_invoice', 'out_refund')
                GROUP BY rel.order_line_id
               HAVING BOOL_OR(move.move_type = 'out_refund')
                  AND ROUND(SUM(CASE move.move_type WHEN 'out_refund' THEN -1 ELSE 1 END
                                * item.price_subtotal), 2) <= 0"""
        )
        if "stock.move" not in self.env or "sale_line_id" not in self.env["stock.move"]._fields:
            return credited
        return SQL(
            """%s UNION ALL
               SELECT move.sale_line_id
                 FROM (SELECT DISTINCT line_id FROM bought) line
                 JOIN stock_move move ON move.sale_line_id = line.line_id
                 JOIN stock_location origin ON origin.id = move.location_id
                 JOIN stock_location target ON target.id = move.location_dest_id
                WHERE move.state = 'done'
                GROUP BY move.sale_line_id
               HAVING BOOL_OR(origin.usage = 'customer')
                  AND SUM(move.quantity * ((target.usage = 'customer')::integer
                                           - (origin.usage = 'customer')::integer)) <= 0""",
            credited,
        )

    @api.model
    def _collect_lines(self, company):
        cr = self.env.cr
        cr.execute(
            SQL("CREATE TEMPORARY TABLE lifecycle_line AS %s", self._lines_sql(company))
        )
        cr.execute("ANALYZE lifecycle_line")

    # ----- STORE -----

    @api.model
    def _store_usual_products(self, company):
        """Replace the usual products of the chosen customers where they differ."""
        cr = self.env.cr
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_usual AS
                   SELECT * FROM (
                     SELECT profile_id, product_id, COUNT(*)::integer AS day_count,
                            -- what was bought most often, else what was bought last
                            ROUND((CASE WHEN COUNT(DISTINCT quantity) < COUNT(*)
                                        THEN MODE() WITHIN GROUP (ORDER BY quantity DESC)
                                        ELSE (ARRAY_AGG(quantity ORDER BY day DESC))[1]
                                   END)::numeric, 2) AS quantity,
                            ROUND(SUM(amount)::numeric, %(digits)s) AS amount,
                            ROUND((MAX(day) - MIN(day))::numeric / (COUNT(*) - 1), 1) AS gap,
                            MAX(day) AS last_date,
                            ROW_NUMBER() OVER (PARTITION BY profile_id
                                ORDER BY SUM(amount) DESC, product_id) AS rank
                       FROM (SELECT profile_id, product_id, day,
                                    ROUND(SUM(quantity)::numeric, 3) AS quantity,
                                    SUM(amount) AS amount
                               FROM lifecycle_line WHERE amount > 0
                              GROUP BY profile_id, product_id, day) days
                      GROUP BY profile_id, product_id HAVING COUNT(*) >= %(days)s
                   ) ranked WHERE rank <= %(products)s""",
                digits=company.currency_id.decimal_places,
                days=USUAL_DAYS,
                products=USUAL_PRODUCTS,
            )
        )
        cr.execute(
            """DELETE FROM lifecycle_usual_product old USING lifecycle_chosen chosen
                WHERE chosen.id = old.profile_id
                  AND NOT EXISTS (SELECT FROM lifecycle_usual usual
                                   WHERE usual.profile_id = old.profile_id
                                     AND usual.product_id = old.product_id)"""
        )
        cr.execute(
            """INSERT INTO lifecycle_usual_product AS old
                      (profile_id, product_id, day_count, quantity, amount, gap, last_date,
                       yearly_amount, missing_from, missing_until)
               SELECT profile_id, product_id, day_count, quantity, amount, gap, last_date,
                      ROUND(amount / day_count * 365 / GREATEST(gap, 1), 2),
                      last_date + CEIL(1.5 * gap)::integer,
                      last_date + CEIL(4 * gap)::integer
                 FROM lifecycle_usual
               ON CONFLICT (profile_id, product_id) DO UPDATE
                  SET day_count = EXCLUDED.day_count, quantity = EXCLUDED.quantity,
                      amount = EXCLUDED.amount, gap = EXCLUDED.gap,
                      last_date = EXCLUDED.last_date, yearly_amount = EXCLUDED.yearly_amount,
                      missing_from = EXCLUDED.missing_from,
                      missing_until = EXCLUDED.missing_until
                WHERE (old.day_count, old.quantity, old.amount, old.gap, old.last_date)
                      IS DISTINCT FROM (EXCLUDED.day_count, EXCLUDED.quantity, EXCLUDED.amount,
                                        EXCLUDED.gap, EXCLUDED.last_date)"""
        )
        self.env["lifecycle.usual.product"].invalidate_model()

    @api.model
    def _store_categories(self):
        """Replace the favourite categories of the chosen customers where they differ."""
        cr = self.env.cr
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_favorite AS
                   SELECT profile_id, category_id FROM (
                     SELECT line.profile_id, template.categ_id AS category_id,
                            SUM(line.amount) / NULLIF(SUM(SUM(line.amount))
                                OVER (PARTITION BY line.profile_id), 0) AS share,
                            ROW_NUMBER() OVER (PARTITION BY line.profile_id
                                ORDER BY SUM(line.amount) DESC, template.categ_id) AS rank
                       FROM lifecycle_line line
                       JOIN product_product product ON product.id = line.product_id
                       JOIN product_template template ON template.id = product.product_tmpl_id
                      WHERE template.categ_id IS NOT NULL AND line.amount > 0
                      GROUP BY line.profile_id, template.categ_id
                   ) ranked WHERE rank <= 3 AND share >= %s""",
                FAVORITE_SHARE,
            )
        )
        cr.execute(
            """DELETE FROM lifecycle_profile_product_category_rel old
                USING lifecycle_chosen chosen
                WHERE chosen.id = old.profile_id
                  AND NOT EXISTS (SELECT FROM lifecycle_favorite favorite
                                   WHERE favorite.profile_id = old.profile_id
                                     AND favorite.category_id = old.category_id)"""
        )
        cr.execute(
            """INSERT INTO lifecycle_profile_product_category_rel (profile_id, category_id)
               SELECT profile_id, category_id FROM lifecycle_favorite ON CONFLICT DO NOTHING"""
        )

    @api.model
    def _store_habits(self, company):
        """Write usual weekday and team, and what the preferences stand for."""
        self.env["lifecycle.profile"]._hold_links()
        # days with purchases need no amounts, which cost most of reading purchases
        days = SQL(
            """SELECT profile_id, day FROM lifecycle_line
               UNION
               SELECT contact.profile_id, bought.date
                 FROM lifecycle_buyer contact
                 JOIN lifecycle_external_purchase bought ON bought.partner_id = contact.id
                WHERE bought.company_id = ANY(%s) AND bought.amount > 0 AND %s""",
            company._lifecycle_family().ids,
            self._bought_for_sql("lifecycle.external.purchase", SQL("bought.id")),
        )
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile
                      SET usual_weekday = habit.weekday, usual_team_id = habit.team_id,
                          preference_order_count = chosen.order_count,
                          preference_order_date = chosen.last_order_date
                     FROM lifecycle_chosen chosen
                     LEFT JOIN (
                        SELECT profile_id,
                               CASE WHEN MAX(number) * 2 >= SUM(number) AND SUM(number) >= 4
                                    THEN (ARRAY_AGG(weekday ORDER BY number DESC, weekday))[1]
                               END AS weekday
                          FROM (SELECT profile_id, EXTRACT(ISODOW FROM day)::text AS weekday,
                                       COUNT(*) AS number
                                  FROM (%(days)s) days
                                 GROUP BY 1, 2) weekdays
                         GROUP BY profile_id
                     ) week ON week.profile_id = chosen.id
                     LEFT JOIN (
                        SELECT profile_id,
                               MODE() WITHIN GROUP (ORDER BY team_id) AS team_id
                          FROM (SELECT DISTINCT profile_id, day, team_id
                                  FROM lifecycle_line WHERE team_id IS NOT NULL) orders
                         GROUP BY profile_id
                     ) channel ON channel.profile_id = chosen.id
                     CROSS JOIN LATERAL (
                        SELECT week.weekday, channel.team_id
                     ) habit
                    WHERE chosen.id = profile.id
                      AND (profile.usual_weekday, profile.usual_team_id,
                           profile.preference_order_count, profile.preference_order_date)
                          IS DISTINCT FROM (habit.weekday, habit.team_id, chosen.order_count,
                                            chosen.last_order_date)""",
                days=days,
            )
        )
