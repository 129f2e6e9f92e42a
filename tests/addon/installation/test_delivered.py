"""The helper of migrations: it changes what nobody has touched, and nothing else."""

from odoo.addons.customer_lifecycle.delivered import bring_along, find, is_untouched

from ..common import LifecycleCase

STAGE = "stage_lost"


class TestDelivered(LifecycleCase):
    def setUp(self):
        super().setUp()
        self.stage = self.env.ref(f"customer_lifecycle.{STAGE}")
        self.former = {
            "domain": self.stage.domain, "name": self.stage.name, "sequence": self.stage.sequence,
            "is_lost": True,
        }

    def bring(self, **present):
        self.env.flush_all()
        done = bring_along(self.env.cr, STAGE, self.former, present)
        self.env.invalidate_all()
        return done

    def test_untouched_record_is_brought_along(self):
        self.assertTrue(self.bring(domain="[('order_count', '>', 9)]", name="Gone", sequence=81))
        self.assertEqual(self.stage.domain, "[('order_count', '>', 9)]")
        self.assertEqual((self.stage.name, self.stage.sequence), ("Gone", 81))

    def test_touched_record_is_left_alone(self):
        for field, value in (("name", "Never again"), ("sequence", 5),
                             ("domain", "[('order_count', '>', 3)]")):
            with self.subTest(field), self.env.cr.savepoint() as savepoint:
                self.stage[field] = value
                self.assertFalse(self.bring(description="New words"))
                self.assertNotEqual(self.stage.description, "New words")
                savepoint.rollback()
            self.env.invalidate_all()

    def test_translation_is_no_change(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.stage.with_context(lang="fr_FR").name = "Partis"
        self.env.flush_all()
        self.assertTrue(is_untouched(self.env.cr, STAGE, self.former))

    def test_deleted_record_and_unknown_column(self):
        self.assertIsNone(find(self.env.cr, "stage_that_never_was"))
        self.assertFalse(bring_along(self.env.cr, "stage_that_never_was", {}, {"name": "X"}))
        self.assertFalse(is_untouched(self.env.cr, STAGE, {"no_column": 1}))
