import copy
import random
from datetime import datetime, time, timedelta

from odoo import Command

from .common import LifecycleCase

MANAGER = "sales_team.group_sale_manager"


class ComparisonCase(LifecycleCase):
    """A company with a loyalty program and customers whose every purchase is known."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.new_company("Before and After Ltd")
        cls.today = cls.home._lifecycle_today()
        cls.program = cls.new_program("Regulars' Club")
        cls.bought = {}

    def setUp(self):
        super().setUp()
        # what a test buys in addition goes with it
        bought = copy.deepcopy(self.bought)
        self.addCleanup(setattr, type(self), "bought", bought)

    @classmethod
    def new_program(cls, name, company=None):
        company = company or cls.home
        return cls.env["loyalty.program"].create(
            {
                "name": name,
                "program_type": "loyalty",
                "applies_on": "both",
                "trigger": "auto",
                "company_id": company.id,
                "currency_id": company.currency_id.id,
                "rule_ids": [Command.create({})],
                "reward_ids": [Command.create({})],
            }
        )

    @classmethod
    def day(cls, days_ago):
        return cls.today - timedelta(days=days_ago)

    @classmethod
    def new_buyers(cls, number, seed=1, years=2):
        """Customers who buy about every three weeks, for amounts of their own."""
        rng = random.Random(seed)
        partners = cls.env["res.partner"].create(
            [{"name": f"Buyer {seed}-{one}", "company_id": cls.home.id} for one in range(number)]
        )
        rows = []
        for partner in partners:
            ago, size = 365 * years - rng.randint(0, 60), rng.uniform(50, 150)
            while ago > 0:
                rows.append((partner, ago, round(size * rng.uniform(0.7, 1.3), 2)))
                ago -= rng.randint(10, 34)
        cls.buy(*rows)
        return partners

    @classmethod
    def buy(cls, *rows):
        """Purchases of (partner, days ago, amount); an amount below 0 is given back."""
        cls.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": partner.id,
                    "date": cls.day(ago),
                    "amount": amount,
                    "company_id": cls.home.id,
                    "currency_id": cls.home.currency_id.id,
                }
                for partner, ago, amount in rows
            ]
        )
        for partner, ago, amount in rows:
            days = cls.bought.setdefault(partner.id, {})
            days[cls.day(ago)] = days.get(cls.day(ago), 0) + amount

    @classmethod
    def refresh(cls, company=None):
        company = company or cls.home
        partners = cls.env["lifecycle.external.purchase"].search(
            [("company_id", "=", company.id)]
        ).partner_id
        cls.env["lifecycle.pipeline"]._refresh(company, partners.ids)

    @classmethod
    def join(cls, partner, days_ago, program=None):
        """A card that was made so many days ago."""
        card = (
            cls.env["loyalty.card"]
            .with_context(loyalty_no_mail=True, action_no_send_mail=True)
            .create({"program_id": (program or cls.program).id, "partner_id": partner.id})
        )
        moment = datetime.combine(cls.day(days_ago), time(12))
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE loyalty_card SET create_date = %s WHERE id = %s", [moment, card.id]
        )
        cls.env.invalidate_all()
        return card

    @classmethod
    def compare(cls, compute=True, **values):
        comparison = cls.env["lifecycle.comparison"].with_company(cls.home).create(
            {
                "event": "loyalty",
                "program_id": cls.program.id,
                "company_id": cls.home.id,
                "window_days": 60,
                **values,
            }
        )
        if compute:
            comparison.action_compute()
            if comparison.state != "done":
                raise AssertionError(comparison.error or comparison.state)
        return comparison
