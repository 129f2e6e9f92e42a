"""Opens and clicks of workflows' e-mails: seen where they may be, once, and only if genuine."""

import re
from html import unescape
from unittest.mock import patch
from urllib.parse import quote

from odoo.tests import tagged

from ..common import LifecycleHttpCase
from ..common_mail import MailCase

SHOP = "https://shop.example.com/a?x=1&y=%C3%A4"
BODY = f"""<p>Hello <a href="{SHOP.replace("&", "&amp;")}">our shop</a>
<a href='mailto:us@example.com'>write</a> <a href="#top">up</a> <a href="tel:+123">call</a>
<a href="https://example.com/invite/CODE">for friends</a></p>"""


def addresses(html):
    return [unescape(url) for url in re.findall(r'(?:href|src)=["\']([^"\']+)', html)]


class TestMailIsMeasured(MailCase):
    def setUp(self):
        super().setUp()
        self.template.body_html = BODY
        self.home.lifecycle_measure = "all"
        self.workflow = self.new_workflow()
        self.ann = self.new_profile("Ann")

    def send(self):
        self.move(self.ann, self.at_risk)
        self.run_workflows()
        ((_to, message),) = self.send_all()
        self.delivery = self.deliveries(self.workflow)
        return message, message.get_body(("html",)).get_content()

    def test_what_leaves_has_the_picture_and_signed_links(self):
        message, html = self.send()
        urls = addresses(html)
        followed = [url for url in urls if f"/lifecycle/link/{self.delivery.id}/" in url]
        pictures = [url for url in urls if f"/lifecycle/open/{self.delivery.id}/" in url]
        self.assertEqual((len(followed), len(pictures)), (1, 1))
        self.assertEqual(followed[0].partition("?url=")[2], quote(SHOP, safe=""))
        self.assertNotIn(SHOP, urls)
        for url in ("mailto:us@example.com", "#top", "tel:+123",
                    "https://example.com/invite/CODE"):
            self.assertIn(url, urls)
        unsubscribe = [url for url in urls if "/lifecycle/unsubscribe" in url]
        header = message["List-Unsubscribe"].replace(" ", "")
        self.assertEqual([f"<{url}>" for url in unsubscribe], [header])
        self.assertEqual(message["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")

    def test_chatter_has_neither(self):
        self.send()
        body = self.delivery.mail_message_id.body
        self.assertNotIn("/lifecycle/", body)
        self.assertIn(SHOP.replace("&", "&amp;"), body)

    def test_test_run_has_neither(self):
        me = self.new_user(
            "wf_me", "sales_team.group_sale_manager", self.home, email="me@example.com"
        )
        action = self.workflow.with_user(me).action_preview()
        preview = self.env[action["res_model"]].with_user(me).browse(action["res_id"])
        self.assertNotIn("/lifecycle/", preview.sequence_html)
        preview.action_test()
        ((_to, message),) = self.send_all()
        self.assertNotIn("/lifecycle/", message.as_string())

    def test_by_default_only_who_has_agreed(self):
        self.assertEqual(self.new_company("Fresh").lifecycle_measure, "agreed")
        self.home.lifecycle_measure = "agreed"
        ben = self.new_profile("Ben")
        ben.partner_id.lifecycle_marketing_consent = True
        for profile in (self.ann, ben):
            self.move(profile, self.at_risk)
        self.run_workflows()
        measured = {to[0]: "/lifecycle/open/" in message.get_body(("html",)).get_content()
                    for to, message in self.send_all()}
        self.assertEqual(measured, {"ann@example.com": False, "ben@example.com": True})
        deliveries = self.deliveries(self.workflow)
        self.assertEqual(deliveries.filtered("is_measured").partner_id, ben.partner_id)

    def test_nobody_is_measured_where_the_company_wants_that(self):
        self.home.lifecycle_measure = "none"
        self.ann.partner_id.lifecycle_marketing_consent = True
        _message, html = self.send()
        self.assertNotIn("/lifecycle/open/", html)
        self.assertNotIn("/lifecycle/link/", html)
        self.assertIn("/lifecycle/unsubscribe", html)

    def test_numbers_and_report(self):
        self.send()
        step = self.workflow.step_ids
        self.workflow.action_measure()
        self.assertIn("Opened, of 1 that are measured</td><td class=\"text-end\">0 (0.0 %)",
                      self.workflow.effect_html)
        self.delivery._set_seen(True)
        step.invalidate_recordset()
        self.assertEqual((step.opened_count, step.clicked_count), (1, 1))
        for action in (step.action_view_opened(), step.action_view_clicked()):
            found = self.env[action["res_model"]].search(action["domain"])
            self.assertEqual(found, self.delivery)
        self.workflow.action_measure()
        html = self.workflow.effect_html
        self.assertIn("Opened, of 1 that are measured</td><td class=\"text-end\">1 (100.0 %)", html)
        self.assertIn("Clicked, of 1 that are measured</td><td class=\"text-end\">1 (100.0 %)",
                      html)
        self.assertIn("load every picture by themselves", html)

    def journey(self, **options):
        return self.env["lifecycle.journey"].get_journey(self.ann.partner_id.id, **options)["items"]

    def test_journey_tells(self):
        self.send()
        self.delivery._set_seen(True)
        source = self.env["lifecycle.touchpoint.source"]
        told = [(item["title"], source.browse(item["key"][1]).lane) for item in self.journey()]
        for title in ("", "Opened: ", "Clicked in: "):
            self.assertEqual(told.count((f"{title}We miss you, Ann", "marketing")), 1)
        self.assertEqual([title for title, _lane in told if title.startswith("We miss you")],
                         ["We miss you, Ann"])

    def test_journey_tells_of_no_message_that_was_held_back(self):
        self.move(self.ann, self.at_risk)
        self.run_workflows()
        self.env["lifecycle.opt.out"]._unsubscribe("ann@example.com")
        self.assertFalse(self.send_all())
        titles = [item["title"] for item in self.journey() if "We miss you" in item["title"]]
        self.assertEqual(titles, ["Not sent: We miss you, Ann (Unsubscribed or blacklisted)"])

    def test_nothing_is_measured_after_consent_was_withdrawn_in_the_queue(self):
        self.home.lifecycle_measure = "agreed"
        self.ann.partner_id.lifecycle_marketing_consent = True
        self.move(self.ann, self.at_risk)
        self.run_workflows()
        self.ann.partner_id.lifecycle_marketing_consent = False
        ((_to, message),) = self.send_all()
        self.assertNotIn("/lifecycle/open/", message.get_body(("html",)).get_content())
        self.assertFalse(self.deliveries(self.workflow).is_measured)

    def test_what_the_mail_server_refuses_is_listed(self):
        """And counted as sent once somebody has it sent after all."""
        self.move(self.ann, self.at_risk)
        self.run_workflows()
        with patch.object(
            self.env.registry["ir.mail_server"],
            "send_email",
            side_effect=OSError("Nobody is at home"),
        ), self.assertLogs("odoo.addons.mail.models.mail_mail", "ERROR"):
            self.send_all()
        delivery = self.deliveries(self.workflow)
        self.assertEqual(delivery.state, "failed")
        self.assertIn("Nobody is at home", delivery.error)
        self.assertEqual(self.workflow.skipped_count, 1)
        action = self.workflow.action_view_skipped()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), delivery)
        mail = self.env["mail.mail"].search(
            [("mail_message_id", "=", delivery.mail_message_id.id)]
        )
        mail.mark_outgoing()
        self.assertEqual(len(self.send_all()), 1)
        self.assertEqual((delivery.state, delivery.error), ("done", False))


@tagged("-at_install", "post_install", "standard")
class TestSeen(LifecycleHttpCase):
    def setUp(self):
        super().setUp()
        self.partner = self.env["res.partner"].create(
            {"name": "Ann", "email": "ann@example.com", "lifecycle_marketing_consent": True}
        )
        company = self.env.company
        company.lifecycle_measure = "agreed"
        profile = self.env["lifecycle.profile"].create(
            {
                "partner_id": self.partner.id,
                "company_id": company.id,
                "currency_id": company.currency_id.id,
            }
        )
        self.delivery = self.env["lifecycle.workflow.delivery"].create(
            {
                "profile_id": profile.id,
                "partner_id": self.partner.id,
                "company_id": company.id,
                "recipient_id": self.partner.id,
                "kind": "email",
                "state": "done",
                "date": "2027-03-02 10:00:00",
                "is_measured": True,
            }
        )
        self.opener.headers["User-Agent"] = "Mozilla/5.0 Thunderbird"
        self.picture = self.local(self.delivery._picture_url())
        self.link = self.local(self.delivery._link_url(SHOP))

    def local(self, url):
        return url[url.index("/lifecycle") :]

    def get(self, url, **options):
        return self.url_open(url, allow_redirects=False, **options)

    def seen(self):
        self.delivery.invalidate_recordset()
        return bool(self.delivery.date_opened), bool(self.delivery.date_clicked)

    def test_picture_tells_of_opening_once(self):
        self.opener.cookies.clear()
        answer = self.get(self.picture)
        self.assertEqual((answer.status_code, answer.headers["Content-Type"]), (200, "image/gif"))
        self.assertIn("no-store", answer.headers["Cache-Control"])
        self.assertNotIn("Set-Cookie", answer.headers)
        self.assertEqual(self.seen(), (True, False))
        self.delivery.date_opened = first = self.delivery.date_opened.replace(year=2020)
        self.assertEqual(self.get(self.picture).status_code, 200)
        self.seen()
        self.assertEqual(self.delivery.date_opened, first)

    def test_click_leads_to_the_target_and_opens(self):
        answer = self.get(self.link)
        self.assertEqual(answer.status_code, 302)
        self.assertEqual(answer.headers["Location"], SHOP)
        self.assertEqual(self.seen(), (True, True))

    def test_forged_links_lead_nowhere_and_change_nothing(self):
        other = f"/lifecycle/open/{self.delivery.id + 1}/"
        mine = f"/lifecycle/open/{self.delivery.id}/"
        for url in (
            self.link.replace("shop.example.com", "evil.example.com"),
            self.link.split("?")[0],
            self.link.replace("?url=", "x?url="),
            self.link.replace("/link/", "/link/9"),
            self.picture.replace(mine, other),
            self.picture.replace(".gif", "0.gif"),
            f"{mine}é.gif",
            # the picture's signature is good for no link
            self.picture.replace("/open/", "/link/").replace(".gif", "?url="),
            self.picture.replace("/open/", "/link/").replace(".gif", "?url=https://e.example.com"),
        ):
            answer = self.get(url)
            self.assertEqual(answer.status_code, 404, url)
            self.assertNotIn("Location", answer.headers)
        self.assertEqual(self.seen(), (False, False))

    def test_link_checkers_are_no_customers(self):
        self.assertEqual(self.opener.head(self.base_url() + self.link).status_code, 302)
        self.opener.headers["User-Agent"] = "SomeBot/1.0"
        self.assertEqual(self.get(self.link).status_code, 302)
        self.assertEqual(self.get(self.picture).status_code, 200)
        self.assertEqual(self.seen(), (False, False))

    def test_nothing_is_noted_after_consent_is_withdrawn(self):
        self.env["lifecycle.opt.out"]._unsubscribe("ann@example.com")
        self.assertEqual(self.get(self.link).status_code, 302)
        self.assertEqual(self.seen(), (False, False))

    def test_link_leads_there_when_nothing_can_be_noted(self):
        with patch.object(
            self.env.registry["lifecycle.workflow.delivery"], "_set_seen", side_effect=ValueError
        ), self.assertLogs("odoo.addons.customer_lifecycle", "WARNING"):
            self.assertEqual(self.get(self.link).status_code, 302)
        self.delivery.unlink()
        self.assertEqual(self.get(self.link).status_code, 302)
