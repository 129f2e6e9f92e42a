"""What people do with the former release before it is updated.

    worker_upgrade.py DATABASE ADDONS_PATH [CONFIGURATION]

runs in a process of its own with the former release's code, changes delivered records, adds
others and lets the scheduled actions work; writes on standard output, as JSON, what it changed:
``{"changed": {"external id": {"field": value, …}, …}, "deleted": ["external id", …]}``.
"""

import json
import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from lifecycle_setup import clock  # noqa: E402

clock.start()

import odoo.init  # noqa: F401 E402 the order in which Odoo wants to be imported

# isort: split
from odoo import SUPERUSER_ID, Command, api  # noqa: E402
from odoo.modules.registry import Registry  # noqa: E402
from odoo.tools import config  # noqa: E402

ADDON = "customer_lifecycle"
#: changed delivered records: external id, and the values that somebody gave them
CHANGES = {
    "stage_loyal": {"name": "Our Friends"},
    "stage_at_risk": {"domain": "[('order_count', '>', 1), ('days_since_last_order', '>', 77)]"},
    "revenue_source_sale_order": {"domain": "[('state', '=', 'sale'), ('amount_total', '>', 1)]"},
    "mail_template_welcome": {
        "subject": "Hello from all of us",
        "body_html": "<p>Our own words</p>",
    },
    "rfm_group_champions": {"name": "Top Hundred"},
    "touchpoint_source_website_visit": {"active": False},
    "vip_place_order": {"first_domain": ""},
    "signal_top_rating": {"active": False},
    "workflow_second_order": {"name": "Come Again"},
    "ir_cron_lifecycle_benefits": {"interval_number": 3},
    "spending_source_timesheet": {"active": False},
}

#: delivered records that somebody has deleted
DELETED = ("vip_place_task", "signal_recommendation_count", "touchpoint_source_event_attended")


class Former:
    """One database with the former release."""

    def __init__(self, env):
        self.env = env
        self.company = env.ref("base.main_company")

    def record(self, name):
        return self.env.ref(f"{ADDON}.{name}")

    def edit(self):
        """Change what was delivered, as people do in the forms."""
        for name, values in CHANGES.items():
            self.record(name).write(values)
        for name in DELETED:
            self.record(name).unlink()
        # one of his own in its place, which a second would double
        self.env["lifecycle.vip.place"].create(
            {"name": "Own tasks", "model": "project.task", "partner_path": "partner_id"}
        )

    def add(self):
        """Add records of one's own."""
        env = self.env
        template = env["mail.template"].create(
            {"name": "Own", "model_id": env.ref("base.model_res_partner").id,
             "subject": "Own {{ object.name }}", "body_html": "<p>Own</p>"}
        )
        stages = self.record("stage_lost") + self.record("stage_active")
        workflow = env["lifecycle.workflow"].create(
            {"name": "Own workflow", "stage_ids": [Command.set(stages.ids)],
             "step_ids": [Command.create({"kind": "activity", "delay": 0, "sequence": 1}),
                          Command.create({"kind": "email", "template_id": template.id,
                                          "sequence": 2})]}
        )
        env["lifecycle.segment"].create(
            {"name": "Own segment", "domain": "[('order_count', '>', 2)]"}
        )
        ranks = env["lifecycle.vip.tier"].search([]).mapped("rank")
        env["lifecycle.vip.tier"].create(
            {"name": "Own tier", "rank": max([0, *ranks]) + 1, "company_id": self.company.id,
             "entry": 9000, "keep": 7000}
        )
        program = env["loyalty.program"].with_context(default_program_type="loyalty").create(
            {"name": "Own club", "program_type": "loyalty", "applies_on": "both",
             "trigger": "auto", "lifecycle_expiry_months": 6, "lifecycle_welcome_points": 20}
        )
        partners = env["lifecycle.profile"].search([], limit=3, order="id").partner_id
        cards = env["loyalty.card"].create(
            [{"program_id": program.id, "partner_id": partner.id} for partner in partners]
        )
        cards._lifecycle_add_points(12, lambda one: "Thank you", lifecycle_kind="credited")
        self.company.write({"lifecycle_horizon": 180, "lifecycle_cap_week": 4,
                            "lifecycle_margin_percent": 41})
        env["mail.blacklist"]._add("optout@example.com")
        env["res.partner"].create(
            [{"name": "Says no", "email": "optout@example.com"},
             {"name": "Says yes", "email": "yes@example.com",
              "lifecycle_marketing_consent": True}]
        )
        partners[0].lifecycle_exclude = False
        return workflow

    def work(self, workflow):
        """Let workflows run: enrolments, deliveries, refusals."""
        (workflow + self.record("workflow_welcome"))._start(everybody=True)
        self.env.cr.commit()
        # what is due in the second of entering is done in the next
        time.sleep(2)
        self.run("refresh", "workflow", "nightly", "workflow", "loyalty")

    def run(self, *names):
        """Let scheduled actions work."""
        for name in names:
            self.record(f"ir_cron_lifecycle_{name}").method_direct_trigger()
            self.env.cr.commit()


def main(database, addons_path, configuration):
    options = ["-c", configuration] if configuration else []
    config.parse_config(
        [*options, "--addons-path", addons_path, "-d", database, "--log-level=error"]
    )
    with Registry(database).cursor() as cursor:
        former = Former(api.Environment(cursor, SUPERUSER_ID, {"tracking_disable": True}))
        # the first run leaves the past to a second
        former.run("nightly", "nightly")
        former.work(former.add())
        # what is edited last is what nobody has computed with
        former.edit()
        cursor.commit()
    print(json.dumps({"changed": CHANGES, "deleted": DELETED}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
