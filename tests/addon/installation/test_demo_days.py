"""The demo data hold what they promise on every day of the year."""

import os
from datetime import date

import pytest

from odoo.tools import convert_file

from odoo.addons.customer_lifecycle.demo.loader import load

from lifecycle_setup import clock

from ..common import LifecycleCase
from .demo_promises import Promises

#: ends of months and years, 29 February, changes of the clock, weekends, quarters
DAYS = (
    "2026-11-29", "2026-12-24", "2026-12-31", "2027-01-01", "2027-01-02", "2027-01-31",
    "2027-02-28", "2027-03-14", "2027-03-28", "2027-03-31", "2027-04-30", "2027-05-01",
    "2027-06-13", "2027-06-30", "2027-07-31", "2027-08-15", "2027-09-30", "2027-10-31",
    "2027-11-07", "2028-01-03", "2028-02-28", "2028-02-29", "2028-03-01", "2028-12-31",
    "2029-06-02", "2030-04-21", "2031-10-01", "2032-02-29",
)  # fmt: skip
SEGMENTS = "demo/lifecycle_segment_demo.xml"
#: of these days, those that every run looks at
USUAL = ("2027-01-01", "2027-03-28", "2028-02-29")
#: names others, separated by commas, or "all" of them
CHOICE = "LIFECYCLE_DEMO_DAYS"


def chosen_days():
    chosen = os.environ.get(CHOICE) or ",".join(USUAL)
    return DAYS if chosen == "all" else chosen.split(",")


@pytest.mark.long
class TestDemoDays(LifecycleCase):
    def check(self, day):
        company = self.env.ref("base.main_company")
        with clock.on(date.fromisoformat(day), self.env.cr):
            env = self.env(context={**self.env.context, "allowed_company_ids": company.ids})
            company = company.with_env(env)
            if not company.chart_template:
                env["account.chart.template"].try_loading("generic_coa", company=company)
            convert_file(env, "customer_lifecycle", SEGMENTS, {}, "init", True)
            load(env)
            self.run_nightly()
            self.assertEqual(Promises(env, company).check(), [])


def _of(day):
    return lambda self: self.check(day)


for _day in chosen_days():
    setattr(TestDemoDays, f"test_promises_hold_on_{_day.replace('-', '_')}", _of(_day))
