"""Links of profiles to what campaigns, teams and touchpoints there are, without foreign keys.

In: the deletion of a source, medium, campaign, team or kind of touchpoint. Out: profiles that no
longer name it. PostgreSQL would check each key for every profile that is written first, empty ones
too; here one statement looks when something is deleted, which happens once in a while.
"""

from odoo import api, models
from odoo.tools import SQL

from ...tools.fields import ClearedMany2one


class LifecycleClearedMixin(models.AbstractModel):
    """What profiles name until it is deleted."""

    _name = "lifecycle.cleared.mixin"
    _description = "Named by Customers Until It Is Deleted"

    def unlink(self):
        ids = self.ids
        result = super().unlink()
        if ids:
            # sudo: deleting has checked the rights; nobody may be named who is not there
            self.env["lifecycle.profile"].sudo()._clear_links(self._name, ids)
        return result


class LifecycleProfile(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _cleared_links(self):
        return [field for field in self._fields.values() if isinstance(field, ClearedMany2one)]

    @api.model
    def _hold_links(self):
        """Let nothing be deleted, until this transaction ends, that it may name in profiles.

        As the check of a foreign key would, but once for all profiles.
        """
        for name in sorted({field.comodel_name for field in self._cleared_links()}):
            self.env.cr.execute(
                SQL("SELECT FROM %s FOR KEY SHARE", SQL.identifier(self.env[name]._table))
            )

    @api.model
    def _clear_links(self, model_name, ids):
        """Empty the links to some records of a model that have been deleted."""
        columns = [
            SQL.identifier(field.name)
            for field in self._cleared_links()
            if field.comodel_name == model_name
        ]
        self.flush_model()
        self.env.cr.execute(
            SQL(
                "UPDATE lifecycle_profile SET %s WHERE %s",
                SQL(", ").join(
                    SQL("%(link)s = CASE WHEN %(link)s = ANY(%(ids)s) THEN NULL ELSE %(link)s END",
                        link=column, ids=ids)
                    for column in columns
                ),
                SQL(" OR ").join(SQL("%s = ANY(%s)", column, ids) for column in columns),
            )
        )
        self.invalidate_model()


class UtmSource(models.Model):
    _name = "utm.source"
    _inherit = ["utm.source", "lifecycle.cleared.mixin"]


class UtmMedium(models.Model):
    _name = "utm.medium"
    _inherit = ["utm.medium", "lifecycle.cleared.mixin"]


class UtmCampaign(models.Model):
    _name = "utm.campaign"
    _inherit = ["utm.campaign", "lifecycle.cleared.mixin"]


class CrmTeam(models.Model):
    _name = "crm.team"
    _inherit = ["crm.team", "lifecycle.cleared.mixin"]


class LifecycleTouchpointSource(models.Model):
    _name = "lifecycle.touchpoint.source"
    _inherit = ["lifecycle.touchpoint.source", "lifecycle.cleared.mixin"]
