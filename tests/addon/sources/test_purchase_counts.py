"""Rules that count what was bought: times, totals, the first time, the last purchase."""

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..common_money import MoneyCase


class TestPurchaseCounts(MoneyCase):
    """Three customers: one of habit, one who tried, one who came back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.coffee = cls.env["product.category"].create({"name": "Coffee"})
        cls.machine, cls.beans, cls.decaf = (
            cls.env["product.product"].create(
                {
                    "name": name,
                    "type": "consu",
                    "taxes_id": False,
                    "invoice_policy": "order",
                    "categ_id": category.id,
                }
            )
            for name, category in (
                ("Machine", cls.env["product.category"].create({"name": "Machines"})),
                ("Beans", cls.coffee),
                ("Decaf", cls.coffee),
            )
        )
        cls.tried, cls.back = (
            cls.new_customer(name, is_company=True) for name in ("Tried Ltd", "Back Ltd")
        )
        # of habit: four days, on one of them two orders
        for days_ago, quantity in ((100, 2), (80, 2), (60, 2), (60, 1), (5, 3)):
            cls.buy(cls.customer, days_ago, (cls.beans, quantity))
        # tried it once, lately
        cls.buy(cls.tried, 200, (cls.machine, 1))
        cls.buy(cls.tried, 20, (cls.decaf, 1))
        # beans twice, the last order is another machine
        cls.buy(cls.back, 300, (cls.beans, 10))
        cls.buy(cls.back, 25, (cls.beans, 1))
        cls.buy(cls.back, 10, (cls.machine, 1))

    @classmethod
    def buy(cls, partner, days_ago, *lines):
        return cls.order(
            *(
                {"product_id": product.id, "product_uom_qty": quantity, "price_unit": 10}
                for product, quantity in lines
            ),
            days_ago=days_ago,
            partner=partner,
        )

    def setUp(self):
        super().setUp()
        self.store()
        self.all = self.customer | self.tried | self.back

    def bought(self, *conditions, operator="any", env=None):
        """Customers whom a condition finds, in the database; one by one it must find the same."""
        domain = Domain("bought_item_ids", operator, list(conditions))
        profiles = self.env["lifecycle.profile"].search(
            Domain("company_id", "=", self.company.id) & Domain("partner_id", "in", self.all.ids)
        )
        self.assertEqual(len(profiles), 3)
        found = profiles.search(domain & Domain("id", "in", profiles.ids))
        self.assertEqual(profiles.filtered_domain(domain), found)
        for profile in profiles:
            self.assertEqual(bool(profile.filtered_domain(domain)), profile in found)
        return found.partner_id

    @property
    def in_coffee(self):
        return ("product_id.categ_id", "child_of", self.coffee.id)

    def test_times_are_days(self):
        self.assertEqual(self.bought(self.in_coffee, ("times", ">=", 4)), self.customer)
        self.assertFalse(self.bought(self.in_coffee, ("times", ">=", 5)))
        self.assertEqual(self.bought(self.in_coffee, ("times", "=", 2)), self.back)
        self.assertEqual(self.bought(self.in_coffee, ("times", "<", 3)), self.tried | self.back)
        self.assertEqual(
            self.bought(self.in_coffee, ("times", "in", [1, 4])), self.customer | self.tried
        )
        self.assertEqual(
            self.bought(self.in_coffee, ("times", ">=", 2), operator="not any"), self.tried
        )

    def test_times_within_days(self):
        lately = ("days_ago", "<=", 90)
        self.assertEqual(self.bought(self.in_coffee, lately, ("times", ">=", 3)), self.customer)
        self.assertEqual(
            self.bought(self.in_coffee, lately, ("times", "=", 1)), self.tried | self.back
        )
        dates = [("day", ">=", self.day(100)), ("day", "<=", self.day(60))]
        self.assertEqual(self.bought(*dates, ("times", "=", 3)), self.customer)

    def test_totals(self):
        self.assertEqual(
            self.bought(self.in_coffee, ("total_quantity", ">=", 10)), self.customer | self.back
        )
        self.assertEqual(self.bought(self.in_coffee, ("total_amount", ">", 100)), self.back)
        self.assertEqual(
            self.bought(("total_amount", ">", 100), ("times", ">", 3)), self.all.browse()
        )
        between = [("total_quantity", ">=", 1), ("total_quantity", "<=", 5)]
        self.assertEqual(self.bought(self.in_coffee, *between), self.tried)

    def test_the_first_time(self):
        lately = ("days_ago", "<=", 30)
        self.assertEqual(self.bought(self.in_coffee, lately, ("first_time", "=", True)), self.tried)
        self.assertEqual(
            self.bought(self.in_coffee, lately, ("first_time", "=", False)),
            self.customer | self.back,
        )
        # of anything at all
        self.assertFalse(self.bought(lately, ("first_time", "=", True)))
        self.assertEqual(self.bought(("days_ago", ">", 250), ("first_time", "=", True)), self.back)

    def test_the_last_purchase(self):
        self.assertEqual(
            self.bought(self.in_coffee, ("is_last", "=", True)), self.customer | self.tried
        )
        self.assertEqual(self.bought(self.in_coffee, ("is_last", "=", False)), self.back)
        self.assertEqual(
            self.bought(self.in_coffee, ("is_last", "=", True), ("total_quantity", ">=", 3)),
            self.customer,
        )
        self.assertEqual(
            self.bought(self.in_coffee, ("is_last", "=", True), ("first_time", "=", True)),
            self.tried,
        )
        self.assertEqual(
            self.bought(self.in_coffee, ("is_last", "=", True), ("first_time", "=", False)),
            self.customer,
        )

    def test_alternatives(self):
        """What Odoo makes of two conditions with “or” between them: one with “or” within."""
        profiles = self.env["lifecycle.profile"]
        often = Domain("bought_item_ids", "any", [self.in_coffee, ("times", ">=", 4)])
        machine = Domain("bought_item_ids", "any", [("product_id", "=", self.machine.id)])
        mine = Domain("partner_id", "in", self.all.ids)
        self.assertEqual(profiles.search(mine & (often | machine)).partner_id, self.all)
        self.assertEqual(profiles.search(mine & often & machine).partner_id, self.all.browse())
        self.assertEqual(
            profiles.search(mine & (~often) & machine).partner_id, self.tried | self.back
        )
        self.assertFalse(profiles.search(mine & ~often & ~machine))

    def test_what_came_back_is_no_time(self):
        order = self.buy(self.tried, 40, (self.decaf, 4))
        self.assertEqual(self.tried_times(2), self.tried)
        self.credit(self.invoice(order), quantities={0: 4})
        self.assertFalse(self.tried_times(2))

    def tried_times(self, times):
        self.store()
        return self.bought(("product_id", "=", self.decaf.id), ("times", ">=", times))

    def test_what_cannot_be_asked_says_so(self):
        items = self.env["lifecycle.purchase.item"]
        with self.assertRaisesRegex(UserError, "use them in a rule"):
            items.search([("times", ">", 2)])
        with self.assertRaisesRegex(UserError, "0 times"):
            self.bought(("times", "=", 0))
        either = [["|", ("times", ">", number), ("amount", ">", number)] for number in range(5)]
        with self.assertRaisesRegex(UserError, "too many alternatives"):
            self.bought(*(part for parts in either for part in parts))
        self.assertEqual(self.bought(*either[4]), self.all)
        with self.assertRaisesRegex(ValidationError, "0 times"):
            self.segment([("times", "<", 1)])

    def segment(self, conditions, **values):
        return self.env["lifecycle.segment"].create(
            {
                "name": "Bought",
                "company_id": self.company.id,
                "domain": repr([("bought_item_ids", "any", conditions)]),
                **values,
            }
        )

    def test_a_segment_its_count_and_its_proposal(self):
        segment = self.segment([self.in_coffee, ("days_ago", "<=", 90), ("times", ">=", 3)])
        self.assertFalse(segment.match_problem)
        self.assertEqual(segment.match_count, 1)
        self.classify()
        self.assertEqual(segment.member_ids.profile_id.partner_id, self.customer)
        proposal = self.env["lifecycle.segment"].browse(segment.action_propose()["res_id"])
        proposal.domain = repr(
            [("bought_item_ids", "any", [self.in_coffee, ("is_last", "=", True)])]
        )
        preview = self.env["lifecycle.rule.preview"].browse(proposal.action_preview()["res_id"])
        self.assertEqual((preview.enter_count, preview.leave_count), (1, 0))
        # few look up the same as all
        proposal._apply_proposal()
        self.env["lifecycle.classifier"]._classify_all(
            self.company, self.today, partner_ids=self.all.ids
        )
        self.assertEqual(segment.member_ids.profile_id.partner_id, self.customer | self.tried)

    def test_the_contact_says_why(self):
        self.segment([self.in_coffee, ("days_ago", "<=", 90), ("times", ">=", 3)])
        self.classify()
        (why,) = self.profile(self.customer)._why_segments()
        self.assertIn(
            "Has bought Coffee and below, in the last 90 days, at least 3 times "
            "(3 days with such a purchase, the last on",
            why,
        )

    def test_tags_and_attributes(self):
        tag = self.env["product.tag"].create({"name": "Fair"})
        self.decaf.product_tag_ids = tag
        self.assertEqual(self.bought(("tag_ids", "in", tag.ids)), self.tried)
        size = self.env["product.attribute"].create(
            {"name": "Size", "value_ids": [Command.create({"name": name}) for name in ("S", "L")]}
        )
        template = self.env["product.template"].create(
            {
                "name": "Grinder",
                "type": "consu",
                "taxes_id": False,
                "attribute_line_ids": [
                    Command.create(
                        {"attribute_id": size.id, "value_ids": [Command.set(size.value_ids.ids)]}
                    )
                ],
            }
        )
        small, large = template.product_variant_ids
        self.buy(self.back, 3, (small, 1))
        self.buy(self.tried, 3, (large, 1))
        self.store()
        small_size = size.value_ids[0]
        self.assertEqual(self.bought(("attribute_value_ids", "in", small_size.ids)), self.back)
        self.assertEqual(
            self.bought(("attribute_value_ids", "ilike", "L"), ("days_ago", "<", 9)), self.tried
        )

    # ----- WHEREVER A FILTER OVER CUSTOMERS STANDS -----

    @property
    def often(self):
        """Three times in 90 days."""
        return [self.in_coffee, ("days_ago", "<=", 90), ("times", ">=", 3)]

    def test_filters_of_contacts_and_reports(self):
        asked = [("bought_item_ids", "any", self.often)]
        contacts = self.env["res.partner"].search([("lifecycle_profile_id", "any", asked)])
        self.assertEqual(contacts & self.all, self.customer)
        report = self.env["lifecycle.customer.revenue"].search([("profile_id", "any", asked)])
        self.assertEqual(report.partner_id, self.customer)

    def test_filter_goal_and_step_of_a_workflow(self):
        asked = repr([("bought_item_ids", "any", self.often)])
        starter = self.new_user(
            "counting_starter", "customer_lifecycle.group_workflow_starter", self.company
        )
        workflow = (
            self.env["lifecycle.workflow"]
            .with_user(starter)
            .create(
                {
                    "name": "Coffee",
                    "company_id": self.company.id,
                    "trigger": "manual",
                    "domain": asked,
                    "goal_domain": asked,
                    "step_ids": [
                        Command.create(
                            {
                                "kind": "branch",
                                "name": "Drinks much?",
                                "domain": asked,
                                "sequence": 1,
                            }
                        )
                    ],
                }
            )
        )
        for text in (workflow.domain, workflow.goal_domain, workflow.step_ids.domain):
            found = workflow.sudo()._matching(self.company, text)
            profiles = self.env["lifecycle.profile"].browse(found.get_result_ids())
            self.assertEqual(profiles.partner_id, self.customer)
        few = workflow.sudo()._matching(
            self.company, asked, (self.profile(self.tried) | self.profile(self.customer)).ids
        )
        self.assertEqual(few.get_result_ids(), tuple(self.profile(self.customer).ids))

    def test_who_is_compared(self):
        segment = self.segment([self.in_coffee])
        comparison = self.env["lifecycle.comparison"].create(
            {
                "name": "Coffee",
                "company_id": self.company.id,
                "event": "segment",
                "segment_id": segment.id,
                "domain": repr([("bought_item_ids", "any", self.often)]),
            }
        )
        found = self.env["lifecycle.profile"].search(comparison._domain())
        self.assertEqual(found.partner_id & self.all, self.customer)

    def test_who_sees_his_own_customers_only(self):
        other = self.new_user("counting_other", "sales_team.group_sale_salesman", self.company)
        reader = self.new_user("counting_reader", "sales_team.group_sale_salesman", self.company)
        self.customer.user_id = other
        domain = [("bought_item_ids", "any", self.often)]
        profiles = self.env["lifecycle.profile"]
        self.assertEqual(profiles.with_user(other).search(domain).partner_id, self.customer)
        self.assertFalse(profiles.with_user(reader).search(domain))

    def classify(self):
        self.env["lifecycle.classifier"]._classify_all(self.company, self.today)

    def test_a_rule_of_a_manager_who_is_no_administrator(self):
        manager = self.new_user(
            "counting_manager", "sales_team.group_sale_manager", companies=self.company
        )
        segment = (
            self.env["lifecycle.segment"]
            .with_user(manager)
            .create(
                {
                    "name": "Counted",
                    "company_id": self.company.id,
                    "domain": repr(
                        [
                            (
                                "bought_item_ids",
                                "any",
                                [self.in_coffee, ("first_time", "=", True), ("times", ">", 1)],
                            )
                        ]
                    ),
                }
            )
        )
        self.assertEqual(segment.match_count, 2)

    def test_the_past_is_replayed_with_what_was_bought_by_then(self):
        lately = [self.in_coffee, ("days_ago", "<=", 30), ("times", ">=", 2)]
        stage = self.env["lifecycle.stage"].create(
            {
                "name": "Coffee drinkers",
                "priority": -1,
                "domain": repr([("bought_item_ids", "any", lately)]),
            }
        )
        self.env["lifecycle.classifier"]._reconstruct(self.company, self.today)
        history = self.profile(self.customer).transition_ids.filtered(
            lambda move: stage in (move.from_stage_id, move.to_stage_id)
        )
        self.assertEqual(
            [(move.date, move.to_stage_id == stage) for move in history.sorted("number")],
            # the order of 100 days ago is 30 days old, and then it is not
            [
                (self.day(80), True),
                (self.day(69), False),
                (self.day(60), True),
                (self.day(49), False),
            ],
        )
        for partner in self.tried | self.back:
            self.assertNotIn(stage, self.profile(partner).transition_ids.to_stage_id)
