"""Money that people enter or import: in company currency, refused where that is not known.

In: records with amount, currency, company and day, and the lines that Odoo's import loads. Out:
what they are worth in company currency, or an error that Odoo shows at its own line; years of
fewer than four digits are refused in words. Shared by imported purchases and entered spending.
"""

import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...tools import rights

#: Odoo's import writes the year 202 without its nought, and cannot read that again
SHORT_YEAR = re.compile(r"\d{1,3}-")


class LifecycleImportMixin(models.AbstractModel):
    """Money of a company, in any currency, that people import from files.

    Each refusal should stand beside its line.
    """

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

    # ----- MONEY -----

    @api.model
    def _default_currency_id(self):
        return self.env.company.currency_id

    def _converted(self, day):
        """Pairs of (record, function that turns its amounts into company currency).

        :param day: name of the field with the day of whose rate they are converted
        """
        for (currency, company, date), records in self.grouped(
            lambda record: (record.currency_id, record.company_id, record[day])
        ).items():
            own = company.currency_id
            rate = None
            if currency and company and currency != own:
                rate = currency._get_conversion_rate(
                    currency, own, company, date or fields.Date.today()
                )
            for record in records:
                yield record, lambda amount, rate=rate, own=own: (
                    amount if rate is None else own.round(amount * rate)
                )

    @api.constrains("company_id")
    def _check_stays_his(self):
        rights.check_stays_his(self)

    @api.constrains("currency_id", "company_id")
    def _check_rate(self):
        """Refuse money that nobody knows the worth of: Odoo would take it for our own."""
        for currency, company in {(one.currency_id, one.company_id) for one in self}:
            if not company._lifecycle_knows_rate(currency):
                raise ValidationError(
                    self.env._(
                        "There is no exchange rate between %(currency)s and %(own)s; enter one "
                        "first.",
                        currency=currency.name,
                        own=company.currency_id.name,
                    )
                )
