"""The columns of a profile that a prediction fills: the one list of them.

In: nothing. Out: their names and how they are rounded, and SQL that reads or empties them. Asked by
what predicts, by what writes profiles, and by what is foretold of one customer.
"""

from datetime import date

from odoo.tools import SQL

EPOCH = date(1970, 1, 1).toordinal()
#: decimals by column, in the order they are compared in; None: a day
DECIMALS = {
    "p_alive": 2,
    "p_order": 2,
    "p_order_30": 2,
    "expected_orders": 1,
    "clv_predicted": 2,
    "next_order_date": None,
    "next_order_from": None,
    "next_order_to": None,
}
OUTPUTS = tuple(DECIMALS)
#: stands for "unknown" among whole numbers
UNKNOWN = -(2**62)


def names_sql():
    """The columns, separated by commas."""
    return SQL(", ").join(SQL.identifier(name) for name in OUTPUTS)


def numbers_sql():
    """The columns as numbers of the same names: days as those since 1970."""
    return SQL(", ").join(
        SQL.identifier(name)
        if decimals is not None
        else SQL("%s - DATE '1970-01-01' AS %s", SQL.identifier(name), SQL.identifier(name))
        for name, decimals in DECIMALS.items()
    )


def whole_sql(alias):
    """The columns, by name, from a row that holds them as whole numbers.

    :param alias: of a table with columns of these names, counted in the last decimal
    """
    columns = {}
    for name, decimals in DECIMALS.items():
        number = SQL("NULLIF(%s, %s)", SQL.identifier(alias, name), UNKNOWN)
        if decimals is None:
            columns[name] = SQL("DATE '1970-01-01' + (%s)::integer", number)
        else:
            columns[name] = SQL("%s * %s", number, SQL("0.1" if decimals == 1 else "0.01"))
    return columns


def kept_sql(alias, condition):
    """The columns' present values where a condition holds, unknown elsewhere.

    :param alias: of the profile
    """
    return SQL(", ").join(
        SQL("CASE WHEN %s THEN %s END", condition, SQL.identifier(alias, name)) for name in OUTPUTS
    )
