from datetime import date, timedelta

from .common_referral import ReferralCase

MEASURES = {
    "new_customers": "sum",
    "getting": "sum",
    "cost_per_new": "avg",
    "earned": "sum",
    "expected": "sum",
    "value_per_money": "avg",
    "payback_months": "avg",
    "active_customers": "sum",
    "keeping": "sum",
    "cost_per_active": "avg",
    "repeat_revenue": "sum",
    "keeping_percent": "avg",
    "lost_customers": "sum",
}


def months_between(first, last):
    return 12 * (last.year - first.year) + last.month - first.month


class SpendingCase(ReferralCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sources = cls.env["lifecycle.spending.source"]
        cls.sources.search([]).active = False
        cls.ads = cls.env["utm.source"].create({"name": "Spending ads"})
        cls.expense = cls.env["account.account"].search(
            [("account_type", "=", "expense"), ("company_ids", "in", cls.company.id)], limit=1
        )

    @classmethod
    def spend(cls, amount, **values):
        return cls.env["lifecycle.spending"].create(
            {
                "name": "Test",
                "amount": amount,
                "date_from": cls.day(10),
                "company_id": cls.company.id,
                "currency_id": cls.company.currency_id.id,
                **values,
            }
        )

    def lines(self, *groupby, company=None, **domain):
        """Sums (getting, keeping) by what is grouped by."""
        self.env.flush_all()
        model = self.env["lifecycle.spending.line"].with_company(company or self.company)
        rows = model._read_group(
            list(domain.items()) and [(name, "=", value) for name, value in domain.items()],
            list(groupby),
            ["getting:sum", "keeping:sum"],
        )
        if not groupby:
            return tuple(rows[0])
        return {row[0]: (row[-2], row[-1]) for row in rows}


class EconomicsCase(SpendingCase):
    """Four customers on two channels and none, over half a year."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fair = cls.env["utm.source"].create({"name": "Economics fair"})
        cls.none = cls.env["utm.source"]
        names = ("Ada", "Bo", "Cleo", "Dan")
        cls.ada, cls.bo, cls.cleo, cls.dan = map(cls.new_customer, names)
        cls.channels = {
            cls.ada: cls.ads, cls.bo: cls.ads, cls.cleo: cls.fair, cls.dan: cls.none
        }
        #: customer, months ago, amount
        cls.bought = [
            (cls.ada, 6, 100), (cls.ada, 4, 50), (cls.ada, 1, 70),
            (cls.bo, 5, 30), (cls.bo, 4, 200), (cls.bo, 0, 10),
            (cls.cleo, 5, 500),
            (cls.dan, 2, 40), (cls.dan, 1, 60),
        ]  # fmt: skip
        #: purpose, channel, months ago, amount
        cls.spent = [
            ("getting", cls.ads, 6, 120), ("getting", cls.ads, 5, 80),
            ("getting", cls.fair, 5, 900), ("getting", cls.none, 5, 60),
            ("getting", cls.none, 3, 25), ("keeping", cls.ads, 4, 30),
            ("keeping", cls.none, 1, 18), ("keeping", cls.none, 4, 8),
        ]  # fmt: skip

    def write_down(self):
        for customer, months, amount in self.bought:
            self.new_purchase(customer, amount, company=self.company,
                              date=self.in_month(months))
        for purpose, channel, months, amount in self.spent:
            self.spend(amount, purpose=purpose, source_id=channel.id,
                       date_from=self.in_month(months))
        self.compute()

    def compute(self):
        self.store()
        for customer, channel in self.channels.items():
            self.profile(customer, self.company).first_source_id = channel
        self.env.flush_all()

    def in_month(self, months):
        """The first day of a month: it is past in any case."""
        day = self.today.replace(day=1)
        for _number in range(months):
            day = (day - timedelta(days=1)).replace(day=1)
        return day

    def report(self, *groupby, domain=(), **context):
        """Measures by what is grouped by."""
        self.env.flush_all()
        rows = self.env["lifecycle.economics"].with_context(**context)._read_group(
            list(domain), list(groupby),
            [f"{name}:{function}" for name, function in MEASURES.items()],
        )
        result = {}
        for row in rows:
            key, values = row[: len(groupby)], row[len(groupby):]
            result[key if len(key) > 1 else key[0] if key else None] = dict(
                zip(MEASURES, values, strict=True)
            )
        return result

    def second_opinion(self, wanted):
        """The same figures, in plain Python, from the lists of what was bought and spent.

        :param wanted: function of (month, channel) that says whether they belong to the group
        """
        first = {}
        for customer, months, _amount in self.bought:
            first[customer] = min(first.get(customer, date.max), self.in_month(months))
        new = {one for one, month in first.items() if wanted(month, self.channels[one])}
        getting, keeping = (
            sum(amount for purpose, channel, months, amount in self.spent
                if purpose == side and wanted(self.in_month(months), channel))
            for side in ("getting", "keeping")
        )
        earned = sum(amount for one, _months, amount in self.bought if one in new)
        active = {(one, months) for one, months, _amount in self.bought
                  if wanted(self.in_month(months), self.channels[one])}
        repeat = sum(amount for one, months, amount in self.bought
                     if self.in_month(months) > first[one]
                     and wanted(self.in_month(months), self.channels[one]))
        payback = False
        ages = sorted({months_between(first[one], self.in_month(months))
                       for one, months, _amount in self.bought if one in new})
        for age in ages if getting else ():
            so_far = sum(amount for one, months, amount in self.bought if one in new
                         and months_between(first[one], self.in_month(months)) <= age)
            if so_far >= getting:
                payback = age
                break
        return {
            "new_customers": len(new),
            "getting": getting or False,
            "cost_per_new": getting / len(new) if getting and new else False,
            "earned": earned,
            "expected": 0,
            "value_per_money": earned / getting if getting else False,
            "payback_months": payback,
            "active_customers": len(active),
            "keeping": keeping or False,
            "cost_per_active": keeping / len(active) if keeping and active else False,
            "repeat_revenue": repeat,
            "keeping_percent": 100 * keeping / repeat if keeping and repeat else False,
            "lost_customers": 0,
        }

    def assert_same(self, found, expected):
        for name, value in expected.items():
            with self.subTest(measure=name):
                if value is False:
                    self.assertIs(found[name], False)
                else:
                    self.assertIsNot(found[name], False)
                    self.assertAlmostEqual(float(found[name]), value, 6)
