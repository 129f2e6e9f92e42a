"""How a contact finds its profile, in Python and in SQL, with the reader's own rights.

In: the contact's commercial partner and the company that is worked in. Out: the profile or
nothing, and the join by which all fields behind it are searched, sorted and grouped. Used by
every field of the contact that comes from the profile.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.fields import CountInteger, ProfileMany2one, SumMonetary, as_reader, stored_names

SALES = "sales_team.group_sale_salesman"


class ResPartner(models.Model):
    """The contact's link to its customer profile in the present company."""

    # a file for each subject of this large model
    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_profile_id = ProfileMany2one(
        "lifecycle.profile",
        string="Customer Profile",
        compute="_compute_lifecycle_profile_id",
        # the reader's rights decide in either case: superuser or not, one look is enough
        compute_sudo=True,
        search="_search_lifecycle_profile_id",
        groups=SALES,
    )
    lifecycle_currency_id = fields.Many2one(
        related="lifecycle_profile_id.currency_id",
        string="Life Cycle Currency",
        groups=SALES,
    )
    lifecycle_headline = fields.Char(related="lifecycle_profile_id.headline", groups=SALES)

    # ----- PROFILE LINK -----

    @api.depends("commercial_partner_id")
    @api.depends_context("company", "uid")
    def _compute_lifecycle_profile_id(self):
        # the reader's own rights decide, also when a related field is read as superuser
        profiles = as_reader(self.env["lifecycle.profile"])
        by_partner = {}
        if profiles.has_access("read"):
            companies = self._fields["lifecycle_profile_id"].companies(self)
            found = profiles.search_fetch(
                [
                    ("partner_id", "in", self.commercial_partner_id._origin.ids),
                    ("company_id", "in", companies.ids),
                ],
                # whoever asks for the profile is about to read it
                stored_names(profiles),
                order="id",
            )
            if len(companies) > 1:
                # the nearest one is the last to be taken
                place = {company.id: number for number, company in enumerate(companies)}
                found = found.sorted(lambda one: -place[one.company_id.id])
            by_partner = {profile.partner_id.id: profile.id for profile in found}
        for partner in self:
            partner.lifecycle_profile_id = by_partner.get(
                partner.commercial_partner_id._origin.id
            )

    def _search_lifecycle_profile_id(self, operator, value):
        field = self._fields["lifecycle_profile_id"]
        # searching must not tell what reading hides
        self._check_field_access(field, "read")
        if operator in ("any", "any!", "not any", "not any!"):
            if isinstance(value, Domain):
                value = value.optimize_full(self.env["lifecycle.profile"])
                # the join carries the record rules
                operator = "any!" if operator.startswith("any") else "not any!"
            return Domain.custom(
                to_sql=lambda model, alias, query: field.condition_to_sql(
                    field.name, operator, value, model, alias, query
                )
            )
        if operator == "in":
            ids = [profile_id for profile_id in value if profile_id]

            def to_sql(model, alias, query):
                profile = model._field_to_sql(alias, field.name, query)
                given = SQL("%s = ANY(%s)", profile, ids)
                return SQL("(%s OR %s IS NULL)", given, profile) if False in value else given

            return Domain.custom(to_sql=to_sql)
        return NotImplemented

    def _field_to_sql(self, alias, field_expr, query=None):
        field = self._fields.get(field_expr.split(".")[0])
        if field is not None and self._is_profile_field(field):
            # core checks the groups of the last field of the path only
            self._check_field_access(field, "read")
        if field_expr == "lifecycle_profile_id":
            self._check_field_access(field, "read")
            _profiles, coalias = field.join(self, alias, query)
            return SQL.identifier(coalias, "id")
        return super()._field_to_sql(alias, field_expr, query)

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        field = self._fields.get(field_name)
        if not nulls and field is not None and self._is_profile_field(field):
            # descending order would begin with everybody who has no value
            nulls = SQL("NULLS LAST")
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    def _read_group_groupby(self, alias, groupby_spec, query):
        expression = super()._read_group_groupby(alias, groupby_spec, query)
        if isinstance(self._fields.get(groupby_spec), CountInteger | SumMonetary):
            # one group of zeros, as a search for 0 finds those without profile too
            return SQL("COALESCE(%s, 0)", expression)
        return expression

    @api.model
    def _is_profile_field(self, field):
        return (field.related or "").startswith("lifecycle_profile_id.")
