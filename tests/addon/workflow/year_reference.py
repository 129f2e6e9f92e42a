"""The delivered workflows in slow, plain Python: what a year of them has to come to."""

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

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
        if plan["trigger"] == "need":
            due = customer.next_order and customer.next_order + timedelta(plan["offset_days"])
            return due and since <= due <= today and ("need", customer.last_order)
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
        if plan["trigger"] == "need":
            return way.occasion == ("need", customer.last_order)
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
        # the more recent cause keeps peace for longer; of the same day, the complaint is named
        late, complaint = (
            PEACE - (today - day).days if day else 0
            for day in (customer.late_delivery, customer.bad_rating)
        )
        if max(late, complaint) > 0:
            reason = "complaint" if complaint >= late else "late"
            until = now + timedelta(days=max(late, complaint))
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
