"""The SQL that finds somebody's touchpoints by one source, with the reader's own rights.

In: whose journey it is, a period, words to look for. Out: keys of the newest touchpoints, and
numbers and amounts by day. Called by the journey, by the journey map for its paths, and by the
source itself, which shows its latest touchpoints and is tried out on nobody when it is saved.
"""

from datetime import datetime

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import rights
from ..sources.money import dated_sql
from ..sources.paths import fields_along, moment_sql, path_sql
from .touchpoint_source import ATTACHED_BY, GUARDED_BY_DOCUMENT

#: text of computed fields is searched in the field that it is made of
SEARCHED_INSTEAD = {
    ("mail.message", "preview"): ("body",),
    ("lifecycle.transition", "display_name"): ("to_stage_id", "to_tier_id", "segment_id"),
    ("lifecycle.workflow.delivery", "what"): ("subject", "step_id.name", "template_id.name"),
}


class LifecycleTouchpointSource(models.Model):
    """Finding the touchpoints of somebody in one statement."""

    # a file for each subject of this model
    _inherit = "lifecycle.touchpoint.source"  # pylint: disable=consider-merging-classes-inherited

    def _find(self, scope, limit=0):
        """Keys (moment in UTC, id) of the newest touchpoints of this source alone."""
        statement = self._statement(scope, limit=limit)
        rows = self.env.execute_query(scope.with_shared(statement))
        return [(row[4], row[3]) for row in rows]

    def _statement(
        self, scope, limit=0, before=None, start=None, end=None, text=None, days=False
    ):
        """SELECT of the days and keys of the source's touchpoints.

        :param scope: ``ContactScope`` of the journey: whose touchpoints
        :param limit: how many of the newest keys to return
        :param before: key (moment, source id, id) of the last touchpoint already known
        :param start: first moment (UTC) of the period, and ``end`` the first after it
        :param text: words to look for
        :param days: also count by day
        :return: SQL of rows (source id, day, number, id, moment in UTC, amount, currency id): for
            each day and currency the number, an id and the sum; day is NULL in rows of keys
        :raise AccessError: the reader may not read the model or a field of the source
        :raise ValueError: a path does not fit the model
        """
        self.ensure_one()
        model, query, moment = self._query(scope, text)
        amount, currency = self._amount_sql(model, query) if days else (None, None)
        found = query.select(
            SQL("%s AS id", SQL.identifier(query.table, "id")),
            SQL("%s AS moment", moment),
            SQL("%s AS amount", amount or SQL("0.0")),
            SQL("%s AS currency", currency or SQL("%s", scope.currency.id)),
        )
        wanted = [SQL("TRUE")]
        if start:
            wanted.append(SQL("moment >= %s", start))
        if end:
            wanted.append(SQL("moment < %s", end))
        if before:
            wanted.append(self._after_key_sql(before))
        statement = SQL(
            """(SELECT %s AS source, NULL::date AS day, NULL::bigint AS number, id, moment,
                       NULL::numeric AS amount, NULL::integer AS currency
                  FROM found WHERE %s ORDER BY moment DESC, id DESC LIMIT %s)""",
            self.id,
            SQL(" AND ").join(wanted),
            limit,
        )
        if days:
            by_day = SQL(
                """SELECT %s, (moment AT TIME ZONE 'UTC' AT TIME ZONE %s)::date, COUNT(*),
                          MIN(id), NULL::timestamp, SUM(amount)::numeric, currency::integer
                     FROM found GROUP BY 2, currency""",
                self.id,
                scope.timezone,
            )
            statement = SQL("%s UNION ALL %s", statement, by_day)
        return SQL("(WITH found AS (%s) %s)", found, statement)

    def _after_key_sql(self, before):
        moment, source_id, record_id = before
        moment = datetime.fromisoformat(moment)
        if self.id < source_id:
            return SQL("moment <= %s", moment)
        if self.id > source_id:
            return SQL("moment < %s", moment)
        return SQL("(moment, id) < (%s, %s)", moment, int(record_id))

    def _by_day(self, scope, rows):
        """Add up the currencies of each day.

        :param rows: rows of ``_statement``
        :return: list of (day as text, number, id where it is one, amount in company currency at
            the rate of today)
        """
        days = {}
        for _source, day, number, id_, _moment, amount, currency_id in rows:
            if not day:
                continue
            size = float(amount or 0)
            if size and currency_id and currency_id != scope.currency.id:
                size *= scope.rate(currency_id)
            known, _id, total = days.get(day, (0, id_, 0))
            days[day] = (known + number, id_, total + abs(size))
        return [
            (str(day), number, id_ if number == 1 else False, round(size, 2))
            for day, (number, id_, size) in days.items()
        ]

    def _amount_sql(self, model, query):
        """SQL of amount and currency, where the database has them; None where not."""
        path = self.amount_path
        currency_path = self._currency_path(model)
        if not path or "." in path or not model._fields[path].store:
            # what is joined would be summed whether or not the reader may see it
            return None, None
        amount = path_sql(model, query, path)
        if not currency_path:
            return amount, None
        if not all(field.store for field in fields_along(model, currency_path)):
            return amount, None
        return amount, path_sql(model, query, currency_path)

    def _currency_path(self, model):
        """Path to the currency of the amount: the named one, or the amount's own."""
        if self.currency_path or not self.amount_path:
            return self.currency_path
        *hops, name = self.amount_path.split(".")
        field = fields_along(model, self.amount_path)[-1]
        if field.type != "monetary":
            return False
        if hops:
            holder = fields_along(model, ".".join(hops))[-1].comodel_name
            model = self.env[holder]
        return ".".join([*hops, field.get_currency_field(model)])

    def _query(self, scope, text=None):
        """(model, query, SQL of the moment in UTC) of the source's records about somebody."""
        guarded = self.model in GUARDED_BY_DOCUMENT and self.documents
        # "today" in a filter is the reader's
        model = self.env[self.model].with_context(active_test=False, tz=scope.timezone)
        if not self.env.su:
            model.check_access("read")
        for path in self._all_paths():
            # what is shown is checked before anything is counted
            if not rights.may_read(model, path):
                raise AccessError(self.env._("You may not read “%s”.", path))
        domain = self._domain()
        if text:
            domain &= self._text_domain(model, scope, text)
        if self.documents:
            # the document decides who may read what is attached to it
            query = (model.sudo() if guarded else model)._search(domain)
            query.add_where(self._attached_sql(model, query.table, scope))
        else:
            query = model._search(domain & self._link_domain(scope))
        self._add_unless(
            query, lambda name: name in self.env and self.env[name].has_access("read")
        )
        moment = self._moment_sql(model, query, scope)
        # days that nobody can believe would stretch the picture over centuries
        company = scope.partners.env.company.sudo()
        query.add_where(dated_sql(company, moment))
        return model, query, moment

    def _add_unless(self, query, is_shown):
        """Leave out what other models show.

        :param is_shown: function of a model's name: whether its touchpoints are seen at all
        """
        for other, field, own in self._unless():
            if not is_shown(other):
                continue
            # with the reader's own rights: what he may not see leaves nothing out
            model = self.env[other].with_context(active_test=False)
            if other in GUARDED_BY_DOCUMENT:
                # these would be read one by one; those that hang on the same document as the
                # record here are his to read as well
                seen = model.sudo()._search(Domain.TRUE)
                seen.add_where(self._same_document_sql(model, seen.table, query.table))
            else:
                seen = model._search(Domain.TRUE)
            query.add_where(
                SQL(
                    "NOT EXISTS (SELECT FROM (%s) shown WHERE %s = %s)",
                    seen.select(SQL.identifier(seen.table, field)),
                    SQL.identifier("shown", field),
                    SQL.identifier(query.table, own),
                )
            )

    def _same_document_sql(self, other, shown, alias):
        """Whether what another model shows is attached to the same document as the record here.

        :param other: the other model
        :param shown: alias of its records
        :param alias: alias of the records here
        """
        model_name, record_id = self._attached_names(other)
        if not self.documents:
            document = SQL("(%s, %s)", self.model, SQL.identifier(alias, "id"))
        else:
            document = SQL(
                "(%s, %s)",
                *(
                    SQL.identifier(alias, name)
                    for name in self._attached_names(self.env[self.model])
                ),
            )
        return SQL(
            "(%s, %s) = %s",
            SQL.identifier(shown, model_name),
            SQL.identifier(shown, record_id),
            document,
        )

    def _attached_names(self, model):
        """Names of the fields that say what document the records of a model belong to."""
        names = next(
            (names for names in ATTACHED_BY if all(name in model._fields for name in names)), None
        )
        if names is None:
            raise ValueError(
                self.env._(
                    "%s does not belong to documents; empty “Attached To”.", model._name
                )
            )
        return names

    def _link_domain(self, scope):
        """Domain of the records about somebody."""
        return scope.link_domain(self.partner_path, self.email_path)

    def _attached_sql(self, model, alias, scope):
        names = self._attached_names(model)
        # the reader's rights on the documents, not those of a superuser
        reader = self.env[self.model]
        belongs = scope.attached_sql(reader, names, self._documents())
        return SQL("%s %s", SQL.identifier(alias, "id"), belongs)

    def _moment_sql(self, model, query, scope):
        query.add_where(SQL("%s IS NOT NULL", path_sql(model, query, self.date_path)))
        return moment_sql(model, query, self.date_path, scope.timezone)

    def _has_day_only(self):
        field = fields_along(self.env[self.model], self.date_path)[-1]
        return field.type == "date"

    # ----- SEARCH -----

    def _text_domain(self, model, scope, text):
        """Domain of the records in whose line the text stands."""
        texts = " ".join(part for part in self._title_parts()[::2])
        if text.lower() in f"{self.name} {texts}".lower():
            return Domain.TRUE
        domain = Domain.FALSE
        paths = [
            other
            for path in self._title_paths()
            for other in SEARCHED_INSTEAD.get((self.model, path), (path,))
        ]
        for path in paths:
            *_hops, field = fields_along(model, path)
            if field.type == "selection" and not isinstance(field.selection, str):
                labels = field._description_selection(self.env)
                keys = [key for key, label in labels if text.lower() in label.lower()]
                domain |= Domain(path, "in", keys)
            elif self._is_searchable(field):
                domain |= Domain(path, "ilike", text)
        if self.partner_path and not self.documents:
            domain |= Domain(self.partner_path, "in", scope.named(text))
        return domain

    @api.model
    def _is_searchable(self, field):
        """Whether words can be looked for in a field."""
        if field.name == "display_name":
            model = self.env[field.model_name]
            return bool(model._rec_name or model._rec_names_search)
        searchable = field.store or field.search
        return searchable and field.type in ("char", "text", "html", "many2one")
