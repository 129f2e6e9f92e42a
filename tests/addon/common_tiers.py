from datetime import date, timedelta
from unittest.mock import patch

from odoo import Command

from .common import LifecycleCase

START = date(2024, 3, 10)
BENEFITS = "customer_lifecycle.ir_cron_lifecycle_benefits"


class TierCase(LifecycleCase):
    """A company with enough buyers and history for tiers, and a calendar of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Tiers Ltd", lifecycle_tz="UTC")
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.company = cls.company.with_env(cls.env)
        crowd = cls.env["res.partner"].create(
            [{"name": f"Buyer {number}"} for number in range(50)]
        )
        cls.crowd = crowd
        cls.buy(crowd, START - timedelta(800), amount=10)

    @classmethod
    def buy(cls, partners, *days, amount=100):
        return cls.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": partner.id,
                    "date": day,
                    "amount": amount,
                    "company_id": cls.company.id,
                    "currency_id": cls.company.currency_id.id,
                }
                for partner in partners
                for day in days
            ]
        )

    @classmethod
    def new_tier(cls, name="Gold", rank=20, entry=1000, **values):
        return cls.env["lifecycle.vip.tier"].create(
            {
                "name": name,
                "rank": rank,
                "entry": entry,
                "min_orders": 1,
                "company_id": cls.company.id,
                **values,
            }
        )

    def on(self, day):
        return patch.object(
            type(self.env["res.company"]), "_lifecycle_today", lambda company: day
        )

    def facts(self, day, partners=None):
        """Profiles as of a day, without classifying anybody."""
        self.store_figures(self.company, day, partners)

    def classify(self, day, **options):
        self.facts(day)
        with self.on(day):
            return self.env["lifecycle.classifier"]._classify_tiers(
                self.company, day, **options
            )

    def begin(self, day=START):
        """The first evaluation, which is history."""
        return self.classify(day)

    def give(self):
        """Run the benefits' scheduled action."""
        self.run_cron(BENEFITS)

    def profile(self, partner, company=None):
        return super().profile(partner, company or self.company)

    def tier(self, partner):
        return self.profile(partner).vip_tier_id.name or None


class BenefitCase(TierCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.config.settings"].create({"group_product_pricelist": True}).execute()
        cls.product = cls.env["product.product"].create(
            {"name": "Item", "list_price": 200, "standard_price": 120, "taxes_id": False}
        )
        cls.base = cls.new_pricelist("Base", 0, sequence=1)
        cls.vip = cls.new_pricelist("VIP prices", 10)
        cls.gold = cls.new_tier(pricelist_ids=[Command.link(cls.vip.id)])
        cls.silver = cls.new_tier("Silver", 10, 500)
        # the first evaluation is over: what follows is news
        cls.company.lifecycle_tiers_date = START - timedelta(1)

    @classmethod
    def new_pricelist(cls, name, discount, currency=None, **values):
        return cls.env["product.pricelist"].create(
            {
                "name": name,
                "company_id": cls.company.id,
                "currency_id": (currency or cls.company.currency_id).id,
                "item_ids": [
                    Command.create(
                        {
                            "applied_on": "3_global",
                            "compute_price": "percentage",
                            "percent_price": discount,
                        }
                    )
                ],
                **values,
            }
        )

    def vip_customer(self, name="Very Important", day=START, amount=1500, **values):
        partner = self.new_customer(name, **values)
        self.buy(partner, day, amount=amount)
        return partner

    def specific(self, partner):
        return partner.with_company(self.company).specific_property_product_pricelist

    def quotation(self, partner):
        return self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "company_id": self.company.id,
                "order_line": [Command.create({"product_id": self.product.id})],
            }
        )

    def leave(self, day=START + timedelta(425)):
        """Let the drop come that was announced 60 days before."""
        self.classify(day - timedelta(60))
        self.classify(day)
        self.give()
