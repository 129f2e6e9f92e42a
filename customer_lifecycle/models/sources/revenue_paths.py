"""What the paths and filters of a revenue source lead to, and which fields are to be watched.

In: a revenue source. Out: the records that it leaves out, the documents that its records belong
to, and the customers behind changed records. Called by the revenue sources and by the queue.
"""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.domains import read_domain
from .paths import check_kinds, customer_sql, fields_along, path_sql
from .revenue_source import PATHS


class LifecycleRevenueSource(models.Model):
    """Following a source's paths, and knowing whose figures a change affects."""

    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    # ----- FILTERS AND PATHS -----

    def _skip_domain(self, model):
        """Domain of the records that are left out: of every line whose fields exist."""
        self.ensure_one()
        lines = filter(str.strip, (self.skip_domain or "").splitlines())
        return Domain.OR(
            domain
            for domain in (read_domain(self.env, line) for line in lines)
            if all(
                fields_along(model, condition.field_expr)
                for condition in domain.iter_conditions()
            )
        )

    def _check_kinds(self, model):
        """Refuse paths to another kind of field than figures can be made of.

        :raise ValueError: says which
        """
        if model._name == "lifecycle.purchase":
            raise ValueError(
                self.env._("Purchases are what sources find; choose the model that holds them.")
            )
        check_kinds(self, model, PATHS)

    def _document_model(self):
        """Name of the model that the documents of this source belong to; False if it is gone."""
        if self.model not in self.env:
            return False
        model = self.env[self.model]
        for hop in (self.document_path or "").split("."):
            if hop:
                model = self.env[model._fields[hop].comodel_name]
        return model._name

    # ----- WATCHING -----

    def _watched_fields(self):
        """Fields whose change makes a customer's history change.

        :return: dict model name → list of (path from this source's model to that model, set of
            field names); contacts, companies and currencies are watched elsewhere
        """
        self.ensure_one()
        paths = [self[name] for name in PATHS if name != "document_path"]
        for domain in (self._domain(), self._skip_domain(self.env[self.model])):
            paths += [condition.field_expr for condition in domain.iter_conditions()]
        watched = {}
        for path in filter(None, paths):
            model, prefix = self.env[self.model], []
            for hop in path.split("."):
                field = model._fields.get(hop)
                if field is None:
                    break
                if field.store:
                    key = (model._name, ".".join(prefix))
                    watched.setdefault(key, set()).add(hop)
                if field.type != "many2one" or field.comodel_name in (
                    "res.partner",
                    "res.company",
                    "res.currency",
                ):
                    break
                model, prefix = self.env[field.comodel_name], [*prefix, hop]
        result = {}
        for (name, prefix), names in watched.items():
            result.setdefault(name, []).append((prefix, names))
        return result

    @api.model
    def _affected_sql(self, name, partner_path, company_path, prefix, record_ids):
        """SELECT (commercial partner, company) of the rows of a source behind some records.

        :param name: the source's model
        :param prefix: path from it to the model of the records, empty for its own
        :raise ValueError: a path does not fit the model
        """
        model = self.env[name].sudo().with_context(active_test=False)
        query = model._search(Domain(prefix or "id", "in", list(record_ids)))
        contact, commercial = customer_sql(model, query, partner_path)
        return query.select(
            SQL(
                "%s AS partner_id",
                self.env["lifecycle.former.firm"]._customer_sql(
                    query,
                    name,
                    query.table,
                    contact,
                    commercial,
                ),
            ),
            SQL("%s AS company_id", path_sql(model, query, company_path)),
        )
