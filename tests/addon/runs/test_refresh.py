import random
from datetime import timedelta

from ..common_runs import RunCase


class TestRefreshEqualsNightly(RunCase):
    """Whatever users do, the refresh of the customers concerned gives what a full run gives."""

    ROUNDS = 12

    def test_random_changes(self):
        self.run_nightly()
        chance = random.Random(7)
        partners = self.customers + self.env["res.partner"].create(
            [{"name": f"Newcomer {number}", "email": f"n{number}@example.com"}
             for number in range(5)]
        )
        for number in range(self.ROUNDS):
            done = [self.change(chance, partners) for _ in range(chance.randint(1, 4))]
            self.run_refresh()
            refreshed = self.figures(self.home)
            run = self.request(kind="manual")
            self.run_nightly()
            self.assertEqual(run.state, "done", run.message)
            complete = self.figures(self.home)
            with self.subTest(round=number, changes=done):
                self.assertEqual(refreshed, complete)
                self.assertEqual(run.changed_count, 0)

    def change(self, chance, partners):
        Purchase = self.env["lifecycle.external.purchase"]
        partner = chance.choice(partners)
        purchase = Purchase.search([("partner_id", "=", partner.id)], limit=1)
        other = chance.choice(partners)
        kind = chance.choice(
            ["buy", "refund", "order", "amount", "date", "move", "delete", "cancel", "exclude",
             "include", "parent", "orphan", "archive", "lead", "future"]
        )
        if kind in ("buy", "refund"):
            amount = chance.choice([10, 500]) * (1 if kind == "buy" else -1)
            self.new_purchase(partner, amount, chance.randint(0, 90), self.home)
        elif kind == "future":
            self.new_purchase(partner, 40, -5, self.home)
        elif kind == "order":
            self.new_order(partner, 33, chance.randint(0, 60), self.home)
        elif kind == "cancel":
            order = self.env["sale.order"].search(
                [("state", "=", "sale"), ("company_id", "=", self.home.id)], limit=1
            )
            order._action_cancel()
        elif kind == "amount":
            purchase.amount += 100
        elif kind == "date":
            if purchase:
                purchase.date -= timedelta(days=10)
        elif kind == "move":
            purchase.partner_id = other
        elif kind == "delete":
            purchase.unlink()
        elif kind in ("exclude", "include"):
            partner.lifecycle_exclude = kind == "exclude"
        elif kind == "parent":
            if not partner.child_ids and not other.parent_id and partner != other:
                partner.parent_id = other
        elif kind == "orphan":
            partner.parent_id = False
        elif kind == "archive":
            partner.active = not partner.active
        elif kind == "lead":
            self.env["crm.lead"].create(
                {"name": "L", "partner_id": partner.id, "company_id": self.home.id}
            )
        return kind, partner.name
