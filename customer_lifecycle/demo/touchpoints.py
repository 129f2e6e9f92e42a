"""What happened between the demo company and its customers besides orders and invoices."""

import random
from datetime import datetime, time, timedelta

from odoo.fields import Command

SEED = 23
LAYOUT = "mail.mail_notification_layout_with_responsible_signature"

#: kind, words, sometimes subject: what is said and written, by and to whom
CALLS = (
    "Call done: asked for a second grinder for the terrace; wants an offer by Friday.",
    "Call done: very happy with the new blend, will tell the other branches.",
    "Call done: price of oat drink is an issue, a competitor offers 8 % less.",
    "Call done: new purchasing manager, introduced ourselves.",
    "Call done: delivery came a day late, apologised; next one will be free of charge.",
    "Call done: reached nobody, try again next week.",
)
RECEIVED = (
    ("Delivery times in December", "Could you deliver on Tuesdays instead of Thursdays?"),
    ("Machine leaks", "Our machine is losing water again. Can somebody have a look this week?"),
    ("Thank you!", "The tasting was a great success, the team is still talking about it."),
    ("Question about invoice", "We do not find the discount we had agreed on."),
    ("Decaf", "Guests ask for a decaf that tastes like coffee. What do you recommend?"),
)
SENT = (
    ("Our winter blends", "As discussed, here are the new blends with their prices."),
    ("Visit of our technician", "Our technician will come on Wednesday between 9 and 11."),
    ("Re: Question about invoice", "You are right, a credit note is on its way to you."),
    ("Samples", "Three samples left our roastery today; tell us which one you like best."),
)
NOTES = (
    "Prefers calls in the morning. Birthday of the owner: 3 March.",
    "Renovates in spring: no orders for about three weeks.",
    "Interested in a machine on lease, budget about 400 a month.",
)
MEETINGS = ("Tasting in the roastery", "Yearly review", "Visit on site", "Barista training")
LOST_REASONS = ("Chose a cheaper supplier", "No budget this year")

#: how much is going on with customers of a rhythm, in touchpoints a year
BUSY = {"whale": 14, "fortnightly": 8, "term": 6, "growing": 9, "fading": 7, "lost": 5}


class Touchpoints:
    """Adds calls, messages, meetings, opportunities, payments and ratings to the demo customers.

    :param env: environment of the superuser that tells nobody
    :param today: date that all other dates are relative to
    """

    def __init__(self, env, today):
        self.env = env(context={**env.context, "no_mail_to_attendees": True, "dont_notify": True})
        self.today = today
        self.rng = random.Random(SEED)
        self.company = env.company
        self.subtypes = {
            name: self.env.ref(f"mail.mt_{name}").id for name in ("comment", "note", "activities")
        }
        self.call_type = self.env.ref("mail.mail_activity_data_call").id

    def load(self, customers, partners):
        """Let every customer's life have more than orders.

        :param customers: sequence of ``Customer``
        :param partners: dict key → contacts who order for the customer, the company first
        """
        messages, meetings = [], []
        self.days = {}
        for customer in customers:
            contacts = partners[customer.key]
            self.days[customer.key] = self._days(contacts[0], BUSY.get(customer.rhythm, 3))
            for day in self.days[customer.key]:
                self._happening(contacts, day, messages, meetings)
        self.env["mail.message"].create(messages)
        self.env["calendar.event"].create(meetings)
        self._create_opportunities(customers, partners)
        self._offer_orders(customers, partners)
        self._pay_invoices()
        self._rate(customers, partners)

    def _days(self, company, a_year):
        """Days on which something happened, in the years in which the customer ordered."""
        orders = self.env["sale.order"].search(
            [("partner_id", "child_of", company.id), ("state", "=", "sale")]
        )
        imported = self.env["lifecycle.external.purchase"].search(
            [("partner_id", "=", company.id)]
        )
        bought = [*(order.date_order.date() for order in orders), *imported.mapped("date")]
        if not bought:
            return []
        first, last = min(bought), max(bought)
        length = (last - first).days + 20
        number = max(1, round(a_year * length / 365))
        days = (first + timedelta(days=self.rng.randrange(-10, length)) for _n in range(number))
        return sorted(day for day in days if day < self.today)

    def _moment(self, day):
        moment = time(self.rng.randint(8, 16), self.rng.randrange(0, 60, 5))
        return datetime.combine(day - timedelta(days=max(0, day.weekday() - 4)), moment)

    # ----- CALLS, MESSAGES, MEETINGS -----

    def _happening(self, contacts, day, messages, meetings):
        contact = self.rng.choice(contacts)
        user = contacts[0].user_id or self.env.ref("base.user_admin")
        kind = self.rng.choices(
            ("call", "received", "sent", "note", "meeting"), (30, 22, 22, 10, 16)
        )[0]
        moment = self._moment(day)
        if kind == "meeting":
            meetings.append(
                {
                    "name": self.rng.choice(MEETINGS),
                    "start": moment,
                    "stop": moment + timedelta(hours=1),
                    "user_id": user.id,
                    "partner_ids": [Command.set([contact.id, user.partner_id.id])],
                }
            )
            return
        subject, text = {
            "call": lambda: (False, self.rng.choice(CALLS)),
            "received": lambda: self.rng.choice(RECEIVED),
            "sent": lambda: self.rng.choice(SENT),
            "note": lambda: (False, self.rng.choice(NOTES)),
        }[kind]()
        author = contact if kind == "received" else user.partner_id
        message_type, subtype = {
            "call": ("notification", "activities"),
            "received": ("email", "comment"),
            "sent": ("comment", "comment"),
            "note": ("comment", "note"),
        }[kind]
        messages.append(
            {
                "model": "res.partner",
                "res_id": contact.id,
                "date": moment,
                "subject": subject,
                "body": text,
                "message_type": message_type,
                "subtype_id": self.subtypes[subtype],
                "mail_activity_type_id": kind == "call" and self.call_type,
                "author_id": author.id,
                "email_from": author.email_formatted,
            }
        )

    # ----- SALES -----

    def _create_opportunities(self, customers, partners):
        """What the first order grew from, and what came to nothing."""
        won = self.env["crm.stage"].search([("is_won", "=", True)], limit=1)
        reasons = self.env["crm.lost.reason"].create([{"name": name} for name in LOST_REASONS])
        won_rows, lost_rows = [], []
        for customer in customers:
            company = partners[customer.key][0]
            days = self.days[customer.key]
            if not days:
                continue
            values = {
                "type": "opportunity",
                "partner_id": company.id,
                "company_id": self.company.id,
                "user_id": company.user_id.id,
            }
            if self.rng.random() < 0.6:
                first = self._moment(days[0])
                row = {
                    **values,
                    "name": f"Coffee for {company.name}",
                    "expected_revenue": round(customer.size * 12, -2),
                    "stage_id": won.id,
                    "probability": 100,
                }
                won_rows.append((row, first - timedelta(days=self.rng.randint(20, 50)), first))
            if customer.rhythm in ("fading", "lost") or self.rng.random() < 0.15:
                last = self._moment(days[-1])
                row = {
                    **values,
                    "name": "Coffee machines on lease",
                    "expected_revenue": round(customer.size * 9, -2),
                }
                lost_rows.append((row, last - timedelta(days=35), last))
        leads = self.env["crm.lead"].create([row[0] for row in won_rows + lost_rows])
        lost = leads[len(won_rows):]
        for number, reason in enumerate(reasons):
            lost[number :: len(reasons)].action_set_lost(lost_reason_id=reason.id)
        rows = zip(leads, won_rows + lost_rows, strict=True)
        self._date({lead: (row[1], row[2]) for lead, row in rows})

    def _date(self, moments):
        """Write when opportunities were made and closed, which Odoo sets to the present."""
        self.env.flush_all()
        for lead, (created, closed) in moments.items():
            self.env.cr.execute(
                "UPDATE crm_lead SET create_date = %s, date_closed = %s, date_open = %s "
                "WHERE id = %s",
                [created, closed, created, lead.id],
            )
        self.env["crm.lead"].invalidate_model()

    def _offer_orders(self, customers, partners):
        """Date the quotations before their orders, and send some of them."""
        ids = [one.id for customer in customers for one in partners[customer.key]]
        orders = self.env["sale.order"].search(
            [("partner_id", "in", ids), ("state", "=", "sale")], order="id"
        )
        messages, rows = [], []
        for order in orders:
            offered = order.date_order - timedelta(days=self.rng.randint(0, 6), hours=1)
            rows.append((order.id, offered))
            if self.rng.random() < 0.3:
                messages.append(
                    {
                        "model": "sale.order",
                        "res_id": order.id,
                        "date": offered + timedelta(minutes=20),
                        "subject": f"Quotation {order.name}",
                        "body": "Here is the quotation you asked for.",
                        "message_type": "comment",
                        "subtype_id": self.subtypes["comment"],
                        "author_id": order.user_id.partner_id.id,
                        "email_layout_xmlid": LAYOUT,
                    }
                )
        self.env["mail.message"].create(messages)
        self.env.flush_all()
        self.env.cr.executemany(
            "UPDATE sale_order SET create_date = %s WHERE id = %s",
            [(offered, order_id) for order_id, offered in rows],
        )
        self.env["sale.order"].invalidate_model(["create_date"])

    # ----- MONEY AND OPINIONS -----

    def _pay_invoices(self):
        """Four of five invoices are paid; the others are overdue sooner or later."""
        invoices = self.env["account.move"].search(
            [
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
                ("payment_state", "=", "not_paid"),
                ("company_id", "=", self.company.id),
                ("line_ids.sale_line_ids", "!=", False),
            ],
            order="id",
        )
        for number, invoice in enumerate(invoices):
            paid = invoice.invoice_date + timedelta(days=self.rng.randint(3, 16))
            if number % 5 == 4 or paid >= self.today:
                continue
            self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=invoice.ids
            ).create({"payment_date": paid})._create_payments()

    def _rate(self, customers, partners):
        """What customers said of their deliveries, where ratings are installed."""
        if "rating.rating" not in self.env:
            return
        for customer in customers:
            company = partners[customer.key][0]
            for day in self.days[customer.key][::4]:
                happy = customer.rhythm not in ("fading", "lost") or self.rng.random() < 0.3
                rating = self.env["rating.rating"].create(
                    {
                        "res_model_id": self.env["ir.model"]._get_id("res.partner"),
                        "res_id": company.id,
                        "partner_id": company.id,
                        "rating": 5 if happy else 1,
                        "feedback": "Fast and friendly." if happy else "Late again.",
                        "consumed": True,
                    }
                )
                # Odoo dates whatever is created today
                rating.rated_on = self._moment(day)
