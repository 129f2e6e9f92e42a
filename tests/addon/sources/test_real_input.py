"""A real shop's year: 22,190 purchases and refunds of 4,372 customers, summed up to the cent.

The log is "Online Retail" by Daqing Chen (UCI Machine Learning Repository, CC BY 4.0), one row
for each customer, day and document.
"""

from pathlib import Path
from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest

from odoo.fields import Command

from ..common_money import MoneyCase

pytestmark = pytest.mark.long

LOG = (
    Path(__file__).resolve().parents[3].parent / "shared/data/online_retail_with_refunds.csv"
)
#: customers whose year is written again as orders, invoices and credit notes
SAMPLE = 200
SEED = 20


class RealInputCase(MoneyCase):
    @classmethod
    def setUpClass(cls):
        if not LOG.exists():
            raise SkipTest(
                f"Needs the log {LOG.name} in the folder shared/data beside the checkout."
            )
        super().setUpClass()
        cls.log = pd.read_csv(LOG, parse_dates=["date"])
        # the shop's year ends in the last week, on the same days of the week
        weeks = (pd.Timestamp(cls.today) - cls.log["date"].max()).days // 7
        cls.log["date"] = (cls.log["date"] + pd.Timedelta(weeks=weeks)).dt.date
        cls.log["cents"] = (cls.log["amount"] * 100).round().astype(int)

    @classmethod
    def create_customers(cls, numbers):
        """Contacts of the log's customers by number."""
        partners = cls.env["res.partner"].create(
            [{"name": f"Customer {number}", "ref": str(number)} for number in numbers]
        )
        return dict(zip(numbers, partners, strict=True))

    @classmethod
    def import_log(cls, log, partners, company):
        cls.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": partners[row.customer_id].id,
                    "date": row.date,
                    "amount": row.cents / 100,
                    "currency_id": company.currency_id.id,
                    "company_id": company.id,
                }
                for row in log.itertuples()
            ]
        )

    @staticmethod
    def expected(log):
        """Figures of each customer, by pandas from the log alone."""
        days = log.groupby(["customer_id", "date"], as_index=False)["cents"].sum()
        bought = days[days["cents"] > 0].groupby("customer_id")
        figures = pd.DataFrame({"cents": days.groupby("customer_id")["cents"].sum()})
        figures["count"] = bought.size()
        figures["first"] = bought["date"].min()
        figures["last"] = bought["date"].max()
        figures["count"] = figures["count"].fillna(0).astype(int)
        return figures

    def assertProfiles(self, expected, partners, company):
        """Every customer's stored figures are the expected ones, to the cent."""
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT partner_id, ROUND(clv_historical * 100)::bigint,
                      ROUND(revenue * 100)::bigint, order_count, first_order_date,
                      last_order_date
                 FROM lifecycle_profile WHERE company_id = %s AND active""",
            [company.id],
        )
        stored = {row[0]: row[1:] for row in self.env.cr.fetchall()}
        self.assertEqual(len(stored), len(expected))
        for row in expected.itertuples():
            first, last = (row.first, row.last) if row.count else (None, None)
            self.assertEqual(
                stored[partners[row.Index].id],
                (row.cents, row.cents, row.count, first, last),
                f"customer {row.Index}",
            )


class TestImportedLog(RealInputCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partners = cls.create_customers(cls.log["customer_id"].unique().tolist())
        cls.import_log(cls.log, cls.partners, cls.company)

    def test_log_becomes_exact_figures_and_sane_predictions(self):
        self.run_nightly()
        profiles = self.env["lifecycle.profile"].search([("company_id", "=", self.company.id)])
        self._check_history(profiles)
        self._check_predictions(profiles)

    def _check_history(self, profiles):
        self.assertEqual(len(self.log), 22190)
        self.assertEqual(len(profiles), 4372)
        total = round(sum(profiles.mapped("clv_historical")) * 100)
        self.assertEqual(total, 830006581)
        self.assertProfiles(self.expected(self.log), self.partners, self.company)
        best = self.log.groupby("customer_id")["cents"].sum().nlargest(10)
        found = profiles.sorted("clv_historical", reverse=True)[:10]
        self.assertEqual(
            found.mapped(lambda one: (int(one.partner_id.ref), round(one.clv_historical * 100))),
            list(best.items()),
        )

    def _check_predictions(self, profiles):
        buyers = profiles.filtered("order_count")
        self.assertTrue(all(buyers.mapped("predicted")))
        self.assertFalse(any((profiles - buyers).mapped("predicted")))
        self.env.cr.execute(
            """SELECT p_alive, p_order, p_order_30, expected_orders, clv_predicted,
                      clv_total - clv_historical, order_count, average_order_value
                 FROM lifecycle_profile WHERE id = ANY(%s)""",
            [buyers.ids],
        )
        table = np.array(self.env.cr.fetchall(), dtype=float)
        self.assertTrue(np.isfinite(table).all())
        p_alive, p_order, p_order_30, expected, value, added, count, average = table.T
        for probability in (p_alive, p_order, p_order_30):
            self.assertGreaterEqual(probability.min(), 0)
            self.assertLessEqual(probability.max(), 1)
        self.assertTrue((p_order_30 <= p_order + 0.011).all())
        self.assertGreaterEqual(expected.min(), 0)
        self.assertGreaterEqual(value.min(), 0)
        np.testing.assert_allclose(added, value, atol=0.011)
        # the shop's customers will neither stop at once nor buy twice as much
        self.assertGreater(expected.sum(), 0.4 * count.sum())
        self.assertLess(expected.sum(), 1.2 * count.sum())
        money = (count * average).sum()
        self.assertGreater(value.sum(), 0.4 * money)
        self.assertLess(value.sum(), 1.2 * money)
        # who bought often and lately is expected to buy more than who bought once, long ago
        often = expected[count >= 12].mean()
        self.assertGreater(often, 6)
        self.assertLess(expected[count == 1].mean(), 0.25 * often)


class TestLogAsDocuments(RealInputCase):
    """The same customers in two companies: imported there, in orders and credit notes here."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        numbers = cls.log["customer_id"].drop_duplicates()
        cls.chosen = numbers.sample(SAMPLE, random_state=SEED).sort_values().tolist()
        cls.log = cls.log[cls.log["customer_id"].isin(cls.chosen)].reset_index(drop=True)
        cls.partners = cls.create_customers(cls.chosen)
        cls.other = cls.new_ledger_company("Imported Works", "USD")
        cls.import_log(cls.log, cls.partners, cls.other)

    def _write_orders(self):
        """A confirmed order for every purchase; returns orders by row of the log."""
        sold = self.log[self.log["cents"] >= 0]
        orders = self.env["sale.order"].create(
            [
                {
                    "partner_id": self.partners[row.customer_id].id,
                    "company_id": self.company.id,
                    "order_line": [
                        Command.create(
                            {
                                "product_id": self.product.id,
                                "price_unit": row.cents / 100,
                                "tax_ids": False,
                            }
                        )
                    ],
                }
                for row in sold.itertuples()
            ]
        )
        orders.action_confirm()
        for order, row in zip(orders, sold.itertuples(), strict=True):
            order.date_order = f"{row.date} 12:00:00"
        return dict(zip(sold.index, orders, strict=True))

    def _match_refunds(self):
        """For every refund the row of an earlier purchase that covers it, or None."""
        left = self.log["cents"].where(self.log["cents"] > 0, 0).to_dict()
        matched = {}
        for refund in self.log[self.log["cents"] < 0].itertuples():
            own = self.log[
                (self.log["customer_id"] == refund.customer_id) & (self.log["date"] <= refund.date)
            ].index
            fitting = [row for row in own if left[row] >= -refund.cents]
            matched[refund.Index] = fitting[-1] if fitting else None
            if fitting:
                left[fitting[-1]] += refund.cents
        return matched

    def _write_refunds(self, matched, orders):
        """Credit notes: of the order's invoice where one covers it, by themselves elsewhere."""
        linked = {row: orders[source] for row, source in matched.items() if source is not None}
        credited = self.env["sale.order"].union(*linked.values())
        for invoice in credited._create_invoices(grouped=True):
            invoice.invoice_date = invoice.line_ids.sale_line_ids.order_id.date_order.date()
        credited.invoice_ids.action_post()
        invoices = {row: order.invoice_ids for row, order in linked.items()}
        # each round credits every invoice at most once
        while invoices:
            now = {invoice: row for row, invoice in invoices.items()}
            self._credit_round(now)
            invoices = {row: each for row, each in invoices.items() if row not in now.values()}
        for row, source in matched.items():
            if source is None:
                self.move(
                    "out_refund",
                    -self.log.at[row, "cents"] / 100,
                    days_ago=(self.today - self.log.at[row, "date"]).days,
                    partner=self.partners[self.log.at[row, "customer_id"]],
                )

    def _credit_round(self, rows):
        """Credit notes of several invoices at once; rows of the log by invoice."""
        invoices = self.env["account.move"].union(*rows)
        wizard = self.reversal(invoices, 0)
        wizard.refund_moves()
        for credit_note in wizard.new_move_ids:
            row = rows[credit_note.reversed_entry_id]
            credit_note.invoice_date = self.log.at[row, "date"]
            credit_note.invoice_line_ids.price_unit = -self.log.at[row, "cents"] / 100
        wizard.new_move_ids.action_post()

    def _cap_refunds(self, log, free):
        """Lower refunds without an order to what was bought by then; whose they are."""
        capped = set()
        for customer, rows in log.groupby("customer_id"):
            given = 0
            for row in sorted(set(rows.index) & set(free), key=lambda row: log.at[row, "date"]):
                before = rows[(rows["date"] <= log.at[row, "date"]) & ~rows.index.isin(free)]
                room = max(0, before["cents"].sum())
                counted = max(0, min(given - log.at[row, "cents"], room) - given)
                if counted < -log.at[row, "cents"]:
                    capped.add(customer)
                log.at[row, "cents"] = -counted
                given += counted
        return capped

    def test_orders_invoices_and_credit_notes_give_the_same_figures(self):
        orders = self._write_orders()
        matched = self._match_refunds()
        linked = {row: source for row, source in matched.items() if source is not None}
        self.assertGreater(len(linked), 50)
        self.assertGreater(len(matched) - len(linked), 5)
        self._write_refunds(matched, orders)
        self.store(self.company)
        self.store(self.other)
        self.assertProfiles(self.expected(self.log), self.partners, self.other)
        # a credit note of an order counts on the order's day, not on its own
        log = self.log.copy()
        for row, source in linked.items():
            log.at[row, "date"] = log.at[source, "date"]
        # one without an order counts as far as its customer has bought by then
        capped = self._cap_refunds(log, [row for row, source in matched.items() if source is None])
        self.assertGreater(len(capped), 0)
        self.assertProfiles(self.expected(log[log["cents"] != 0]), self.partners, self.company)
        # so that the value of the others is the same in both companies, to the cent
        for customer, partner in self.partners.items():
            if customer in capped:
                continue
            self.assertEqual(
                self.profile(partner, self.company).clv_historical,
                self.profile(partner, self.other).clv_historical,
            )
