from odoo import api, fields, models
from odoo.exceptions import UserError

from ...models.rules.profile import HOLD_DAYS
from ...tools import rights

#: what setting a stage changes, and taking it back restores
KEPT = ("stage_date", "stage_order_date", "stage_manual", "stage_hold_until", "stage_reason")
#: what nobody writes by hand
BY_ITSELF = frozenset({"former_stage_id", "former", "move_number"})


class LifecycleStageHold(models.TransientModel):
    """Set a customer's stage by hand: why, for how long, and the way back."""

    _name = "lifecycle.stage.hold"
    _description = "Set Stage"

    profile_id = fields.Many2one("lifecycle.profile", required=True)
    stage_id = fields.Many2one("lifecycle.stage", required=True)
    reason = fields.Char(required=True)
    duration = fields.Selection(
        [
            ("30", "30 days"),
            ("90", "90 days"),
            ("180", "Half a year"),
            ("365", "A year"),
            ("day", "Until a day"),
        ],
        string="Hold For",
        required=True,
        default=str(HOLD_DAYS),
    )
    until = fields.Date(
        string="Hold Until", compute="_compute_until", store=True, readonly=False
    )
    former_stage_id = fields.Many2one("lifecycle.stage", readonly=True)
    former = fields.Json(readonly=True)
    move_number = fields.Integer(readonly=True)

    @api.depends("duration", "profile_id")
    def _compute_until(self):
        for wizard in self:
            today = (wizard.profile_id.company_id or self.env.company)._lifecycle_today()
            if wizard.duration != "day":
                days = int(wizard.duration or HOLD_DAYS)
                wizard.until = fields.Date.add(today, days=days)

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(vals_list)
        rights.refuse_created(wizards, BY_ITSELF)
        return wizards

    def write(self, vals):
        rights.refuse_written(self, BY_ITSELF & vals.keys())
        return super().write(vals)

    def action_apply(self):
        """Move and hold the customer, and say so with a way back."""
        self.ensure_one()
        profile, stage = self.profile_id, self.stage_id
        profile.check_access("write")
        if not self.until or self.until < profile._lifecycle_today():
            raise UserError(self.env._("Choose a day that is still to come."))
        # sudo: remembered by this code and nobody else, see BY_ITSELF
        self.sudo().write(
            {
                "former_stage_id": profile.stage_id.id,
                "former": {name: self._plain(profile, name) for name in KEPT},
            }
        )
        profile.write(
            {
                "stage_id": stage.id,
                "stage_reason": self.reason,
                "stage_hold_until": self.until,
            }
        )
        self.sudo().move_number = profile.sudo()._last_number("stage")
        return {
            "type": "ir.actions.client",
            "tag": "customer_lifecycle.undoable",
            "params": {
                "message": self.env._(
                    "%(customer)s is in the stage “%(stage)s”, held until %(date)s.",
                    customer=profile.partner_id.display_name,
                    stage=stage.name,
                    date=profile._date(self.until),
                ),
                "model": self._name,
                "ids": self.ids,
            },
        }

    def action_undo(self):
        """Put the customer back to where he was, unless something has happened since."""
        self.ensure_one()
        profile = self.profile_id
        profile.check_access("write")
        # sudo: history and stage are written by the methods that stand for the check above
        profile = profile.sudo()
        if (
            not self.former_stage_id
            or profile.stage_id != self.stage_id
            or profile._last_number("stage") != self.move_number
        ):
            raise UserError(
                self.env._("The customer has moved on meanwhile; set the stage once more.")
            )
        profile._restore_stage(self.former_stage_id, self.former)
        self.sudo().former_stage_id = False

    def _plain(self, profile, name):
        """A value as JSON holds it."""
        value = profile[name]
        return fields.Date.to_string(value) if profile._fields[name].type == "date" else value
