import base64
import csv
import io
from datetime import date
from hashlib import sha256

from odoo.exceptions import AccessError, UserError

from ..common import LifecycleCase

#: hash of test@example.com, as published in the documentation of several platforms
TEST_EXAMPLE = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"


def digest(text):
    return sha256(text.encode()).hexdigest()


class TestAudiences(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company(
            "Audiences Ltd", country_id=cls.env.ref("base.be").id
        )
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.segment = cls.env["lifecycle.segment"].create(
            {"name": "Everybody", "domain": f"[('company_id', '=', {cls.company.id})]"}
        )
        cls.exports = cls.env["lifecycle.audience.export"]

    def new_member(self, name, **values):
        partner = self.new_customer(name, **values)
        self.env["lifecycle.profile"].sudo().create(
            {
                "partner_id": partner.id,
                "company_id": self.company.id,
                "currency_id": self.company.currency_id.id,
            }
        )
        return partner

    def classify(self):
        self.env["lifecycle.classifier"]._classify_segments(
            self.company, date(2024, 1, 10), cause="edit"
        )

    def export(self, platform="google", **options):
        self.classify()
        return self.exports._export(self.segment, platform, **options)

    def rows(self, content):
        text = base64.b64decode(content or b"").decode()
        return [tuple(row) for row in csv.reader(io.StringIO(text))]

    def test_addresses_and_numbers_are_normalised_and_hashed(self):
        self.new_member("Ann", email=" Test@Example.COM ", phone="0470 12 34 56",
                        country_id=self.env.ref("base.be").id)
        google = self.rows(self.export().addition_file)
        self.assertEqual(
            google, [("Email", "Phone"), (TEST_EXAMPLE, digest("+32470123456"))]
        )
        meta = self.rows(self.export("meta").addition_file)
        self.assertEqual(meta, [("email", "phone"), (TEST_EXAMPLE, digest("32470123456"))])

    def test_an_export_holds_what_has_changed_since_the_last(self):
        ann, bob = (
            self.new_member(name, email=f"{name}@example.com") for name in ("ann", "bob")
        )
        first = self.export()
        self.assertEqual((first.added_count, first.removed_count, first.audience_count), (2, 0, 2))
        self.assertFalse(first.removal_file)
        self.new_member("cid", email="cid@example.com")
        bob.email = "robert@example.com"
        ann.active = False
        second = self.export()
        self.assertEqual(
            self.rows(second.addition_file)[1:],
            sorted([(digest("cid@example.com"), ""), (digest("robert@example.com"), "")]),
        )
        self.assertEqual(
            self.rows(second.removal_file)[1:],
            sorted([(digest("ann@example.com"), ""), (digest("bob@example.com"), "")]),
        )
        self.assertEqual(second.audience_count, 2)
        third = self.export()
        self.assertEqual((third.added_count, third.removed_count, third.audience_count), (0, 0, 2))
        # another platform has not been told anything yet
        self.assertEqual(self.export("meta").added_count, 2)

    def test_who_leaves_the_segment_or_is_deleted_is_removed(self):
        ann, bob = (
            self.new_member(name, email=f"{name}@example.com") for name in ("ann", "bob")
        )
        self.export()
        ann.unlink()
        self.segment.domain = "[('partner_id.name', '=', 'nobody')]"
        self.assertEqual(self.export().removed_count, 2)
        self.assertTrue(bob.exists())

    def test_who_must_not_be_contacted_is_left_out(self):
        self.new_member("fine", email="fine@example.com")
        self.new_member("by mail", email="no-mail@example.com", phone="+32470111111")
        self.new_member("by phone", email="no-phone@example.com", phone="+32470222222")
        self.new_member("excluded", email="excluded@example.com", lifecycle_exclude=True)
        self.new_member("archived", email="archived@example.com").active = False
        self.new_member("without address")
        self.env["mail.blacklist"].sudo()._add("no-mail@example.com")
        self.env["phone.blacklist"].sudo().add("+32470222222")
        export = self.export()
        self.assertEqual(
            self.rows(export.addition_file)[1:], [(digest("fine@example.com"), "")]
        )
        # archived contacts are no people of the segment any more
        self.assertEqual(export.left_out_count, 4)

    def test_addresses_that_mails_come_back_from_are_left_out(self):
        self.new_member("fine", email="fine@example.com")
        self.new_member("gone", email="gone@example.com").message_bounce = 1
        self.new_member("phone", email="dead@example.com", phone="+32470111111").message_bounce = 2
        export = self.export()
        rows = self.rows(export.addition_file)[1:]
        self.assertEqual({row[0] for row in rows}, {digest("fine@example.com"), ""})
        self.assertEqual((len(rows), export.left_out_count), (2, 1))

    def test_who_objects_later_is_removed(self):
        self.new_member("ann", email="ann@example.com")
        self.export()
        self.env["mail.blacklist"].sudo()._add("ann@example.com")
        export = self.export()
        self.assertEqual(self.rows(export.removal_file)[1:], [(digest("ann@example.com"), "")])

    def test_who_has_not_agreed_is_left_out_where_that_is_needed(self):
        self.company.lifecycle_consent_required = True
        self.new_member("ann", email="ann@example.com")
        self.new_member("bob", email="bob@example.com", lifecycle_marketing_consent=True)
        export = self.export()
        self.assertEqual(self.rows(export.addition_file)[1:], [(digest("bob@example.com"), "")])
        self.assertEqual(export.left_out_count, 1)

    def test_who_has_left_a_mailing_list_is_left_out(self):
        if "mailing.subscription" not in self.env:
            self.skipTest("Needs the app Email Marketing (mass_mailing).")
        self.new_member("ann", email="ann@example.com")
        self.new_member("bob", email="bob@example.com")
        for email, opt_out in (("Ann@Example.com", True), ("bob@example.com", False)):
            self.env["mailing.subscription"].create(
                {
                    "contact_id": self.env["mailing.contact"].create({"email": email}).id,
                    "list_id": self.env["mailing.list"].create({"name": "News"}).id,
                    "opt_out": opt_out,
                }
            )
        export = self.export()
        self.assertEqual(self.rows(export.addition_file)[1:], [(digest("bob@example.com"), "")])

    def test_an_address_that_stays_is_not_removed(self):
        """Platforms match either: removing the old pair would remove the person."""
        ann = self.new_member("ann", email="ann@example.com")
        bob, _cid = (
            self.new_member(name, email=f"{name}@example.com", phone="+32470111111")
            for name in ("bob", "cid")
        )
        self.export()
        ann.phone = "+32470222222"
        export = self.export()
        self.assertEqual(
            self.rows(export.addition_file)[1:],
            [(digest("ann@example.com"), digest("+32470222222"))],
        )
        self.assertEqual((export.removed_count, export.audience_count), (0, 3))
        self.assertFalse(export.removal_file)
        bob.active = False
        ann.phone = False
        export = self.export()
        self.assertEqual(
            self.rows(export.removal_file)[1:],
            sorted([(digest("bob@example.com"), ""), ("", digest("+32470222222"))]),
        )
        self.assertEqual((export.removed_count, export.audience_count), (2, 2))
        self.assertEqual(self.export().removed_count, 0)

    def test_people_of_another_company_are_not_exported(self):
        customer = self.new_member("Roasters", is_company=True)
        other = self.new_company("Other People Ltd")
        for name, company in (("all", False), ("mine", self.company), ("theirs", other)):
            self.new_customer(
                name,
                parent_id=customer.id,
                email=f"{name}@example.com",
                company_id=company and company.id,
            )
        self.assertEqual(
            self.rows(self.export().addition_file)[1:],
            sorted((digest(f"{name}@example.com"), "") for name in ("all", "mine")),
        )

    def test_the_people_of_a_company_are_its_audience_and_its_addresses_are_not(self):
        company = self.new_member("Roasters", is_company=True)
        self.new_customer("Buyer", parent_id=company.id, email="buyer@example.com")
        self.new_customer(
            "Ramp", parent_id=company.id, email="ramp@example.com", type="delivery"
        )
        self.assertEqual(
            self.rows(self.export().addition_file)[1:], [(digest("buyer@example.com"), "")]
        )

    def test_an_export_names_its_campaign_and_stays(self):
        campaign = self.env["utm.campaign"].create({"name": "Spring"})
        self.segment.campaign_id = campaign
        self.new_member("ann", email="ann@example.com")
        export = self.export()
        self.assertEqual(export.campaign_id, campaign)
        self.assertIn("Spring", export.addition_name)
        self.assertEqual(export.user_id, self.env.user)
        with self.assertRaises(UserError):
            export.added_count = 99
        with self.assertRaises(UserError):
            export.unlink()

    def test_only_sales_administrators_export_and_see_exports(self):
        self.new_member("ann", email="ann@example.com")
        export = self.export()
        salesman = self.new_user(
            "aud_all", "sales_team.group_sale_salesman_all_leads", self.company
        )
        manager = self.new_user("aud_manager", "sales_team.group_sale_manager", self.company)
        with self.assertRaises(AccessError):
            self.exports.with_user(salesman)._export(self.segment.with_user(salesman), "google")
        with self.assertRaises(AccessError):
            export.with_user(salesman).read(["addition_file"])
        with self.assertRaises(AccessError):
            self.exports.with_user(manager).create({"segment_id": self.segment.id})
        wizard = self.env["lifecycle.audience.export.wizard"].with_user(manager)
        wizard = wizard.with_company(self.company).create(
            {"segment_id": self.segment.id, "platform": "meta"}
        )
        made = self.exports.with_user(manager).browse(wizard.action_export()["res_id"])
        self.assertEqual((made.added_count, made.user_id), (1, manager))
        self.assertTrue(made.addition_file)

    def test_companies_have_audiences_of_their_own(self):
        self.new_member("ann", email="ann@example.com")
        self.export()
        other = self.new_company("Other Audiences Ltd")
        elsewhere = self.exports.with_company(other)._export(
            self.segment.with_company(other), "google"
        )
        self.assertEqual((elsewhere.added_count, elsewhere.audience_count), (0, 0))
        self.assertEqual(self.export().removed_count, 0)

    def test_each_of_several_addresses_is_judged_and_given(self):
        self.new_member("two", email="a@example.com; B@example.com")
        self.new_member("one left", email="c@example.com, d@example.com")
        self.new_member("nobody", email="c@example.com; e@example.com")
        self.env["mail.blacklist"].create(
            [{"email": "c@example.com"}, {"email": "e@example.com"}]
        )
        export = self.export()
        self.assertEqual(
            self.rows(export.addition_file)[1:],
            sorted((digest(f"{letter}@example.com"), "") for letter in "abd"),
        )
        self.assertEqual((export.audience_count, export.left_out_count), (3, 1))

    def test_who_has_said_no_by_a_former_address_is_left_out(self):
        ann = self.new_member("ann", email="ann@example.com", phone="+32470111111")
        bob = self.new_member("bob", email="bob@example.com")
        self.new_member("cid", email="cid@example.com; shared@example.com")
        for email in ("ann@example.com", "bob@example.com", "shared@example.com"):
            self.env["lifecycle.opt.out"]._unsubscribe(email)
        ann.email = "anna@example.com"
        bob.email = False
        bob.phone = "+32470222222"
        export = self.export()
        self.assertEqual(self.rows(export.addition_file)[1:], [(digest("cid@example.com"), "")])
        self.assertEqual(export.left_out_count, 2)

    def test_withdrawn_agreement_where_it_is_needed(self):
        ann = self.new_member("ann", email="ann@example.com", lifecycle_marketing_consent=True)
        ann.lifecycle_marketing_consent = False
        ann.with_context(import_file=True).lifecycle_marketing_consent = True
        self.assertEqual(self.export().audience_count, 1)
        self.company.lifecycle_consent_required = True
        self.assertEqual(self.export().audience_count, 0)
