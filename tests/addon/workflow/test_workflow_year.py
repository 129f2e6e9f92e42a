"""A simulated year against a slow reference in plain Python: nothing twice, nothing missing."""

import hashlib
import random
from datetime import datetime, time, timedelta
from unittest.mock import patch

import pytest

from odoo import Command

from ..common_workflow import WorkflowCase

pytestmark = pytest.mark.long

BEGIN = datetime(2027, 1, 4, 10, 0)
CAP_WEEK, CAP_MONTH, WAIT, PEACE = 1, 3, 7, 14


class Way:
    """A customer's way through a workflow, in the reference."""

    def __init__(self, workflow, customer, occasion, now):
        self.workflow, self.customer, self.occasion = workflow, customer, occasion
        self.entered = now
        self.last_order = customer.last_order
        self.state, self.step, self.waiting = "active", 0, None
        self.due = now + timedelta(days=workflow.steps[0][1])
        drawn = hashlib.md5(f"{workflow.id}:{customer.id}".encode()).hexdigest()[:8]
        if int(drawn, 16) % 10000 < workflow.control * 100:
            self.state = "control"


class Reference:
    """What ought to happen, told one customer, one day and one rule after the other."""

    def __init__(self, workflows):
        self.workflows = workflows
        self.ways, self.deliveries = [], []
        self.sent = {}

    def run(self, now, customers, changes):
        for workflow in self.workflows:
            for customer in customers:
                occasion = self.occasion(workflow, customer, now, changes)
                if occasion and self.may_enter(workflow, customer, occasion, now):
                    for way in self.ways:
                        if way.workflow is workflow and way.customer is customer:
                            self.end(way, "again")
                    self.ways.append(Way(workflow, customer, occasion, now))
        while True:
            todo = sorted(
                (way for way in self.ways if way.state == "active" and way.due <= now),
                key=lambda way: (way.workflow.sequence, way.workflow.id, way.due),
            )
            if not todo:
                break
            self.step(todo[0], now)

    def occasion(self, workflow, customer, now, changes):
        if workflow.stage:
            mine = changes.get(customer.id, [])
            came = [change for change in mine if change[1] == workflow.stage]
            return came and customer.stage == workflow.stage and ("change", came[-1][0])
        day = customer.last_order + timedelta(days=workflow.silent)
        since = max(BEGIN.date(), (now - timedelta(days=8)).date())
        return since <= day <= now.date() and ("date", customer.last_order)

    def may_enter(self, workflow, customer, occasion, now):
        past = [
            way for way in self.ways if way.workflow is workflow and way.customer is customer
        ]
        if any(way.occasion == occasion for way in past):
            return False
        if workflow.again == "never":
            return not past
        if workflow.again:
            return all(way.entered <= now - timedelta(days=workflow.again) for way in past)
        return True

    def end(self, way, reason):
        if way.state == "active":
            way.state = reason

    def step(self, way, now):
        workflow, customer = way.workflow, way.customer
        if customer.last_order > way.last_order and workflow.goal:
            return self.end(way, "goal")
        if workflow.stage:
            left = customer.stage != workflow.stage
        else:
            left = ("date", customer.last_order) != way.occasion
        if left:
            return self.end(way, "left")
        kind, _delay = workflow.steps[way.step]
        if kind == "email":
            outcome = self.mail(way, now)
            if outcome is None:
                return None
        else:
            outcome = "done"
        self.deliveries.append(
            (workflow.id, customer.id, way.entered.date(), way.step, outcome, now.date())
        )
        if outcome == "blacklisted":
            return self.end(way, "opt_out")
        way.step += 1
        way.waiting = None
        if way.step == len(workflow.steps):
            way.state = "finished"
        else:
            way.due = now + timedelta(days=workflow.steps[way.step][1])
        return None

    def mail(self, way, now):
        """What becomes of a message: an outcome, or None where it waits."""
        opening = self.opening(now)
        if opening > now:
            way.due = opening
            return None
        customer = way.customer
        if customer.opted_out:
            return "blacklisted"
        reason, until = None, None
        moments = sorted(self.sent.get(customer.id, []), reverse=True)
        moments = [moment for moment in moments if moment > now - timedelta(days=30)]
        free = [
            moments[most - 1] + timedelta(days=days)
            for most, days in ((CAP_WEEK, 7), (CAP_MONTH, 30))
            if len(moments) >= most
        ]
        angry = customer.complaint and (now.date() - customer.complaint).days
        if customer.complaint and angry < PEACE:
            reason, until = "complaint", now + timedelta(days=PEACE - angry)
        elif customer.overdue:
            reason, until = "overdue", now + timedelta(days=1)
        elif free and max(free) > now:
            reason, until = "cap", max(free)
        if not reason:
            self.sent.setdefault(customer.id, []).append(now)
            return "done"
        way.waiting = way.waiting or now
        latest = way.waiting + timedelta(days=WAIT)
        if now >= latest:
            return reason
        way.due = self.opening(min(until, latest))
        return None

    @staticmethod
    def opening(moment):
        """Mondays to Fridays from 9 to 17, UTC."""
        while True:
            day = moment.date()
            if day.weekday() < 5:
                if moment < datetime.combine(day, time(9)):
                    return datetime.combine(day, time(9))
                if moment < datetime.combine(day, time(17)):
                    return moment
            moment = datetime.combine(day + timedelta(days=1), time(0))


class Customer:
    def __init__(self, profile):
        self.profile, self.id = profile, profile.partner_id.id
        self.stage, self.last_order = profile.stage_id.id, profile.last_order_date
        self.opted_out, self.complaint, self.overdue = False, None, False


class Plan:
    def __init__(self, record, steps, stage=None, silent=None, again=None, goal=True):
        self.id, self.sequence = record.id, record.sequence
        self.control = record.control_percent
        self.steps, self.stage, self.silent = steps, stage, silent
        self.again, self.goal = again, goal


class TestYear(WorkflowCase):
    def setUp(self):
        super().setUp()
        self.chance = random.Random(7)
        self.at(BEGIN)
        self.customers = [
            Customer(
                self.new_profile(
                    f"C{number:02}",
                    last_order_date=BEGIN.date() - timedelta(days=self.chance.randint(1, 50)),
                )
            )
            for number in range(50)
        ]

    def plans(self):
        def new(number, steps, reentry="episode", days=0, **values):
            record = self.new_workflow(
                *[
                    self.step(kind=kind, delay=delay, sequence=place, name=f"step {place}")
                    for place, (kind, delay) in enumerate(steps)
                ],
                sequence=number,
                reentry=reentry,
                reentry_days=days,
                **values,
            )
            again = {"never": "never", "days": days, "episode": None}[reentry]
            return Plan(
                record,
                steps,
                stage=record.stage_ids.id if record.trigger == "enter" else None,
                silent=record.offset_days,
                again=again,
                goal=record.goal == "order",
            )

        silent = {"trigger": "date", "date_field": "last_order_date"}
        stage = lambda one: {"stage_ids": [Command.set(one.ids)]}  # noqa: E731
        return [
            new(1, [("email", 1), ("email", 10), ("activity", 7)], **stage(self.at_risk),
                control_percent=20),
            new(2, [("email", 3)], "days", 120, **stage(self.lost)),
            new(3, [("activity", 0), ("email", 2)], "never", **stage(self.active_stage),
                goal="none"),
            new(4, [("email", 0)], "days", 60, **silent, offset_days=14, goal="none"),
            new(5, [("email", 0), ("email", 9)], **silent, offset_days=30),
            new(5, [("email", 1)], **silent, offset_days=30),
        ]

    def live(self, customer, changes):
        """What happens to a customer on one day; figures and stages as a run computes them."""
        chance, today, profile = self.chance, self.now.date(), customer.profile
        values = {}
        if chance.random() < 0.025:
            values["last_order_date"] = customer.last_order = today
        if chance.random() < 0.01 and (today - customer.last_order).days < 5:
            # credited: the purchase before counts again
            values["last_order_date"] = customer.last_order = customer.last_order - timedelta(
                days=chance.randint(10, 60)
            )
        if chance.random() < 0.005:
            values["bad_rating_date"] = customer.complaint = today
        if chance.random() < (0.2 if customer.overdue else 0.01):
            customer.overdue = not customer.overdue
            values["overdue_since"] = customer.overdue and today - timedelta(days=1)
        if values:
            profile.write(values)
        if not customer.opted_out and chance.random() < 0.001:
            customer.opted_out = True
            self.env["lifecycle.opt.out"]._unsubscribe(profile.partner_id.email)
        silent = (today - customer.last_order).days
        stage = self.lost if silent > 90 else self.at_risk if silent > 45 else self.active_stage
        if stage.id != customer.stage:
            transition = self.move(profile, stage)
            customer.stage = stage.id
            changes.setdefault(customer.id, []).append((transition.id, stage.id))

    def test_year(self):
        # what orders bring has tests of its own, and takes time
        quiet = patch.object(self.env.registry["lifecycle.workflow"], "_measure_daily")
        quiet.start()
        self.addCleanup(quiet.stop)
        plans = self.plans()
        reference = Reference(plans)
        for day in range(366):
            changes = {}
            self.at(BEGIN + timedelta(days=day))
            for customer in self.customers:
                self.live(customer, changes)
            self.run_workflows()
            reference.run(self.now, self.customers, changes)
            if day % 30 == 0:
                self.compare(plans, reference)
        self.compare(plans, reference)
        outcomes = {delivery[4] for delivery in reference.deliveries}
        self.assertEqual(outcomes, {"done", "cap", "complaint", "overdue", "blacklisted"})
        states = {way.state for way in reference.ways}
        self.assertLessEqual({"control", "goal", "left", "finished", "opt_out"}, states)
        self.assertGreater(len(reference.deliveries), 500)

    def compare(self, plans, reference):
        steps = {}
        for plan in plans:
            record = self.env["lifecycle.workflow"].browse(plan.id)
            steps.update(
                {step.id: place for place, step in enumerate(record.step_ids._in_order())}
            )
        rows = self.env["lifecycle.workflow.delivery"].search(
            [("workflow_id", "in", [plan.id for plan in plans])]
        )
        done = sorted(
            (row.workflow_id.id, row.partner_id.id, row.enrollment_id.day_entered,
             steps[row.step_id.id], row.reason or row.state, row.date.date())
            for row in rows
        )
        self.assertEqual(done, sorted(reference.deliveries))
        entered = sorted(
            (one.workflow_id.id, one.partner_id.id, one.day_entered)
            for one in self.env["lifecycle.workflow.enrollment"].search(
                [("workflow_id", "in", [plan.id for plan in plans])]
            )
        )
        self.assertEqual(
            entered,
            sorted((way.workflow.id, way.customer.id, way.entered.date())
                   for way in reference.ways),
        )
