"""A year of all delivered workflows with killed and doubled workers, against plain Python.

The customers' figures change as a run would change them; the workflows run in processes of their
own with real commits. Every third pass is killed at a random statement and repeated, every fourth
is done by two workers at once, and the clocks are changed twice.
"""

import random
from datetime import datetime, time, timedelta

import psycopg2

from odoo import sql_db

from ..runs.test_crash import ScratchCase
from .year_reference import BEGIN, CUSTOMERS, DAYS, ZONE, Customer, Reference, to_utc


class TestYearKilled(ScratchCase):
    suffix = "_year"
    program = "worker_year.py"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start = to_utc(datetime.combine(BEGIN, time(8)))
        cls.world = cls.worker.do(
            "fill_year", customers=CUSTOMERS, moment=cls.start.isoformat(), zone=ZONE.key
        )
        connection = psycopg2.connect(**sql_db.connection_info_for(cls.database)[1])
        connection.autocommit = True
        cls.addClassCleanup(connection.close)
        cls.cursor = connection.cursor()
        cls.cursor.execute("DELETE FROM lifecycle_queue")
        cls.before = {}
        for table in ("mail_mail", "mail_activity"):
            cls.cursor.execute(f"SELECT COUNT(*) FROM {table}")
            cls.before[table] = cls.cursor.fetchone()[0]

    # ----- LIFE -----

    def save(self, customer, **values):
        names = ", ".join(f"{name} = %s" for name in values)
        self.cursor.execute(
            f"UPDATE lifecycle_profile SET {names} WHERE id = %s",
            [*values.values(), customer.profile],
        )

    def change(self, customer, kind, before, to, today):
        """Write a transition as a run does; return what the reference needs of it."""
        customer.numbers[kind] += 1
        self.cursor.execute(
            f"""INSERT INTO lifecycle_transition (profile_id, kind, number, from_{kind}_id,
                                                  to_{kind}_id, date, cause)
                VALUES (%s, %s, %s, %s, %s, %s, 'rule') RETURNING id""",
            [customer.profile, kind, customer.numbers[kind], before, to, today],
        )
        [change_id] = self.cursor.fetchone()
        self.save(customer, **{{"stage": "stage_id", "tier": "vip_tier_id"}[kind]: to})
        return customer.profile, kind, to, change_id

    def live(self, customer, today):
        """Some days of a customer's life; return the changes of stage and tier."""
        chance, changes = self.chance, []
        ago = lambda most: today - timedelta(days=chance.randint(0, most))  # noqa: E731
        shipped = customer.last_order and (customer.delivery or BEGIN) < customer.last_order
        if shipped and chance.random() < 0.6:
            customer.delivery = today
            if chance.random() < 0.1:
                customer.late_delivery = today
        if chance.random() < (0.1 if customer.orders < 5 else 0.13):
            customer.orders += 1
            customer.last_order = today
            customer.first_order = customer.first_order or today - timedelta(
                days=chance.randint(330, 400) if chance.random() < 0.5 else 0
            )
            customer.next_order = today + timedelta(days=chance.randint(15, 40))
            customer.missing = None
        elif customer.orders > 2 and chance.random() < 0.02:
            # credited: the purchase before counts again
            customer.orders -= 1
            customer.last_order = max(customer.first_order, ago(60))
        elif customer.orders and chance.random() < 0.1:
            # a later prediction
            customer.next_order = customer.next_order + timedelta(days=chance.randint(-5, 10))
        if customer.orders > 2 and not customer.missing and chance.random() < 0.05:
            customer.missing = {"from": ago(3), "until": today + timedelta(days=20),
                                "last": customer.last_order}
        elif customer.missing and customer.missing["until"] < today:
            customer.missing = None
        if chance.random() < 0.03:
            customer.bad_rating = ago(2)
        if chance.random() < (0.3 if customer.overdue else 0.03):
            customer.overdue = None if customer.overdue else today - timedelta(days=1)
        if chance.random() < 0.004 and not customer.opted_out:
            customer.opted_out = True
            self.cursor.execute(
                "INSERT INTO mail_blacklist (email, active) VALUES (%s, TRUE)", [customer.email]
            )
        customer.is_advocate = customer.is_advocate or chance.random() < 0.01
        if customer.orders > 3 and chance.random() < 0.03:
            before, customer.tier = customer.tier, not customer.tier
            ids = {False: None, True: self.world["tier"]}
            changes.append(
                self.change(customer, "tier", ids[before], ids[customer.tier], today)
            )
            customer.review = (
                today + timedelta(days=chance.randint(20, 120)) if customer.tier else None
            )
        self.save(customer, **customer.columns())
        stage = customer.right_stage(today)
        customer.was_lost = stage == "lost" or (customer.was_lost and stage != "at_risk")
        if stage != customer.stage:
            stages = self.world["stages"]
            changes.append(
                self.change(customer, "stage", stages[customer.stage], stages[stage], today)
            )
            customer.stage = stage
        self.cursor.execute(
            "DELETE FROM lifecycle_usual_product WHERE profile_id = %s", [customer.profile]
        )
        if customer.missing:
            self.cursor.execute(
                """INSERT INTO lifecycle_usual_product (profile_id, product_id, day_count,
                          quantity, amount, gap, last_date, missing_from, missing_until)
                   VALUES (%s, %s, 3, 1, 10, 10, %s, %s, %s)""",
                [customer.profile, self.world["product"], customer.missing["last"],
                 customer.missing["from"], customer.missing["until"]],
            )
        self.cursor.execute(
            "DELETE FROM lifecycle_next_product WHERE partner_id = %s", [customer.id]
        )
        if customer.next_order:
            # what he needs next is expected when his next order is
            self.cursor.execute(
                """INSERT INTO lifecycle_next_product (company_id, partner_id, product_id, rank,
                          kind, due_on, quantity, chance)
                   SELECT company_id, partner_id, %s, 1, 'again', %s, 1, 0.5
                     FROM lifecycle_profile WHERE id = %s""",
                [self.world["product"], customer.next_order, customer.profile],
            )
        return changes

    # ----- WORK -----

    def work(self, number, moment):
        """One pass, one that is killed and repeated, or two workers at once."""
        task = {"do": "year_pass", "moment": moment.isoformat()}
        if number % 3 == 0:
            [answer] = self.worker.together(
                {**task, "kill_at": self.chance.randint(0, self.statements)}
            )
            self.killed += answer.get("signal") == 9
            self.wait_until_alone()
        elif number % 4 == 0:
            answers = self.worker.together(task, task)
            self.assertEqual([answer.get("code") for answer in answers], [0, 0], answers)
        [answer] = self.worker.together({"here": moment.isoformat()})
        self.statements = answer["result"] if number % 3 and number % 4 else self.statements

    def wait_until_alone(self):
        """Its own connection is always there."""
        for _attempt in range(300):
            self.cursor.execute(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            if not self.cursor.fetchone()[0]:
                return
            self.cursor.execute("SELECT pg_sleep(0.05)")
        self.fail("still connected")

    def test_year(self):
        self.chance = random.Random(11)
        self.statements, self.killed = 200, 0
        reference = Reference(
            self.world["workflows"], self.world["stages"], self.world["tier"]
        )
        self.assertGreaterEqual(len(reference.plans), 13)
        customers = [Customer(ids) for ids in self.world["customers"]]
        today, number = BEGIN + timedelta(days=1), 0
        while today < BEGIN + timedelta(days=DAYS):
            moment = to_utc(
                datetime.combine(today, time(self.chance.randint(7, 19), 30))
            )
            changes = [change for customer in customers for change in self.live(customer, today)]
            self.work(number, moment)
            reference.run(moment, customers, changes)
            if number % 12 == 0:
                self.compare(reference)
            # on all days of the week, and more often than messages may be sent
            today, number = today + timedelta(days=self.chance.randint(4, 9)), number + 1
        self.compare(reference)
        self.assertGreater(self.killed, number // 6)
        outcomes = {delivery[4] for delivery in reference.deliveries}
        self.assertLessEqual({"done", "cap", "complaint", "overdue", "blacklisted"}, outcomes)
        used = {delivery[0] for delivery in reference.deliveries}
        self.assertEqual(used, {plan["id"] for _name, plan in reference.plans})

    def compare(self, reference):
        self.cursor.execute(
            """SELECT delivery.workflow_id, delivery.partner_id, enrollment.day_entered,
                      delivery.step_id, COALESCE(delivery.reason, delivery.state), delivery.date
                 FROM lifecycle_workflow_delivery delivery
                 JOIN lifecycle_workflow_enrollment enrollment
                   ON enrollment.id = delivery.enrollment_id ORDER BY 6, 1, 2, 4"""
        )
        expected = sorted(reference.deliveries, key=lambda row: (row[5], *row[:2], row[3]))
        self.assertEqual(self.cursor.fetchall(), expected)
        self.cursor.execute(
            "SELECT workflow_id, partner_id, date_entered FROM lifecycle_workflow_enrollment "
            "ORDER BY 3, 1, 2"
        )
        self.assertEqual(
            self.cursor.fetchall(),
            sorted(((way.plan["id"], way.customer.id, way.entered) for way in reference.ways),
                   key=lambda row: (row[2], *row[:2])),
        )
        kinds = {step[0]: step[1] for _name, plan in reference.plans for step in plan["steps"]}
        done = [row for row in expected if row[4] == "done"]
        for kind, table in (("email", "mail_mail"), ("activity", "mail_activity")):
            self.cursor.execute(f"SELECT COUNT(*) FROM {table}")
            self.assertEqual(
                self.cursor.fetchone()[0] - self.before[table],
                sum(kinds[row[3]] == kind for row in done),
                table,
            )
