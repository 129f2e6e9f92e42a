from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from .lifecycle_workflow import STARTER


class LifecycleWorkflow(models.Model):
    """Starting, pausing and ending, and from when on changes are news."""

    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    def _check_may_start(self):
        if not self.env.su and not self.env.user.has_group(STARTER):
            raise AccessError(
                self.env._(
                    "Only people who may start customer workflows can do this; ask a sales "
                    "administrator for that right."
                )
            )

    def action_start(self):
        """Ask who is to enter, then start."""
        self.ensure_one()
        self._check_may_start()
        if not self.step_ids:
            raise UserError(self.env._("Add a step before starting “%s”.", self.name))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Start “%s”", self.name),
            "res_model": "lifecycle.workflow.start",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_workflow_id": self.id},
        }

    def _start(self, everybody=False):
        """Start, or enter customers of a running workflow by hand.

        :param everybody: also those enter for whom the trigger is true already
        """
        for workflow in self:
            workflow._check_may_start()
            workflow.check_access("write")
            mine = workflow._check_mine()
            was = workflow.state
            values = {"state": "running", "error": False}
            if was != "running":
                now = fields.Datetime.now()
                workflow._reach(mine)
                values.update(user_id=self.env.uid, date_start=now, **workflow._from_now_on())
                # sudo: checked above; from when on changes are news is not written by hand
                workflow.sudo().write(values)
            else:
                workflow._reach_more(mine)
            if everybody or workflow.trigger == "manual":
                workflow.sudo().launch_count += 1
                workflow._for_mine().sudo()._enter_present()
        self._wake()

    @api.model
    def _wake(self):
        cron = self.env.ref("customer_lifecycle.ir_cron_lifecycle_workflow", False)
        if cron:
            cron.sudo()._trigger()

    def action_pause(self):
        """Stop at once: nothing is sent, queued or not, and nobody enters until it is resumed.

        Who works in some of the companies stops it there; in the others it goes on.
        """
        self._check_may_start()
        for workflow in self.filtered(lambda workflow: workflow.state == "running"):
            if not workflow._reach_less(workflow._check_mine()):
                workflow.write({"state": "paused"})

    def action_resume(self):
        """Go on; who came into the state while it was paused does not enter."""
        self._check_may_start()
        self.check_access("write")
        for workflow in self.filtered(lambda workflow: workflow.state in ("paused", "running")):
            mine = workflow._check_mine()
            if workflow.state == "running":
                workflow._reach_more(mine)
            else:
                workflow._reach(workflow._companies() & mine)
                values = {"state": "running", "error": False, **workflow._from_now_on()}
                if not workflow._has_responsible():
                    values["user_id"] = self.env.uid
                # sudo: checked above, see _start
                workflow.sudo().write(values)
            workflow._for_mine()._release_mails()
        self._wake()

    def action_end(self):
        """End for good: customers on their way leave it.

        Who works in some of the companies ends it there; in the others it goes on.
        """
        self._check_may_start()
        for workflow in self:
            mine = workflow._check_mine()
            if workflow.state not in ("running", "paused") or not workflow._reach_less(mine):
                workflow.write({"state": "ended"})
            workflow._active_here(mine)._exit("ended")
            workflow._for_mine()._drop_mails()

    def action_draft(self):
        self._check_may_start()
        for workflow in self.filtered(lambda workflow: workflow.state == "ended"):
            workflow._check_mine()
            workflow.write({"state": "draft"})
            workflow._reach(workflow._every_company())

    # ----- WHOSE PERSON IS GONE -----

    @api.model
    def _pause_orphans(self):
        """Pause what acts with the rights of somebody who is not there any more, and say so."""
        for workflow in self.sudo().search([("state", "=", "running")]):
            if workflow._has_responsible():
                continue
            user = workflow.user_id
            if user.active:
                text = self.env._(
                    "Paused: %s, who is responsible, may no longer start workflows. Whoever "
                    "resumes it takes it over.",
                    user.name,
                )
            elif user:
                text = self.env._(
                    "Paused: %s, who was responsible, works here no longer. Whoever resumes it "
                    "takes it over.",
                    user.name,
                )
            else:
                text = self.env._(
                    "Paused: nobody is responsible any more. Whoever resumes it takes it over."
                )
            workflow._pause_with(text)

    @api.model
    def _pause_writers(self):
        """Pause what would write to people by a server action that was changed into such a one.

        Otherwise it would fail customer by customer.
        """
        # sudo: what an action consists of decides whether it may run at all
        steps = self.env["lifecycle.workflow.step"].sudo().search(
            [("kind", "=", "action"), ("workflow_id.state", "=", "running")]
        )
        for workflow, some in steps.grouped("workflow_id").items():
            try:
                for step in some:
                    step.action_id._lifecycle_refuse_writers(step.title)
            except ValidationError as error:
                workflow._pause_with(self.env._("Paused: %s", error.args[0]))

    def _pause_with(self, text):
        """Pause, say why on the workflow, and tell those who may resume it."""
        self.ensure_one()
        self.write({"state": "paused", "error": text})
        self.message_post(
            body=text,
            subtype_xmlid="mail.mt_note",
            partner_ids=self._starters().partner_id.ids,
        )

    def _starters(self):
        """Colleagues who may start the workflow."""
        self.ensure_one()
        users = self.env.ref(STARTER).sudo().all_user_ids
        if self.company_id:
            users = users.filtered(lambda user: self.company_id in user.company_ids)
        return users.filtered(lambda user: user.active and not user._is_superuser())

    # ----- NEWS -----

    def _from_now_on(self):
        """Values that make everything up to now history."""
        here = self._bookmark()
        return {
            **here,
            "seen_transition": here["newest_transition"],
            "date_since": fields.Datetime.now(),
            "date_scanned": False,
        }

    def _bookmark(self):
        """Newest change that is visible, and the transaction that comes next.

        Ids are given before they are committed: a change with a lower id may still be on its way.
        It is not missed, because changes count as looked at for good only once every transaction
        that had begun by then has ended.
        """
        self.env.cr.execute(
            SQL(
                "SELECT COALESCE(MAX(id), 0), pg_snapshot_xmax(pg_current_snapshot())::text "
                "FROM lifecycle_transition"
            )
        )
        newest, xid = self.env.cr.fetchone()
        return {"newest_transition": newest, "newest_xid": xid}
