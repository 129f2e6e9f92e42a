"""Moves millions of numbers between PostgreSQL and NumPy through COPY, without Python objects.

In: a cursor, and a SELECT or arrays of whole numbers. Out: a data frame, or rows of a temporary
table. Called by forecast and fit, by the replay of stages and by comparisons.
"""

import io

import numpy as np
import pandas as pd

from odoo.tools import SQL


def copy_out(cr, query, dtypes):
    """Result of a SELECT as a data frame.

    :param dtypes: NumPy types by column
    """
    statement = cr.mogrify(query.code, query.params).decode()
    buffer = io.BytesIO()
    cr.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT csv, HEADER)", buffer)
    buffer.seek(0)
    return pd.read_csv(buffer, dtype=dtypes)


def copy_in(cr, table, columns):
    """Add rows to a temporary table whose columns are all ``bigint``.

    :param columns: arrays of whole numbers, one for each column
    """
    # PostgreSQL's binary format: number of fields, then length and bytes of each
    layout = [("fields", ">i2")]
    for number in range(len(columns)):
        layout += [(f"length{number}", ">i4"), (f"value{number}", ">i8")]
    rows = np.empty(len(columns[0]), dtype=layout)
    rows["fields"] = len(columns)
    for number, column in enumerate(columns):
        rows[f"length{number}"] = 8
        rows[f"value{number}"] = column
    name = SQL.identifier("pg_temp", table)
    cr.copy_expert(
        f"COPY {name.code} FROM STDIN (FORMAT binary)",
        io.BytesIO(b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"),
    )
    cr.execute(SQL("ANALYZE %s", name))
