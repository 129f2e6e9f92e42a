"""What is bought after what in a company, kept for the refresh of single customers.

In: what the weekly run has learnt of the company's products. Out: the same for the kernel, of all
products or of those that some customers have to do with.
"""

import numpy as np

from odoo import api, fields, models
from odoo.tools import SQL

from ...kernel.next_product import Knowledge
from ...kernel.product_pairs import Pairs
from ...tools.copy import copy_in, copy_out
from ...tools.fields import UncheckedMany2one

#: numbers are kept with so many decimals; what is suggested hangs on what is kept
SCALE = 10**9
NUMBERS = ("share", "days", "likeness", "lift", "demand", "trend", "quantity")
#: share of customers who bought a product that nothing is known of yet
UNKNOWN_DEMAND = 1e-4


class LifecycleProductPair(models.Model):
    """A product, and one that its buyers go on to buy.

    A product with itself tells how many buy it again, and what holds for the product alone.
    """

    _name = "lifecycle.product.pair"
    _description = "Product Bought after Another"
    _log_access = False
    _order = "share desc, id"
    _rec_name = "next_product_id"

    company_id = UncheckedMany2one("res.company", readonly=True)
    product_id = UncheckedMany2one("product.product", string="Who Bought", readonly=True)
    next_product_id = UncheckedMany2one("product.product", string="Went On to Buy", readonly=True)
    share = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Of those who had not bought it before, shrunken towards what all products lead to.",
    )
    days = fields.Float(string="Days Later", readonly=True, aggregator="avg", help="Median.")
    support = fields.Integer(string="Customers", readonly=True, aggregator=None)
    likeness = fields.Float(
        readonly=True,
        aggregator=None,
        help="Cosine of who has bought them. Of a product with itself: share of its buyers who "
        "bought it again lately.",
    )
    lift = fields.Float(readonly=True, aggregator=None, help="Share by that of an average product.")
    demand = fields.Float(
        readonly=True,
        aggregator=None,
        help="Of a product with itself: share of the customers of the last horizon who bought it.",
    )
    trend = fields.Float(readonly=True, aggregator=None)
    quantity = fields.Float(readonly=True, aggregator=None, help="In which it is mostly bought.")

    _product_idx = models.Index("(company_id, product_id)")

    @api.model
    def _replace(self, company, knowledge, products):
        """Keep what was learnt of all products of a company.

        :param knowledge: :class:`~.kernel.next_product.Knowledge`
        :param products: ids that its codes stand for
        """
        cr, pairs = self.env.cr, knowledge.pairs
        own = pairs.product == pairs.following
        numbers = [pairs.share, pairs.days, pairs.likeness, pairs.lift] + [
            np.where(own, values[pairs.product], 0.0)
            for values in (knowledge.demand, knowledge.trend, knowledge.quantity)
        ]
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_pair")
        cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE lifecycle_pair "
                "(product_id bigint, next_product_id bigint, support bigint, %s) ON COMMIT DROP",
                SQL(", ").join(SQL("%s bigint", SQL.identifier(name)) for name in NUMBERS),
            )
        )
        copy_in(
            cr,
            "lifecycle_pair",
            [
                products[pairs.product],
                products[pairs.following],
                pairs.support,
                *(np.rint(values * SCALE) for values in numbers),
            ],
        )
        cr.execute(SQL("DELETE FROM lifecycle_product_pair WHERE company_id = %s", company.id))
        cr.execute(
            SQL(
                """INSERT INTO lifecycle_product_pair
                          (company_id, product_id, next_product_id, support, %(names)s)
                   SELECT %(company)s, product_id, next_product_id, support, %(numbers)s
                     FROM lifecycle_pair ORDER BY product_id, share DESC""",
                names=SQL(", ").join(SQL.identifier(name) for name in NUMBERS),
                company=company.id,
                numbers=SQL(", ").join(
                    SQL("%s::float / %s", SQL.identifier(name), SCALE) for name in NUMBERS
                ),
            )
        )
        cr.execute("DROP TABLE pg_temp.lifecycle_pair")
        cr.execute("ANALYZE lifecycle_product_pair")
        self.invalidate_model()

    @api.model
    def _knowledge(self, company, gap, horizon, product_ids=None):
        """What is kept, for the kernel.

        :param gap, horizon: of the company, as learnt
        :param product_ids: ids of products that customers have; None: all
        :return: (Knowledge, ids of the products that its codes stand for)
        """
        of_them = SQL("company_id = %s", company.id)
        among = SQL("TRUE")
        if product_ids is not None:
            product_ids = sorted(set(product_ids))
            among = SQL(
                """(product_id = ANY(%(ids)s) OR product_id = next_product_id AND product_id IN (
                       SELECT next_product_id FROM lifecycle_product_pair
                        WHERE %(of_them)s AND product_id = ANY(%(ids)s)))""",
                ids=product_ids,
                of_them=of_them,
            )
        found = copy_out(
            self.env.cr,
            SQL(
                """SELECT product_id, next_product_id, support, %s FROM lifecycle_product_pair
                    WHERE %s AND %s ORDER BY product_id, share DESC, next_product_id""",
                SQL(", ").join(SQL.identifier(name) for name in NUMBERS),
                of_them,
                among,
            ),
            {
                **dict.fromkeys(("product_id", "next_product_id", "support"), "int64"),
                **dict.fromkeys(NUMBERS, "float64"),
            },
        )
        columns = {name: found[name].to_numpy() for name in found}
        products = np.unique(
            np.concatenate(
                (columns["product_id"], columns["next_product_id"], np.int64(product_ids or []))
            )
        )
        product = np.searchsorted(products, columns["product_id"]).astype(np.int32)
        following = np.searchsorted(products, columns["next_product_id"]).astype(np.int32)
        pairs = Pairs(
            product,
            following,
            *(columns[name] for name in ("share", "days", "support", "likeness", "lift")),
        )
        own = product == following
        alone = []
        for name, unknown in (("demand", UNKNOWN_DEMAND), ("trend", 0.0), ("quantity", 1.0)):
            values = np.full(len(products), unknown)
            values[product[own]] = columns[name][own]
            alone.append(values)
        return Knowledge(pairs, *alone, gap, horizon), products

    @api.autovacuum
    def _gc_pairs(self):
        """Forget what was learnt of companies that are gone."""
        self.env.cr.execute(
            "DELETE FROM lifecycle_product_pair "
            "WHERE company_id NOT IN (SELECT id FROM res_company)"
        )
