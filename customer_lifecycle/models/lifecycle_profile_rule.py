from psycopg2 import errors

from odoo import api, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from . import lifecycle_rights as rights
from .lifecycle_context import own_value
from .lifecycle_probe import PATIENCE, check_size, limited, too_long


class LifecycleProfile(models.Model):
    """What rules over profiles are checked for before they decide anything."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _probe_rule(self, rule):
        """Try out a rule without reading anybody, as one that nobody meets would read all.

        :raise ValueError, KeyError, UserError, psycopg2.Error: it cannot be evaluated
        """
        check_size(self.env, self.env._("The filter"), rule)
        query = self._search(rule)
        if query.is_empty():
            return
        try:
            with limited(self.env, own_value(self.env, "lifecycle_patience", PATIENCE)):
                # looks up tables, columns and types
                self.env.execute_query(SQL("EXPLAIN %s", query.select()))
        except errors.QueryCanceled as error:
            raise UserError(too_long(self.env)) from error

    @api.model
    def _sees_whole_company(self):
        """Whether the user may read all profiles of the companies that he works in."""
        if self.env.su:
            return True
        if not self.has_access("read"):
            return False
        rules = self.env["ir.rule"]._compute_domain(self._name, "read")
        return all(
            condition.field_expr == "company_id"
            for condition in rules.optimize_full(self.sudo()).iter_conditions()
        )

    @api.model
    def _check_author_may_search(self, name, rule):
        """Refuse a rule over what the present user may not read.

        Rules are evaluated as superuser: who is a member would tell their author the rest.
        """
        # constraints run as superuser, also those of a user's own changes
        profiles = self.sudo(False)
        try:
            with self.env.cr.savepoint():
                profiles._search(rule)
        except AccessError as error:
            raise ValidationError(
                self.env._(
                    "The rule of “%(rule)s” looks at something that you may not read; ask "
                    "somebody who may to change it. %(error)s",
                    rule=name,
                    error=error,
                )
            ) from error
        # what it looks at by way of relations
        rights.check_domain(self.env, name, self._name, rule)
