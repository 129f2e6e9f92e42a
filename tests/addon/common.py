from datetime import timedelta

from odoo import Command, fields
from odoo.tests import HttpCase, TransactionCase, new_test_user, tagged

from odoo.addons.customer_lifecycle.models.prediction.forecast import PredictNew
from odoo.addons.customer_lifecycle.models.runs.collect import Collect
from odoo.addons.customer_lifecycle.models.runs.purchases import Purchases
from odoo.addons.customer_lifecycle.models.runs.store import Store
from odoo.addons.customer_lifecycle.tools.step import LAST_ID, Scope

NIGHTLY = "customer_lifecycle.ir_cron_lifecycle_nightly"
REFRESH = "customer_lifecycle.ir_cron_lifecycle_refresh"

#: what a computation writes into a profile
FIGURES = (
    "active",
    "order_count",
    "first_order_date",
    "last_order_date",
    "recent_order_count",
    "pace_date",
    "revenue",
    "revenue_year",
    "average_order_value",
    "order_interval",
    "clv_historical",
    "clv_predicted",
    "clv_total",
    "p_alive",
    "p_order",
    "p_order_30",
    "expected_orders",
    "next_order_date",
    "next_order_from",
    "next_order_to",
    "predicted",
)
QUIET = {
    "tracking_disable": True,
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "no_reset_password": True,
}


# Odoo tags only the test classes of addons by itself; "standard" keeps its guard against
# requests to the outside world.
@tagged("standard", "post_install", "-at_install")
class LifecycleCase(TransactionCase):
    """Base of the tests of the addon."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, **QUIET})

    # ----- RECORDS -----

    @classmethod
    def new_company(cls, name, **values):
        """A company of its own, so that demo data and other tests do not count."""
        company = cls.env["res.company"].create(
            {"name": name, "currency_id": cls.env.company.currency_id.id, **values}
        )
        cls.env.user.company_ids |= company
        return company

    @classmethod
    def new_user(cls, login, groups, companies=None, **values):
        companies = companies or cls.env.company
        return new_test_user(
            cls.env,
            login,
            groups,
            company_id=companies[0].id,
            company_ids=[Command.set(companies.ids)],
            **values,
        )

    @classmethod
    def new_customer(cls, name, **values):
        return cls.env["res.partner"].create({"name": name, **values})

    @classmethod
    def new_purchase(cls, partner, amount, days_ago=0, company=None, **values):
        """A purchase from a former system, so and so many days before today."""
        company = company or cls.env.company
        return cls.env["lifecycle.external.purchase"].create(
            {
                "partner_id": partner.id,
                "amount": amount,
                "date": company._lifecycle_today() - timedelta(days=days_ago),
                "company_id": company.id,
                "currency_id": company.currency_id.id,
                **values,
            }
        )

    @classmethod
    def new_order(cls, partner, amount, days_ago=0, company=None, confirm=True, **values):
        """A sale order of one line; confirmed unless told otherwise."""
        company = company or cls.env.company
        product = cls.env["product.product"].search([("name", "=", "Lifecycle test item")])
        product = product or cls.env["product.product"].create(
            {"name": "Lifecycle test item", "type": "service", "taxes_id": False}
        )
        order = (
            cls.env["sale.order"]
            .with_company(company)
            .create(
                {
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "order_line": [
                        Command.create(
                            {
                                "product_id": product.id,
                                "product_uom_qty": 1,
                                "price_unit": amount,
                                "tax_ids": False,
                            }
                        )
                    ],
                    **values,
                }
            )
        )
        if confirm:
            order.action_confirm()
            if days_ago:
                order.date_order = fields.Datetime.now() - timedelta(days=days_ago)
        return order

    # ----- COMPUTATION -----

    def run_cron(self, xml_id):
        """Run a scheduled action as the scheduler does; its commits become savepoints."""
        self.env.flush_all()
        self.env.cr.precommit.run()
        with self.enter_registry_test_mode():
            self.env.ref(xml_id).method_direct_trigger()
        self.env.invalidate_all()

    def keep_purchases(self, company, day, partners=None):
        """Read the documents of some customers, or of all, into the store of purchases."""
        purchases = Purchases(self.env, company, day, Scope(partners and partners.ids))
        if partners:
            purchases.update_few()
        else:
            purchases.update("manual", True, True)
            purchases.update_items()

    def store_figures(self, company, day, partners=None):
        """Write the figures of a day to the profiles: no forecasts, no labels."""
        self.keep_purchases(company, day, partners)
        whom = self.env, company, day, Scope(partners and partners.ids)
        with Collect(*whom) as facts, PredictNew(*whom):
            facts.collect()
            Store(*whom).store(0, LAST_ID, late=False)
        self.env["lifecycle.profile"].invalidate_model()

    def run_nightly(self):
        self.run_cron(NIGHTLY)
        if self.env["lifecycle.run"].search_count(
            [("kind", "=", "history"), ("state", "=", "pending")], limit=1
        ):
            # the first run orders the stages of the past, which wake the action again
            self.run_cron(NIGHTLY)

    def run_refresh(self):
        self.run_cron(REFRESH)

    def profile(self, partner, company=None):
        """The profile of a customer, archived or not; empty when he has none."""
        return (
            self.env["lifecycle.profile"]
            .with_context(active_test=False)
            .search(
                [
                    ("partner_id", "=", partner.id),
                    ("company_id", "=", (company or self.env.company).id),
                ]
            )
        )

    def figures(self, companies=None):
        """Every computed value of every profile, by (customer, company), as the database has it."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT partner_id, company_id, "
            + ", ".join(FIGURES)
            + " FROM lifecycle_profile WHERE company_id = ANY(%s)",
            [(companies or self.env.company).ids],
        )
        return {row[:2]: dict(zip(FIGURES, row[2:], strict=True)) for row in self.env.cr.fetchall()}

    def queued(self):
        """(commercial partner id, company id) of the waiting queue rows, after the commit."""
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.env.cr.execute("SELECT partner_id, company_id FROM lifecycle_queue")
        return set(self.env.cr.fetchall())

    def empty_queue(self):
        self.queued()
        self.env.cr.execute("DELETE FROM lifecycle_queue")


@tagged("standard", "post_install", "-at_install")
class LifecycleHttpCase(HttpCase):
    """Base of the tests that need a server or a browser."""
