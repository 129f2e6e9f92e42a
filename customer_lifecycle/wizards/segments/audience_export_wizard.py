from odoo import api, fields, models


class LifecycleAudienceExportWizard(models.TransientModel):
    """Asks where an audience goes before it is exported."""

    _name = "lifecycle.audience.export.wizard"
    _description = "Export Audience"

    segment_id = fields.Many2one("lifecycle.segment", required=True, ondelete="cascade")
    platform = fields.Selection(
        [("google", "Google Ads (Customer Match)"), ("meta", "Meta (Custom Audience)")],
        default="google",
        required=True,
    )
    campaign_id = fields.Many2one(
        "utm.campaign", help="The campaign that the audience belongs to."
    )
    last_export_id = fields.Many2one(
        "lifecycle.audience.export", compute="_compute_last_export_id"
    )
    last_date = fields.Datetime(related="last_export_id.date", string="Last Exported On")

    @api.depends("segment_id", "platform")
    def _compute_last_export_id(self):
        for wizard in self:
            wizard.last_export_id = self.env["lifecycle.audience.export"].search(
                [
                    ("segment_id", "=", wizard.segment_id.id),
                    ("platform", "=", wizard.platform),
                    ("company_id", "=", self.env.company.id),
                ],
                limit=1,
            )

    def action_export(self):
        """Export, and show the files."""
        self.ensure_one()
        export = self.env["lifecycle.audience.export"]._export(
            self.segment_id, self.platform, self.campaign_id
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Audience of %s", self.segment_id.name),
            "res_model": export._name,
            "res_id": export.id,
            "views": [(False, "form")],
        }
