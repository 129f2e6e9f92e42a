"""A year of all delivered workflows with killed and doubled workers, against plain Python.

The customers' figures change as a run would change them; the workflows run in processes of their
own with real commits. Every third pass is killed at a random statement and repeated, every fourth
is done by two workers at once, and the clocks are changed twice.
"""

import hashlib
import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg2

from odoo import sql_db

from .test_crash import ScratchCase

ZONE = ZoneInfo("Europe/Berlin")
BEGIN = date(2027, 1, 4)
CUSTOMERS, DAYS = 50, 365
CAP_WEEK, CAP_MONTH, WAIT, PEACE, LATE = 1, 3, 7, 14, 7


def to_utc(local):
    return local.replace(tzinfo=ZONE).astimezone(UTC).replace(tzinfo=None)


def to_local(moment):
    return moment.replace(tzinfo=UTC).astimezone(ZONE).replace(tzinfo=None)


def after(moment, number, unit):
    """Days keep the hour of the company's clock when that is changed."""
    if unit in ("minutes", "hours"):
        return moment + timedelta(**{unit: number})
    return to_utc(to_local(moment) + timedelta(**{unit: number}))


def opening(moment):
    """Mondays to Fridays from 9 to 17 by the company's clock."""
    day = to_local(moment).date()
    while True:
        if day.weekday() < 5 and moment < to_utc(datetime.combine(day, time(17))):
            return max(moment, to_utc(datetime.combine(day, time(9))))
        day += timedelta(days=1)


class Customer:
    """What is known of a customer, and how it changes."""

    def __init__(self, ids):
        self.profile, self.id, self.email = ids
        self.last_order = self.first_order = self.delivery = self.next_order = None
        self.bad_rating = self.late_delivery = self.overdue = self.review = None
        self.orders, self.stage, self.tier, self.missing = 0, "prospect", False, None
        self.was_lost = self.opted_out = self.is_advocate = False
        self.numbers = {"stage": 0, "tier": 0}

    def columns(self):
        return {
            "last_order_date": self.last_order,
            "first_order_date": self.first_order,
            "delivery_date": self.delivery,
            "next_order_date": self.next_order,
            "bad_rating_date": self.bad_rating,
            "late_delivery_date": self.late_delivery,
            "overdue_since": self.overdue,
            "vip_review_date": self.review,
            "order_count": self.orders,
        }

    def right_stage(self, today):
        if not self.orders:
            return "prospect"
        silent = (today - self.last_order).days
        if silent > 150:
            return "lost"
        if silent > 45 and self.orders > 1:
            return "at_risk"
        if self.orders == 1:
            return "new"
        if self.was_lost:
            return "won_back"
        return "advocate" if self.is_advocate else "active"


class Way:
    """A customer's way through a workflow."""

    def __init__(self, plan, customer, occasion, now):
        self.plan, self.customer, self.occasion, self.entered = plan, customer, occasion, now
        self.last_order, self.step, self.waiting = customer.last_order, 0, None
        self.due = after(now, *plan["steps"][0][2:])
        drawn = hashlib.md5(f"{plan['id']}:{customer.id}".encode()).hexdigest()[:8]
        is_control = int(drawn, 16) % 10000 < plan["control_percent"] * 100
        self.state = "control" if is_control else "active"


class Reference:
    """What ought to happen, one customer and one rule after the other."""

    def __init__(self, plans, stages, tier):
        self.plans = sorted(plans.items(), key=lambda item: item[1]["id"])
        self.stages, self.tier = stages, tier
        self.ways, self.deliveries, self.sent = [], [], {}
        self.scanned = None

    def run(self, now, customers, changes):
        today = to_local(now).date()
        since = BEGIN
        if self.scanned:
            since = max(since, self.scanned.date() - timedelta(days=LATE))
        for name, plan in self.plans:
            for customer in customers:
                occasion = self.occasion(name, plan, customer, since, today, changes)
                if occasion and self.may_enter(plan, customer, occasion, now):
                    for way in self.ways:
                        if way.plan is plan and way.customer is customer:
                            self.end(way, "again")
                    self.ways.append(Way(plan, customer, occasion, now))
        self.scanned = now
        while todo := [way for way in self.ways if way.state == "active" and way.due <= now]:
            self.do(min(todo, key=lambda way: (way.plan["sequence"], way.plan["id"], way.due)),
                    now, today)

    def inside(self, plan, customer):
        if plan["trigger_kind"] == "tier":
            return customer.tier
        return self.stages[customer.stage] in plan["states"]

    def occasion(self, name, plan, customer, since, today, changes):
        if plan["trigger"] == "enter":
            wanted = [change_id for profile, kind, to, change_id in changes
                      if profile == customer.profile and kind == plan["trigger_kind"]
                      and to in plan["states"]]
            return wanted and self.inside(plan, customer) and ("change", wanted[-1])
        if plan["trigger"] == "missing":
            item = customer.missing
            due = item and since <= item["from"] <= today <= item["until"]
            return due and ("item", item["last"])
        day = self.day(plan, customer)
        if not day:
            return None
        if plan["trigger"] == "anniversary":
            years = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
            due = years >= 1 and since <= day.replace(year=day.year + years) <= today
            return due and customer.stage != "lost" and ("year", years)
        if name == "second_order" and customer.orders != 1:
            return None
        come = day + timedelta(days=plan["offset_days"])
        return since <= come <= today and ("date", self.date_of_occasion(plan, customer))

    def day(self, plan, customer):
        return customer.columns()[plan["date_field"]]

    def date_of_occasion(self, plan, customer):
        is_forecast = plan["date_field"] == "next_order_date"
        return customer.last_order if is_forecast else self.day(plan, customer)

    def may_enter(self, plan, customer, occasion, now):
        past = [way for way in self.ways if way.plan is plan and way.customer is customer]
        if any(way.occasion == occasion for way in past):
            return False
        if plan["reentry"] == "never":
            return not past
        if plan["reentry"] == "days":
            span = timedelta(days=plan["reentry_days"])
            return all(way.entered <= now - span for way in past)
        return True

    def end(self, way, reason):
        if way.state == "active":
            way.state = reason

    def still(self, way, today):
        plan, customer = way.plan, way.customer
        if plan["trigger"] == "enter":
            return self.inside(plan, customer)
        if plan["trigger"] == "date":
            if plan["date_field"] == "delivery_date":
                # a delivery stays true when the next one comes
                return way.occasion[1] <= self.day(plan, customer)
            return ("date", self.date_of_occasion(plan, customer)) == way.occasion
        if plan["trigger"] == "missing":
            item = customer.missing
            return (item and item["from"] <= today <= item["until"]
                    and ("item", item["last"]) == way.occasion)
        return True

    def do(self, way, now, today):
        plan, customer = way.plan, way.customer
        if plan["goal"] == "order" and customer.last_order and (
            not way.last_order or customer.last_order > way.last_order
        ):
            return self.end(way, "goal")
        if plan["exit_on_leave"] and not self.still(way, today):
            return self.end(way, "left")
        step, kind, _delay, _unit = plan["steps"][way.step]
        outcome = self.mail(way, now, today) if kind == "email" else "done"
        if outcome is None:
            return None
        self.deliveries.append((plan["id"], customer.id, to_local(way.entered).date(), step,
                                outcome, now))
        if outcome == "blacklisted":
            return self.end(way, "opt_out")
        way.step, way.waiting = way.step + 1, None
        if way.step == len(plan["steps"]):
            way.state = "finished"
        else:
            way.due = after(now, *plan["steps"][way.step][2:])
        return None

    def mail(self, way, now, today):
        """What becomes of a message: an outcome, or None where it waits."""
        open_from = opening(now)
        if open_from > now:
            way.due = open_from
            return None
        customer = way.customer
        if customer.opted_out:
            return "blacklisted"
        moments = sorted(
            (moment for moment in self.sent.get(customer.id, ())
             if moment > now - timedelta(days=30)), reverse=True,
        )
        free = [moments[most - 1] + timedelta(days=days)
                for most, days in ((CAP_WEEK, 7), (CAP_MONTH, 30)) if len(moments) >= most]
        peace = max(
            (PEACE - (today - day).days, -rank, name)
            for rank, (name, day) in enumerate(
                (("complaint", customer.bad_rating), ("late", customer.late_delivery))
            )
            if day
        ) if customer.bad_rating or customer.late_delivery else (0, 0, "")
        if peace[0] > 0:
            reason, until = peace[2], now + timedelta(days=peace[0])
        elif customer.overdue and customer.overdue < today:
            reason, until = "overdue", now + timedelta(days=1)
        elif free and max(free) > now:
            reason, until = "cap", max(free)
        else:
            self.sent.setdefault(customer.id, []).append(now)
            return "done"
        way.waiting = way.waiting or now
        latest = way.waiting + timedelta(days=WAIT)
        if now >= latest:
            return reason
        way.due = opening(min(until, latest))
        return None


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
        if chance.random() < 0.01:
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
