"""The way to an order: first touch, last touch before each order, how many and how long."""

from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..common_runs import RunCase
from .test_journey import SALESMAN, JourneyCase

TOUCHES = (
    "first_touch_date",
    "first_touch_id",
    "first_source_id",
    "touch_count",
    "touches_to_first_order",
    "days_to_first_order",
    "first_order_touch_id",
    "first_order_source_id",
    "last_order_touch_id",
    "last_order_source_id",
)


class TouchCase(JourneyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.now = fields.Datetime.now()
        cls.newsletter = cls.env["utm.source"].create({"name": "Spring newsletter"})
        cls.fair = cls.env["utm.source"].create({"name": "Fair"})

    def ago(self, days):
        return self.now - timedelta(days=days)

    def refresh(self, *partners):
        self.env.flush_all()
        partners = partners or (self.customer,)
        self.env["lifecycle.pipeline"]._refresh(self.company, [one.id for one in partners])
        return self.profile(partners[0], self.company)

    def values(self, profile):
        profile.invalidate_recordset()
        return {name: profile[name] for name in TOUCHES}

    def order_touches(self, profile):
        """(days ago, touches, last touch, source) of each order, oldest first."""
        today = self.company._lifecycle_today()
        rows = self.env["lifecycle.order.touch"].search(
            [("profile_id", "=", profile.id)], order="date"
        )
        return [
            ((today - row.date).days, row.touch_count, row.touchpoint_id, row.source_id)
            for row in rows
        ]


class TestDeleted(TouchCase):
    """Profiles name nothing that is not there, though no foreign key sees to it."""

    def test_sources_teams_and_touchpoints_that_are_deleted(self):
        touchpoint = self.env["lifecycle.touchpoint.source"].search([], limit=1)
        medium, campaign, team = (
            self.env[model].create({"name": "Gone soon"})
            for model in ("utm.medium", "utm.campaign", "crm.team")
        )
        self.new_order(self.customer, 50, days_ago=2, company=self.company)
        profile = self.refresh()
        profile.write(
            {
                "first_source_id": self.newsletter.id,
                "last_order_source_id": self.fair.id,
                "first_order_medium_id": medium.id,
                "last_order_campaign_id": campaign.id,
                "first_touch_id": touchpoint.id,
                "usual_team_id": team.id,
            }
        )
        for record in (self.newsletter, medium, campaign, touchpoint, team):
            record.unlink()
        named = profile.read(
            ["first_source_id", "first_order_medium_id", "last_order_campaign_id",
             "first_touch_id", "usual_team_id"]
        )[0]
        self.assertEqual({name for name, value in named.items() if value}, {"id"})
        self.assertEqual(profile.last_order_source_id, self.fair)

    def test_nothing_is_forgotten_of_what_somebody_may_not_delete(self):
        self.new_order(self.customer, 50, days_ago=2, company=self.company)
        profile = self.refresh()
        profile.first_source_id = self.newsletter
        user = self.new_user("touch_nobody", "base.group_user", self.company)
        with self.assertRaises(AccessError):
            self.newsletter.with_user(user).unlink()
        self.env["utm.source"].with_user(user).browse().unlink()
        profile.invalidate_recordset()
        self.assertEqual(profile.first_source_id, self.newsletter)


class TestWay(TouchCase):
    def test_from_the_newsletter_to_the_second_order(self):
        self.new_lead(
            "Asked", self.ago(50), partner_id=self.contact.id, source_id=self.newsletter.id
        )
        self.new_message(self.customer, "How much?", date=self.ago(30))
        self.new_message(self.contact, "And when?", date=self.ago(20))
        self.new_order(self.contact, 100, days_ago=12, company=self.company)
        meeting = self.env["calendar.event"].create(
            {
                "name": "Visit",
                "start": self.ago(9),
                "stop": self.ago(9) + timedelta(hours=1),
                # two people of one company meet us once
                "partner_ids": [Command.set((self.customer | self.contact).ids)],
            }
        )
        order = self.new_order(
            self.customer, 50, days_ago=2, company=self.company, source_id=self.fair.id
        )
        profile = self.refresh()
        first, message = self.source("lead_created"), self.source("message_received")
        self.assertEqual(
            self.values(profile),
            {
                "first_touch_date": self.ago(50).date(),
                "first_touch_id": first,
                "first_source_id": self.newsletter,
                "touch_count": 4,
                "touches_to_first_order": 3,
                "days_to_first_order": 38,
                "first_order_touch_id": message,
                "first_order_source_id": self.newsletter,
                "last_order_touch_id": self.source("meeting"),
                # the link that the customer followed to this order
                "last_order_source_id": self.fair,
            },
        )
        self.assertEqual(
            self.order_touches(profile),
            [
                (12, 3, message, self.newsletter),
                (2, 1, self.source("meeting"), self.fair),
            ],
        )
        self.assertEqual(
            profile._way_text(),
            "Came through “Spring newsletter”; 3 touches in 38 days before the first order.",
        )
        self.assertIn("through “Fair”", profile._last_order_text())
        chips = {chip["name"]: chip for chip in profile._overview_chips()}
        self.assertIn(profile._way_text(), chips["origin"]["why"])
        # what disappears is forgotten
        meeting.unlink()
        profile = self.refresh()
        self.assertEqual(profile.touch_count, 3)
        self.assertFalse(profile.last_order_touch_id)
        self.assertEqual(self.order_touches(profile)[1], (2, 0, first.browse(), self.fair))
        order.action_cancel()
        profile = self.refresh()
        self.assertEqual(len(self.order_touches(profile)), 1)
        self.assertEqual(profile.last_order_source_id, self.newsletter)

    def test_only_what_came_before_leads_to_an_order(self):
        self.new_order(self.customer, 100, days_ago=10, company=self.company)
        self.new_message(self.customer, "Where is it?", date=self.ago(9))
        profile = self.refresh()
        self.assertEqual(profile.touch_count, 1)
        self.assertEqual(profile.touches_to_first_order, 0)
        self.assertFalse(profile.first_order_touch_id)
        self.assertFalse(self.order_touches(profile))

    def test_notes_bills_and_plans_are_no_touches(self):
        self.new_order(self.customer, 10, company=self.company)
        before = self.refresh().touch_count
        self.new_message(
            self.customer,
            "Careful",
            author=self.env.user.partner_id,
            message_type="comment",
            subtype_id=self.env.ref("mail.mt_note").id,
        )
        event = self.env["calendar.event"].create(
            {
                "name": "Next year",
                "start": self.now + timedelta(days=300),
                "stop": self.now + timedelta(days=300, hours=1),
                "partner_ids": [Command.set(self.customer.ids)],
            }
        )
        self.assertEqual(self.refresh().touch_count, before)
        event.write({"start": self.ago(1), "stop": self.ago(1) + timedelta(hours=1)})
        self.assertEqual(self.refresh().touch_count, before + 1)

    def test_other_companies_leads_do_not_count(self):
        other = self.new_company("Other Ltd")
        self.new_order(self.customer, 10, company=self.company)
        self.env["crm.lead"].create(
            {"name": "Theirs", "partner_id": self.customer.id, "company_id": other.id}
        )
        self.assertEqual(self.refresh().touch_count, 0)

    def test_only_what_every_salesperson_may_read_counts(self):
        self.new_order(self.customer, 10, days_ago=1, company=self.company)
        self.assertEqual(self.refresh().touch_count, 0)
        open_source = self.new_source(counts_as_touch=True)
        self.assertFalse(open_source.touch_note)
        self.assertEqual(self.refresh().touch_count, 1)
        # a field that only managers may read
        open_source.title = "{name} {vip_why}"
        self.assertFalse(open_source.touch_note)
        secret = self.env["res.partner"]._fields["vip_why"]
        self.patch(secret, "groups", "base.group_system")
        open_source.invalidate_recordset(["touch_note"])
        self.assertIn("not every salesperson", open_source.touch_note)
        self.assertEqual(self.refresh().touch_count, 0)
        closed = self.new_source(
            model="lifecycle.run",
            partner_path="company_id.partner_id",
            title="{kind}",
            counts_as_touch=True,
        )
        self.assertTrue(closed.touch_note)

    def test_a_broken_source_leaves_the_others_in_place(self):
        self.new_lead("Asked", self.ago(5), partner_id=self.customer.id)
        self.new_order(self.customer, 10, days_ago=1, company=self.company)
        broken = self.new_source(counts_as_touch=True)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE lifecycle_touchpoint_source SET date_path = 'gone' WHERE id = %s",
            [broken.id],
        )
        broken.invalidate_recordset()
        self.assertEqual(self.refresh().touch_count, 1)

    def test_everybody_sees_the_touches_of_his_customers_only(self):
        self.new_lead("Asked", self.ago(5), partner_id=self.customer.id)
        self.new_order(self.customer, 10, days_ago=1, company=self.company)
        profile = self.refresh()
        mine = self.new_user("touch_mine", SALESMAN, self.company)
        other = self.new_user("touch_other", SALESMAN, self.company)
        clerk = self.new_user("touch_clerk", "base.group_user", self.company)
        self.customer.user_id = mine
        self.env.flush_all()
        touches = self.env["lifecycle.order.touch"]
        self.assertEqual(touches.with_user(mine).search_count(Domain.TRUE), 1)
        self.assertEqual(touches.with_user(other).search_count(Domain.TRUE), 0)
        with self.assertRaises(AccessError):
            touches.with_user(clerk).search(Domain.TRUE)
        partners = self.env["res.partner"].with_company(self.company)
        domain = [("lifecycle_touches_to_first_order", "=", 1)]
        family = self.customer | self.contact
        self.assertEqual(partners.with_user(mine).search(domain), family)
        self.assertFalse(partners.with_user(other).search(domain))
        with self.assertRaises(AccessError):
            partners.with_user(clerk).search(domain)
        self.assertEqual(profile.order_touch_ids.partner_id, self.customer)

    def test_customers_by_channel(self):
        self.new_lead(
            "Asked", self.ago(5), partner_id=self.customer.id, source_id=self.newsletter.id
        )
        self.new_order(self.customer, 70, days_ago=1, company=self.company)
        self.refresh()
        groups = self.env["lifecycle.profile"].formatted_read_group(
            [("company_id", "=", self.company.id), ("first_source_id", "!=", False)],
            ["first_source_id"],
            ["clv_historical:sum", "days_to_first_order:avg"],
        )
        self.assertEqual(
            [
                (row["first_source_id"][0], row["clv_historical:sum"])
                + (row["days_to_first_order:avg"],)
                for row in groups
            ],
            [(self.newsletter.id, 70, 4)],
        )


class TestNight(RunCase):
    def message(self, partner, **values):
        return self.env["mail.message"].create(
            {
                "model": "res.partner",
                "res_id": partner.id,
                "body": "Hello",
                "message_type": "email",
                "subtype_id": self.env.ref("mail.mt_comment").id,
                "author_id": partner.id,
                **values,
            }
        )

    def touches(self, partner):
        return self.profile(partner, self.home).touch_count

    def test_a_night_looks_at_those_only_who_were_in_touch(self):
        partner = self.customers[3]
        self.run_nightly()
        self.assertEqual(self.touches(partner), 0)
        self.message(partner)
        before = self.versions()
        self.request()
        self.run_nightly()
        self.assertEqual(self.touches(partner), 1)
        after = self.versions()
        changed = {id_ for id_ in before if before[id_] != after[id_]}
        self.assertEqual(changed, set(self.profile(partner, self.home).ids))
        # and again: nothing is new, nothing is written
        self.request()
        self.run_nightly()
        self.assertEqual(self.versions(), after)

    def test_a_changed_source_makes_everybody_due(self):
        self.run_nightly()
        source = self.env["lifecycle.touchpoint.source"].create(
            {
                "name": "Entered",
                "lane": "sales",
                "model": "res.partner",
                "partner_path": "commercial_partner_id",
                "date_path": "create_date",
                "title": "{name}",
                "counts_as_touch": True,
            }
        )
        self.request()
        self.run_nightly()
        self.assertEqual({self.touches(one) for one in self.customers[:9]}, {1})
        source.active = False
        self.request()
        self.run_nightly()
        self.assertEqual({self.touches(one) for one in self.customers[:9]}, {0})

    def test_a_night_and_a_refresh_find_the_same(self):
        partner = self.customers[5]
        self.message(partner, date=fields.Datetime.now() - timedelta(days=400))
        self.run_nightly()
        before = self.versions()
        self.env["lifecycle.pipeline"]._refresh(self.home, self.customers.ids)
        self.assertEqual(self.versions(), before)
        self.assertEqual(self.touches(partner), 1)
