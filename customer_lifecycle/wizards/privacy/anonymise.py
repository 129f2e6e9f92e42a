from odoo import Command, api, fields, models


class LifecycleAnonymise(models.TransientModel):
    """The question before a person is forgotten: it cannot be taken back."""

    _name = "lifecycle.anonymise"
    _description = "Anonymise Contacts"

    partner_ids = fields.Many2many("res.partner", string="Contacts", required=True)
    with_contacts = fields.Boolean(
        string="Also Their Contacts",
        help="For a company: also the people and addresses that belong to it.",
    )
    has_contacts = fields.Boolean(compute="_compute_everybody")
    everybody_ids = fields.Many2many(
        "res.partner", string="Will Be Anonymised", compute="_compute_everybody"
    )

    @api.depends("partner_ids", "with_contacts")
    def _compute_everybody(self):
        for wizard in self:
            # as the present user: nobody is anonymised whom he may not see
            below = self.env["res.partner"].with_context(active_test=False).search(
                [("id", "child_of", wizard.partner_ids.ids)]
            )
            wizard.has_contacts = bool(below - wizard.partner_ids._origin)
            wizard.everybody_ids = [
                Command.set((below if wizard.with_contacts else wizard.partner_ids).ids)
            ]

    def action_anonymise(self):
        self.ensure_one()
        removals = self.everybody_ids._lifecycle_anonymise()
        if not removals:
            return {"type": "ir.actions.act_window_close"}
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "sticky": True,
                "message": self.env._(
                    "Advertising platforms still know them: upload the newest removals from "
                    "Customers ▸ Engage ▸ Audiences (%s).",
                    ", ".join(removals.segment_id.mapped("name")),
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
