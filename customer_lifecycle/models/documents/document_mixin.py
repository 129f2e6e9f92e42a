"""Rows that stand for documents of other models: the document's name, and opening it.

In: a model and an id in each row of a live list. Out: the name, as far as the reader may open the
document, and the action that opens it. Inherited by the lists of purchases, revenue, spending,
costs of loyalty programs and documents set aside.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError


class LifecycleDocumentMixin(models.AbstractModel):
    """A row of a list that names the document which it was read from."""

    _name = "lifecycle.document.mixin"
    _description = "Document"
    _rec_name = "document_name"

    res_id = fields.Integer(string="Document Id", readonly=True, aggregator=None)
    document_name = fields.Char(
        string="Document", compute="_compute_document_name", compute_sudo=False
    )

    def _document_model(self):
        """Name of the model of this row's document."""
        return self.res_model

    def _unreadable_name(self):
        """What stands for the name of a document that the reader may not open."""
        return self.env._("A document that you may not open")

    @api.depends("res_id")
    def _compute_document_name(self):
        for name, rows in self.grouped(lambda row: row._document_model()).items():
            names = {}
            if name in self.env and self.env[name].has_access("read"):
                model = self.env[name].with_context(active_test=False)
                documents = model.search([("id", "in", rows.mapped("res_id"))])
                names = {document.id: document.display_name for document in documents}
            for row in rows:
                row.document_name = names.get(row.res_id) or self._unreadable_name()

    def action_open_document(self):
        self.ensure_one()
        model = self._document_model()
        if model not in self.env:
            raise UserError(self.env._("The app of this document is not installed."))
        return {
            "type": "ir.actions.act_window",
            "res_model": model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }
