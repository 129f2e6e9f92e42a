"""From filters and paths that people wrote to joins, columns and fields to be watched.

In: text of a domain, a path such as order_id.partner_id. Out: domains, SQL expressions, or why a
path does not fit; the customers behind changed records. Called by the revenue sources, by
signals, touchpoint and spending sources, and by the queue.
"""

from ast import literal_eval

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from .revenue_source import PATHS

DATES = ("date", "datetime")
NUMBERS = ("integer", "float", "monetary")


class LifecycleRevenueSource(models.Model):
    """Following a source's paths, and knowing whose figures a change affects."""

    # a file for each subject of this large model
    _inherit = "lifecycle.revenue.source"  # pylint: disable=consider-merging-classes-inherited

    # ----- FILTERS -----

    @api.model
    def _read_domain(self, text):
        """Domain written down as text.

        :raise ValueError: it is none
        """
        try:
            return Domain(literal_eval((text or "").strip() or "[]"))
        except (SyntaxError, TypeError, ValueError) as error:
            raise ValueError(
                self.env._(
                    "“%s” is no filter; write conditions like [('state', '=', 'sale')].", text
                )
            ) from error

    def _domain(self):
        self.ensure_one()
        return self._read_domain(self.domain)

    def _skip_domain(self, model):
        """Domain of the records that are left out: of every line whose fields exist."""
        self.ensure_one()
        domains = map(self._read_domain, filter(str.strip, (self.skip_domain or "").splitlines()))
        return Domain.OR(
            domain
            for domain in domains
            if all(
                self._path_exists(model, condition.field_expr)
                for condition in domain.iter_conditions()
            )
        )

    # ----- PATHS -----

    def _check_kinds(self, model):
        """Refuse paths to another kind of field than figures can be made of.

        The database would take some of them: a link to a user for a company, a text for a
        number until it meets a word in it.

        :raise ValueError: says which
        """
        if model._name == "lifecycle.purchase":
            raise ValueError(
                self.env._("Purchases are what sources find; choose the model that holds them.")
            )
        kinds = {
            "date_path": (DATES, self.env._("a date")),
            "amount_path": (NUMBERS, self.env._("a number")),
            "rate_path": (NUMBERS, self.env._("a number")),
            "margin_path": (NUMBERS, self.env._("a number")),
            "cost_path": (NUMBERS, self.env._("a number")),
            "cost_known_path": (("boolean",), self.env._("a yes or no")),
            "partner_path": (("res.partner",), self.env._("a contact")),
            "company_path": (("res.company",), self.env._("a company")),
            "currency_path": (("res.currency",), self.env._("a currency")),
            "document_path": (("many2one",), self.env._("another record")),
            "quantity_path": (NUMBERS, self.env._("a number")),
            "price_path": (NUMBERS, self.env._("a number")),
            "refunded_path": ((model._name,), self.env._("another record of the same model")),
        }
        self._check_path_kinds(self, model, kinds)

    @api.model
    def _check_path_kinds(self, source, model, kinds):
        """Refuse a record whose paths end with another kind of field than they should.

        :param kinds: by name of the field with the path, the types or models that it may lead to
            and what to call them
        :raise ValueError: says which
        """
        for name, (kind, words) in kinds.items():
            field = self._last_field(model, source[name])
            # a path that leads nowhere is told where it is followed
            if field is not None and not {field.type, field.comodel_name} & {*kind}:
                raise ValueError(
                    self.env._(
                        "“%(path)s” (%(label)s) does not lead to %(kind)s.",
                        path=source[name],
                        label=source._fields[name]._description_string(self.env),
                        kind=words,
                    )
                )

    @api.model
    def _last_field(self, model, path):
        """The field that a path ends with, None if there is none."""
        field = None
        for hop in (path or "").split("."):
            field = model._fields.get(hop) if model is not None else None
            if field is None:
                return None
            model = self.env[field.comodel_name] if field.relational else None
        return field

    @api.model
    def _follow(self, model, alias, path, query, whole=True):
        """Join along a path of many2one fields; return the last (model, alias).

        :param whole: follow the last field of the path too
        """
        hops = path.split(".")
        for hop in hops if whole else hops[:-1]:
            field = model._fields.get(hop)
            if field is None or field.type != "many2one":
                raise ValueError(
                    self.env._(
                        "“%(field)s” is not a link field of %(model)s.",
                        field=hop,
                        model=model._name,
                    )
                )
            model, alias = field.join(model, alias, query)
        return model, alias

    @api.model
    def _path_sql(self, model, alias, path, query):
        model, alias = self._follow(model, alias, path, query, whole=False)
        return model._field_to_sql(alias, path.split(".")[-1], query)

    @api.model
    def _number_sql(self, model, alias, path, query):
        return SQL("%s::numeric", self._path_sql(model, alias, path, query))

    @api.model
    def _path_exists(self, model, path):
        for hop in path.split("."):
            field = model._fields.get(hop)
            if field is None:
                return False
            model = self.env[field.comodel_name] if field.relational else model
        return True

    def _document_model(self):
        """Name of the model that the documents of this source belong to."""
        self.ensure_one()
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
        partner_model, alias = self._follow(model, query.table, partner_path, query)
        return query.select(
            SQL(
                "%s AS partner_id",
                self.env["lifecycle.former.firm"]._customer_sql(
                    query,
                    name,
                    query.table,
                    SQL.identifier(alias, "id"),
                    partner_model._field_to_sql(alias, "commercial_partner_id", query),
                ),
            ),
            SQL(
                "%s AS company_id",
                self._path_sql(model, query.table, company_path, query),
            ),
        )
