"""The VIP badge and the order of lists on documents of apps that the addon does not need."""

from unittest import SkipTest
from unittest.mock import patch

from odoo.exceptions import ValidationError

from odoo.addons.customer_lifecycle.models.vip import document_badge as lifecycle_vip_place

from ..common import LifecycleCase

TIER, COLOR, RANK = lifecycle_vip_place.OTHERS


class PlaceCase(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tiers = cls.env["lifecycle.vip.tier"].create(
            [
                {"name": f"Level {rank}", "rank": 100 + rank, "entry": 1000 * rank}
                for rank in (1, 2)
            ]
        )
        cls.customers = cls.env["res.partner"].create(
            [{"name": name, "is_company": True} for name in ("Plain", "Good", "Best")]
        )
        cls.plain, cls.good, cls.best = cls.customers
        cls.env["lifecycle.profile"].create(
            [
                {
                    "partner_id": partner.id,
                    "company_id": cls.env.company.id,
                    "vip_tier_id": tier.id,
                }
                for partner, tier in zip(cls.customers[1:], cls.tiers, strict=True)
            ]
        )
        cls.env.flush_all()

    def arch(self, model, view_type):
        return model.get_views([(False, view_type)])["views"][view_type]["arch"]


class TestLabel(PlaceCase):
    def test_colleagues_without_sales_rights_see_the_label_and_no_figures(self):
        colleague = self.new_user("packer", "base.group_user")
        contact = self.env["res.partner"].create({"name": "Anna", "parent_id": self.best.id})
        seen = contact.with_user(colleague)
        self.assertEqual((seen.vip_label_id, seen.vip_rank), (self.tiers[1], 102))
        found = seen.search([("vip_label_id", "!=", False), ("id", "in", self.customers.ids)])
        self.assertEqual(found, self.best | self.good)
        profiles = self.env["lifecycle.profile"].with_user(colleague)
        self.assertFalse(profiles.has_access("read"))

    def test_customers_in_the_portal_see_no_label(self):
        visitor = self.new_user("visitor", "base.group_portal")
        self.assertFalse(self.best.with_user(visitor).sudo().vip_label_id)

    def test_the_label_is_that_of_the_readers_company(self):
        other = self.new_company("Other Ltd")
        self.assertFalse(self.best.with_company(other).vip_label_id)
        self.assertFalse(
            self.env["res.partner"]
            .with_company(other)
            .search([("vip_label_id", "in", self.tiers.ids)])
        )


class TestOpportunities(PlaceCase):
    def test_vips_come_first_among_what_is_open_and_below_stars(self):
        leads = self.env["crm.lead"].create(
            [
                {"name": name, "partner_id": partner.id, "type": "opportunity", **values}
                for name, partner, values in (
                    ("best", self.best, {}),
                    ("good", self.good, {}),
                    ("plain", self.plain, {}),
                    ("starred", self.plain, {"priority": "2"}),
                    ("lost", self.best, {}),
                )
            ]
        )
        leads[4].action_set_lost()
        self.env.flush_all()
        order = "priority desc, vip_rank desc, id desc"
        self.assertIn(f'default_order="{order}"', self.arch(leads, "kanban"))
        found = leads.with_context(active_test=False).search(
            [("id", "in", leads.ids)], order=order
        )
        self.assertEqual(
            found.mapped("name"), ["starred", "best", "good", "lost", "plain"]
        )
        self.assertEqual(leads.mapped("priority"), ["0", "0", "0", "2", "0"])

    def test_long_lists_keep_their_order(self):
        with patch.object(lifecycle_vip_place, "LARGE", -2):
            self.env.registry.clear_cache("templates")
            self.assertNotIn("vip_rank desc", self.arch(self.env["crm.lead"], "kanban"))
        self.env.registry.clear_cache("templates")


class TestPlaces(PlaceCase):
    def test_a_place_whose_app_is_not_there_waits(self):
        place = self.env["lifecycle.vip.place"].create({"name": "None", "model": "no.such.model"})
        self.assertEqual(place.state, "asleep")
        self.assertIn("no.such.model", place.state_message)

    def test_a_place_that_cannot_work_is_refused(self):
        places = self.env["lifecycle.vip.place"]
        for values in (
            {"partner_path": "no_such_field"},
            {"partner_path": "name"},
            {"first_domain": "[('no_such_field', '=', 1)]"},
            {"first_domain": "nonsense"},
        ):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                places.create({"name": "Bad", "model": "res.partner.bank", **values})


class AppPlaceCase(PlaceCase):
    """One app's documents; skipped where the app is not installed."""

    app, module, model = "", "", ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.module:
            raise SkipTest("The base of the tests of single apps.")
        installed = cls.env["ir.module.module"].search([("name", "=", cls.module)])
        if installed.state != "installed":
            raise SkipTest(f"Needs the app {cls.app} ({cls.module}).")

    def document(self, partner, **values):
        return self.env[self.model].create({"partner_id": partner.id, **values})

    def check_order(self, *closed):
        """Best, good, plain; a plain one with a star before; the closed ones no longer first."""
        documents = self.document(self.plain) | self.document(self.good)
        documents |= self.document(self.best)
        starred = self.document(self.plain, priority="1")
        done = self.document(self.best)
        for name, value in closed:
            done[name] = value
        self.env.flush_all()
        everything = documents | starred | done
        found = everything.search(
            [("id", "in", everything.ids)], order=f"priority desc, {RANK} desc, id"
        )
        self.assertEqual(found[:3], starred | documents[2] | documents[1])
        self.assertEqual(set(found[3:]), set(documents[0] | done))
        self.assertEqual(
            documents.mapped(TIER), self.env["lifecycle.vip.tier"].union(*self.tiers[::-1])
        )
        self.assertEqual(documents.mapped("priority"), ["0"] * 3)

    def check_views(self):
        model = self.env[self.model]
        for view_type in ("list", "kanban", "form"):
            self.assertIn(f'name="{TIER}"', self.arch(model, view_type))
        for view_type in ("list", "kanban"):
            self.assertIn(f"priority desc, {RANK} desc", self.arch(model, view_type))
        self.assertIn(f"[('{TIER}', '!=', False)]", self.arch(model, "search"))
        document = self.document(self.good)
        groups = model.formatted_read_group([("id", "=", document.id)], [TIER], ["__count"])
        self.assertEqual(groups[0][TIER][0], self.tiers[0].id)


class TestDeliveries(AppPlaceCase):
    app, module, model = "Inventory", "stock", "stock.picking"

    def document(self, partner, **values):
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.env.company.id)], limit=1
        )
        return super().document(partner, picking_type_id=warehouse.out_type_id.id, **values)

    def test_vips_are_served_first(self):
        self.check_order(("state", "done"))

    def test_the_badge_shows(self):
        self.check_views()


class TestRepairs(AppPlaceCase):
    app, module, model = "Repairs", "repair", "repair.order"

    def document(self, partner, **values):
        product = self.env["product.product"].create({"name": "Grinder", "type": "consu"})
        return super().document(partner, product_id=product.id, **values)

    def test_vips_are_served_first(self):
        self.check_order(("state", "done"))

    def test_the_badge_shows(self):
        self.check_views()


class TestTasks(AppPlaceCase):
    app, module, model = "Project", "project", "project.task"

    def document(self, partner, **values):
        project = self.env["project.project"].create({"name": "Roof"})
        return super().document(partner, name="Tile", project_id=project.id, **values)

    def test_vips_are_served_first(self):
        self.check_order(("state", "1_done"))

    def test_the_badge_shows(self):
        self.check_views()
