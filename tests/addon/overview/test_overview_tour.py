"""Monday of a manager in the browser: from a number to its customers, and a call."""

from ..common import LifecycleCase, LifecycleHttpCase

MANAGER = "sales_team.group_sale_manager,base.group_partner_manager"
SALESMAN = "sales_team.group_sale_salesman"
APP = "/odoo/action-customer_lifecycle.lifecycle_landing_action"


class TestOverviewTours(LifecycleHttpCase):
    new_company = classmethod(LifecycleCase.new_company.__func__)
    new_customer = classmethod(LifecycleCase.new_customer.__func__)
    new_purchase = classmethod(LifecycleCase.new_purchase.__func__)
    new_user = classmethod(LifecycleCase.new_user.__func__)
    run_cron = LifecycleCase.run_cron
    run_nightly = LifecycleCase.run_nightly

    def setUp(self):
        super().setUp()
        company = self.new_company("Overview tours", lifecycle_tz="UTC")
        self.manager = self.new_user("overview_manager", MANAGER, company, lang="en_US")
        own = self.new_user("overview_own", SALESMAN, company, lang="en_US")
        slipping = self.new_customer("Slipping Tour", user_id=self.manager.id)
        for days_ago in range(50, 250, 10):
            self.new_purchase(slipping, 400, days_ago, company)
        fresh = self.new_customer("Fresh Tour", user_id=self.manager.id)
        self.new_purchase(fresh, 350, 5, company)
        mine = self.new_customer("Own Tour", user_id=own.id)
        self.new_purchase(mine, 120, 3, company)
        self.run_nightly()

    def test_a_manager_goes_from_a_number_to_its_customers(self):
        self.start_tour(APP, "lifecycle_overview", login="overview_manager")

    def test_a_salesperson_sees_his_own(self):
        self.start_tour(APP, "lifecycle_overview_salesperson", login="overview_own")
