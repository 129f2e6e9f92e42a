from odoo.tests import new_test_user, tagged

from odoo.addons.customer_lifecycle.models.referral.referral_code import COOKIE

from ..common import LifecycleHttpCase


@tagged("standard", "post_install", "-at_install")
class TestReferralWeb(LifecycleHttpCase):
    """Links: the visit is remembered until the visitor signs up, asks or orders."""

    def setUp(self):
        super().setUp()
        env = self.env
        env["res.company"].browse(env.company.id).lifecycle_referral_portal = True
        env["lifecycle.referral.program"].search([]).active = False
        self.coupons = env["loyalty.program"].create(
            {
                "name": "Coupons",
                "program_type": "coupons",
                "applies_on": "current",
                "trigger": "with_code",
                "reward_ids": [
                    (0, 0, {"required_points": 1, "reward_type": "discount", "discount": 10,
                            "discount_mode": "percent"})
                ],
            }
        )
        self.program = env["lifecycle.referral.program"].create(
            {
                "name": "Bring a friend",
                "advocate_program_id": self.coupons.id,
                "friend_program_id": self.coupons.id,
            }
        )
        self.ann = env["res.partner"].create({"name": "Ann Advocate", "email": "a@example.com"})
        self.code = env["lifecycle.referral.code"]._of(self.ann)
        env["ir.config_parameter"].set_param("auth_signup.invitation_scope", "b2c")

    def invite(self, code=None):
        response = self.url_open(f"/invite/{code or self.code.name}", allow_redirects=False)
        self.assertIn(response.status_code, (302, 303))
        return response

    def sign_up(self, login="frida@example.com"):
        page = self.url_open("/web/signup")
        token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
        self.url_open(
            "/web/signup",
            data={
                "login": login,
                "name": "Frida Friend",
                "password": "long enough 1",
                "confirm_password": "long enough 1",
                "csrf_token": token,
            },
        )
        return self.env["res.users"].search([("login", "=", login)]).partner_id

    def referral(self, friend):
        return self.env["lifecycle.referral"].search([("friend_id", "=", friend.id)], limit=1)

    def test_link_and_sign_up(self):
        response = self.invite(self.code.name.lower())
        landing = "/" if "website" in self.env else "/web/signup"
        self.assertTrue(response.headers["Location"].endswith(landing))
        friend = self.sign_up()
        self.assertTrue(friend)
        self.assertEqual(friend.lifecycle_referred_by_id, self.ann)
        referral = self.referral(friend)
        self.assertEqual((referral.state, referral.how), ("joined", "link"))
        self.assertEqual(referral.friend_card_id.partner_id, friend)

    def test_cookie_outlives_the_visit(self):
        self.program.link_days = 7
        response = self.invite()
        cookie = next(
            (value for name, value in response.headers.items()
             if name == "Set-Cookie" and value.startswith(COOKIE)), None
        ) or str(response.cookies)
        self.assertIn(COOKIE, cookie)
        self.opener.cookies.set("session_id", None)
        self.opener.cookies.set(COOKIE, self.code.name)
        self.assertEqual(self.sign_up().lifecycle_referred_by_id, self.ann)

    def test_own_landing_page(self):
        self.program.landing_page = "/web/login?from=friend"
        response = self.invite()
        self.assertTrue(response.headers["Location"].endswith("/web/login?from=friend"))

    def test_wrong_link(self):
        for code in ("BCDFGHJ", "' OR 1=1", "é" * 7, "x" * 500):
            self.invite(code)
        friend = self.sign_up()
        self.assertFalse(friend.lifecycle_referred_by_id)
        self.assertFalse(self.referral(friend))

    def test_link_without_a_programme(self):
        self.program.active = False
        self.invite()
        self.assertFalse(self.sign_up().lifecycle_referred_by_id)

    def test_own_link(self):
        """Somebody who signs up once more with his own address."""
        self.invite()
        friend = self.sign_up("a@example.com")
        referral = self.referral(friend)
        self.assertEqual((referral.state, referral.reason), ("refused", "email"))
        self.assertFalse(friend.lifecycle_referred_by_id, "nor does it make him an advocate")
        self.assertFalse(referral.friend_card_id)

    def test_colleagues_are_not_remembered(self):
        new_test_user(self.env, "referral_clerk", "sales_team.group_sale_manager",
                      password="referral_clerk")
        self.authenticate("referral_clerk", "referral_clerk")
        response = self.invite()
        self.assertNotIn(COOKIE, str(response.headers))

    def test_portal_shows_the_own_link_only(self):
        other = self.env["res.partner"].create({"name": "Other", "email": "o@example.com"})
        foreign = self.env["lifecycle.referral.code"]._of(other)
        user = new_test_user(self.env, "referral_portal", "base.group_portal",
                             password="referral_portal", name="Petra Portal")
        self.authenticate("referral_portal", "referral_portal")
        page = self.url_open("/my").text
        own = self.env["lifecycle.referral.code"]._of(user.partner_id, create=False)
        self.assertTrue(own, "made when it is first shown")
        self.assertIn(own.link, page)
        self.assertNotIn(foreign.name, page)
        self.env.company.lifecycle_referral_portal = False
        self.assertNotIn(own.name, self.url_open("/my").text)
        self.env.company.lifecycle_referral_portal = True
        self.program.active = False
        self.assertNotIn(own.name, self.url_open("/my").text)

    def test_portal_copies_the_link(self):
        new_test_user(self.env, "referral_portal", "base.group_portal",
                      password="referral_portal")
        self.browser_js(
            "/my",
            """(async () => {
                let copied = null;
                Object.defineProperty(navigator, "clipboard", {
                    value: { writeText: async (text) => { copied = text; } },
                });
                const box = document.querySelector(".o_lifecycle_referral");
                const told = box.querySelector(".o_lifecycle_copied");
                if (!told.classList.contains("d-none")) { throw new Error("told too early"); }
                for (let tries = 0; tries < 400 && told.classList.contains("d-none"); tries++) {
                    box.querySelector(".o_lifecycle_copy").click();
                    await new Promise((resolve) => setTimeout(resolve, 100));
                }
                if (!copied || !copied.includes("/invite/")) { throw new Error("not copied"); }
                if (told.classList.contains("d-none")) { throw new Error("not told"); }
                console.log("test successful");
            })()""",
            ready="!!document.querySelector('.o_lifecycle_referral')",
            login="referral_portal",
        )

    # ----- WEB SHOP -----

    def test_guest_of_the_web_shop(self):
        if "website_id" not in self.env["sale.order"]._fields:
            self.skipTest("Needs the app eCommerce (website_sale).")
        website = self.env["website"].get_current_website()
        product = self.env["product.product"].create(
            {"name": "Shop item", "list_price": 100, "type": "service", "taxes_id": False,
             "website_published": True}
        )
        self.invite()
        self.make_jsonrpc_request(
            "/shop/cart/add",
            {"product_template_id": product.product_tmpl_id.id, "product_id": product.id,
             "quantity": 1},
        )
        page = self.url_open("/shop/address?address_type=billing").text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        country = self.env.ref("base.se")
        self.url_open(
            "/shop/address/submit",
            data={
                "csrf_token": token, "address_type": "billing", "name": "Frida Friend",
                "email": "frida@example.com", "phone": "+46 8 555 00 11", "street": "Two 2",
                "city": "Lund", "zip": "22222", "country_id": country.id,
                "use_delivery_as_billing": "true",
            },
        )
        order = self.env["sale.order"].search([("website_id", "=", website.id)], limit=1)
        friend = order.partner_id
        self.assertEqual(friend.name, "Frida Friend")
        self.assertEqual(friend.lifecycle_referred_by_id, self.ann)
        referral = self.referral(friend)
        self.assertEqual(referral.state, "joined")
        order._update_programs_and_rewards()
        self.assertEqual(order.applied_coupon_ids, referral.friend_card_id)
