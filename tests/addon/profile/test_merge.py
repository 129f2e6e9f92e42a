from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tools import mute_logger

from ..common import LifecycleCase


class MergeCase(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.new_company("Home", lifecycle_tz="UTC")
        cls.abroad = cls.new_company("Abroad", lifecycle_tz="UTC")
        cls.env = cls.env["base"].with_company(cls.home).env
        cls.today = cls.home._lifecycle_today()
        cls.one, cls.two, cls.three = cls.env["res.partner"].create(
            [{"name": name, "email": "same@example.com"} for name in ("One", "Two", "Three")]
        )
        cls.purchases = cls.env["lifecycle.external.purchase"]
        for partner, amount, days, company in (
            (cls.one, 100, 50, cls.home),
            (cls.one, 10, 7, cls.abroad),
            (cls.two, 200, 30, cls.home),
            (cls.two, 20, 6, cls.abroad),
            (cls.three, 400, 10, cls.home),
        ):
            cls.purchases += cls.new_purchase(partner, amount, days, company)

    def setUp(self):
        super().setUp()
        self.run_refresh()

    def merge(self, destination, *sources):
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        with mute_logger("odoo.addons.base.wizard.base_partner_merge"):
            wizard._merge([destination.id, *(source.id for source in sources)], destination)
        self.env.flush_all()

    def profiles(self, active=False):
        found = self.env["lifecycle.profile"].with_context(active_test=active).search(
            [("company_id", "in", (self.home + self.abroad).ids)]
        )
        keys = [(profile.partner_id, profile.company_id) for profile in found]
        self.assertEqual(len(keys), len(set(keys)))
        return found

    def assertFigures(self, partner, revenue, orders, company=None):
        profile = self.profile(partner, company or self.home)
        self.assertEqual(
            (profile.active, profile.revenue, profile.order_count), (True, revenue, orders)
        )


class TestMerge(MergeCase):
    def test_two_companies(self):
        kept = self.profile(self.one), self.profile(self.one, self.abroad)
        self.merge(self.one, self.two)
        self.assertFalse(self.two.exists())
        self.assertEqual(self.profile(self.one), kept[0])
        self.assertEqual(self.profile(self.one, self.abroad), kept[1])
        self.assertEqual(self.purchases.exists(), self.purchases, "imported history is kept")
        self.assertEqual(len(self.profiles()), 3)
        self.run_refresh()
        self.assertFigures(self.one, 300, 2)
        self.assertFigures(self.one, 30, 2, self.abroad)
        self.assertEqual(self.profile(self.one).order_interval, 20)

    def test_profile_moves_where_the_survivor_has_none(self):
        moved = self.profile(self.two, self.abroad)
        self.merge(self.three, self.two)
        self.assertEqual(self.profile(self.three, self.abroad), moved)
        self.run_refresh()
        self.assertFigures(self.three, 600, 2)
        self.assertFigures(self.three, 20, 1, self.abroad)

    def test_three_at_once_and_in_a_chain(self):
        with self.env.cr.savepoint() as savepoint:
            self.merge(self.one, self.two, self.three)
            self.run_refresh()
            self.assertFigures(self.one, 700, 3)
            together = self.figures(self.home + self.abroad)
            savepoint.rollback()
        self.env.invalidate_all()
        self.merge(self.two, self.three)
        self.merge(self.one, self.two)
        self.run_refresh()
        self.assertEqual(self.figures(self.home + self.abroad), together)

    def test_real_orders_move_along(self):
        self.new_order(self.two, 33, company=self.home)
        self.run_refresh()
        self.merge(self.one, self.two)
        self.run_refresh()
        self.assertFigures(self.one, 333, 3)

    def test_both_usually_bought_the_same_product(self):
        for ago in (40, 25, 10):
            self.new_order(self.one, 10, ago, company=self.home)
            self.new_order(self.two, 20, ago - 5, company=self.home)
        self.run_nightly()
        usual = self.profile(self.two).usual_product_ids
        self.assertEqual(usual.day_count, 3)
        self.merge(self.one, self.two)
        self.assertEqual(len(self.profile(self.one).usual_product_ids), 1)
        self.run_refresh()
        self.run_nightly()
        self.env.invalidate_all()
        usual = self.profile(self.one).usual_product_ids
        self.assertEqual((len(usual), usual.day_count, usual.amount), (1, 6, 90))

    def test_contact_of_a_company_into_a_customer(self):
        """Odoo makes the survivor a contact of that company: everything is the company's."""
        contact = self.env["res.partner"].create({"name": "C", "parent_id": self.three.id})
        self.new_purchase(contact, 5, 3, self.home)
        self.run_refresh()
        self.assertFigures(self.three, 405, 2)
        self.merge(self.one, contact)
        self.assertEqual(self.one.commercial_partner_id, self.three)
        self.run_refresh()
        self.assertFigures(self.three, 505, 3)
        self.assertFalse(self.profile(self.one).active)

    def test_contact_into_a_contact_of_another_company(self):
        """His purchases leave the figures of the company he was with."""
        leaves, stays = self.env["res.partner"].create(
            [{"name": "L", "parent_id": self.three.id}, {"name": "S", "parent_id": self.one.id}]
        )
        self.new_purchase(leaves, 5, 3, self.home)
        self.run_refresh()
        self.assertFigures(self.three, 405, 2)
        self.merge(stays, leaves)
        self.assertEqual(stays.commercial_partner_id, self.one)
        self.run_refresh()
        self.assertFigures(self.one, 105, 2)
        self.assertFigures(self.three, 400, 1)

    def test_customer_into_a_contact_of_a_company(self):
        """The history belongs to the contact's company, and only there."""
        contact = self.env["res.partner"].create({"name": "C", "parent_id": self.three.id})
        self.merge(contact, self.two)
        self.assertFalse(self.profile(contact), "contacts have no profile of their own")
        self.run_refresh()
        self.assertFigures(self.three, 600, 2)
        self.assertFigures(self.three, 20, 1, self.abroad)
        self.assertEqual(contact.lifecycle_order_count, 2)

    def test_company_with_contacts(self):
        contact = self.env["res.partner"].create({"name": "C", "parent_id": self.two.id})
        self.new_purchase(contact, 5, 3, self.home)
        self.run_refresh()
        self.merge(self.one, self.two)
        self.assertEqual(contact.commercial_partner_id, self.one)
        self.run_refresh()
        self.assertFigures(self.one, 305, 3)

    def test_archived_partners(self):
        self.two.active = False
        self.run_refresh()
        self.assertFigures(self.two, 200, 1)
        self.merge(self.one, self.two)
        self.run_refresh()
        self.assertFigures(self.one, 300, 2)
        self.three.active = False
        self.merge(self.three, self.one)
        self.run_refresh()
        self.assertFigures(self.three, 700, 3)
        self.three.active = True
        self.run_refresh()
        self.assertFigures(self.three, 700, 3)

    def test_archived_profile_of_the_survivor(self):
        """A survivor who did not count any more takes over the other's figures."""
        self.purchases.filtered(lambda purchase: purchase.partner_id == self.one).unlink()
        self.run_refresh()
        self.assertFalse(self.profile(self.one).active)
        self.merge(self.one, self.two)
        self.run_refresh()
        self.assertFigures(self.one, 200, 1)

    def test_survivor_decides_whether_it_counts(self):
        self.two.lifecycle_exclude = True
        self.merge(self.one, self.two)
        self.run_refresh()
        self.assertFalse(self.one.lifecycle_exclude)
        self.assertFigures(self.one, 300, 2)
        self.three.lifecycle_exclude = True
        self.merge(self.three, self.one)
        self.assertTrue(self.three.lifecycle_exclude)

    def test_what_people_set_survives(self):
        """Holds and the budget come along, unless the survivor has its own."""
        gold, silver = self.env["lifecycle.vip.tier"].create(
            [
                {"name": name, "rank": rank, "entry": rank, "company_id": self.home.id}
                for name, rank in (("Gold", 2000), ("Silver", 1000))
            ]
        )
        first, second = self.env["lifecycle.stage"]._in_priority()[:2]
        until = self.today + timedelta(days=30)
        two, three = self.profile(self.two), self.profile(self.three)
        two._set_tier_by_hand(gold, "Promised", until)
        two.write(
            {
                "stage_id": first.id,
                "stage_date": self.today,
                "stage_manual": True,
                "stage_hold_until": until,
                "stage_reason": "Known to us",
                "potential": 5000,
            }
        )
        activity = self.two.activity_schedule("mail.mail_activity_data_todo", summary="Drop")
        two.vip_activity_id = activity
        self.merge(self.one, self.two)
        self.assertFalse(activity.exists())
        kept = self.profile(self.one)
        tier = [gold, self.today, until, True, "Promised"]
        stage = [first, self.today, until, True, "Known to us"]

        def held(profile, kind, *names):
            names += ("hold_until", "manual", "reason")
            return [profile[f"{kind}_{name}"] for name in names]

        self.assertEqual(held(kept, "vip", "tier_id", "since"), tier)
        self.assertEqual(held(kept, "stage", "id", "date"), stage)
        self.assertEqual(kept.potential, 5000)
        # a hold of the survivor's own stays, one that is over gives way
        three._set_tier_by_hand(silver, "Agreed", until)
        three.write(
            {
                "stage_id": second.id,
                "stage_hold_until": self.today - timedelta(days=1),
                "potential": 70,
            }
        )
        self.merge(self.three, self.one)
        self.assertEqual((three.vip_tier_id, three.vip_reason), (silver, "Agreed"))
        self.assertEqual(held(three, "stage", "id", "date"), stage)
        self.assertEqual(three.potential, 70)

    def test_through_the_wizards_button(self):
        wizard = self.env["base.partner.merge.automatic.wizard"].create(
            {
                "partner_ids": [(6, 0, (self.one + self.two).ids)],
                "dst_partner_id": self.one.id,
                "state": "selection",
            }
        )
        with mute_logger("odoo.addons.base.wizard.base_partner_merge"):
            wizard.action_merge()
        self.run_refresh()
        self.assertFigures(self.one, 300, 2)


class TestDelete(MergeCase):
    def test_imported_history_stands_against_deleting(self):
        before = self.figures(self.home + self.abroad)
        with self.assertRaisesRegex(UserError, "“Two” has imported purchases. Archive"):
            self.two.unlink()
        self.assertTrue(self.two.exists())
        self.assertEqual(self.figures(self.home + self.abroad), before)

    def test_history_of_an_unseen_company_too(self):
        """A user of one company must not delete another company's history unawares."""
        partner = self.new_customer("Unseen")
        self.new_purchase(partner, 9, company=self.abroad)
        user = self.new_user(
            "lc_deleter", "sales_team.group_sale_manager,base.group_partner_manager", self.home
        )
        with self.assertRaises(UserError):
            partner.with_user(user).unlink()

    def test_without_history(self):
        """A prospect can be deleted, its profile goes along, the others' figures stay."""
        partner = self.new_customer("Prospect", email="p@example.com")
        lead = self.env["crm.lead"].create(
            {"name": "L", "partner_id": partner.id, "company_id": self.home.id}
        )
        self.run_refresh()
        profile = self.profile(partner)
        self.assertTrue(profile.active)
        before = self.figures(self.home)
        del before[partner.id, self.home.id]
        lead.unlink()
        partner.unlink()
        self.run_refresh()
        self.assertFalse(profile.exists())
        self.assertEqual(self.figures(self.home), before)

    def test_after_its_history_was_deleted(self):
        self.purchases.filtered(lambda purchase: purchase.partner_id == self.two).unlink()
        self.two.unlink()
        self.run_refresh()
        self.assertFalse(self.two.exists())
        self.assertEqual(self.profiles().partner_id, self.one + self.three)


class TestMoving(MergeCase):
    def test_contact_becomes_part_of_a_company_and_leaves_it(self):
        self.two.parent_id = self.three
        self.run_refresh()
        self.assertFigures(self.three, 600, 2)
        self.assertFigures(self.three, 20, 1, self.abroad)
        self.assertFalse(self.profile(self.two).active)
        self.assertEqual(self.two.lifecycle_revenue, 600, "a contact shows its company's")
        self.two.parent_id = False
        self.run_refresh()
        self.assertFigures(self.two, 200, 1)
        self.assertFigures(self.three, 400, 1)

    def test_from_company_to_company(self):
        contact = self.env["res.partner"].create({"name": "C", "parent_id": self.one.id})
        self.new_purchase(contact, 5, 3, self.home)
        self.run_refresh()
        contact.parent_id = self.two
        self.run_refresh()
        # what was bought for a firm stays with it, as Odoo's invoices do
        self.assertFigures(self.one, 105, 2)
        self.assertFigures(self.two, 200, 1)

    def test_archived_customer_keeps_its_figures(self):
        """History does not vanish from the sums because a contact is out of use."""
        self.one.active = False
        self.run_refresh()
        self.assertFigures(self.one, 100, 1)
        self.assertEqual(self.profile(self.one).last_order_date, self.today - timedelta(days=50))
