import random
from datetime import timedelta

from .common import LifecycleCase


class RunCase(LifecycleCase):
    """One company with enough history for predictions, one with next to none."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.new_company("Home", lifecycle_tz="UTC")
        cls.small = cls.new_company("Small", lifecycle_tz="UTC")
        elsewhere = cls.new_company("Company of prospects without one")
        cls.env["ir.config_parameter"].set_param(
            "customer_lifecycle.default_company_id", elsewhere.id
        )
        # what else is in the database takes no part; its users stand against archiving it
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE res_company SET active = FALSE WHERE id <> ALL(%s)",
            [(cls.home + cls.small + elsewhere).ids],
        )
        cls.env.invalidate_all()
        cls.env = cls.env["base"].with_company(cls.home).env
        cls.random = random.Random(20)
        cls.customers = cls.env["res.partner"].create(
            [{"name": f"Customer {number:02}"} for number in range(40)]
        )
        today = cls.home._lifecycle_today()
        rows = []
        for number, partner in enumerate(cls.customers):
            gap = cls.random.choice([12, 25, 60])
            day = today - timedelta(days=cls.random.randint(300, 700))
            ends = today if number % 3 else day + timedelta(days=150)
            while day <= ends:
                rows.append((partner, day, round(cls.random.uniform(20, 200), 2)))
                day += timedelta(days=max(1, round(cls.random.gauss(gap, gap / 4))))
        cls.env["lifecycle.external.purchase"].create(
            [
                {
                    "partner_id": partner.id,
                    "date": day,
                    "amount": amount,
                    "company_id": cls.home.id,
                    "currency_id": cls.home.currency_id.id,
                }
                for partner, day, amount in rows
            ]
        )
        cls.env["lifecycle.external.purchase"].create(
            {
                "partner_id": cls.customers[0].id,
                "date": today,
                "amount": 5,
                "company_id": cls.small.id,
                "currency_id": cls.small.currency_id.id,
            }
        )

    def last_run(self, company=None):
        return self.env["lifecycle.run"].search(
            [("company_id", "=", (company or self.home).id), ("kind", "!=", "history")],
            order="id desc",
            limit=1,
        )

    def request(self, **values):
        return self.env["lifecycle.run"]._request(self.home, **values)

    def versions(self):
        """Row version by profile: changes exactly when the row is written."""
        self.env.flush_all()
        self.env.cr.execute("SELECT id, xmin::text || ctid::text FROM lifecycle_profile")
        return dict(self.env.cr.fetchall())

    def rows(self):
        """Computed values by profile id."""
        keys = {profile.partner_id.id: profile.id for profile in self.home_profiles()}
        return {keys[partner]: row for (partner, _), row in self.figures(self.home).items()}

    def home_profiles(self):
        return (
            self.env["lifecycle.profile"]
            .with_context(active_test=False)
            .search([("company_id", "=", self.home.id)])
        )
