"""Who is in which workflow, at which step, and when it is his turn.

In: rows that the triggers insert when customers enter. Out: the enrolments that are due in a
company, locked for whoever works on them, and the end of a way. Called by the workflows'
scheduled action, by ending, deleting and anonymising, and by the buttons to stop and to retry.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

EXITS = [
    ("goal", "Goal reached"),
    ("left", "No longer true"),
    ("opt_out", "Unsubscribed"),
    ("excluded", "No longer a customer"),
    ("again", "Entered again"),
    ("stopped", "Stopped by hand"),
    ("ended", "Workflow ended"),
]


class LifecycleWorkflowEnrollment(models.Model):
    """One customer's way through a workflow, for one occasion."""

    _name = "lifecycle.workflow.enrollment"
    _description = "Customer in a Workflow"
    _order = "id desc"
    _rec_name = "partner_id"

    workflow_id = fields.Many2one(
        "lifecycle.workflow", required=True, ondelete="restrict", readonly=True, index=True
    )
    profile_id = fields.Many2one(
        "lifecycle.profile", required=True, ondelete="cascade", readonly=True, index=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, ondelete="cascade", readonly=True,
        index=True,
    )
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade", readonly=True)
    episode = fields.Char(
        string="Occasion",
        required=True,
        readonly=True,
        help="What the customer entered for: a change, an order, a year.",
    )
    state = fields.Selection(
        [
            ("active", "On the way"),
            ("done", "Finished"),
            ("exited", "Left early"),
            ("failed", "Stopped by an error"),
            ("control", "Control group"),
        ],
        required=True,
        default="active",
        readonly=True,
    )
    exit_reason = fields.Selection(EXITS, string="Left Because", readonly=True)
    step_id = fields.Many2one(
        "lifecycle.workflow.step", string="Next Step", ondelete="restrict", readonly=True,
        index="btree_not_null",
    )
    date_entered = fields.Datetime(string="Entered", required=True, readonly=True)
    day_entered = fields.Date(required=True, readonly=True)
    date_anchor = fields.Datetime(
        readonly=True, help="When the former step was done, from which the next one's delay counts."
    )
    date_next = fields.Datetime(string="Due", readonly=True)
    date_end = fields.Datetime(string="Ended", readonly=True)
    last_order_date = fields.Date(
        readonly=True, help="Last order at the time of entering: a later one is news."
    )
    waiting_since = fields.Datetime(readonly=True)
    waiting_reason = fields.Char(string="Waits Because", readonly=True)
    attempts = fields.Integer(string="Failed Attempts", readonly=True)
    error = fields.Char(readonly=True)
    delivery_ids = fields.One2many("lifecycle.workflow.delivery", "enrollment_id", string="Steps")

    _episode_unique = models.UniqueIndex(
        "(workflow_id, profile_id, episode)", "A customer enters once for each occasion."
    )
    _active_unique = models.UniqueIndex(
        "(workflow_id, profile_id) WHERE state = 'active'",
        "The customer is in this workflow already.",
    )
    _due_idx = models.Index("(company_id, date_next) WHERE state = 'active'")

    def _exit(self, reason):
        """End the way of those who are on it."""
        self.filtered(lambda one: one.state in ("active", "failed")).write(
            {
                "state": "exited",
                "exit_reason": reason,
                "step_id": False,
                "date_next": False,
                "date_end": fields.Datetime.now(),
                "waiting_since": False,
                "waiting_reason": False,
            }
        )

    def action_stop(self):
        """Let salespeople stop a workflow for a customer of theirs."""
        self.check_access("read")
        self.profile_id.check_access("write")
        for one in self:
            one.partner_id.message_post(
                body=self.env._("Stopped the workflow “%s”.", one.workflow_id.sudo().name),
                subtype_xmlid="mail.mt_note",
            )
        # checked above: whoever may change the customer's stage may stop his workflows
        self.sudo()._exit("stopped")

    def action_retry(self):
        """Try the failed step once more."""
        if not self.env.user.has_group("sales_team.group_sale_manager"):
            raise AccessError(self.env._("Only sales administrators can try again."))
        failed = self.filtered(lambda one: one.state == "failed").sudo()
        if not failed:
            raise UserError(self.env._("Nothing has failed here."))
        failed.write(
            {"state": "active", "date_next": fields.Datetime.now(), "error": False}
        )
        self.env["lifecycle.workflow"]._wake()

    def action_view_partner(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "views": [(False, "form")],
        }

    def _where_it_stands(self):
        """One sentence: which workflow, what comes next and when, or why it waits."""
        self.ensure_one()
        if self.workflow_id.state == "paused":
            return self.env._("“%s” is paused.", self.workflow_id.name)
        if not self.step_id or not self.date_next:
            return self.env._("“%s” is about to end.", self.workflow_id.name)
        return self.env._(
            "“%(workflow)s”: next “%(step)s”, %(date)s.",
            workflow=self.workflow_id.name,
            step=self.step_id.title,
            date=format_datetime(self.env, self.date_next, dt_format="medium"),
        )

    # ----- BATCHES -----

    @api.model
    def _due_ids(self, company, limit):
        """Enrolments that are due now, those of the most important workflow first.

        Customers who are waiting to be refreshed are left until that is done: who bought this
        morning must not be judged by last night's figures.
        """
        self.env.cr.execute(
            SQL(
                """SELECT enrollment.id
                     FROM lifecycle_workflow_enrollment enrollment
                     JOIN lifecycle_workflow workflow ON workflow.id = enrollment.workflow_id
                    WHERE %(due)s
                    ORDER BY workflow.sequence, workflow.id, enrollment.date_next, enrollment.id
                    LIMIT %(limit)s""",
                due=self._due_sql(company),
                limit=limit,
            )
        )
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _due_sql(self, company):
        return SQL(
            """enrollment.state = 'active' AND enrollment.company_id = %(company)s
               AND enrollment.date_next <= %(now)s
               AND workflow.state = 'running' AND workflow.active AND %(reached)s
               AND NOT EXISTS (SELECT FROM lifecycle_queue queued
                                WHERE queued.partner_id = enrollment.partner_id
                                  AND queued.company_id IN (0, %(company)s))""",
            company=company.id,
            reached=self.env["lifecycle.workflow"]._runs_in_sql(company),
            now=fields.Datetime.now(),
        )

    @api.model
    def _lock_due(self, company, ids):
        """Of some enrolments those that are still due and that nobody else works on."""
        self.env.cr.execute(
            SQL(
                """SELECT enrollment.id
                     FROM lifecycle_workflow_enrollment enrollment
                     JOIN lifecycle_workflow workflow ON workflow.id = enrollment.workflow_id
                    WHERE enrollment.id = ANY(%(ids)s) AND %(due)s
                    ORDER BY workflow.sequence, workflow.id, enrollment.date_next, enrollment.id
                      FOR NO KEY UPDATE OF enrollment SKIP LOCKED""",
                ids=list(ids),
                due=self._due_sql(company),
            )
        )
        return self.browse(row[0] for row in self.env.cr.fetchall())
