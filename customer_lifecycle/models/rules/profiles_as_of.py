"""Profiles as of a day, as SQL: the present ones, or others in their place.

Comes in: a company, a day, and for the past or what is coming a SELECT of what profiles are then.
Goes out: domains as conditions, and fields as values, over these. Used wherever customers are
classified, and by the replay of the past and the look ahead.
"""

import re

from odoo.fields import Domain
from odoo.tools import SQL, Query

from ...tools import rights

PERIODS = {"d": "days", "w": "weeks", "m": "months", "y": "years"}
RELATIVE = re.compile(r"(?:today|now)?((?:\s*[+-]\s*\d+\s*[dwmy])*)")


def relative(value):
    """A date like "-12m" as an interval from today; None for what is none."""
    found = isinstance(value, str) and value.strip() and RELATIVE.fullmatch(value.strip())
    if not found:
        return None
    steps = re.findall(r"([+-])\s*(\d+)\s*([dwmy])", found[1])
    return " ".join(f"{sign}{number} {PERIODS[unit]}" for sign, number, unit in steps) or "0"


def dated(domain, profiles):
    """A domain whose dates like "-12m" are counted from the day that is looked at.

    :param profiles: the model, which knows that day
    """

    def counted(condition):
        name, operator = condition.field_expr, condition.operator
        field = profiles._fields.get(name)
        interval = field is not None and field.type == "date" and relative(condition.value)
        if not interval or operator not in ("=", "<", "<=", ">", ">="):
            return condition
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "COALESCE(%s %s (%s::date + %s::interval)::date, FALSE)",
                model._field_to_sql(alias, name, query),
                SQL(operator),
                model._lifecycle_today(),
                interval,
            )
        )

    return domain.map_conditions(counted)


class ProfilesAsOf:
    """What rules are compiled over.

    :param day: the day that is looked at, or with ``source`` SQL of a column that holds it
    :param domain: which of the present profiles
    :param source: FROM item with the columns of the table, and ``days_since_last_order`` and
        ``lateness`` as of each row's day; stands in for the present profiles
    """

    def __init__(self, env, company, day, domain=Domain.TRUE, source=None):
        self.company = company
        self.day = day
        self.model = (
            # sudo: rules decide for everybody, whoever asks for the computation
            env["lifecycle.profile"]
            .sudo()
            .with_company(company)
            .with_context(active_test=False, lifecycle_today=day)
        )
        if source is None:
            self.query = self.model._search(domain)
        else:
            self.query = Query(self.model.env, self.model._table, source)

    def column(self, name):
        """A column of the table, or of what stands in for it."""
        return SQL.identifier(self.query.table, name)

    def value(self, name):
        """A field's value as SQL; None for what has no single one there."""
        field = self.model._fields.get(name)
        if field is None or name in ("id", "active") or field.type in ("one2many", "many2many"):
            return None
        try:
            return self.model._field_to_sql(self.query.table, name, self.query)
        except ValueError:
            # computed in Python only, though it can be searched
            return None

    def values(self, names):
        """jsonb of the fields' values, by name."""
        pairs = [
            SQL("%s::text, %s", name, value)
            for name in sorted(names)
            if (value := self.value(name))
        ]
        return SQL("jsonb_build_object(%s)", SQL(", ").join(pairs)) if pairs else None

    def meets(self, domain):
        """Whether a profile meets a rule that looks at one company, as SQL that is never NULL."""
        domain = rights.within_company(domain, self.model, self.company)
        return self.matches(dated(domain, self.model).optimize_full(self.model))

    def matches(self, domain):
        """The same of a domain that has been made ready already."""
        if domain.is_true():
            return SQL("TRUE")
        return SQL(
            "COALESCE((%s), FALSE)", domain._to_sql(self.model, self.query.table, self.query)
        )
