"""Records that name a model by text: ready, asleep until its app comes, or not usable.

In: a technical name, and the attempt of each kind to use its parts. Out: the state with a
sentence, and the mark of what failed while it was read. Inherited by revenue, spending and
touchpoint sources, signals and the places of VIP badges.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

#: what makes a record unusable, as opposed to unreadable for somebody
DEFECTS = (ValueError, KeyError, UserError, SyntaxError, TypeError, AttributeError)


class LifecycleSleepingMixin(models.AbstractModel):
    """Something that names a model of an app that may not be installed.

    It sleeps until an app brings the model, and wakes up by itself. What cannot be read any more
    is left out where users work, is marked here, and told to managers (``lifecycle.health``).
    """

    _name = "lifecycle.sleeping.mixin"
    _description = "Record That Waits for an App"

    model = fields.Char(required=True)
    state = fields.Selection(
        [("ready", "Ready"), ("asleep", "App not installed"), ("error", "Not usable")],
        compute="_compute_state",
    )
    # text, not a line: lists show it whole
    state_message = fields.Text(compute="_compute_state")
    # what only shows while documents are read: cleared by whoever corrects the record
    defect = fields.Char(string="Left Out Because", readonly=True, copy=False)

    def write(self, vals):
        # nobody marks a record by hand, see ``_mark``
        vals = {name: value for name, value in vals.items() if name != "defect"}
        if vals.keys() - {"name", "sequence"}:
            vals = {"defect": False, **vals}
        return super().write(vals)

    @api.depends_context("lang")
    @api.depends("model", "defect")
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
        if self.defect:
            return "error", self._defect_message(self.defect)
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

    def _mark(self, defect):
        """Write down why the record is left out, or False when it can be read again.

        In SQL: a mark is no change of what the record says, for which figures are computed anew.
        """
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET defect = %s WHERE id = ANY(%s)",
                SQL.identifier(self._table),
                defect or None,
                self.ids,
            )
        )
        self.invalidate_recordset(["defect", "state", "state_message"])
        self.env.registry.clear_cache()

    def _inspect_parts(self):
        """Try every part.

        :raise: one of ``DEFECTS`` where a part does not fit
        """
