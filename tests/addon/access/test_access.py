"""Who may not read a figure learns it by no way: portal, colleagues, other companies."""

from odoo.exceptions import AccessError

from ..common_access import MANAGER, MODELS, AccessCase


class TestWhoSeesNothing(AccessCase):
    def test_portal_user(self):
        """A customer must not read what he is worth, not even of his own company."""
        self.assertHidden(self.portal)

    def test_internal_user_without_sales_rights(self):
        self.assertHidden(self.internal)

    def test_relations_and_flags_are_hidden_too(self):
        for user in (self.portal, self.internal):
            Partner = self.env["res.partner"].with_user(user)
            inside = ("id", "in", self.all.ids)
            for name, value in (
                ("lifecycle_profile_id", False),
                ("lifecycle_currency_id", False),
                ("lifecycle_headline", False),
                ("clv_predicted_known", False),
                ("clv_top_decile", False),
                ("lifecycle_shares_email", False),
            ):
                with self.subTest(user=user.login, field=name):
                    self.assertRefused(Partner.search, [inside, (name, "!=", value)])
                    with self.assertRaises(AccessError):
                        Partner.browse(self.small.ids).read([name])
                    self.assertNotIn(name, Partner.fields_get())

    def test_customers_learn_nothing_from_their_company(self):
        """Visitors of the site and portal users read the company's record, as Odoo lets them."""
        secrets = {
            "lifecycle_margin_percent", "lifecycle_discount_rate", "lifecycle_largest_amount",
            "lifecycle_share_text",
        }
        for user in (self.portal, self.env.ref("base.public_user")):
            company = self.home.with_user(user)
            for name in secrets:
                with self.subTest(user=user.login, field=name):
                    with self.assertRaises(AccessError):
                        company.read([name])
                    self.assertRefused(company.search, [(name, "!=", False)])
        with self.assertRaises(AccessError):
            self.home.with_user(self.internal).read(["lifecycle_share_text"])

    def test_models_are_closed(self):
        for user in (self.portal, self.internal):
            for name in MODELS:
                for operation in ("read", "write", "create", "unlink"):
                    with self.subTest(user=user.login, model=name, operation=operation):
                        self.assertFalse(self.env[name].with_user(user).has_access(operation))


class TestOwnDocumentsOnly(AccessCase):
    """A salesperson with "Own Documents Only"; "big" is another salesperson's customer."""

    def setUp(self):
        super().setUp()
        self.only_big = self.big + self.contact
        self.assertEqual(self.big.clv_total, 1500)

    def as_salesman(self, model):
        return self.env[model].with_user(self.salesman)

    def test_others_customers_are_hidden(self):
        # what is his own he sees; to tell leaks apart, look at the others' customers alone
        self.all = self.only_big
        self.assertHidden(self.salesman)

    def test_own_customers_are_shown(self):
        small = self.small.with_user(self.salesman)
        self.assertEqual(small.clv_total, 50)
        self.assertEqual(
            self.as_salesman("res.partner").search(
                [("id", "in", self.all.ids), ("clv_total", ">", 0)]
            ),
            small,
        )
        total = self.as_salesman("res.partner")._read_group(
            [("id", "in", self.all.ids)], [], ["clv_total:sum"]
        )
        self.assertEqual(total, [(50,)])

    def test_customers_of_nobody_are_shown(self):
        self.small.user_id = False
        self.assertEqual(self.small.with_user(self.salesman).clv_total, 50)

    def test_purchases_of_others_are_hidden(self):
        for partner in (self.big, self.small):
            self.new_purchase(partner, 10)
        self.env.flush_all()
        Purchase = self.as_salesman("lifecycle.purchase")
        self.assertEqual(Purchase.search([]).partner_id, self.small)
        self.assertEqual(Purchase._read_group([], [], ["amount:sum"]), [(10,)])
        profile = self.profile(self.big)
        with_context = Purchase.with_context(lifecycle_profile_id=profile.id)
        self.assertFalse(with_context.search([]))
        self.assertFalse(with_context._read_group([], ["partner_id"], ["amount:sum"]))
        everything = self.env["lifecycle.purchase"].with_user(self.everything)
        self.assertEqual(everything._read_group([], [], ["amount:sum"]), [(20,)])

    def test_imported_purchases_of_others_are_hidden(self):
        self.new_purchase(self.big, 10)
        self.new_purchase(self.small, 20)
        found = self.as_salesman("lifecycle.external.purchase").search([])
        self.assertEqual(found.partner_id, self.small)

    def test_all_documents_see_all(self):
        self.assertEqual(self.big.with_user(self.everything).clv_total, 1500)
        self.assertEqual(self.big.with_user(self.manager).clv_total, 1500)


class TestProbabilityAlive(AccessCase):
    """P(alive) is easily misread: only sales managers may see it, by whatever way."""

    def test_hidden_from_salespeople(self):
        self.big.user_id = self.everything
        self.assertHidden(self.everything, ["clv_p_alive"])

    def test_shown_to_managers(self):
        big = self.big.with_user(self.manager)
        self.assertEqual(big.clv_p_alive, 0.9)
        found = self.env["res.partner"].with_user(self.manager).search(
            [("id", "in", self.all.ids), ("clv_p_alive", ">", 0.5)], order="clv_p_alive desc"
        )
        self.assertEqual(found.sorted("id"), big + self.contact)


class TestCompanies(AccessCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.both = cls.new_user("lc_both", MANAGER, cls.home + cls.other_company)
        cls.new_purchase(cls.foreign, 90, company=cls.other_company)
        cls.env.flush_all()

    def test_other_companies_figures_are_hidden(self):
        self.all = self.foreign
        self.assertHidden(self.manager)

    def test_a_forged_company_gives_nothing_away(self):
        forged = self.env["res.partner"].with_user(self.manager).with_context(
            allowed_company_ids=self.other_company.ids
        )
        foreign = forged.browse(self.foreign.id)
        for label, way in (
            ("read", lambda: foreign.clv_total),
            ("search", lambda: forged.search([("clv_total", ">", 0)])),
            ("sum", lambda: forged._read_group([], [], ["clv_total:sum"])[0][0]),
            ("profile", lambda: forged.env["lifecycle.profile"].search([])),
            ("purchases", lambda: forged.env["lifecycle.purchase"].search([])),
        ):
            with self.subTest(way=label), self.assertRaises(AccessError):
                way()

    def test_a_forged_profile_gives_no_purchases_away(self):
        profile = self.profile(self.foreign, self.other_company)
        Purchase = self.env["lifecycle.purchase"].with_user(self.manager)
        self.assertFalse(Purchase.with_context(lifecycle_profile_id=profile.id).search([]))

    def test_who_may_both_sees_each_on_its_own(self):
        home = self.env["res.partner"].with_user(self.both).with_company(self.home)
        abroad = home.with_company(self.other_company)
        ids = [("id", "in", self.all.ids)]
        self.assertEqual(home._read_group(ids, [], ["clv_historical:sum"]), [(2050,)])
        self.assertEqual(abroad._read_group(ids, [], ["clv_historical:sum"]), [(90,)])
