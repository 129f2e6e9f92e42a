"""Workflows that are killed and doubled; tasks of worker.py."""

from datetime import timedelta

from odoo import Command, fields


class WorkflowTasks:
    """Puts customers into workflows and runs these."""

    def fill_workflows(self, customers):
        """A workflow of e-mail, points and activity, and customers who have become at risk."""
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            company = env.user.company_id
            env["lifecycle.workflow"].search([]).action_archive()
            program = env["loyalty.program"].with_context(default_program_type="loyalty").create(
                {"name": "Club", "program_type": "loyalty", "applies_on": "both",
                 "trigger": "auto", "company_id": company.id}
            )
            template = env["mail.template"].create(
                {"name": "Back", "model_id": env.ref("base.model_res_partner").id,
                 "subject": "Back, {{ object.name }}", "body_html": "<p>Hello</p>"}
            )
            stage = env.ref("customer_lifecycle.stage_at_risk")
            days = {f"window_{day}": True for day in ("saturday", "sunday")}
            workflow = env["lifecycle.workflow"].create(
                {"name": "Killed", "company_id": company.id, "window_from": 0, "window_to": 24,
                 "stage_ids": [Command.set(stage.ids)], **days,
                 "step_ids": [
                     Command.create({"kind": "email", "template_id": template.id, "delay": 0,
                                     "sequence": 1}),
                     Command.create({"kind": "points", "program_id": program.id, "points": 7,
                                     "delay": 0, "sequence": 2}),
                     Command.create({"kind": "activity", "delay": 0, "sequence": 3}),
                 ]}
            )
            # a second one wants to write to the same people, who get one message in seven days
            rival = env["lifecycle.workflow"].create(
                {"name": "Rival", "company_id": company.id, "window_from": 0, "window_to": 24,
                 "sequence": 99, "stage_ids": [Command.set(stage.ids)], **days,
                 "step_ids": [
                     Command.create({"kind": "email", "template_id": template.id, "delay": 0}),
                 ]}
            )
            (workflow + rival)._start()
            for number in range(customers + 2):
                partner = env["res.partner"].create(
                    {"name": f"Flow {number:02}", "email": f"flow{number}@example.com"}
                )
                profile = env["lifecycle.profile"].create(
                    {"partner_id": partner.id, "company_id": company.id, "order_count": 2,
                     "currency_id": company.currency_id.id, "stage_id": stage.id,
                     "last_order_date": fields.Date.today() - timedelta(days=99)}
                )
                if number < customers:
                    self._become_at_risk(env, profile)
            env["mail.blacklist"]._add("flow3@example.com")

    def _become_at_risk(self, env, profile):
        return env["lifecycle.transition"].create(
            {"profile_id": profile.id, "kind": "stage", "number": 1, "cause": "rule",
             "to_stage_id": env.ref("customer_lifecycle.stage_at_risk").id,
             "date": fields.Date.today()}
        )

    def run_workflows(self, passes, kill_at=None, kill_word=None, unlocked=False):
        """Run the workflows' scheduled action some times; die before a statement or commit.

        :param unlocked: call its method directly, without the scheduler's own lock
        :return: dict of the numbers of statements and commits
        """
        import odoo.addons.customer_lifecycle.models.workflow.run as run

        run.BATCH = 5
        counts = self._count(kill_at, kill_word)
        for _pass in range(passes):
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                if unlocked:
                    env["lifecycle.workflow"]._cron_run()
                else:
                    env.ref(
                        "customer_lifecycle.ir_cron_lifecycle_workflow"
                    ).method_direct_trigger()
        return dict(counts)

    def late_transition(self):
        """Commit two changes against the order of their ids, with a pass in between."""
        with self.registry.cursor() as late, self.registry.cursor() as early:
            made = {}
            for name, cursor, partner in (("late", late, "Flow 12"), ("early", early, "Flow 13")):
                env = self.env(cursor)
                profile = env["lifecycle.profile"].search([("partner_id.name", "=", partner)])
                made[name] = self._become_at_risk(env, profile).id
                env.flush_all()
            early.commit()
            for _pass in range(2):
                with self.registry.cursor() as cursor:
                    self.env(cursor)["lifecycle.workflow"]._cron_run()
            late.commit()
        return made
