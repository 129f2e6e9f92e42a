"""One record that a manager, or an app that left, has broken stops nobody else's work."""

import time
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import errors

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import Form
from odoo.tools import SQL, mute_logger

from odoo.addons.customer_lifecycle.models.settings import health as lifecycle_health
from odoo.addons.customer_lifecycle.models.sources import revenue_source as lifecycle_revenue_source
from odoo.addons.customer_lifecycle.tools.probe import limited

from ..common import NIGHTLY, LifecycleCase
from ..common_runs import RunCase

RUN_LOG = "odoo.addons.customer_lifecycle.models.runs.run"
#: how a revenue source breaks: column and value
BROKEN = {
    "model is gone": ("amount_path", "gone_field"),
    "field was renamed": ("date_path", "gone_date"),
    "custom field was deleted": ("domain", "[('x_deleted', '=', 1)]"),
    "number compared with a word": ("domain", "[('amount_total', '=', 'many')]"),
    "not a date": ("domain", "[('date_order', '>', '2024-13-45')]"),
    "no Python": ("domain", "[('state', '=', "),
    "no domain": ("domain", "42"),
    "no list": ("domain", "{'state': 'sale'}"),
    "way leads elsewhere": ("partner_path", "user_id"),
    "path through a number": ("company_path", "amount_total.company_id"),
}


class BrokenCase(RunCase):
    def break_record(self, record, column, value):
        """As an update or a restore leaves it: no check of ours has seen it."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s = %s WHERE id = %s",
                SQL.identifier(record._table),
                SQL.identifier(column),
                value,
                record.id,
            )
        )
        self.env.invalidate_all()
        self.env.registry.clear_all_caches()


class TestBrokenRevenueSource(BrokenCase):
    def setUp(self):
        super().setUp()
        self.run_nightly()
        self.source = self.env.ref("customer_lifecycle.revenue_source_sale_order")
        self.seller = self.new_user(
            "guard_seller", "sales_team.group_sale_salesman_all_leads,base.group_partner_manager",
            self.home,
        )

    def each_defect(self):
        for name, (column, value) in BROKEN.items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.break_record(self.source, column, value)
                yield name
                savepoint.rollback()
            self.env.invalidate_all()
            self.env.registry.clear_all_caches()

    @mute_logger(RUN_LOG)
    def test_users_go_on(self):
        """Recommended By, the customer's tab, lists of purchases and reports."""
        advocate, friend = self.customers[:2]
        self.env["lifecycle.referral.program"].search([]).active = False
        for name in self.each_defect():
            self.assertEqual(self.source.state, "error", name)
            self.assertTrue(self.source.state_message)
            new = self.new_customer("Brought along")
            new.with_user(self.seller).with_company(self.home).lifecycle_referred_by_id = advocate
            self.env.flush_all()
            form = Form(friend.with_user(self.seller).with_company(self.home))
            form.phone = "+32 2 290 34 90"
            form.save()
            mine = friend.with_user(self.seller).with_company(self.home)
            self.assertTrue(mine.lifecycle_profile_id.read())
            purchases = self.env["lifecycle.purchase"].with_user(self.seller).with_company(
                self.home
            )
            purchases.search([("partner_id", "=", friend.id)]).read()

    @mute_logger(RUN_LOG)
    def test_figures_and_labels_stay_as_they_were(self):
        """Nobody becomes lost because the orders cannot be read."""
        good = self.figures(self.home)
        stages = self.stages()
        for name in self.each_defect():
            run = self.request(kind="manual")
            self.run_nightly()
            self.assertEqual(run.state, "failed", name)
            self.assertIn(self.source.name, run.message)
            self.assertEqual(self.figures(self.home), good)
            self.assertEqual(self.stages(), stages)

    def stages(self):
        profiles = self.env["lifecycle.profile"].search([("company_id", "=", self.home.id)])
        return {profile.id: profile.stage_id.id for profile in profiles}

    @mute_logger(RUN_LOG)
    def test_managers_are_told_once(self):
        told = self.told()
        self.break_record(self.source, *BROKEN["number compared with a word"])
        self.run_nightly()
        self.assertEqual(self.told() - told, 1)
        self.new_purchase(self.customers[0], 1, company=self.home)
        self.run_refresh()
        self.run_nightly()
        self.assertEqual(self.told() - told, 1, "not every night, let alone every minute")
        self.source.domain = "[('state', '=', 'sale')]"
        self.assertEqual(self.source.state, "ready")
        self.run_nightly()
        self.assertEqual(self.last_run().state, "done")
        self.break_record(self.source, *BROKEN["no Python"])
        self.run_nightly()
        self.assertEqual(self.told() - told, 2, "broken again is news again")

    def told(self):
        return self.env["mail.message"].search_count(
            [("subject", "=", "Customer Lifecycle: something does not work")]
        )

    @mute_logger(RUN_LOG, "odoo.sql_db")
    def test_what_only_reading_finds(self):
        """Nothing is wrong with the statement, but with one of the documents."""
        sources = self.env.registry["lifecycle.revenue.source"]
        origin = sources._compile
        order = self.env["sale.order"].create({"partner_id": self.customers[0].id})

        def divided(source, company, *args, **options):
            rows = origin(source, company, *args, **options)
            if source.id != self.source.id:
                return rows
            columns = ", ".join(
                "amount / (CASE WHEN res_id > 0 THEN 0 ELSE 1 END) AS amount"
                if name == "amount"
                else name
                for name in lifecycle_revenue_source.COLUMNS
            )
            return SQL("SELECT %s FROM (%s) r", SQL(columns), rows)

        self.new_order(self.customers[0], 10, company=self.home)
        good = self.figures(self.home)
        with patch.object(sources, "_compile", divided):
            self.env.registry.clear_all_caches()
            self.run_refresh()
            self.assertTrue(self.source.defect, "the refresh has found out which it is")
            self.assertEqual(self.source.state, "error")
            self.assertEqual(self.figures(self.home), good)
            profile = self.customers[0].with_company(self.home).lifecycle_profile_id
            sources = self.env["lifecycle.revenue.source"]
            self.env.execute_query(sources._rows_of(self.home, order.partner_id.id))
            self.assertTrue(profile)
        self.env.registry.clear_all_caches()
        self.request(kind="manual")
        self.run_nightly()
        self.assertFalse(self.source.defect, "the night looks again")
        self.assertEqual(self.last_run().state, "done")

    def test_filters_are_probed_when_saved(self):
        for name, (column, value) in BROKEN.items():
            with self.subTest(name), self.assertRaises(UserError):
                self.source[column] = value
            self.env.invalidate_all()

    @mute_logger(RUN_LOG)
    def test_no_reward_while_it_cannot_be_said_whether_the_friend_is_new(self):
        self.break_record(self.source, *BROKEN["no Python"])
        self.assertIn(
            self.source.name, self.env["lifecycle.revenue.source"]._unread(self.home)
        )


class TestBrokenVipPlace(BrokenCase):
    DOMAINS = {
        "field is gone": "[('gone', '=', 1)]",
        "number and word": "[('expected_revenue', '>', 'much')]",
        "no date": "[('create_date', '>', '2024-13-45')]",
        "no Python": "[('active', '=', ",
        "no domain": "42",
        "custom field": "[('partner_id.x_gone', '=', 1)]",
    }

    def test_pipeline_stays_open(self):
        """Lists, boards, searches and groups, in the order that they have without us."""
        place = self.env.ref("customer_lifecycle.vip_place_opportunity")
        user = self.new_user("guard_lead", "sales_team.group_sale_salesman_all_leads")
        leads = self.env["crm.lead"].with_user(user)
        leads.create([{"name": name, "type": "opportunity"} for name in ("A", "B")])
        for name, value in self.DOMAINS.items():
            with self.subTest(name):
                self.break_record(place, "first_domain", value)
                for kind in ("list", "kanban", "form", "search"):
                    view = leads.get_view(view_type=kind)
                    self.assertNotIn("vip_rank desc", view["arch"])
                self.assertGreaterEqual(len(leads.search([], order="vip_rank desc, id")), 2)
                leads.web_search_read([], {"name": {}}, order="priority desc, vip_rank desc, id")
                leads.formatted_read_group([], ["stage_id"], ["__count"])
                self.assertEqual(place.state, "error")

    def test_model_or_path_that_is_gone(self):
        place = self.env.ref("customer_lifecycle.vip_place_order")
        orders = self.env["sale.order"]
        for column, value in (("model", "gone.model"), ("partner_path", "gone_id"),
                              ("model", "res.users"), ("model", "base")):
            with self.subTest(column=column, value=value), self.env.cr.savepoint() as savepoint:
                self.break_record(place, column, value)
                orders.get_view(view_type="list")
                orders.search([], limit=1)
                self.env["res.users"].search([], limit=1)
                savepoint.rollback()
            self.env.registry.clear_all_caches()

    def test_filters_are_probed_when_saved(self):
        place = self.env.ref("customer_lifecycle.vip_place_opportunity")
        for name, value in self.DOMAINS.items():
            with self.subTest(name), self.assertRaises(UserError):
                place.first_domain = value
            self.env.invalidate_all()


class TestBrokenOthers(BrokenCase):
    def test_night_goes_on_without_a_signal_a_touchpoint_and_a_rule(self):
        for xml_id, column in (
            ("signal_top_rating", "domain"),
            ("touchpoint_source_lead_created", "domain"),
            ("stage_loyal", "domain"),
            ("spending_source_bill_getting", "domain"),
        ):
            record = self.env.ref(f"customer_lifecycle.{xml_id}")
            for value in ("[('gone', '=', 1)]", "[('create_date', '>', '2024-13-45')]", "[("):
                with self.subTest(xml_id, value=value):
                    self.break_record(record, column, value)
                    self.run_nightly()
                    run = self.request(kind="manual")
                    self.run_nightly()
                    self.assertEqual(run.state, "done", run.message)
                    self.env["lifecycle.economics"].with_company(self.home).search([])
        self.env["lifecycle.health"]._look()
        keys = dict(self.env["lifecycle.health"]._problems())
        self.assertIn(f"lifecycle.stage,{self.env.ref('customer_lifecycle.stage_loyal').id}", keys)

    @mute_logger(RUN_LOG, "odoo.addons.customer_lifecycle.models.workflow.run")
    def test_every_filter_that_a_manager_writes(self):
        """A field left with its app, or was deleted: the night, lists and saves go on."""
        self.run_nightly()
        user = self.new_user(
            "guard_all", "sales_team.group_sale_salesman_all_leads,base.group_partner_manager",
            self.home,
        )
        customer = self.customers[1].with_user(user).with_company(self.home)
        stage = self.env.ref("customer_lifecycle.stage_at_risk")
        segment = self.env["lifecycle.segment"].create(
            {"name": "Guarded", "domain": "[('order_count', '>', 1)]"}
        )
        values = {"name": "Guarded", "company_id": self.home.id, "stage_ids": [stage.id]}
        workflow, other = self.env["lifecycle.workflow"].create([values, values])
        for one in (workflow, other):
            one.step_ids = [Command.create({"kind": "note", "note": "<p>x</p>"})]
            one._start(everybody=True)
        comparison = self.env["lifecycle.comparison"].create(
            {"name": "Guarded", "event": "segment", "segment_id": segment.id,
             "company_id": self.home.id}
        )
        group = self.env["lifecycle.rfm.group"].search([], limit=1)
        found = {
            (record._name, name)
            for record in (stage, segment, workflow, workflow.step_ids, comparison, group)
            for name, field in record._fields.items()
            if name.endswith("domain") and field.store and field.type in ("char", "text")
        }
        self.assertGreaterEqual(len(found), 6, found)
        records = {record._name: record
                   for record in (stage, segment, workflow, workflow.step_ids, comparison, group)}
        for model, column in sorted(found):
            record = records[model]
            for value in ("[('partner_id.x_gone', '=', 1)]", "[('create_date', '>', 'never')]"):
                with self.subTest(model=model, column=column, value=value), (
                    self.env.cr.savepoint()
                ) as savepoint:
                    before = record[column]
                    self.break_record(record, column, value)
                    form = Form(customer)
                    form.phone = "+32 2 290 34 92"
                    form.save()
                    self.env[model].search([]).read()
                    self.env[model].get_views([(False, "list"), (False, "form")])
                    record.web_read({name: {} for name in record.fields_get(attributes=[])})
                    run = self.request(kind="manual")
                    self.run_nightly()
                    self.assertEqual(run.state, "done", run.message)
                    self.run_cron("customer_lifecycle.ir_cron_lifecycle_workflow")
                    # the one beside it goes on
                    self.assertEqual(other.state, "running")
                    # and it can be put right
                    record.write({column: before})
                    savepoint.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_all_caches()

    def test_customers_form_opens_and_is_saved_with_a_broken_rule(self):
        """Before the night has switched it off."""
        self.run_nightly()
        user = self.new_user(
            "guard_rule", "sales_team.group_sale_salesman_all_leads,base.group_partner_manager",
            self.home,
        )
        customer = self.customers[1].with_user(user).with_company(self.home)
        segment = self.env["lifecycle.segment"].create(
            {"name": "Broken", "domain": "[('order_count', '>', 1)]"}
        )
        workflow = self.env.ref("customer_lifecycle.workflow_welcome")
        for record in (
            self.env.ref("customer_lifecycle.stage_loyal"),
            self.env.ref("customer_lifecycle.stage_at_risk"),
            segment,
            workflow,
            self.env.ref("customer_lifecycle.touchpoint_source_lead_created"),
            self.env.ref("customer_lifecycle.signal_top_rating"),
        ):
            for value in ("[('gone', '=', 1)]", "[('create_date', '>', '2024-13-45')]", "[(",
                          "[('partner_id.x_gone', '=', 1)]", "{}", "['|']"):
                with self.subTest(record=record.display_name, value=value):
                    self.break_record(record, "domain", value)
                    form = Form(customer)
                    form.phone = "+32 2 290 34 91"
                    form.save()
                    profile = customer.lifecycle_profile_id
                    profile.read()
                    profile.web_read({name: {} for name in profile.fields_get(attributes=[])})
                    self.env[record._name].search([]).read()
                    self.new_purchase(self.customers[1], 3, company=self.home)
                    self.run_refresh()


class TestNestedRules(LifecycleCase):
    def nested(self, depth):
        rule = [("name", "=", "x")]
        for _level in range(depth):
            rule = [("child_ids", "any", [("parent_id", "any", rule)])]
        return str([("partner_id", "any", rule)])

    def test_what_takes_minutes_to_plan_is_refused_within_seconds(self):
        began = time.monotonic()
        segment = self.env["lifecycle.segment"].create(
            {"name": "Nested", "domain": "[('order_count', '>', 1)]"}
        )
        for model, values in (
            ("lifecycle.segment", {"name": "Deep"}),
            ("lifecycle.comparison", {"name": "Deep"}),
        ):
            with self.subTest(model), self.assertRaisesRegex(UserError, "filters within filters"):
                self.env[model].create({**values, "domain": self.nested(15)})
        with self.assertRaisesRegex(UserError, "filters within filters"):
            segment.domain = self.nested(30)
        with self.assertRaisesRegex(UserError, "filters within filters"):
            self.env.ref("customer_lifecycle.stage_loyal").domain = self.nested(15)
        with self.assertRaisesRegex(UserError, "filters within filters"):
            self.env.ref("customer_lifecycle.workflow_welcome").domain = self.nested(15)
        with self.assertRaisesRegex(UserError, "conditions"):
            segment.domain = str(["|"] * 300 + [("order_count", "=", n) for n in range(301)])
        self.assertLess(time.monotonic() - began, 20)
        segment.domain = self.nested(2)

    def test_patience_of_the_database(self):
        """What is not deep and yet takes for ever is given up."""
        with (
            self.assertRaises(errors.QueryCanceled),
            limited(self.env, 0.2),
        ):
            self.env.cr.execute("SELECT pg_sleep(5)")
        self.env.cr.execute("SELECT current_setting('statement_timeout')")
        self.assertEqual(self.env.cr.fetchone()[0], "0")


class TestScheduledActions(LifecycleCase):
    def problems(self):
        return {key: text for key, text in self.env["lifecycle.health"]._missing_jobs()}

    def test_all_are_watched(self):
        names = self.env["ir.model.data"].search(
            [("module", "=", "customer_lifecycle"), ("model", "=", "ir.cron")]
        ).mapped("name")
        self.assertEqual(set(names), set(lifecycle_health.JOBS))
        self.assertEqual(self.problems(), {})

    def test_switched_off_failed_late_or_deleted(self):
        refresh = self.env.ref("customer_lifecycle.ir_cron_lifecycle_refresh")
        key = "ir.cron,ir_cron_lifecycle_refresh"
        for values, word in (
            ({"active": False}, "switched off"),
            ({"failure_count": 5}, "failed 5 times"),
            ({"nextcall": fields.Datetime.now() - timedelta(days=2)}, "more than a day ago"),
        ):
            with self.subTest(word), self.env.cr.savepoint() as savepoint:
                refresh.write(values)
                self.assertIn(word, self.problems()[key])
                savepoint.rollback()
            self.env.invalidate_all()
        refresh.unlink()
        self.assertIn("deleted", self.problems()[key])
        told = self.env["mail.message"].search_count([])
        self.run_cron(NIGHTLY)
        self.assertGreater(self.env["mail.message"].search_count([]), told)
        # saving goes on
        customer = self.new_customer("Saved all the same")
        self.new_purchase(customer, 5)
        self.env.cr.precommit.run()
