"""Whom a tier gives its members to: salesperson, team and loyalty programme."""

from datetime import timedelta

from odoo.tests import Form

from ..common_tiers import START, BenefitCase


class TestTierPeople(BenefitCase):
    def test_a_salesperson_comes_only_where_there_is_none(self):
        seller = self.new_user("vip_care", "sales_team.group_sale_salesman", self.company)
        self.gold.user_id = seller
        alone = self.vip_customer("Alone")
        served = self.vip_customer("Served", user_id=self.env.user.id)
        self.classify(START)
        self.give()
        self.assertEqual((alone.user_id, served.user_id), (seller, self.env.user))
        self.leave()
        self.assertFalse(alone.user_id)
        self.assertEqual(served.user_id, self.env.user)

    def test_a_salesperson_who_has_left_gets_no_members_and_the_tier_says_so(self):
        seller, boss = (
            self.new_user(login, "sales_team.group_sale_salesman", self.company)
            for login in ("vip_gone", "vip_boss")
        )
        self.gold.user_id = seller
        self.assertFalse(self.gold.benefit_warning)
        seller.action_archive()
        alone = self.vip_customer("Alone")
        self.classify(START)
        self.give()
        self.assertFalse(alone.user_id)
        self.assertIn("has left: new members get no salesperson", self.gold.benefit_warning)
        # the leader of the tier's team stands in, once there is one; a portal user leads nobody
        self.gold.team_id = self.env["crm.team"].create(
            {"name": "Care", "company_id": self.company.id, "user_id": boss.id}
        )
        self.gold.action_give_benefits()
        self.give()
        self.assertEqual(alone.user_id, boss)
        self.assertIn(f"members go to {boss.name}", self.gold.benefit_warning)
        # and is told of members who are about to leave
        self.profile(alone).vip_review_date = START + timedelta(60)
        alone.user_id = seller
        self.give()
        self.assertEqual(self.profile(alone).vip_activity_id.user_id, boss)

    def test_enrolment_finds_or_makes_one_card_and_leaves_it(self):
        program = self.env["loyalty.program"].with_context(
            default_program_type="loyalty"
        ).create({"name": "Club", "program_type": "loyalty", "company_id": self.company.id})
        self.gold.loyalty_program_id = program
        old, new = self.vip_customer("Old member"), self.vip_customer("New member")
        card = self.env["loyalty.card"].create(
            {"program_id": program.id, "partner_id": old.id, "points": 7}
        )
        mails = self.env["mail.mail"].search_count([])
        self.classify(START)
        self.give()
        cards = self.env["loyalty.card"].search([("program_id", "=", program.id)])
        self.assertEqual(len(cards), 2)
        self.assertEqual((cards & card).points, 7)
        self.assertEqual((cards - card).partner_id, new)
        self.leave()
        # back in the tier: no second card
        self.buy(new, START + timedelta(430), amount=2000)
        self.classify(START + timedelta(430))
        self.give()
        again = self.env["loyalty.card"].search([("program_id", "=", program.id)])
        self.assertEqual(again, cards)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)

    def test_an_archived_card_is_not_given_again(self):
        program = self.env["loyalty.program"].create(
            {"name": "Club", "program_type": "loyalty", "company_id": self.company.id}
        )
        self.gold.loyalty_program_id = program
        partner = self.vip_customer()
        card = self.env["loyalty.card"].create(
            {"program_id": program.id, "partner_id": partner.id, "active": False}
        )
        self.classify(START)
        self.give()
        cards = self.env["loyalty.card"].with_context(active_test=False)
        self.assertEqual(cards.search([("program_id", "=", program.id)]), card)

    def test_two_companies_do_not_fight_over_the_salesperson(self):
        other = self.new_company("Neighbour Ltd", lifecycle_tz="UTC")
        ours, theirs = (
            self.new_user(login, "sales_team.group_sale_salesman", company)
            for login, company in (("ours", self.company), ("theirs", other))
        )
        self.gold.user_id = ours
        partner = self.vip_customer()
        self.classify(START)
        there = self.env["lifecycle.profile"].sudo().create(
            {
                "partner_id": partner.id,
                "company_id": other.id,
                "currency_id": other.currency_id.id,
                "vip_tier_id": self.new_tier(company_id=other.id, user_id=theirs.id).id,
            }
        )
        for _again in range(3):
            self.give()
            self.assertEqual(partner.user_id, ours)
            there.vip_benefits_due = True
        # the first company has no claim any more: the second one's turn
        self.leave()
        self.give()
        self.assertEqual(partner.user_id, theirs)
        self.assertEqual(there.vip_user_id, theirs)
        here = self.env["lifecycle.profile"].search(
            [("partner_id", "=", partner.id), ("company_id", "=", self.company.id)]
        )
        self.assertFalse(here.vip_user_id)

    # ----- TEAM -----

    def key_accounts(self):
        team = self.env["crm.team"].create(
            {"name": "Key Accounts", "company_id": self.company.id, "use_opportunities": True}
        )
        self.gold.team_id = team
        return team

    def test_documents_of_members_start_with_the_tiers_team(self):
        team = self.key_accounts()
        partner = self.vip_customer(is_company=True)
        contact = self.new_customer("Contact", parent_id=partner.id)
        plain = self.new_customer("Plain")
        self.classify(START)
        self.assertEqual(self.quotation(partner).team_id, team)
        self.assertEqual(self.quotation(contact).team_id, team)
        self.assertNotEqual(self.quotation(plain).team_id, team)
        leads = self.env["crm.lead"].create(
            [
                {"name": one.name, "partner_id": one.id, "type": "opportunity"}
                for one in (contact, plain)
            ]
        )
        self.assertEqual(leads[0].team_id, team)
        self.assertNotEqual(leads[1].team_id, team)
        author = self.new_user(
            "lead_author", "sales_team.group_sale_salesman_all_leads", self.company
        )
        leads = self.env["crm.lead"].with_user(author).with_context(default_type="opportunity")
        with Form(leads) as form:
            form.name = "By hand"
            form.partner_id = contact
            self.assertEqual(form.team_id, team)

    def test_a_salesperson_or_a_choice_goes_before_the_tiers_team(self):
        team = self.key_accounts()
        chosen = self.env["crm.team"].create(
            {"name": "Chosen", "company_id": self.company.id, "use_opportunities": True}
        )
        partner = self.vip_customer()
        served = self.vip_customer("Served", user_id=self.env.user.id)
        self.classify(START)
        self.assertNotEqual(self.quotation(served).team_id, team)
        order = self.quotation(partner)
        order.team_id = chosen
        order.partner_id = self.vip_customer("Another")
        self.env.flush_all()
        self.assertNotEqual(order.team_id, team)
        lead = self.env["crm.lead"].create(
            {
                "name": "Chosen",
                "partner_id": partner.id,
                "team_id": chosen.id,
                "type": "opportunity",
            }
        )
        self.assertEqual(lead.team_id, chosen)
        team.active = False
        self.assertNotEqual(self.quotation(partner).team_id, team)
