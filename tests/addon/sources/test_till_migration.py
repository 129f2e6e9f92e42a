"""Sources of the till that were delivered before: brought along where nobody changed them."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from odoo.modules import get_module_path
from odoo.tests import tagged

from ..common import LifecycleCase

FILE = "migrations/19.0.1.1.0/post-till.py"
STATES = "('order_id.state', 'in', ['paid', 'done', 'invoiced'])"
FORMER = {
    "revenue_source_pos_order": {
        "domain": f"[{STATES}, ('order_id.partner_id', '!=', False)]",
        "skip_domain": "[('sale_order_line_id', '!=', False), '|', "
        "('refunded_orderline_id', '=', False), ('sale_order_line_id.is_downpayment', '=', True)]",
    },
    "revenue_source_pos_order_not_invoiced": {
        "name": "Point of sale without invoice",
        "domain": f"[{STATES}, ('order_id.partner_id', '!=', False), "
        "('order_id.account_move', '=', False)]",
        "skip_domain": False,
    },
    "revenue_source_invoice": {"skip_domain": False},
}
PATHS = ("quantity_path", "price_path", "refunded_path")


@tagged("standard", "post_install", "-at_install")
class TestTillMigration(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.delivered = {}
        for name, values in FORMER.items():
            source = cls.source(name)
            cls.delivered[name] = cls.said(source)
            paths = dict.fromkeys(PATHS, False) if source.model == "pos.order.line" else {}
            source.write({**values, **paths})

    @classmethod
    def source(cls, name):
        return cls.env.ref(f"customer_lifecycle.{name}").with_context(lang=None)

    @classmethod
    def said(cls, source):
        return source.read(["name", "domain", "skip_domain", *PATHS])[0]

    def migrate(self):
        self.env.flush_all()
        path = Path(get_module_path("customer_lifecycle"), FILE)
        spec = spec_from_file_location("post_till", path)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        module.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def test_untouched_ones_become_what_is_delivered(self):
        self.migrate()
        for name, values in self.delivered.items():
            with self.subTest(name=name):
                self.assertEqual(self.said(self.source(name)), values)
        self.assertEqual(self.source("revenue_source_pos_credit_note").basis, "both")
        self.migrate()
        for name, values in self.delivered.items():
            self.assertEqual(self.said(self.source(name)), values, "twice changes nothing")

    def test_what_was_changed_by_hand_stays(self):
        own = "[('order_id.state', '=', 'paid'), ('order_id.partner_id', '!=', False)]"
        shop = self.source("revenue_source_pos_order")
        shop.write({"domain": own, "name": "Our shops"})
        invoices = self.source("revenue_source_invoice")
        invoices.skip_domain = "[('ref', '=', 'internal')]"
        self.migrate()
        self.assertEqual((shop.domain, shop.name), (own, "Our shops"))
        self.assertEqual(shop.quantity_path, "qty", "what the till's columns mean is no opinion")
        self.assertEqual(invoices.skip_domain, "[('ref', '=', 'internal')]")
        without = self.source("revenue_source_pos_order_not_invoiced")
        self.assertIn("account_move", without.domain, "these two belong together")
        self.assertEqual(self.source("revenue_source_pos_credit_note").basis, "orders")

    def test_renamed_is_not_changed(self):
        without = self.source("revenue_source_pos_order_not_invoiced")
        without.name = "Till"
        self.migrate()
        self.assertEqual(without.name, "Till")
        self.assertNotIn("account_move", without.domain)

    def test_deleted_ones_stay_away(self):
        self.source("revenue_source_pos_order").unlink()
        self.migrate()
        self.assertFalse(
            self.env.ref("customer_lifecycle.revenue_source_pos_order", raise_if_not_found=False)
        )
