"""Nobody switches off by the context what follows from his own change."""

import json
import re
from pathlib import Path

from odoo import Command

from odoo.addons import customer_lifecycle as addon
from odoo.addons.customer_lifecycle.tools.context import own, own_value

from ..common import LifecycleCase
from ..common_loyalty import CreditCase

#: keys that a caller may set: they change how something is shown to himself, or take away from
#: what he gets
HARMLESS = {
    "lifecycle_cart_ids",
    "lifecycle_preview",
    "lifecycle_profile_id",
    "lifecycle_quoted_profile_id",
    "lifecycle_referral_how",
    "lifecycle_share_out",
    "lifecycle_source_id",
    "lifecycle_today",
    "lifecycle_together",
    "lifecycle_workflow_looked_at",
}


class TestOwnValues(LifecycleCase):
    def test_a_value_cannot_come_from_outside(self):
        value = own({7: 1000})
        self.assertEqual(own_value(self.env(context={"key": value}), "key"), {7: 1000})
        sent = json.loads(json.dumps({"key": value}))
        for forged in (sent["key"], True, 1, "True", {"7": 1000}, [7]):
            env = self.env(context={"key": forged})
            self.assertIsNone(own_value(env, "key"))
            self.assertEqual(own_value(env, "key", 10), 10)

    def test_keys_are_read_as_own_values(self):
        found = set()
        for path in Path(addon.__file__).parent.rglob("*.py"):
            found |= set(re.findall(r'context(?:\.get\(|\[)\s*"(lifecycle_\w+)"', path.read_text()))
        self.assertTrue(found)
        self.assertLessEqual(found, HARMLESS)

    def test_keys_with_a_name_are_read_as_own_values(self):
        found = set()
        for path in Path(addon.__file__).parent.rglob("*.py"):
            found |= set(re.findall(r"context(?:\.get\(|\[)\s*([A-Z_]+)[,)\]]", path.read_text()))
        # a manager's own rule waits for the night's run
        self.assertLessEqual(found, {"QUIET"})

    def test_a_withdrawal_is_kept(self):
        ann, twin = (
            self.new_customer("Ann", email="ann@x.com", lifecycle_marketing_consent=True)
            for _number in range(2)
        )
        ann.with_context(lifecycle_consent_ours=True).lifecycle_marketing_consent = False
        self.assertFalse(twin.lifecycle_marketing_consent)
        said = self.env["lifecycle.opt.out"].search([("email", "=", "ann@x.com")])
        self.assertEqual(set(said.mapped("source")), {"consent"})


class TestPoints(CreditCase):
    def test_points_follow_a_changed_order(self):
        order = self.sell(self.ann)
        card = self.cards(self.ann)
        self.assertEqual(card.points, 100)
        line = order.order_line[0]
        order.with_context(
            lifecycle_settle_later=True, lifecycle_points_aside={str(card.id): 1000}
        ).write({"order_line": [Command.update(line.id, {"price_unit": line.price_unit / 2})]})
        self.assertEqual(card.points, 50)

    def test_points_follow_a_credit_note(self):
        order = self.sell(self.ann)
        invoice = self.invoice(order)
        self.credit(invoice.with_context(lifecycle_settle_later=True), quantity=5)
        refund = invoice.reversal_move_ids
        refund.with_context(lifecycle_settle_later=True).button_draft()
        refund.with_context(lifecycle_settle_later=True).action_post()
        self.assertEqual(self.cards(self.ann).points, 50)
