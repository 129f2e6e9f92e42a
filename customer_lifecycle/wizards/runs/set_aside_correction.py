"""The right day of a document that was set aside.

In: a row of the list of documents set aside. Out: the document with that day, and with the
exchange rate of it. Odoo's own forms let nobody change the day of a confirmed order.
"""

from datetime import datetime, time

import pytz

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...models.runs.set_aside import CORRECTABLE

MANAGER = "sales_team.group_sale_manager"


class LifecycleSetAsideCorrection(models.TransientModel):
    _name = "lifecycle.set.aside.correction"
    _description = "Correct a Document Set Aside"

    res_model = fields.Char(required=True)
    res_id = fields.Many2oneReference(model_field="res_model", required=True)
    day = fields.Date(string="Right Date", required=True)

    @api.model
    def _row(self, document):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["lifecycle.set.aside"].search(
            [("res_model", "=", document._name), ("res_id", "=", document.id)], limit=1
        )

    def action_correct(self):
        """Give the document its day and the exchange rate of that day."""
        self.ensure_one()
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only sales administrators can correct documents here."))
        if self.res_model not in CORRECTABLE or self.res_model not in self.env:
            raise UserError(self.env._("Correct this document where it was made."))
        document = self.env[self.res_model].browse(self.res_id).exists()
        document.check_access("write")
        if not document or not self._row(document):
            raise UserError(self.env._("This document is not set aside any more."))
        today = self.env.company.sudo()._lifecycle_today()
        if self.day > today:
            raise UserError(self.env._("The right date cannot be in the future."))
        # noon, so that it is the same day wherever the company counts its days
        zone = pytz.timezone(document.company_id.sudo()._lifecycle_timezone())
        noon = zone.localize(datetime.combine(self.day, time(12)))
        document.date_order = noon.astimezone(pytz.utc).replace(tzinfo=None)
        document.env.add_to_compute(document._fields["currency_rate"], document)
        row = self._row(document)
        if row:
            raise UserError(
                self.env._(
                    "It would still be set aside: %(why)s. %(what_to_do)s",
                    why=dict(row._fields["reason"]._description_selection(self.env))[row.reason],
                    what_to_do=row.what_to_do,
                )
            )
        if hasattr(document, "message_post"):
            document.message_post(
                body=self.env._("The date was corrected, because it could not be right.")
            )
        return {"type": "ir.actions.act_window_close"}
