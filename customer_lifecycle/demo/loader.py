"""Write the demo customers and their two years of business into a database."""

import random
from collections import Counter
from datetime import datetime, time, timedelta

from odoo.fields import Command

from . import comparisons, loyalty, referrals, spending, tiers
from .customers import (
    CUSTOMERS,
    FILM_NUMBERS,
    NO_NUMBER,
    PRODUCTS,
    PROSPECTS,
    RECOMMENDED,
)
from .rhythms import RHYTHMS, draw_basket, draw_orders
from .touchpoints import Touchpoints

#: the former system was left this long ago: what is older is imported history
MOVED_DAYS = 430
#: orders of the last days get an invoice
INVOICED_DAYS = 45
SEED = 19


class DemoLoader:
    """Creates everything through Odoo's own models, in few large calls.

    :param env: environment of the superuser
    :param today: date that all other dates are relative to
    """

    def __init__(self, env, today):
        self.company = env.ref("base.main_company")
        # no message, no follower, no tracking: demo data are nobody's news
        self.env = env(
            context={
                **env.context,
                "allowed_company_ids": self.company.ids,
                "tracking_disable": True,
                "mail_create_nosubscribe": True,
                "loyalty_no_mail": True,
            }
        )
        self.company = self.company.with_env(self.env)
        #: a number for each customer, which his telephone ends with
        self.numbers = {row[0]: number for number, row in enumerate((*CUSTOMERS, *PROSPECTS))}
        self.today = today
        self.rng = random.Random(SEED)
        self.salespeople = [
            user.id
            for user in (
                self.env.ref("base.user_admin"),
                self.env.ref("base.user_demo", raise_if_not_found=False),
            )
            if user
        ]

    def load(self):
        self.products = self._create_products()
        partners = self._create_partners()
        imported, ordered = self._draw_business(partners)
        self._import_history(imported)
        orders = self._create_orders(ordered)
        tiers.load(self.env, self.company)
        program = loyalty.load(self.env, self.company, self.products["espresso"])
        loyalty.collect(
            self.env, program, orders, self.today - timedelta(days=INVOICED_DAYS)
        )
        # nobody has a tier before the first run
        loyalty.restrict(self.env, program)
        self._create_invoices(orders)
        self._create_prospects()
        comparisons.load(self.env, self.company, program, self.today)
        Touchpoints(self.env, self.today).load(CUSTOMERS, partners)
        referrals.load(
            self.env,
            self.company,
            [(partners[friend][0], partners[advocate][0]) for friend, advocate in RECOMMENDED],
        )
        spending.load(self.env, self.company, orders, self.today)

    # ----- MASTER DATA -----

    def _load(self, model, prefix, values):
        """Create records with external ids that end in ``_demo``; return them by key."""
        records = self.env[model]._load_records(
            [
                {
                    "xml_id": f"customer_lifecycle.{prefix}_{key}_demo",
                    "values": vals,
                    "noupdate": True,
                }
                for key, vals in values.items()
            ]
        )
        return dict(zip(values, records, strict=True))

    def _create_products(self):
        names = sorted({product.category for product in PRODUCTS})
        categories = self._load(
            "product.category",
            "category",
            {name.lower().replace(" ", "_"): {"name": name} for name in names},
        )
        categories = dict(zip(names, categories.values(), strict=True))
        return self._load(
            "product.product",
            "product",
            {
                product.key: {
                    "name": product.name,
                    "type": product.kind,
                    "categ_id": categories[product.category].id,
                    "list_price": product.price,
                    "standard_price": round(product.price * 0.62, 2),
                    "invoice_policy": "order",
                    "default_code": f"COFFEE-{number:02}",
                }
                for number, product in enumerate(PRODUCTS, 1)
            },
        )

    def _partner_values(self, key, name, country, city):
        land = self.env.ref(f"base.{'uk' if country == 'GB' else country.lower()}")
        number = self.numbers[key]
        phone = (
            FILM_NUMBERS[country].format(number)
            if country in FILM_NUMBERS
            else NO_NUMBER.format(code=land.phone_code, number=number)
        )
        return {
            "name": name,
            "is_company": True,
            "country_id": land.id,
            "city": city,
            "email": f"office@{key.replace('_', '-')}.example.com",
            "phone": phone,
            "lang": self.env.user.lang,
        }

    def _create_partners(self):
        """Companies and the people who order for them; return contacts who order by key."""
        companies = self._load(
            "res.partner",
            "partner",
            {
                customer.key: {
                    **self._partner_values(*customer[:4]),
                    "customer_rank": 1,
                    "user_id": self.rng.choice(self.salespeople),
                }
                for customer in CUSTOMERS
            },
        )
        for friend, referrer in RECOMMENDED:
            companies[friend].lifecycle_referred_by_id = companies[referrer]
        people = {}
        for customer in CUSTOMERS:
            for number, name in enumerate(customer.people, 1):
                people[customer.key, f"{customer.key}_{number}"] = {
                    "name": name,
                    "parent_id": companies[customer.key].id,
                    "type": "contact",
                    "function": ("Purchasing", "Head Office", "Branch Manager")[number - 1],
                    "email": f"contact{number}@{customer.key.replace('_', '-')}.example.com",
                }
        contacts = self._load(
            "res.partner", "partner", {key: vals for (_owner, key), vals in people.items()}
        )
        ordering = {key: [partner] for key, partner in companies.items()}
        for owner, key in people:
            ordering[owner].append(contacts[key])
        return ordering

    # ----- BUSINESS -----

    def _draw_business(self, partners):
        """Split everything ever bought into imported history and orders, by date.

        :return: two lists of (day, partner, basket)
        """
        moved = self.today - timedelta(days=MOVED_DAYS)
        imported, ordered = [], []
        for customer in CUSTOMERS:
            favourites = self.rng.sample(PRODUCTS, self.rng.randint(3, 5))
            favourites = [(product.key, product.price) for product in favourites]
            rhythm = RHYTHMS[customer.rhythm]
            for day, amount in draw_orders(rhythm, customer.size, self.today, self.rng):
                basket = draw_basket(favourites, amount, self.rng)
                if day < moved:
                    imported.append((day, partners[customer.key][0], basket))
                else:
                    ordered.append((day, self.rng.choice(partners[customer.key]), basket))
        imported.sort(key=lambda row: row[0])
        ordered.sort(key=lambda row: row[0])
        return imported, ordered

    def _import_history(self, imported):
        values, returned = [], []
        for number, (day, partner, basket) in enumerate(imported, 1001):
            purchase = {
                "partner_id": partner.id,
                "date": day,
                "currency_id": self.company.currency_id.id,
                "company_id": self.company.id,
                "reference": f"OLD-{number:05}",
            }
            values += [
                {
                    **purchase,
                    "product_id": self.products[key].id,
                    "quantity": quantity,
                    "amount": round(quantity * price, 2),
                    "reference": f"{purchase['reference']}-{line}",
                }
                for line, (key, quantity, price) in enumerate(basket, 1)
            ]
            if number in (1021, 1141):
                # came back, as the former system wrote it: without saying what
                total = sum(quantity * price for _key, quantity, price in basket)
                returned.append(
                    {
                        **purchase,
                        "date": day + timedelta(days=9),
                        "amount": -round(total / 3, 2),
                        "reference": f"OLD-R{len(returned) + 1:04}",
                    }
                )
        values += returned
        self.env["lifecycle.external.purchase"].create(values)

    def _create_orders(self, ordered):
        """Confirmed orders, written with the day they were confirmed on."""
        values = []
        for day, partner, basket in ordered:
            discount = 5 if len(basket) > 2 and self.rng.random() < 0.2 else 0
            values.append(
                {
                    "partner_id": partner.id,
                    "company_id": self.company.id,
                    "user_id": partner.commercial_partner_id.user_id.id,
                    "date_order": self._moment(day),
                    "order_line": [
                        Command.create(
                            {
                                "product_id": self.products[key].id,
                                "product_uom_qty": quantity,
                                "discount": discount,
                            }
                        )
                        for key, quantity, _price in basket
                    ],
                }
            )
        orders = self.env["sale.order"].create(values)
        # confirming would move them to today and hand out loyalty points
        orders.write({"state": "sale"})
        return orders

    def _moment(self, day):
        return datetime.combine(
            day, time(self.rng.randint(8, 14), self.rng.randrange(0, 60, 5))
        )

    # ----- INVOICES AND CREDIT NOTES -----

    def _create_invoices(self, orders):
        """Invoice the latest orders and take some of it back in three ways."""
        journal = self.env["account.journal"].search(
            [*self.env["account.journal"]._check_company_domain(self.company),
             ("type", "=", "sale")],
            limit=1,
        )
        if not journal:
            return  # a company without a chart of accounts cannot invoice
        since = self.today - timedelta(days=INVOICED_DAYS)
        recent = orders.filtered(lambda order: order.date_order.date() >= since)[:24]
        invoices = recent._create_invoices(grouped=True)
        for invoice in invoices:
            order = invoice.line_ids.sale_line_ids.order_id
            invoice.invoice_date = order.date_order.date() + timedelta(days=1)
        invoices.action_post()
        # what comes back must leave everybody who bought something a customer
        number = Counter(order.partner_id.commercial_partner_id for order in orders)
        large = invoices.filtered(lambda one: number[one.commercial_partner_id] > 3).sorted(
            lambda invoice: (-invoice.amount_untaxed, invoice.id)
        )
        self._credit(large[0], "One box was damaged", keep_first_line=1)
        self._credit(large[3], "Delivered twice by mistake, all returned")
        self._reissue(large[5])
        self._goodwill(large[1], journal)

    def _reverse(self, invoice, reason):
        return (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create(
                {
                    "date": min(self.today, invoice.invoice_date + timedelta(days=5)),
                    "journal_id": invoice.journal_id.id,
                    "reason": reason,
                }
            )
        )

    def _credit(self, invoice, reason, keep_first_line=0):
        """Credit an invoice; with a quantity, only that many of its first product."""
        wizard = self._reverse(invoice, reason)
        wizard.refund_moves()
        credit_note = wizard.new_move_ids
        if keep_first_line:
            first, *others = credit_note.invoice_line_ids
            credit_note.invoice_line_ids = [
                Command.update(first.id, {"quantity": keep_first_line}),
                *(Command.delete(line.id) for line in others),
            ]
        credit_note.action_post()

    def _reissue(self, invoice):
        """Cancel an invoice and issue it again, as for a wrong address."""
        wizard = self._reverse(invoice, "Wrong invoice address")
        wizard.modify_moves()
        wizard.new_move_ids.filtered(lambda move: move.state == "draft").action_post()

    def _goodwill(self, invoice, journal):
        """A credit note that belongs to no order."""
        self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": invoice.partner_id.id,
                "journal_id": journal.id,
                "invoice_date": min(self.today, invoice.invoice_date + timedelta(days=8)),
                "invoice_line_ids": [
                    Command.create(
                        {"name": "Bonus for this year's volume", "quantity": 1,
                         "price_unit": 120.0}
                    )
                ],
            }
        ).action_post()

    # ----- PROSPECTS -----

    def _create_prospects(self):
        partners = self._load(
            "res.partner",
            "partner",
            {row[0]: self._partner_values(*row[:4]) for row in PROSPECTS},
        )
        offered = {key: offers for key, *_rest, offers in PROSPECTS}
        leads = self._load(
            "crm.lead",
            "lead",
            {
                key: {
                    "name": f"Coffee for {partner.name}",
                    "type": "opportunity",
                    "partner_id": partner.id,
                    "company_id": self.company.id,
                    "user_id": self.rng.choice(self.salespeople),
                    "expected_revenue": self.rng.randrange(1500, 9000, 250),
                    "date_deadline": self.today + timedelta(days=self.rng.randint(10, 60)),
                }
                for key, partner in partners.items()
                if {"opportunity", "lost"} & set(offered[key])
            },
        )
        for key, lead in leads.items():
            if "lost" in offered[key] and lead.active:
                lead.action_set_lost()
        self._load(
            "sale.order",
            "quotation",
            {
                key: {
                    "partner_id": partner.id,
                    "company_id": self.company.id,
                    "user_id": self.rng.choice(self.salespeople),
                    "date_order": self._moment(self.today - timedelta(days=3)),
                    "order_line": [
                        Command.create(
                            {
                                "product_id": self.products["espresso"].id,
                                "product_uom_qty": self.rng.randint(2, 9),
                            }
                        )
                    ],
                }
                for key, partner in partners.items()
                if "quotation" in offered[key]
            },
        )


def load(env):
    """Load the demo data unless they are there."""
    if not env.ref("customer_lifecycle.product_espresso_demo", raise_if_not_found=False):
        # the day that the figures are computed for: around midnight another than in London
        DemoLoader(env, env.ref("base.main_company")._lifecycle_today()).load()
