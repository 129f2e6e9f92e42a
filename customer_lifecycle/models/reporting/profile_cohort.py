"""A field by which lists are filtered to the customers of one number of the cohorts.

In: the key of a cell, as the cohort table on the screen puts it into the list's filter.
Out: a domain over profiles, asked of the cohorts; a key that makes no sense is refused in words.
"""

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class LifecycleProfile(models.Model):
    """Finding the customers behind a number of the cohorts."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    cohort_cell = fields.Char(
        string="Number of the Cohorts",
        compute="_compute_cohort_cell",
        search="_search_cohort_cell",
        exportable=False,
    )

    def _compute_cohort_cell(self):
        self.cohort_cell = False

    def _search_cohort_cell(self, operator, value):
        """Those whom the table counts there; the reader's own rules apply to the search."""
        if operator != "in":
            return NotImplemented
        cohorts = self.env["lifecycle.cohort"]
        try:
            return Domain.OR(
                Domain("id", "in", cohorts._cell_ids(key)) for key in value if key
            )
        except (OverflowError, TypeError, ValueError) as error:
            raise UserError(
                self.env._("This list belongs to a table of cohorts; open it from there again.")
            ) from error
