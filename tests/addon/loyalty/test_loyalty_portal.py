"""The portal: whose loyalty cards a customer sees, and what is said of them."""

from datetime import date

from odoo.tests import HttpCase, tagged

from ..common_loyalty import LoyaltyCase


@tagged("standard", "post_install", "-at_install")
class TestPortal(LoyaltyCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.partner"].create({"name": "Acme", "is_company": True})
        cls.ann = cls.env["res.partner"].create({"name": "Ann", "parent_id": cls.company.id})
        cls.card = cls.new_card(cls.company, 120)
        cls.user = cls.new_user(
            "acme_ann", "base.group_portal", cls.home, password="acme_ann",
            partner_id=cls.ann.id,
        )

    def setUp(self):
        super().setUp()
        self.authenticate("acme_ann", "acme_ann")

    def home_page(self):
        return self.url_open("/my").text

    def values(self, card):
        return self.make_jsonrpc_request(f"/my/loyalty_card/{card.id}/values")

    def test_contact_sees_the_card_of_the_company(self):
        self.sell(self.ann)
        page = self.home_page()
        self.assertIn(f'data-card_id="{self.card.id}"', page)
        self.assertIn("220 Points", page)
        values = self.values(self.card)
        self.assertEqual(values["card"]["points_display"], "220 Points")
        self.assertEqual(values["history_lines"][0]["points"], "+100 Points")
        history = self.url_open(f"/my/loyalty_card/{self.card.id}/history").text
        self.assertIn(self.card.history_ids[0].description, history)
        self.assertIn("100 Points", history)

    def test_own_card_goes_before_that_of_the_company(self):
        own = self.new_card(self.ann, 30)
        page = self.home_page()
        self.assertIn(f'data-card_id="{own.id}"', page)
        self.assertNotIn(f'data-card_id="{self.card.id}"', page)

    def test_cards_of_others_are_not_shown(self):
        colleague = self.env["res.partner"].create(
            {"name": "Ben", "parent_id": self.company.id}
        )
        wallet = self.new_program(
            "Wallet", program_type="ewallet", reward_ids=self.wallet_reward()
        )
        hidden = [
            self.new_card(self.new_customer("Stranger"), 70),
            self.new_card(colleague, 60),
            self.new_card(self.company, 50, wallet),
        ]
        page = self.home_page()
        for card in hidden:
            with self.subTest(card=card.partner_id.name):
                self.assertNotIn(f'data-card_id="{card.id}"', page)
                history = self.url_open(f"/my/loyalty_card/{card.id}/history")
                self.assertTrue(history.url.endswith("/my"), "sent back to the start")
        self.ann.parent_id = False
        self.assertNotIn(f'data-card_id="{self.card.id}"', self.home_page(), "left the company")

    def wallet_reward(self):
        return [
            (0, 0, {"reward_type": "discount", "discount_mode": "per_point", "discount": 1,
                    "required_points": 1})
        ]

    def test_day_that_points_expire_is_told(self):
        self.assertFalse(self.values(self.card)["card"]["expiration_date"])
        self.card.lifecycle_points_expiry = date(2031, 5, 14)
        self.assertEqual(self.values(self.card)["card"]["expiration_date"], "2031-05-14")
        own = self.new_card(self.ann, 30)
        own.lifecycle_points_expiry = date(2031, 6, 1)
        self.assertEqual(self.values(own)["card"]["expiration_date"], "2031-06-01")
