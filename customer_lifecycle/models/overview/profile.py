"""The field by which lists are filtered to the customers of one number of the overview.

In: the key of a number, as the page puts it into the list's filter. Out: a domain over profiles,
asked of the overview; a key that makes no sense is refused in words.
"""

from odoo import fields, models


class LifecycleProfile(models.Model):
    """Finding the customers behind a number; the reader's own rules apply to the search."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    overview_cell = fields.Char(
        string="Number of the Overview",
        compute="_compute_overview_cell",
        search="_search_overview_cell",
        exportable=False,
    )

    def _compute_overview_cell(self):
        self.overview_cell = False

    def _search_overview_cell(self, operator, value):
        return self._search_cell(
            operator,
            value,
            self.env["lifecycle.overview"]._cell_sql,
            self.env._("This list belongs to the overview; open it from there again."),
        )
