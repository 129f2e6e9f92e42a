"""A field by which lists are filtered to the customers of one number of the journey map.

In: the key of a number, as the map on the screen puts it into the list's filter.
Out: a domain over profiles, asked of the map; a key that makes no sense is refused in words.
"""

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class LifecycleProfile(models.Model):
    """Finding the customers behind a number of the journey map."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    journey_map_cell = fields.Char(
        string="Number of the Journey Map",
        compute="_compute_journey_map_cell",
        search="_search_journey_map_cell",
        exportable=False,
    )

    def _compute_journey_map_cell(self):
        self.journey_map_cell = False

    def _search_journey_map_cell(self, operator, value):
        """Those whom the map counts there; the reader's own rules apply to the search."""
        if operator != "in":
            return NotImplemented
        journeys = self.env["lifecycle.journey.map"]
        try:
            return Domain.OR(
                Domain("id", "in", journeys._cell_sql(key)) for key in value if key
            )
        except (OverflowError, TypeError, ValueError) as error:
            raise UserError(
                self.env._("This list belongs to a journey map; open it from there again.")
            ) from error
