"""What the demo data promise on whatever day somebody installs them.

In: an environment with the demo data loaded and computed. Out: the promises that are broken, as
sentences. Called by: the tests of the demo data, on the tests' day and on many others.
"""

from datetime import timedelta
from math import isfinite

from odoo.addons.customer_lifecycle.demo.customers import CUSTOMERS, PROSPECTS

MONEY = ("clv_historical", "clv_predicted", "clv_total", "average_order_value")
CHANCES = ("p_alive", "p_order", "p_order_30")


class Promises:
    """Gathers what is not as promised."""

    def __init__(self, env, company):
        self.env, self.company = env, company
        self.today = company._lifecycle_today()
        self.broken = []
        self.profiles = {
            customer.key: env["lifecycle.profile"].search(
                [
                    ("partner_id", "=", self._partner(customer.key).id),
                    ("company_id", "=", company.id),
                ]
            )
            for customer in CUSTOMERS
        }

    def _partner(self, key):
        return self.env.ref(f"customer_lifecycle.partner_{key}_demo")

    def check(self):
        """Check everything; return the broken promises."""
        for check in (
            self._business, self._figures, self._rhythms, self._memberships, self._journey_map,
            self._reports, self._contacts, self._overviews,
        ):  # fmt: skip
            try:
                check()
            except Exception as error:  # the other promises are looked at too
                self.broken.append(f"{check.__name__}: {error!r}")
        return self.broken

    def _want(self, kept, text):
        if not kept:
            self.broken.append(text)

    # ----- CUSTOMERS -----

    def _business(self):
        partners = [self._partner(customer.key).id for customer in CUSTOMERS]
        orders = self.env["sale.order"].search(
            [("partner_id", "child_of", partners), ("state", "=", "sale")]
        )
        days = [order.date_order.date() for order in orders]
        self._want(max(days) < self.today, "an order lies in the future")
        self._want(min(days) > self.today - timedelta(440), "an order is older than the system")
        self._want(max(days) > self.today - timedelta(14), "nobody ordered in the last weeks")
        imported = self.env["lifecycle.external.purchase"].search(
            [("partner_id", "in", partners)]
        ).mapped("date")
        self._want(
            self.today - timedelta(735) < min(imported)
            and max(imported) < self.today - timedelta(400),
            "imported history is not of the time before the system",
        )
        moves = self.env["account.move"].search(
            [
                ("partner_id", "child_of", partners),
                ("move_type", "in", ("out_invoice", "out_refund")),
                ("state", "=", "posted"),
            ]
        )
        self._want(
            max(moves.mapped("invoice_date")) <= self.today, "an invoice lies in the future"
        )
        credit = moves.filtered(lambda move: move.move_type == "out_refund")
        self._want(len(credit) == 4, f"{len(credit)} credit notes instead of four")

    def _figures(self):
        for key, profile in self.profiles.items():
            self._want(profile.active and profile.order_count, f"{key} has no purchase")
            self._want(profile.predicted, f"{key} has no prediction")
            for name in MONEY:
                self._want(
                    isfinite(profile[name]) and profile[name] >= 0, f"{key}: {name} is odd"
                )
            for name in CHANCES:
                self._want(0 <= profile[name] <= 1, f"{key}: {name} is no chance")
            due = profile.next_order_date
            self._want(
                not due or due < self.today + timedelta(800), f"{key} orders next on {due}"
            )
            self._want(profile.stage_id, f"{key} has no stage")
        for key, *_rest in PROSPECTS:
            profile = self.env["lifecycle.profile"].search(
                [("partner_id", "=", self._partner(key).id)]
            )
            self._want(profile and not profile.order_count, f"{key} is no prospect")

    def _rhythms(self):
        by_rhythm = {}
        for customer in CUSTOMERS:
            by_rhythm.setdefault(customer.rhythm, []).append(self.profiles[customer.key])
        best = max(self.profiles.values(), key=lambda one: one.clv_historical)
        self._want(best == self.profiles["grand_alpine"], "the best customer is another one")
        for one in by_rhythm["once"] + by_rhythm["new"]:
            self._want(one.order_count == 1, f"{one.partner_id.name} ordered {one.order_count}×")
        for one in by_rhythm["monthly"]:
            self._want(
                abs(one.order_interval - 30) <= 4,
                f"{one.partner_id.name} orders every {one.order_interval:.0f} days",
            )
        lost = max(one.p_alive for one in by_rhythm["lost"])
        self._want(lost < 0.3, f"a lost customer is there with a chance of {lost}")
        for rhythm in ("monthly", "fortnightly", "whale", "young"):
            alive = min(one.p_alive for one in by_rhythm[rhythm])
            self._want(alive > 0.7, f"a {rhythm} customer is there with a chance of {alive}")

    # ----- SCREENS -----

    def _members(self, field):
        return dict(
            self.env["lifecycle.profile"]._read_group(
                [("company_id", "=", self.company.id)], [field], ["__count"]
            )
        )

    def _memberships(self):
        no_company = self.env["res.company"]
        for model, field in (
            ("lifecycle.stage", "stage_id"),
            ("lifecycle.vip.tier", "vip_tier_id"),
            ("lifecycle.segment", "segment_ids"),
        ):
            members = self._members(field)
            records = self.env[model].search([("id", ">", 0)])
            if "company_id" in records:
                records = records.filtered(lambda one: one.company_id in (no_company, self.company))
            self._want(records, f"there is no {model}")
            for record in records:
                self._want(members.get(record), f"nobody is in {record.display_name}")

    def _journey_map(self):
        for days in (30, 90, 365):
            shown = self.env["lifecycle.journey.map"].get_map([], {"days": days})
            for stage in shown["stages"]:
                self._want((stage["expected"] or 0) >= 0, f"{stage['name']} expects a minus")
        moves = sum(stage["entered"] for stage in shown["stages"])
        self._want(moves > 20, f"only {moves} moves in a year")
        earned = self.env["lifecycle.journey.map"].get_earned([], {"days": 365})
        self._want(earned, "nobody earned anything in a year")

    def _reports(self):
        env = self.env
        revenue = env["lifecycle.customer.revenue"].formatted_read_group(
            [], ["date:month"], ["amount:sum", "__count"]
        )
        self._want(len(revenue) >= 24, f"revenue of {len(revenue)} months only")
        for month in revenue:
            self._want(month["amount:sum"] > 0, f"no revenue in {month['date:month']}")
        cohorts = env["lifecycle.cohort"].get_cohorts([], "quarter")["cohorts"]
        self._want(len(cohorts) >= 5, f"only {len(cohorts)} cohorts")
        overview = env["lifecycle.economics"].get_overview([])
        for side in ("getting", "keeping"):
            self._want(overview[side]["known"], f"what {side} costs is not known")
        program = env.ref("customer_lifecycle.loyalty_program_demo")
        costs = env["lifecycle.loyalty.cost"].search([("program_id", "=", program.id)])
        self._want(len(costs) >= 4, f"loyalty cost for {len(costs)} customers only")
        self._want(all(cost.cost > 0 for cost in costs), "loyalty was free for somebody")
        touches = env["lifecycle.order.touch"].search_count([])
        self._want(touches > 20, f"{touches} orders have a touch before them")
        model = env["lifecycle.clv.model"]._current(self.company)
        self._want(model.sufficient, "too little data for a prediction")
        statistics = env["lifecycle.stage.statistic"].search(
            [("company_id", "=", self.company.id)]
        )
        self._want(statistics, "no stage has a usual duration")

    def _contacts(self):
        waiting = self.env["lifecycle.profile"].search([("to_contact", "=", True)])
        self._want(len(waiting) >= 5, f"{len(waiting)} customers to contact")
        for profile in waiting:
            self._want(profile.contact_reason, f"no reason to contact {profile.display_name}")
            self._want(profile.money_at_risk >= 0, f"{profile.display_name} risks a minus")

    def _overviews(self):
        for key in self.profiles:
            partner = self._partner(key)
            shown = self.env["lifecycle.profile"].get_partner_overview(partner.id)
            self._want(shown["kind"] == "figures", f"{key}: {shown.get('message')}")
