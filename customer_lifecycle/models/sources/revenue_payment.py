"""What pays for a purchase, or only accompanies it.

Gift cards and eWallets pay: selling or topping them up is no purchase of goods, spending them is
no discount. Comes in: the loyalty programs. Goes out: SELECTs of products and rewards, for every
source that reads lines of documents.
"""

from odoo import api, models
from odoo.tools import SQL

#: programmes by which customers pay: the money was theirs before
PAYMENT_PROGRAMS = ("gift_card", "ewallet")
#: a product fills a card when at least this part of its price goes on it; less is a bonus on goods
FILLING_SHARE = 0.5


class LifecycleRevenueSource(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _filling_products_sql(self):
        """SELECT of the products that put money on a card or into an eWallet.

        Archived programs sold cards too. A program that gives a small part of the price of goods
        back into the eWallet sells goods.
        """
        products = self.env["loyalty.rule"]._fields["product_ids"]
        return SQL(
            """SELECT linked.%(product)s
                 FROM %(relation)s linked
                 JOIN loyalty_rule rule ON rule.id = linked.%(rule)s
                 JOIN loyalty_program program ON program.id = rule.program_id
                 JOIN product_product product ON product.id = linked.%(product)s
                 JOIN product_template template ON template.id = product.product_tmpl_id
                 JOIN LATERAL (
                    SELECT MAX(CASE WHEN reward.discount_mode = 'per_point'
                                    THEN reward.discount ELSE 1 END) AS worth
                      FROM loyalty_reward reward WHERE reward.program_id = program.id
                 ) point ON TRUE
                WHERE program.program_type IN %(types)s
                  AND rule.reward_point_amount * COALESCE(point.worth, 1) >= %(share)s *
                      CASE WHEN rule.reward_point_mode = 'money' THEN 1
                           ELSE template.list_price END""",
            relation=SQL.identifier(products.relation),
            rule=SQL.identifier(products.column1),
            product=SQL.identifier(products.column2),
            types=PAYMENT_PROGRAMS,
            share=FILLING_SHARE,
        )

    @api.model
    def _payment_rewards_sql(self):
        """SELECT of the rewards that pay with a gift card or an eWallet."""
        return SQL(
            """SELECT reward.id
                 FROM loyalty_reward reward
                 JOIN loyalty_program program ON program.id = reward.program_id
                WHERE program.program_type IN %s""",
            PAYMENT_PROGRAMS,
        )

    @api.model
    def _line_pays_sql(self, filling=None):
        """Condition on ``line``, a line of a sale order: it is no goods but pays for some, now or
        later.

        :param filling: SELECT of the products that fill a card, where they are known
        """
        return SQL(
            """(line.is_downpayment IS TRUE
                OR COALESCE(line.reward_id IN (%s), FALSE)
                OR COALESCE(line.product_id IN (%s), FALSE))""",
            self._payment_rewards_sql(),
            filling or self._filling_products_sql(),
        )

    @api.model
    def _payment_products_sql(self):
        """SELECT of the products that stand for such a payment on documents without rewards."""
        return SQL(
            """SELECT reward.discount_line_product_id
                 FROM loyalty_reward reward
                 JOIN loyalty_program program ON program.id = reward.program_id
                WHERE program.program_type IN %s
                  AND reward.discount_line_product_id IS NOT NULL""",
            PAYMENT_PROGRAMS,
        )
