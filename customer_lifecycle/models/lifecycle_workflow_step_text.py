from odoo import api, fields, models

#: types of fields whose old and new values Odoo's log can show
SHOWN = ("char", "integer", "float", "boolean", "selection", "many2one")


class LifecycleWorkflowStep(models.Model):
    """What the flow says of a step."""

    # a file for each subject of this large model
    _inherit = "lifecycle.workflow.step"  # pylint: disable=consider-merging-classes-inherited

    when_text = fields.Char(compute="_compute_when_text")

    @api.depends("delay", "delay_unit", "delay_from", "sequence", "parent_id",
                 "workflow_id.step_ids")
    @api.depends_context("lang")
    def _compute_when_text(self):
        for step in self:
            outside = step.workflow_id.step_ids.filtered(lambda one: not one.parent_id)
            first = outside.sorted("sequence")[:1]
            # in a form that is not saved yet one step may be there twice
            is_first = (first._origin or first) == (step._origin or step)
            if not step.delay:
                step.when_text = self.env._("at once")
                continue
            span = step._span_text()
            if is_first or step.delay_from == "entry":
                step.when_text = self.env._("%s after entering", span)
            else:
                step.when_text = self.env._("%s after the former step", span)

    def _span_text(self):
        words = {
            "minutes": (self.env._("1 minute"), self.env._("%s minutes", self.delay)),
            "hours": (self.env._("1 hour"), self.env._("%s hours", self.delay)),
            "days": (self.env._("1 day"), self.env._("%s days", self.delay)),
            "weeks": (self.env._("1 week"), self.env._("%s weeks", self.delay)),
            "months": (self.env._("1 month"), self.env._("%s months", self.delay)),
        }
        one, many = words[self.delay_unit]
        return one if self.delay == 1 else many

    # ----- LOG -----

    def _remember(self, names):
        """Titles and values of steps of started workflows, before some fields change."""
        names = sorted(names & self._fields.keys())
        return {
            step: (step.title, {name: step[name] for name in names})
            for step in self
            if names and step.workflow_id.state in ("running", "paused")
        }

    def _log_changes(self, before):
        """Tell on the workflow what has changed, with the old and the new values."""
        for step, (title, values) in before.items():
            changed = [name for name, value in values.items() if step[name] != value]
            if not changed:
                continue
            shown = [name for name in changed if self._fields[name].type in SHOWN]
            tracking = step._mail_track(self.fields_get(shown), values)[1] if shown else []
            labels = [self._fields[name]._description_string(self.env) for name in changed]
            step.workflow_id._log_edit(
                self.env._(
                    "Step “%(step)s” changed: %(fields)s", step=title, fields=", ".join(labels)
                ),
                tracking,
            )
