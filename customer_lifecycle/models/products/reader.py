"""Writes what each customer will probably buy next.

In: the products on purchases that the store keeps, and what may be sold at all. Out: rows of
``lifecycle.next.product``, exchanged where they differ. A reader: once a week everything is learnt
anew and everybody looked at, in between who has bought something, or whose purchase was undone.
"""

import numpy as np

from odoo.tools import SQL

from ...kernel.next_product import ALIKE, horizon_of, learn_products, learn_weights, suggest
from ...kernel.next_product_backtest import backtest_products
from ...kernel.product_pairs import read_purchases
from ...tools.copy import copy_in, copy_out
from ...tools.sampling import in_sample, sample_rate
from ..prediction.prediction_columns import EPOCH
from ..profile.reader import Reader
from ..sources.kept import exchange

#: customers at a time: those that are learnt from, which are also looked at together
AT_ONCE = 1_000_000
#: changed customers at a time
BATCH = 5_000
#: chances and shares are kept in millionths, quantities in hundredths, days in tenths
MILLIONTHS, HUNDREDTHS, TENTHS = 1_000_000, 100, 10
#: a smaller chance is told to nobody
LEAST_CHANCE = 0.01
COLUMNS = (
    *("partner_id", "product_id", "rank", "kind", "due_on", "quantity", "chance"),
    *("because_product_id", "share", "days", "support"),
)


class NextProductReader(Reader):
    """Learns what is bought after what, and suggests.

    - ``lifecycle_suggested``: what was found, in whole numbers
    """

    TABLES = ("lifecycle_suggested",)
    SEEN = "next_product_seen"
    OPTIONAL = True
    #: ids of the customers to look at; None: everything anew
    changed = None

    def __init__(self, *args):
        super().__init__(*args)
        self.model = self.env["lifecycle.product.model"]._current(self.company)
        self.today = self.day.toordinal() - EPOCH

    def name(self):
        return self.env._("Next Products")

    def find_changes(self, seen, complete):
        self.cr.execute("SELECT COALESCE(MAX(id), 0) FROM lifecycle_purchase_item")
        newest = self.cr.fetchone()[0]
        anew = complete or not seen or self.model._is_due(self.day)
        self.changed = None if anew else self._bought_since(seen["item"])
        return {"item": newest}

    def _bought_since(self, item_id):
        """Ids of customers whose purchases are others than at an item: theirs were exchanged."""
        self.cr.execute(
            SQL(
                """SELECT partner_id FROM lifecycle_purchase_item
                    WHERE id > %(item)s AND company_id = %(company)s
                    UNION
                   SELECT partner_id FROM lifecycle_next_product gone
                    WHERE company_id = %(company)s AND rank = 1 AND NOT EXISTS (
                          SELECT FROM lifecycle_purchase_item item
                           WHERE item.company_id = gone.company_id
                             AND item.partner_id = gone.partner_id)""",
                item=item_id,
                company=self.company.id,
            )
        )
        return sorted(row[0] for row in self.cr.fetchall())

    def update(self):
        if not self.scope.is_few and self.changed is None:
            self._learn()
        elif self.model:
            few = self.scope.partner_ids if self.scope.is_few else self.changed
            for start in range(0, len(few), BATCH):
                self._look_at(few[start : start + BATCH])
        self.env["lifecycle.next.product"].invalidate_model()
        return 0, []

    # ----- EVERYBODY -----

    def _learn(self):
        """Learn from all purchases, and suggest to everybody."""
        self.env.flush_all()
        self.cr.execute(
            SQL(
                "SELECT COUNT(DISTINCT partner_id) FROM lifecycle_purchase_item "
                "WHERE company_id = %s AND product_id IS NOT NULL",
                self.company.id,
            )
        )
        rate = sample_rate(self.cr.fetchone()[0], AT_ONCE)
        log = self._log(in_sample(SQL.identifier("partner_id"), rate))
        pairs = self.env["lifecycle.product.pair"]
        if not len(log.customers):
            self._exchange_for_nothing()
            return
        horizon = horizon_of(log)
        knowledge = learn_products(log, self.today, horizon)
        pairs._replace(self.company, knowledge, log.products)
        self.model = self.env["lifecycle.product.model"]._store(
            self.company,
            self.day,
            knowledge,
            learn_weights(log, self.today, horizon),
            backtest_products(log, self.today, horizon),
            (len(log.customers), len(log.products)),
        )
        # what is kept is a little rounder than what was learnt: a refresh tells the same
        knowledge, products = pairs._knowledge(self.company, self.model.gap, horizon)
        with self:
            self._make_table()
            for part in range(rate):
                if rate > 1:
                    log = self._log(
                        SQL("ABS(hashint4(partner_id) %% %s) = %s", rate, part), products
                    )
                self._put(log, knowledge)
            self._exchange(SQL("TRUE"))
        # what was filled in one go would be read as a whole for a single customer
        self.cr.execute("ANALYZE lifecycle_next_product")

    def _exchange_for_nothing(self):
        """Nobody has bought any product: there is nothing to learn, and nothing to suggest."""
        with self:
            self._make_table()
            self._exchange(SQL("TRUE"))

    def _log(self, among, products=None):
        """Products that customers bought and kept, for the kernel.

        :param among: condition of the customers
        :param products: ids of all products there may be; None: those that are found
        """
        bought = copy_out(
            self.cr,
            SQL(
                """SELECT partner_id, day - DATE '1970-01-01' AS day, product_id, quantity
                     FROM lifecycle_purchase_item
                    WHERE company_id = %s AND product_id IS NOT NULL AND day <= %s AND %s""",
                self.company.id,
                self.day,
                among,
            ),
            {"partner_id": "int64", "day": "int64", "product_id": "int64", "quantity": "float64"},
        )
        columns = [bought[name].to_numpy() for name in ("partner_id", "day", "product_id")]
        if products is not None:
            known = np.isin(columns[2], products)
            columns = [column[known] for column in columns]
            return read_purchases(*columns, bought["quantity"].to_numpy()[known], products)
        return read_purchases(*columns, bought["quantity"].to_numpy())

    # ----- A FEW -----

    def _look_at(self, partner_ids):
        """Suggest to some customers, by what was learnt last."""
        among = SQL("partner_id = ANY(%s)", list(partner_ids))
        log = self._log(among)
        knowledge, products = self.env["lifecycle.product.pair"]._knowledge(
            self.company, self.model.gap, self.model.horizon, log.products.tolist()
        )
        log = log._replace(
            products=products,
            product=np.searchsorted(products, log.products)[log.product].astype(np.int32),
        )
        with self:
            self._make_table()
            self._put(log, knowledge)
            self._exchange(among)

    # ----- WRITING -----

    def _make_table(self):
        self.cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE lifecycle_suggested (%s)",
                SQL(", ").join(SQL("%s bigint", SQL.identifier(name)) for name in COLUMNS),
            )
        )

    def _put(self, log, knowledge):
        """Add what may be suggested to the customers of a log."""
        products = self.env["lifecycle.next.product"]._sold(self.company, log.products.tolist())
        told = suggest(
            log,
            self.today,
            knowledge,
            self.model._weights(),
            wanted=np.isin(log.products, products),
        )
        likely = told.chance >= LEAST_CHANCE
        numbers = {
            "partner_id": told.customer,
            "product_id": told.product,
            "rank": told.rank,
            "kind": told.kind,
            "due_on": told.due,
            "quantity": told.quantity * HUNDREDTHS,
            "chance": told.chance * MILLIONTHS,
            "because_product_id": told.because,
            "share": told.share * MILLIONTHS,
            "days": told.days * TENTHS,
            "support": told.support,
        }
        columns = [np.rint(numbers[name][likely]) for name in COLUMNS]
        copy_in(self.cr, "lifecycle_suggested", columns)

    def _exchange(self, among):
        """Put what was found in the place of what is there, where it is something else."""
        rows = SQL(
            """SELECT found.partner_id::integer, found.product_id::integer, found.rank::integer,
                      CASE found.kind WHEN %(alike)s THEN 'alike' ELSE 'again' END::varchar AS kind,
                      DATE '1970-01-01' + found.due_on::integer AS due_on,
                      -- pieces are sold whole
                      CASE WHEN template.uom_id = ANY(%(pieces)s)
                           THEN GREATEST(ROUND(found.quantity::numeric / %(hundredths)s), 1)
                           ELSE found.quantity::numeric / %(hundredths)s END::float AS quantity,
                      found.chance::float / %(millionths)s AS chance,
                      found.because_product_id::integer,
                      found.share::float / %(millionths)s AS share,
                      found.days::float / %(tenths)s AS days, found.support::integer
                 FROM lifecycle_suggested found
                 JOIN product_product product ON product.id = found.product_id
                 JOIN product_template template ON template.id = product.product_tmpl_id""",
            alike=ALIKE,
            pieces=self._units_of_pieces(),
            hundredths=HUNDREDTHS,
            millionths=MILLIONTHS,
            tenths=TENTHS,
        )
        exchange(
            self.cr,
            "lifecycle_next_product",
            COLUMNS,
            self.company,
            rows,
            among,
            order=("partner_id", "rank"),
        )

    def _units_of_pieces(self):
        """Ids of the units of measure of what is counted."""
        pieces = self.env.ref("uom.product_uom_unit", raise_if_not_found=False)
        if not pieces:
            return []
        units = self.env["uom.uom"].with_context(active_test=False).search([])
        return units.filtered(lambda unit: unit._has_common_reference(pieces)).ids
