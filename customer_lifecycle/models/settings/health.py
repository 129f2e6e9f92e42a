"""What stands still or is left out, found by itself and told to managers once.

Comes in: records that people or apps have broken, and scheduled actions that somebody has switched
off. Goes out: a message to sales administrators. Called by the scheduled actions, each of which
so watches over the others, and by a computation that has failed.
"""

import json

from markupsafe import Markup
from psycopg2 import errors

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import mute_logger

from ...tools.batches import CONFLICTS

#: what managers know already: {key: sentence}
TOLD = "customer_lifecycle.health_told"
#: seconds between two looks of one process
EVERY = 3600
#: models whose records wait for apps and can break
SOURCES = (
    "lifecycle.revenue.source",
    "lifecycle.spending.source",
    "lifecycle.touchpoint.source",
    "lifecycle.signal",
    "lifecycle.vip.place",
)
RULES = ("lifecycle.stage", "lifecycle.vip.tier", "lifecycle.segment")
#: the addon's scheduled actions
JOBS = (
    "ir_cron_lifecycle_nightly",
    "ir_cron_lifecycle_refresh",
    "ir_cron_lifecycle_benefits",
    "ir_cron_lifecycle_workflow",
    "ir_cron_lifecycle_loyalty",
    "ir_cron_lifecycle_referral",
    "ir_cron_lifecycle_economics",
    "ir_cron_lifecycle_comparison",
)
#: hours that a scheduled action may be late before somebody is told
LATE_HOURS = 24
#: failures in a row that are no accident
FAILURES = 3


class LifecycleHealth(models.AbstractModel):
    """Finds what does not work, and tells managers of what is new."""

    _name = "lifecycle.health"
    _description = "Health of Customer Lifecycle"

    @api.model
    def _look_sometimes(self):
        """Look once an hour, whichever scheduled action comes by first."""
        registry = self.env.registry
        now = self.env.cr.now()
        looked = getattr(registry, "lifecycle_looked", None)
        if looked is None or abs((now - looked).total_seconds()) >= EVERY:
            registry.lifecycle_looked = now
            self._look()

    @api.model
    def _look(self):
        """Find what does not work; tell managers of what they have not been told yet."""
        # sudo: what is told are names of records and jobs, to people who manage them
        self = self.sudo()
        found = dict(self._problems())
        parameters = self.env["ir.config_parameter"]
        try:
            told = json.loads(parameters.get_param(TOLD) or "{}")
        except ValueError:
            told = {}
        if found.keys() == told.keys():
            return
        # a sentence may be worded anew by the database: what counts is what is broken
        new = [sentence for key, sentence in found.items() if key not in told]
        try:
            with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                parameters.set_param(TOLD, json.dumps(found) if found else False)
        except (*CONFLICTS, errors.UniqueViolation):
            return  # another scheduled action looks at the same time, and tells
        if new:
            self._tell(new)

    @api.model
    def _tell(self, sentences):
        people = self._managers().partner_id
        if not people:
            return
        lines = Markup().join(Markup("<li>%s</li>") % sentence for sentence in sentences)
        self.env["mail.thread"].message_notify(
            partner_ids=people.ids,
            subject=self.env._("Customer Lifecycle: something does not work"),
            body=Markup("<p>%s</p><ul>%s</ul>")
            % (
                self.env._(
                    "It is left out, and everything else goes on; figures and labels that depend "
                    "on it stay as they were until it is put right."
                ),
                lines,
            ),
        )

    @api.model
    def _managers(self):
        group = self.env.ref("sales_team.group_sale_manager")
        return group.all_user_ids.filtered(lambda user: user.active and not user.share)

    # ----- WHAT IS WRONG -----

    @api.model
    def _problems(self):
        """Pairs (key, sentence)."""
        yield from self._broken_sources()
        yield from self._broken_rules()
        yield from self._stopped_workflows()
        yield from self._missing_jobs()

    @api.model
    def _broken_sources(self):
        for name in SOURCES:
            model = self.env[name]
            for record in model.search(Domain.TRUE):
                if record.state == "error":
                    yield (
                        f"{name},{record.id}",
                        self.env._(
                            "%(kind)s “%(name)s” is left out: %(problem)s",
                            kind=model._description,
                            name=record.display_name,
                            problem=record.state_message,
                        ),
                    )

    @api.model
    def _broken_rules(self):
        for name in RULES:
            for rule in self.env[name]._switched_off():
                yield (
                    f"{name},{rule.id}",
                    self.env._(
                        "The rule of “%(rule)s” is switched off: %(problem)s",
                        rule=rule.display_name,
                        problem=rule.rule_error,
                    ),
                )

    @api.model
    def _stopped_workflows(self):
        for workflow in self.env["lifecycle.workflow"].search([("error", "!=", False)]):
            yield (
                f"lifecycle.workflow,{workflow.id}",
                self.env._(
                    "The workflow “%(name)s” does not go on: %(problem)s",
                    name=workflow.display_name,
                    problem=workflow.error,
                ),
            )

    @api.model
    def _missing_jobs(self):
        # the clock that the scheduler goes by
        now = self.env.cr.now()
        for name in JOBS:
            job = self.env.ref(f"customer_lifecycle.{name}", raise_if_not_found=False)
            problem = self._job_problem(job, now)
            if problem:
                yield f"ir.cron,{name}", problem

    @api.model
    def _job_problem(self, job, now):
        """Sentence about a scheduled action that does not do its work, or None."""
        if not job:
            return self.env._(
                "A scheduled action of Customer Lifecycle was deleted. Update the app to bring it "
                "back."
            )
        late = fields.Datetime.subtract(now, hours=LATE_HOURS)
        if not job.active:
            return self.env._(
                "The scheduled action “%s” is switched off. Switch it on again.", job.name
            )
        if job.failure_count >= FAILURES:
            return self.env._(
                "The scheduled action “%(name)s” has failed %(count)s times in a row; the server's "
                "log says why.",
                name=job.name,
                count=job.failure_count,
            )
        if job.nextcall and job.nextcall < late:
            return self.env._(
                "The scheduled action “%s” should have run more than a day ago. See whether the "
                "server runs scheduled actions.",
                job.name,
            )
        return None
