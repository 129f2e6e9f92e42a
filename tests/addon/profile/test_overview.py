from odoo.exceptions import AccessError

from odoo.addons.customer_lifecycle import kernel

from ..common import LifecycleCase

SALESMAN = "sales_team.group_sale_salesman"
MANAGER = "sales_team.group_sale_manager"


def with_history(case, company, customers=30):
    """Customers with regular purchases, enough for predictions, computed."""
    partners = case.env["res.partner"].create(
        [{"name": f"Lifecycle buyer {number:02}"} for number in range(customers)]
    )
    for number, partner in enumerate(partners):
        gap = 20 + number % 5 * 10
        for nth in range(3 + number % 6):
            case.new_purchase(partner, 100 + 5 * number, 15 + gap * nth, company)
    case.run_nightly()
    return partners


class TestOverview(LifecycleCase):
    """What the contact's tab is told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Overview Ltd")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.owner = cls.new_user("lifecycle_owner", SALESMAN, cls.company)
        cls.colleague = cls.new_user("lifecycle_colleague", SALESMAN, cls.company)
        cls.manager = cls.new_user("lifecycle_manager", MANAGER, cls.company)

    def overview(self, partner, user=None):
        return (
            self.env["lifecycle.profile"]
            .with_user(user or self.manager)
            .get_partner_overview(partner.id)
        )

    def test_figures_add_up(self):
        partner = with_history(self, self.company)[0]
        overview = self.overview(partner)
        self.assertEqual(overview["kind"], "figures")
        self.assertEqual(overview["clv_historical"], 300)
        self.assertEqual(overview["order_count"], 3)
        years = overview["years"]
        self.assertAlmostEqual(sum(year["earned"] for year in years), 300)
        # the chart spreads the expected value, it does not invent another one
        prediction = overview["prediction"]
        self.assertGreater(prediction["clv_predicted"], 0)
        self.assertAlmostEqual(
            sum(year["expected"] for year in years), prediction["clv_predicted"]
        )
        self.assertEqual([year["year"] for year in years], sorted(y["year"] for y in years))
        self.assertLess(prediction["low"], prediction["high"])

    def test_expected_value_falls_into_its_range_for_most(self):
        partners = with_history(self, self.company)
        inside = 0
        for partner in partners:
            prediction = self.overview(partner)["prediction"]
            inside += prediction["low"] <= prediction["clv_predicted"] <= prediction["high"]
        self.assertGreaterEqual(inside, 24)

    def test_horizon_is_named(self):
        self.company.lifecycle_horizon = 180
        partner = with_history(self, self.company)[0]
        overview = self.overview(partner)
        self.assertEqual(overview["expected_label"], "Expected in the next 180 days")
        last = overview["years"][-1]
        self.assertTrue(last["until"] or last["expected"] >= 0)
        fields = self.env["lifecycle.profile"].fields_get(["clv_predicted"])
        self.assertEqual(fields["clv_predicted"]["string"], "Expected in the next 180 days")
        self.company.lifecycle_horizon = 730
        fields = self.env["lifecycle.profile"].fields_get(["clv_predicted"])
        self.assertEqual(fields["clv_predicted"]["string"], "Expected in the next 24 months")

    def test_only_managers_are_told_p_alive(self):
        partner = with_history(self, self.company)[0]
        self.assertIn("p_alive", self.overview(partner)["prediction"])
        self.assertNotIn("p_alive", self.overview(partner, self.owner)["prediction"])

    def test_too_little_data_says_what_is_missing(self):
        partner = self.new_customer("Lifecycle single")
        self.new_purchase(partner, 50, 10, self.company)
        self.run_nightly()
        overview = self.overview(partner)
        self.assertEqual(overview["kind"], "figures")
        self.assertFalse(overview["prediction"])
        self.assertIn("1 of 20 customers", overview["explanation"])
        self.assertEqual([year["expected"] for year in overview["years"]], [0])

    def test_no_purchases_is_a_sentence(self):
        partner = self.new_customer("Lifecycle nobody")
        overview = self.overview(partner)
        self.assertEqual(overview["kind"], "waiting")
        self.run_nightly()
        overview = self.overview(partner)
        self.assertEqual(overview["kind"], "none")
        self.assertIn("first confirmed order", overview["message"])
        self.assertNotIn("clv_historical", overview)
        self.company.lifecycle_basis = "invoices"
        self.assertIn("first posted invoice", self.overview(partner)["message"])

    def test_excluded_contact_says_so(self):
        partner = self.new_customer("Lifecycle friend", lifecycle_exclude=True)
        overview = self.overview(partner)
        self.assertEqual(overview["kind"], "excluded")
        self.assertIn("Lifecycle friend", overview["message"])

    def test_customer_of_a_colleague_names_who_can_see_him(self):
        partner = self.new_customer("Lifecycle guarded", user_id=self.owner.id)
        self.new_purchase(partner, 50, 10, self.company)
        self.run_nightly()
        self.assertEqual(self.overview(partner, self.owner)["kind"], "figures")
        overview = self.overview(partner, self.colleague)
        self.assertEqual(overview["kind"], "hidden")
        self.assertIn(self.owner.name, overview["message"])
        self.assertNotIn("50", str(overview))

    def test_contacts_of_a_company_show_its_figures(self):
        parent = self.new_customer("Lifecycle parent", is_company=True)
        child = self.new_customer("Lifecycle child", parent_id=parent.id)
        self.new_purchase(parent, 50, 10, self.company)
        self.run_nightly()
        overview = self.overview(child)
        self.assertEqual(overview["customer"], "Lifecycle parent")
        self.assertEqual(overview["clv_historical"], 50)

    def test_others_than_salespeople_are_refused(self):
        partner = self.new_customer("Lifecycle secret")
        for groups in ("base.group_user", "base.group_portal"):
            user = self.new_user(f"lifecycle_{groups[-4:]}", groups, self.company)
            with self.assertRaises(AccessError):
                self.overview(partner, user)

    def test_a_model_of_another_version_leaves_the_stored_figures(self):
        partner = with_history(self, self.company)[0]
        model = self.env["lifecycle.clv.model"]._current(self.company)
        model.data = {**model.data, "version": -1}
        prediction = self.overview(partner)["prediction"]
        self.assertGreater(prediction["clv_predicted"], 0)
        self.assertIs(prediction["high"], False)
        # a refresh keeps them, the next complete run fits anew
        before = self.profile(partner, self.company).clv_predicted
        self.new_purchase(partner, 10, 0, self.company)
        self.run_refresh()
        profile = self.profile(partner, self.company)
        self.assertEqual(profile.clv_predicted, before)
        self.env["lifecycle.run"]._request(self.company)
        self.run_nightly()
        newest = self.env["lifecycle.clv.model"]._current(self.company)
        self.assertNotEqual(newest, model)
        self.assertTrue(newest._is_readable())

    def test_no_fewer_orders_are_expected_than_their_chance_says(self):
        with_history(self, self.company)
        profiles = self.env["lifecycle.profile"].search(
            [("company_id", "=", self.company.id), ("predicted", "=", True)]
        )
        self.assertTrue(profiles)
        for profile in profiles:
            self.assertGreaterEqual(profile.expected_orders, round(profile.p_order, 1))

    def test_fit_explains_itself(self):
        with_history(self, self.company)
        model = self.env["lifecycle.clv.model"]._current(self.company)
        self.assertIn("people order every", model.reading)
        self.assertIn("Forecasts are mixed from", model.reading)
        many = kernel.LEAST_FOR_GAMMA_GAMMA
        for method, buyers, word in (
            ("gamma_gamma", many, "the fewer orders there are"),
            ("shrunken_mean", many - 1, f"fewer than {many} customers bought again"),
            ("shrunken_mean", many, "spends differently each time"),
        ):
            model.value_model = {"method": method, "repeat_buyers": buyers}
            self.assertIn(word, model.reading)

    def test_fit_on_too_few_customers_says_nothing_about_them(self):
        with_history(self, self.company)
        model = self.env["lifecycle.clv.model"]._current(self.company)
        model.sufficient = False
        self.assertFalse(model.reading)
        model.write({"sufficient": True, "parameters": False})
        self.assertFalse(model.reading)
