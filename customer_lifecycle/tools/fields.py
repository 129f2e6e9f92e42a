"""Kinds of fields that Odoo lacks: unknown numbers, links to a profile, unchecked links.

In: the models that declare such fields. Out: numbers that may be unknown, figures of a profile
by which contacts can be searched and sorted, links without foreign keys, and helpers for database
defaults and reading with few queries. Used by profiles, contacts, reports, cards and settings.
"""

import operator as operators

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

INEQUALITIES = {
    "<": operators.lt,
    ">": operators.gt,
    "<=": operators.le,
    ">=": operators.ge,
}


def stored_names(model):
    """Names of the fields that reading any of them would read anyway.

    Named in a search they come with it; left out they take a query of their own.
    """
    return [
        name
        for name, field in model._fields.items()
        if field.store
        and field.column_type
        and field.prefetch is True
        and model._has_field_access(field, "read")
    ]


def preset_in_database(model):
    """Give the columns that this addon adds to another app's table their default in the database.

    An app that is updated is loaded before the addon, and so are other programs that insert rows:
    they do not know our columns, and could insert nothing where one of them is required.
    Called by ``init`` of the models concerned, thus whenever the addon is installed or updated.
    """
    for name, field in model._fields.items():
        if not (
            name.startswith("lifecycle_")
            and field.store
            and field.column_type
            and field.default
            and not field.relational
            and not field.company_dependent
        ):
            continue
        value = field.convert_to_column(field.default(model), model, validate=False)
        model.env.cr.execute(
            SQL(
                "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s",
                SQL.identifier(model._table),
                SQL.identifier(name),
                value,
            )
        )


class _Optional:
    """A number that may be unknown, which is not the same as zero.

    Unknown is read as False and shown as nothing. Like an empty date it is neither less nor
    greater than anything: Odoo's own numbers count as 0 where they are empty, so that a rule
    "probability below 20 %" would take in everybody for whom there is none.
    """

    falsy_value = None

    def convert_to_column(self, value, record, values=None, validate=True):
        if value is None or value is False:
            return None
        return super().convert_to_column(value, record, values, validate)

    def convert_to_column_insert(self, value, record, values=None, validate=True):
        if value is None or value is False:
            return None
        return super().convert_to_column_insert(value, record, values, validate)

    def convert_to_cache(self, value, record, validate=True):
        if value is None or value is False:
            return None
        return super().convert_to_cache(value, record, validate)

    def convert_to_record(self, value, record):
        return False if value is None else value

    def convert_to_export(self, value, record):
        return "" if value is False else super().convert_to_export(value, record)

    def filter_function(self, records, field_expr, operator, value):
        if operator != "in":
            return super().filter_function(records, field_expr, operator, value)
        # Python takes False for 0
        known = {number for number in value if number is not False and number is not None}
        unknown = any(number is False or number is None for number in value)
        getter = self.expression_getter(field_expr)

        def matches(record):
            number = getter(record)
            return unknown if number is False else number in known

        return matches


class OptionalInteger(_Optional, fields.Integer):
    """An integer for which unknown is not 0."""


class OptionalFloat(_Optional, fields.Float):
    """A float for which unknown is not 0."""


class OptionalMonetary(_Optional, fields.Monetary):
    """An amount for which unknown is not 0."""


class _ZeroWithoutProfile:
    """A number of a contact's profile that is 0 for a contact without one, also in searches."""

    def _search_related(self, records, operator, value):
        if operator not in INEQUALITIES:
            return super()._search_related(records, operator, value)
        # Odoo takes "more than 0" for a condition that contacts without profile fulfil
        link, name = self.related.split(".")
        domain = Domain(link, "any!", Domain(name, operator, value))
        if INEQUALITIES[operator](0, value or 0):
            domain |= Domain(link, "=", False)
        return domain


class BudgetMonetary(OptionalMonetary):
    """An amount that people enter for any contact; its profile is made where there is none."""

    def _inverse_related(self, records):
        records.filtered(self.name)._make_lifecycle_profile()
        return super()._inverse_related(records)


class CountInteger(_ZeroWithoutProfile, fields.Integer):
    """A number of things, 0 without profile."""


class SumMonetary(_ZeroWithoutProfile, fields.Monetary):
    """An amount that adds up, 0 without profile."""


class AskedOne2many(fields.One2many):
    """Rows that conditions ask for, which are only looked up in the database."""

    def filter_function(self, records, field_expr, operator, value):
        if records.env.context.get("filter_function_reset_sudo") and operator == "any":
            records = records.sudo(False)
        asked = Domain("id", "in", records.ids) & Domain(field_expr, operator, value)
        found = set(records.with_context(active_test=False)._search(asked).get_result_ids())
        return lambda record: record._origin.id in found


def _refuse_alone(model, operator, value):
    """Conditions that count mean nothing where they stand alone."""
    raise UserError(
        model.env._(
            "“Times”, totals, “first time” and “last purchase” count what meets the conditions "
            "beside them: use them in a rule, below “has bought” or “was in touch”."
        )
    )


class _Counted:
    """What is asked of a customer's rows together, beside conditions on each; no row has one.

    The search of an :class:`AskedOne2many` takes such conditions out and counts.
    """

    store = False
    exportable = False
    aggregator = None
    search = staticmethod(_refuse_alone)


class CountedInteger(_Counted, fields.Integer):
    """A number of things."""


class CountedFloat(_Counted, fields.Float):
    """A sum."""


class CountedBoolean(_Counted, fields.Boolean):
    """Something that holds of all of them, or does not."""


def is_counted(model, condition):
    """Whether a condition of a domain over a model asks for its records together."""
    return isinstance(model._fields.get(condition.field_expr), _Counted)


def as_reader(profiles):
    """Profiles with the rights of whoever reads, although related fields are read as superuser.

    What runs as superuser for a portal or public user is no reader but an automation or a
    controller, which decides itself what to show; without superuser rights such users are
    stopped by the fields' groups.
    """
    if profiles.env.su and not profiles.env.user._is_internal():
        return profiles
    return profiles.sudo(False)


class UncheckedMany2one(fields.Many2one):
    """Link without a foreign key, for what cannot be deleted while it is in use elsewhere.

    PostgreSQL checks a foreign key row by row, empty ones too: of the time to insert a million
    profiles, each one takes a sixth.
    """

    def update_db_foreign_key(self, model, column):
        """Leave the column as it is."""


class ClearedMany2one(UncheckedMany2one):
    """Link without a foreign key that the ORM empties when what it leads to is deleted.

    See ``lifecycle.cleared.mixin``, which the models that it leads to inherit.
    """


class UncheckedMany2many(fields.Many2many):
    """Links through the table of a model of its own, whose fields say what is checked."""

    def update_db(self, model, columns):
        """Leave the table to that model, which may come later."""


class ProfileMany2one(fields.Many2one):
    """Link from a contact to its customer's profile in the current company, without a column.

    SQL reaches the profile through one LEFT JOIN on (commercial partner, company), which is what
    makes fields related over it searchable, sortable, groupable and summable. The join carries
    the reader's own record rules even where the ORM follows the link as superuser, as it does
    for related fields.
    """

    def join(self, model, alias, query):
        profiles = as_reader(model.env["lifecycle.profile"])
        coalias = query.make_alias(alias, self.name)
        query.add_join(
            "LEFT JOIN",
            coalias,
            profiles._table,
            SQL(
                "%s = %s AND %s AND %s AND %s",
                SQL.identifier(coalias, "partner_id"),
                SQL.identifier(alias, "commercial_partner_id"),
                self._company_sql(model, alias, coalias),
                SQL.identifier(coalias, "active"),
                self._readable_sql(profiles, coalias),
            ),
        )
        return model.env["lifecycle.profile"], coalias

    def companies(self, model):
        """Companies whose profile is shown, the first that has one: this, then those above it.

        A branch shows what its head office knows of a customer who has never bought in it, to
        whom works in both.
        """
        company = model.env.company
        above = company._lifecycle_above() & model.env.companies
        return above if len(above) > 1 and above[0] == company else company

    def _company_sql(self, model, alias, coalias):
        companies = self.companies(model)
        own = SQL.identifier(coalias, "company_id")
        if len(companies) == 1:
            return SQL("%s = %s", own, companies.id)
        return SQL(
            """%s = (SELECT near.company_id FROM lifecycle_profile near
                      WHERE near.partner_id = %s AND near.company_id = ANY(%s) AND near.active
                      ORDER BY ARRAY_POSITION(%s::integer[], near.company_id) LIMIT 1)""",
            own,
            SQL.identifier(alias, "commercial_partner_id"),
            companies.ids,
            companies.ids,
        )

    def _readable_sql(self, profiles, alias):
        """Condition on a joined profile that the user may read it."""
        if profiles.env.su:
            return SQL("TRUE")
        if not profiles.has_access("read"):
            return SQL("FALSE")
        rules = profiles.env["ir.rule"]._compute_domain(profiles._name, "read")
        rules = rules.optimize_full(profiles.sudo())
        # the company is fixed by the join; rules over other models need a query of their own
        plain = all(
            condition.field_expr == "company_id" for condition in rules.iter_conditions()
        )
        if plain:
            return SQL("TRUE")
        readable = profiles.sudo().with_context(active_test=False)._search(rules)
        return SQL("%s IN %s", SQL.identifier(alias, "id"), readable.subselect())
