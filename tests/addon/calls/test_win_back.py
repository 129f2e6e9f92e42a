"""The delivered win-back workflow over three weeks, with real orders and a real mail server."""

import hashlib
import statistics
from collections import Counter
from datetime import timedelta

from ..common_mail import MailCase
from ..common_workflow import START

CONTROL = 30
#: customers of the control group and others, so that the draw is the same in every database
DRAWN = {True: 15, False: 35}
CUSTOMERS = sum(DRAWN.values())
FIRST, SECOND = "We have not heard from you for a while", "May we help you choose"


class TestWinBack(MailCase):
    def setUp(self):
        super().setUp()
        # they buy every 25 days, the last time 40 days ago: late, but not at risk yet
        self.workflow = self.env.ref("customer_lifecycle.workflow_at_risk")
        self.people = self.draw()
        for person in self.people:
            for number in range(8):
                self.new_purchase(person, 100, 40 + 25 * number, company=self.home)
        self.run_nightly()
        self.workflow.write(
            {"active": True, "company_id": self.home.id, "control_percent": CONTROL}
        )

    def draw(self):
        """Customers, so many of whom the workflow's draw puts into the control group."""
        people, missing = [], dict(DRAWN)
        while any(missing.values()):
            number = len(people)
            person = self.new_customer(f"Win {number:02}", email=f"win{number:02}@example.com")
            group = self.is_control(person)
            if missing[group]:
                missing[group] -= 1
                people.append(person)
            else:
                person.unlink()
        return people

    def is_control(self, person):
        drawn = hashlib.md5(f"{self.workflow.id}:{person.id}".encode()).hexdigest()[:8]
        return int(drawn, 16) % 10000 < CONTROL * 100

    def go(self, **span):
        """Time passes: figures, workflows and mail queue, each as its scheduled action does."""
        self.at(self.now + timedelta(**span))
        self.run_refresh()
        self.run_workflows()
        self.send_all()

    def mails(self, subject):
        return Counter(
            to
            for recipients, message in self.sink.messages
            for to in recipients
            if message["Subject"].startswith(subject)
        )

    def enrollment(self, person):
        return self.workflow.enrollment_ids.filtered(lambda one: one.partner_id == person)

    def test_three_weeks(self):
        self.workflow._start()
        self.go()
        self.assertFalse(self.workflow.enrollment_ids, "nobody is at risk yet")
        # two weeks later, a Thursday, all of them are
        self.at(START + timedelta(days=16))
        self.run_nightly()
        self.go()
        self.assertEqual(len(self.workflow.enrollment_ids), CUSTOMERS)
        treated = [person for person in self.people if not self.is_control(person)]
        control = [person for person in self.people if self.is_control(person)]
        self.assertEqual(len(control), DRAWN[True])
        for person in control:
            self.assertEqual(self.enrollment(person).state, "control")
        self.assertFalse(self.sink.messages, "the first e-mail comes a day later")

        refused, leaver, early, morning, *others = treated
        self.env["mail.blacklist"].create({"email": refused.email})
        self.go(days=1)
        written = {person.email for person in treated if person != refused}
        self.assertEqual(self.mails(FIRST), Counter(written))
        self.assertEqual(self.enrollment(refused).exit_reason, "opt_out")
        self.assertEqual(self.deliveries(self.workflow, "skipped").reason, "blacklisted")

        # one leaves with the link, some order, and most of them by themselves
        self.env["lifecycle.opt.out"]._unsubscribe(leaver.email)
        self.go(days=3)
        buyers = [early, *others[:12]]
        for person in buyers:
            self.new_order(person, 200, company=self.home)
        self.new_order(control[0], 50, company=self.home)
        self.go(hours=2)

        # the day of the second e-mail: who ordered this morning does not get it
        self.at(self.now + timedelta(days=7) - timedelta(hours=3))
        self.new_order(morning, 70, company=self.home)
        self.go(hours=2)
        silent = [person for person in others[12:] if person not in buyers]
        self.assertEqual(self.mails(SECOND), Counter({person.email for person in silent}))
        for person in [*buyers, morning]:
            self.assertEqual(self.enrollment(person).exit_reason, "goal", person.name)
        self.assertEqual(self.enrollment(leaver).exit_reason, "opt_out")

        self.go(days=7, hours=1)
        activities = self.env["mail.activity"].search(
            [("res_model", "=", "res.partner"), ("res_id", "in", [p.id for p in self.people])]
        )
        self.assertEqual(sorted(activities.mapped("res_id")), sorted(p.id for p in silent))
        for person in silent:
            self.assertEqual(self.enrollment(person).state, "done")
        self.assertGreaterEqual(self.now, START + timedelta(days=16 + 18))
        self.go(days=5)
        self.assertEqual(len(self.sink.messages), len(written) + len(silent), "nothing twice")
        self.effect_is_told(treated, control, buyers, morning)
        self.journey_tells(refused, early)

    def effect_is_told(self, treated, control, buyers, morning):
        """The report says what a sheet of paper says."""
        self.workflow.action_measure()
        effect = self.workflow.effect
        self.assertEqual(self.workflow.goal_count, len(buyers) + 1)
        revenue = [
            200 if person in buyers else 70 if person == morning else 0 for person in treated
        ]
        bought = sum(amount > 0 for amount in revenue)
        self.assertEqual(effect["treated"][:4], [len(treated), bought, bought, sum(revenue)])
        self.assertEqual(effect["control"][:4], [len(control), 1, 1, 50])
        difference, low, high = self.workflow._uplift()
        self.assertAlmostEqual(difference, bought / len(treated) - 1 / len(control))
        self.assertLess(0, low)
        self.assertLess(high, 1)
        html = self.workflow.effect_html
        self.assertIn("It works", html)
        self.assertIn(f"{bought} ({100 * bought / len(treated):.1f} %)", html)
        mean = statistics.mean(revenue) - statistics.mean([50] + [0] * (len(control) - 1))
        self.assertIn(f"{mean:.2f}", html)

    def journey_tells(self, refused, early):
        journeys = self.env["lifecycle.journey"]
        for person, expected in (
            (refused, "Not sent: Was everything all right? (Unsubscribed or blacklisted)"),
            (early, f"{FIRST}, {early.name} · Was everything all right?"),
        ):
            titles = [item["title"] for item in journeys.get_journey(person.id)["items"]]
            self.assertIn(expected, titles)
