"""Pieces of SQL that live lists share.

In: columns. Out: an expression. Called by the models that are read from a SELECT.
"""

from odoo.tools import SQL

#: whole numbers up to which JavaScript counts are exact, less one
SAFE = 2**53 - 1


def row_id(*columns):
    """The id of a row of a live list: stays with it whatever else is listed.

    :param columns: names, or expressions, that tell the rows apart
    """
    return SQL(
        "hashtextextended(CONCAT_WS(',', %s), 0) & %s AS id",
        SQL(", ").join(SQL(column) for column in columns),
        SAFE,
    )
