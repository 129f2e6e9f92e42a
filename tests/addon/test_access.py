from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tools import SQL

from .common_figures import PartnerFieldsCase, profile_fields

SALESMAN = "sales_team.group_sale_salesman"
ALL_DOCUMENTS = "sales_team.group_sale_salesman_all_leads"
MANAGER = "sales_team.group_sale_manager"
MODELS = (
    "lifecycle.profile",
    "lifecycle.purchase",
    "lifecycle.external.purchase",
    "lifecycle.revenue.source",
    "lifecycle.clv.model",
    "lifecycle.run",
    "lifecycle.queue",
)


class AccessCase(PartnerFieldsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.new_user("lc_manager", MANAGER, cls.home)
        cls.everything = cls.new_user("lc_all", ALL_DOCUMENTS, cls.home)
        cls.salesman = cls.new_user("lc_own", SALESMAN, cls.home)
        cls.internal = cls.new_user("lc_internal", "base.group_user", cls.home)
        cls.portal = cls.new_user("lc_portal", "base.group_portal", cls.home)
        # "big" is somebody else's customer, "small" the salesman's own
        cls.big.user_id = cls.manager
        cls.contact.user_id = cls.salesman
        cls.small.user_id = cls.salesman
        # the portal user is a contact of "big" and may read his own company
        cls.portal.partner_id.parent_id = cls.big
        cls.env.flush_all()

    def ways_to_the_value(self, user, name, least):
        """(label, function) of every way by which a user could learn who has a value.

        Each function returns the ids of the contacts, or the numbers, that it gives away.
        """
        ids = self.all.ids
        Partner = self.env["res.partner"].with_user(user).with_context(active_test=False)
        Order = self.env["sale.order"].with_user(user)
        field = Partner._fields[name]
        related = field.related.split(".")[1]
        inside = [("id", "in", ids)]
        aggregate = "max" if field.type == "date" else "sum"

        def by_sql():
            query = Partner._search(inside)
            expression = Partner._field_to_sql(Partner._table, name, query)
            self.env.cr.execute(query.select(SQL("MAX(%s)", expression)))
            return self.env.cr.fetchone()[0]

        def ordered(model, order):
            """Whether the order follows the values: both directions differ."""
            up = model.search(inside if model is Partner else [], order=f"{order}")
            down = model.search(inside if model is Partner else [], order=f"{order} desc")
            return up != down and (up.ids, down.ids)

        month = ":month" if field.type == "date" else ""
        yield "read", lambda: [row for row in Partner.browse(ids).read([name]) if row[name]]
        yield "attribute", lambda: [row for row in Partner.browse(ids) if row[name]]
        yield "search", lambda: Partner.search([*inside, (name, ">=", least)]).ids
        yield "negated", lambda: (
            len(Partner.search([*inside, "!", (name, ">=", least)])) < len(Partner.search(inside))
        )
        yield "set", lambda: Partner.search([*inside, (name, "!=", False)]).ids
        yield "path", lambda: Partner.search(
            [*inside, (f"lifecycle_profile_id.{related}", ">=", least)]
        ).ids
        yield "any", lambda: Partner.search(
            [*inside, ("lifecycle_profile_id", "any", [(related, ">=", least)])]
        ).ids
        yield "any!", lambda: Partner.search(
            [*inside, ("lifecycle_profile_id", "any!", [(related, ">=", least)])]
        ).ids
        yield "order", lambda: ordered(Partner, name)
        yield "order of path", lambda: ordered(Partner, f"lifecycle_profile_id.{related}")
        yield "sum", lambda: Partner._read_group(inside, [], [f"{name}:{aggregate}"])[0][0]
        yield "formatted", lambda: Partner.formatted_read_group(
            inside, [], [f"{name}:{aggregate}"]
        )[0][f"{name}:{aggregate}"]
        yield "group", lambda: [
            group for group, _count in Partner._read_group(inside, [name + month], ["__count"])
            if group
        ]
        yield "having", lambda: Partner._read_group(
            inside, ["id"], [f"{name}:{aggregate}"], having=[(f"{name}:{aggregate}", ">=", least)]
        )
        yield "group order", lambda: (
            Partner._read_group(inside, ["id"], [], order=f"{name}:{aggregate}, id")
            != Partner._read_group(inside, ["id"], [], order=f"{name}:{aggregate} desc, id")
        )
        yield "sql", by_sql
        yield "export", lambda: [
            row for row in Partner.browse(ids).export_data([name])["datas"] if row[0]
        ]
        yield "order domain", lambda: Order.search([(f"partner_id.{name}", ">=", least)]).ids
        yield "order groups", lambda: [
            group
            for group, _count in Order._read_group([], [f"partner_id.{name}{month}"], ["__count"])
            if group
        ]
        yield "profile", lambda: (
            Partner.env["lifecycle.profile"]
            .search([("partner_id", "in", ids), (related, ">=", least)]).ids
        )
        yield "profile sum", lambda: Partner.env["lifecycle.profile"]._read_group(
            [("partner_id", "in", ids)], [], [f"{related}:{aggregate}"]
        )[0][0]
        yield "profile order", lambda: ordered(Partner.env["lifecycle.profile"], related)
        profiles = self.env["lifecycle.profile"].search([("partner_id", "in", ids)])
        yield "profile read", lambda: profiles.with_user(user).read([related])

    def assertRefused(self, function, *arguments):
        try:
            with self.env.cr.savepoint():
                result = function(*arguments)
        except (AccessError, UserError, ValueError):
            return
        self.fail(f"not refused, but answered {result}")

    def assertHidden(self, user, names=None):
        fields = profile_fields(self.env["res.partner"])
        for name in names or fields:
            field = fields[name]
            if field.type not in ("integer", "float", "monetary", "date"):
                continue
            least = self.today - timedelta(days=9999) if field.type == "date" else 0.001
            for label, way in self.ways_to_the_value(user, name, least):
                with self.subTest(user=user.login, field=name, way=label):
                    try:
                        with self.env.cr.savepoint():
                            result = way()
                    except (AccessError, UserError, ValueError):
                        continue
                    self.assertFalse(result, "gives the hidden value away")


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


class TestReadOnly(AccessCase):
    def test_results_cannot_be_written_by_hand(self):
        """What is computed is read-only for managers too; what is configured is theirs."""
        for name in ("lifecycle.profile", "lifecycle.purchase", "lifecycle.run",
                     "lifecycle.clv.model", "lifecycle.queue"):
            for operation in ("write", "create", "unlink"):
                if (name, operation) == ("lifecycle.profile", "write"):
                    continue  # for the stage alone: test_stages
                with self.subTest(model=name, operation=operation):
                    self.assertFalse(
                        self.env[name].with_user(self.manager).has_access(operation)
                    )
        for name in ("lifecycle.external.purchase", "lifecycle.revenue.source"):
            for operation in ("write", "create", "unlink"):
                with self.subTest(model=name, operation=operation):
                    self.assertTrue(self.env[name].with_user(self.manager).has_access(operation))
                    self.assertFalse(
                        self.env[name].with_user(self.everything).has_access(operation)
                    )

    def test_figures_cannot_be_written_through_the_contact(self):
        big = self.big.with_user(self.manager)
        before = self.figures(self.home)
        for name in profile_fields(self.env["res.partner"]):
            with self.subTest(field=name):
                by_hand = name in (
                    "lifecycle_stage_id",
                    "lifecycle_stage_reason",
                    "lifecycle_stage_hold_until",
                    "lifecycle_potential",
                )
                self.assertEqual(
                    self.env["res.partner"]._fields[name].readonly, not by_hand
                )
        for values in ({"clv_total": 1}, {"lifecycle_profile_id": False}):
            with self.subTest(values=values), self.env.cr.savepoint():
                try:
                    big.write(values)
                    big.flush_recordset()
                except (AccessError, UserError, ValueError):
                    pass
        self.assertEqual(self.figures(self.home), before)

    def test_a_source_shows_nothing_that_its_author_may_not_read(self):
        """Sources are compiled as superuser; a manager must not get at payslips by one."""
        values = {
            "name": "Others' keys",
            "model": "ir.config_parameter",
            "partner_path": "create_uid.partner_id",
            "company_path": "create_uid.company_id",
            "date_path": "create_date",
            "amount_path": "id",
        }
        self.assertFalse(
            self.env["ir.config_parameter"].with_user(self.manager).has_access("read")
        )
        Source = self.env["lifecycle.revenue.source"].with_user(self.manager)
        with self.assertRaises(UserError):
            Source.create(values)
        # nor by a path that starts at something he may read
        orders = {
            "name": "Orders by somebody's secret",
            "model": "sale.order",
            "partner_path": "partner_id",
            "date_path": "date_order",
            "amount_path": "amount_untaxed",
        }
        with self.assertRaises(UserError):
            Source.create({**orders, "domain": "[('user_id.password', '!=', False)]"})
        self.assertTrue(Source.create(orders))


class TestRpc(AccessCase):
    def test_recompute_is_for_managers(self):
        Run = self.env["lifecycle.run"]
        for user in (self.salesman, self.everything):
            with self.subTest(user=user.login):
                self.assertRefused(Run.with_user(user).action_recompute)
        self.assertFalse(Run.search([("company_id", "=", self.home.id)]))
        action = Run.with_user(self.manager).action_recompute()
        run = Run.browse(action["res_id"])
        self.assertEqual((run.company_id, run.state, run.refit), (self.home, "pending", True))

    def test_only_actions_are_callable_from_outside(self):
        """A new public method of these models is callable by anybody who can log in."""
        # these answer by the caller's own rights, which their own tests show
        known = {"get_partner_overview"}
        base = set(dir(self.env.registry["base"]))
        for name in (*MODELS, "lifecycle.pipeline", "lifecycle.prediction"):
            model = self.env[name]
            for attribute in set(dir(type(model))) - base:
                if attribute.startswith("_") or attribute in model._fields:
                    continue
                if not callable(getattr(type(model), attribute, None)):
                    continue
                with self.subTest(model=name, method=attribute):
                    self.assertTrue(
                        attribute.startswith("action_") or attribute in known,
                        "start private names with _",
                    )
        for name, method in (
            ("lifecycle.run", "_request"),
            ("lifecycle.run", "_cron_nightly"),
            ("lifecycle.pipeline", "_refresh"),
            ("lifecycle.revenue.source", "_rows_sql"),
            ("lifecycle.queue", "_append_partners"),
            ("res.partner", "_lifecycle_preset_exclusion"),
        ):
            with self.subTest(model=name, method=method), self.assertRaises(AccessError):
                get_public_method(self.env[name], method)
