"""Whose rows meet conditions: has bought these products three times, for the first time, last.

In: a domain over rows of customers, of which some conditions count the rows that meet the others.
Out: a domain of profiles, evaluated in one grouped subquery for all customers at once. Used by
the fields of the profile that ask for products bought and for touchpoints.
"""

from itertools import product
from math import prod

from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.orm.domains import DomainAnd, DomainCondition, DomainOr
from odoo.tools import SQL

from ...tools.fields import is_counted

#: what a row is found by
KEYS = ("partner_id", "company_id")
#: conditions on these say when, not what
WHEN = frozenset({"day", "days_ago"})
#: rows that were more than given back
POSITIVE = SQL("(amount > 0 OR quantity > 0)")
#: name of a condition that compares → SQL of what it counts
COUNTS = {
    "times": SQL("COUNT(DISTINCT day) FILTER (WHERE %s)", POSITIVE),
    "total_quantity": SQL("COALESCE(SUM(quantity), 0)"),
    "total_amount": SQL("COALESCE(SUM(amount), 0)"),
}
#: ways to combine alternatives, each of which is a subquery
MOST = 16


def has_bought(items, domain, today):
    """Domain of the profiles whose customers have rows that meet a domain.

    :param items: the model of the rows, with the rights that count
    :param today: the day that is looked at, or SQL of it
    """
    return Domain.OR(
        _of_rows(items, *_split(items, part), today)
        for part in alternatives(items, domain.optimize(items))
    )


def _counts(items, domain):
    return any(is_counted(items, condition) for condition in domain.iter_conditions())


def alternatives(items, domain):
    """Domains without “or” around what counts, any of which may be met."""
    if not _counts(items, domain):
        return [domain]
    if isinstance(domain, DomainOr):
        return [part for child in domain.children for part in alternatives(items, child)]
    if isinstance(domain, DomainAnd):
        ways = [alternatives(items, child) for child in domain.children]
        if prod(len(way) for way in ways) > MOST:
            raise UserError(
                items.env._(
                    "Conditions that count stand in too many alternatives; write several "
                    "conditions “has bought” instead."
                )
            )
        return [Domain.AND(way) for way in product(*ways)]
    return [domain]


def _split(items, domain):
    """(conditions on what, conditions on when, list of conditions that count)."""
    what, when, counted = Domain.TRUE, Domain.TRUE, []
    for child in domain.children if isinstance(domain, DomainAnd) else [domain]:
        names = {condition.field_expr for condition in child.iter_conditions()}
        if isinstance(child, DomainCondition) and is_counted(items, child):
            counted.append(child)
        elif names and names <= WHEN:
            when &= child
        else:
            what &= child
    return what, when, counted


def _of_rows(items, what, when, counted, today):
    """Domain of the profiles with rows of one way to meet the conditions."""
    flags = {"first_time": {True, False}, "is_last": {True, False}}
    having = []
    for condition in counted:
        name, operator, value = condition.field_expr, condition.operator, condition.value
        if name not in flags:
            having.append(compared(items, condition, COUNTS))
        elif operator in ("in", "not in"):
            asked = {bool(each) for each in value}
            flags[name] &= asked if operator == "in" else {True, False} - asked
        else:
            raise UserError(items.env._("Ask whether it was so, or whether it was not."))
    if not all(flags.values()):
        return Domain.FALSE
    is_first, is_last = (
        None if len(values) == 2 else values == {True} for values in flags.values()
    )

    def rows(on_last):
        return Domain.custom(
            to_sql=lambda _model, alias, _query: (
                _counted_sql(items, what, when, having, is_first, on_last, today, alias)
                if having or is_first is not None
                else _plain_sql(items, what & when, on_last, today, alias)
            )
        )

    return rows(False) & ~rows(True) if is_last is False else rows(bool(is_last))


def compared(items, condition, counts):
    """SQL of a condition that compares what is counted.

    :param counts: SQL by name of what the condition may count
    """
    name, operator, value = condition.field_expr, condition.operator, condition.value
    numbers = [float(each or 0) for each in (value if "in" in operator else [value])]
    possible = {"in": max(numbers) >= 1, "<": max(numbers) > 1, "<=": max(numbers) >= 1}
    if name == "times" and not possible.get(operator, True):
        raise UserError(
            items.env._("Nobody did it 0 times and did it: choose the opposite, “has not”.")
        )
    return SQL(
        "%s %s %s",
        counts[name],
        SQL(operator.upper()),
        tuple(numbers) if "in" in operator else numbers[0],
    )


def _found(items, domain, today):
    found = items._search(domain)
    # a day of its own for each row when the past is replayed
    found.add_where(SQL("%s <= %s", SQL.identifier(found.table, "day"), today))
    return found


def _plain_sql(items, domain, on_last, today, alias):
    """Whether there are rows: one that is found is enough."""
    found = _found(items, domain, today)
    for name in KEYS:
        found.add_where(
            SQL("%s = %s", SQL.identifier(found.table, name), SQL.identifier(alias, name))
        )
    if on_last:
        last = SQL.identifier(alias, "last_order_date")
        found.add_where(SQL("%s = %s", SQL.identifier(found.table, "day"), last))
    return SQL("EXISTS (%s)", found.select(SQL("1")))


def _counted_sql(items, what, when, having, is_first, on_last, today, alias):
    """Whether the rows together are so many, or the first.

    All customers' rows are grouped once and looked up, or one customer's rows by the index where
    few are looked at: PostgreSQL chooses.
    """
    having, among = list(having), SQL("TRUE")
    if is_first is None:
        found, first = _found(items, what & when, today), []
    else:
        # what was before those days tells whether it was the first time
        found = _found(items, what, today)
        among = SQL("among")
        first = [
            SQL("%s AS among", when.optimize_full(items)._to_sql(items, found.table, found)),
            SQL(
                "MIN(%s) FILTER (WHERE %s) OVER (PARTITION BY %s) AS first",
                SQL.identifier(found.table, "day"),
                POSITIVE,
                SQL(", ").join(SQL.identifier(found.table, name) for name in KEYS),
            ),
        ]
        having.append(
            SQL(
                "MIN(day) FILTER (WHERE %s) %s MIN(first)",
                POSITIVE,
                SQL("=") if is_first else SQL(">"),
            )
        )
    columns = [
        SQL("%s AS %s", SQL.identifier(found.table, name), SQL.identifier(name))
        for name in (*KEYS, "day", "quantity", "amount")
    ]
    keys = (*KEYS, "day") if on_last else KEYS
    links = [
        *(
            SQL("counted.%s = %s", SQL.identifier(name), SQL.identifier(alias, name))
            for name in KEYS
        ),
        *([SQL("counted.day = %s", SQL.identifier(alias, "last_order_date"))] if on_last else []),
    ]
    # what is no plain EXISTS is not made a join, for which everybody's rows would be grouped
    return SQL(
        """(EXISTS (SELECT FROM (SELECT %(keys)s FROM (%(rows)s) line WHERE %(among)s
                                  GROUP BY %(keys)s HAVING %(having)s) counted
                     WHERE %(links)s) IS TRUE)""",
        keys=SQL(", ").join(SQL.identifier(name) for name in keys),
        rows=found.select(*columns, *first),
        among=among,
        having=SQL(" AND ").join(having),
        links=SQL(" AND ").join(links),
    )
