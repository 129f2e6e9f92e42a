"""Puts each refusal of an import beside the line that it is about.

In: the lines that Odoo's import loads. Out: the same records, or an error that Odoo shows at its
own line; years of fewer than four digits are refused in words. Shared by imported purchases and
entered spending.
"""

import re

from odoo import api, models
from odoo.exceptions import UserError, ValidationError

#: Odoo's import writes the year 202 without its nought, and cannot read that again
SHORT_YEAR = re.compile(r"\d{1,3}-")


class LifecycleImportMixin(models.AbstractModel):
    """Records that people import from files, where each refusal should stand beside its line."""

    _name = "lifecycle.import.mixin"
    _description = "Record That Is Imported"

    @api.model
    def _load_records(self, data_list, update=False, **kwargs):
        try:
            self._check_years(data_list)
            return super()._load_records(data_list, update, **kwargs)
        except UserError as error:
            if len(data_list) == 1:
                raise
            # Odoo tries the lines one by one now; of a refusal in words it would write the
            # reason beside the first line of the file, too
            raise ValueError(str(error)) from error

    @api.model
    def _check_years(self, data_list):
        """Refuse years of fewer than four digits in words."""
        for data in data_list:
            for name, value in data["values"].items():
                field = self._fields.get(name)
                if field is None or field.type != "date" or not isinstance(value, str):
                    continue
                if SHORT_YEAR.match(value):
                    raise ValidationError(
                        self.env._(
                            "%s cannot be right: years have four digits.", value.rjust(10, "0")
                        )
                    )
