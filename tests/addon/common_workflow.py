from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import Command, fields

from .common import LifecycleCase

WORKFLOW = "customer_lifecycle.ir_cron_lifecycle_workflow"
#: a Tuesday
START = datetime(2027, 3, 2, 10, 0)


class WorkflowCase(LifecycleCase):
    """A company in UTC whose clock stands still until a test moves it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.new_company("Workflow home", lifecycle_tz="UTC", email="home@example.com")
        cls.env["lifecycle.workflow"].search([]).action_archive()
        cls.env = cls.env["base"].with_company(cls.home).env
        cls.at_risk = cls.env.ref("customer_lifecycle.stage_at_risk")
        cls.active_stage = cls.env.ref("customer_lifecycle.stage_active")
        cls.lost = cls.env.ref("customer_lifecycle.stage_lost")
        cls.template = cls.new_template("We miss you")

    def setUp(self):
        super().setUp()
        self.at(START)

    def at(self, moment):
        """Set the clock to a moment (UTC)."""
        if getattr(self, "clock", None):
            self.clock.stop()
        self.clock = freeze_time(moment)
        self.clock.start()
        self.addCleanup(self._stop_clock, self.clock)
        self.now = moment

    def _stop_clock(self, clock):
        if self.clock is clock:
            clock.stop()
            self.clock = None

    def later(self, **span):
        """Move the clock on, and let the scheduled action run."""
        self.at(self.now + timedelta(**span))
        self.run_workflows()

    def run_workflows(self):
        self.empty_queue()
        self.run_cron(WORKFLOW)
        # the test's transaction, in which all changes are made, never ends: without this they
        # would be looked at again and again (test_workflow_crash.py has real transactions)
        self.env.cr.execute(
            "UPDATE lifecycle_workflow SET seen_transition = "
            "(SELECT COALESCE(MAX(id), 0) FROM lifecycle_transition) WHERE state = 'running'"
        )
        self.env.invalidate_all()

    # ----- RECORDS -----

    @classmethod
    def new_template(cls, subject, **values):
        return cls.env["mail.template"].create(
            {
                "name": subject,
                "model_id": cls.env.ref("base.model_res_partner").id,
                "subject": f"{subject}, {{{{ object.name }}}}",
                "body_html": "<p>Hello</p>",
                **values,
            }
        )

    def new_profile(self, name="Ann", partner=None, **values):
        partner = partner or self.new_customer(name, email=f"{name.lower()}@example.com")
        return self.env["lifecycle.profile"].create(
            {
                "partner_id": partner.id,
                "company_id": self.home.id,
                "currency_id": self.home.currency_id.id,
                "order_count": 3,
                "first_order_date": self.now.date() - timedelta(days=300),
                "last_order_date": self.now.date() - timedelta(days=60),
                "stage_id": self.active_stage.id,
                **values,
            }
        )

    def move(self, profile, stage, cause="rule"):
        """Move a customer into a stage, as a run does."""
        number = 1 + max(profile.transition_ids.mapped("number"), default=0)
        transition = self.env["lifecycle.transition"].create(
            {
                "profile_id": profile.id,
                "kind": "stage",
                "number": number,
                "from_stage_id": profile.stage_id.id,
                "to_stage_id": stage.id,
                "date": fields.Date.today(),
                "cause": cause,
            }
        )
        profile.sudo().write({"stage_id": stage.id, "stage_date": fields.Date.today()})
        return transition

    def step(self, **values):
        values = {"delay": 0, "template_id": self.template.id, **values}
        if values.get("kind", "email") != "email":
            values.pop("template_id")
        return Command.create(values)

    def new_workflow(self, *steps, start=True, **values):
        """A workflow on entering At risk with one e-mail at once, unless told otherwise."""
        workflow = self.env["lifecycle.workflow"].create(
            {
                "name": "Win back",
                "company_id": self.home.id,
                "stage_ids": [Command.set(self.at_risk.ids)],
                "step_ids": list(steps) or [self.step()],
                **values,
            }
        )
        if start:
            workflow._start()
        return workflow

    # ----- OUTCOME -----

    def deliveries(self, workflow, state=None):
        domain = [("workflow_id", "=", workflow.id)]
        if state:
            domain.append(("state", "=", state))
        return self.env["lifecycle.workflow.delivery"].search(domain, order="id")

    def reasons(self, workflow):
        return self.deliveries(workflow, "skipped").mapped("reason")

    def sent(self, workflow):
        """Addresses that e-mails of a workflow were queued for."""
        return sorted(
            self.deliveries(workflow, "done").filtered(lambda one: one.kind == "email").mapped(
                "email"
            )
        )

    def order(self, profile, days_ago=0):
        """The customer has ordered, and his figures are fresh."""
        day = self.now.date() - timedelta(days=days_ago)
        profile.sudo().write({"last_order_date": day, "order_count": profile.order_count + 1})
