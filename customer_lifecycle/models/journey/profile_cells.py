"""Fields by which lists are filtered to the customers of one number of a report.

In: the key of a number of the cohorts or of the journey map, as the screen puts it into the
list's filter. Out: a domain over profiles, asked of that report; a key that makes no sense is
refused in words.
"""

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class LifecycleProfile(models.Model):
    """Finding the customers behind a number; the reader's own rules apply to the search."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    cohort_cell = fields.Char(
        string="Number of the Cohorts",
        compute="_compute_cells",
        search="_search_cohort_cell",
        exportable=False,
    )
    journey_map_cell = fields.Char(
        string="Number of the Journey Map",
        compute="_compute_cells",
        search="_search_journey_map_cell",
        exportable=False,
    )

    def _compute_cells(self):
        self.cohort_cell = self.journey_map_cell = False

    def _search_cohort_cell(self, operator, value):
        return self._search_cell(
            operator,
            value,
            self.env["lifecycle.cohort"]._cell_ids,
            self.env._("This list belongs to a table of cohorts; open it from there again."),
        )

    def _search_journey_map_cell(self, operator, value):
        return self._search_cell(
            operator,
            value,
            self.env["lifecycle.journey.map"]._cell_sql,
            self.env._("This list belongs to a journey map; open it from there again."),
        )

    def _search_cell(self, operator, value, find, refusal):
        """Those whom a report counts there.

        :param find: function of a key to the ids, or the SQL of them
        """
        if operator != "in":
            return NotImplemented
        try:
            return Domain.OR(Domain("id", "in", find(key)) for key in value if key)
        except (OverflowError, TypeError, ValueError) as error:
            raise UserError(refusal) from error
