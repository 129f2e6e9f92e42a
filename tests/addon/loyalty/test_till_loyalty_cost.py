"""What loyalty costs at the till, and how returns there are seen."""

from ..common_till import TillCase


class TestTillLoyaltyCost(TillCase):
    def cost(self):
        self.env.flush_all()
        rows = self.env["lifecycle.loyalty.cost"]._rows_sql(self.company)
        self.env.cr.execute(rows)
        return sum(row[-1] for row in self.env.cr.fetchall())

    def test_refunded_reward_costs_nothing(self):
        program = self.env["loyalty.program"].create(
            {
                "name": "Ten off",
                "program_type": "promotion",
                "company_id": self.company.id,
                "reward_ids": [(0, 0, {"discount": 10, "discount_mode": "per_order"})],
            }
        )
        for refund in (
            lambda sold: self.give_back(sold, 1, line=1),
            lambda sold: self.give_back(sold, 1, line=1, partner=None),
            lambda sold: self.pay_out(sold._refund()),
        ):
            sold = self.sell((1, 100), self.paid_with(program.reward_ids, 10))
            self.assertEqual(self.cost(), 10)
            refund(sold)
            self.assertEqual(self.cost(), 0)

    def test_paying_with_a_gift_card_costs_nothing(self):
        self.sell((1, 100), self.paid_with(self.gift_reward, 100))
        self.assertEqual(self.cost(), 0)

    def test_returns_are_seen_as_such(self):
        sold = self.sell((3, 100), days_ago=3)
        self.give_back(sold, 1, partner=None)
        self.give_back(sold, 1)
        signal = self.env.ref("customer_lifecycle.signal_return_pos")
        self.env.flush_all()
        self.env.cr.execute(signal._compile(self.company.sudo()))
        self.assertIn(self.customer.id, [row[0] for row in self.env.cr.fetchall()])
        items = self.env["lifecycle.journey"].get_journey(self.customer.id)["items"]
        sources = self.env["lifecycle.touchpoint.source"]
        names = {sources.browse(item["key"][1]).name for item in items}
        self.assertTrue({"Purchase in the shop", "Return in the shop"} <= names, names)
