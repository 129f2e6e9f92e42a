from odoo import api, fields, models
from odoo.exceptions import UserError

#: what makes a record unusable, as opposed to unreadable for somebody
DEFECTS = (ValueError, KeyError, UserError, SyntaxError, TypeError, AttributeError)


class LifecycleSleepingMixin(models.AbstractModel):
    """Something that names a model of an app that may not be installed.

    It sleeps until an app brings the model, and wakes up by itself.
    """

    _name = "lifecycle.sleeping.mixin"
    _description = "Record That Waits for an App"

    model = fields.Char(required=True)
    state = fields.Selection(
        [("ready", "Ready"), ("asleep", "App not installed"), ("error", "Not usable")],
        compute="_compute_state",
    )
    state_message = fields.Char(compute="_compute_state")

    @api.depends_context("lang")
    @api.depends("model")
    def _compute_state(self):
        for record in self:
            record.state, record.state_message = record._inspect()

    def _inspect(self):
        """Return (state, message) after trying the record."""
        self.ensure_one()
        missing = self._missing_model()
        if missing is not None:
            return "asleep", self._asleep_message(missing)
        try:
            self._inspect_parts()
        except DEFECTS as error:
            return "error", self._defect_message(error)
        return "ready", False

    def _missing_model(self):
        """Name of a model that the record waits for, None when it is awake."""
        self.ensure_one()
        return None if self.model and self.model in self.env else self.model or ""

    def _is_there(self, name):
        """Whether a model, or the field of a model, is installed: ``sale.order.website_id``."""
        model, _dot, field = name.rpartition(".")
        return name in self.env or (model in self.env and field in self.env[model]._fields)

    def _asleep_message(self, model):
        return self.env._("Waits for an app that brings the model “%s”.", model)

    def _defect_message(self, error):
        return self.env._("Correct it: %s", error)

    def _inspect_parts(self):
        """Try every part.

        :raise: one of ``DEFECTS`` where a part does not fit
        """
