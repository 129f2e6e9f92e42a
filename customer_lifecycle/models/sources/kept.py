"""Exchanging rows that are kept of customers for what is read anew, as far as they differ.

In: a table with company and customer, and a SELECT of what its rows should be. Out: the rows of
customers for whom that is something else, exchanged; those of all others are not touched. Called
by the facts of purchases and by the products on them.
"""

from odoo.tools import SQL


def fill(cr, table, names, company, rows, among=None):
    """Put rows in the place of all that there are, in the order in which they are read.

    The same arguments as of ``exchange``.
    """
    cr.execute(
        SQL(
            "DELETE FROM %s WHERE company_id = %s AND %s",
            SQL.identifier(table),
            company.id,
            among or SQL("TRUE"),
        )
    )
    cr.execute(
        SQL(
            "INSERT INTO %(table)s (company_id, %(columns)s) "
            "SELECT %(company)s, %(columns)s FROM (%(rows)s) found ORDER BY partner_id, day",
            table=SQL.identifier(table),
            columns=SQL(", ").join(SQL.identifier(name) for name in names),
            company=company.id,
            rows=rows,
        )
    )
    cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))


def exchange(cr, table, names, company, rows, among=None, order=("partner_id", "day")):
    """Exchange the rows of customers who have others now.

    :param table: name of the table
    :param names: its columns without id and ``company_id``; ``partner_id`` is one of them
    :param rows: SELECT of what is right, in these columns
    :param among: condition of the customers that this is about; None for all
    :param order: columns in whose order the rows are read
    """
    columns = SQL(", ").join(SQL.identifier(name) for name in names)
    old = SQL(
        "SELECT %s FROM %s WHERE company_id = %s AND %s",
        columns,
        SQL.identifier(table),
        company.id,
        among or SQL("TRUE"),
    )
    new = SQL("SELECT * FROM lifecycle_read")
    cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_read, pg_temp.lifecycle_differing")
    cr.execute(SQL("CREATE TEMPORARY TABLE lifecycle_read ON COMMIT DROP AS %s", rows))
    cr.execute(
        SQL(
            """CREATE TEMPORARY TABLE lifecycle_differing ON COMMIT DROP AS
               SELECT DISTINCT partner_id FROM (
                   (%(new)s EXCEPT ALL %(old)s) UNION ALL (%(old)s EXCEPT ALL %(new)s)
               ) differing""",
            new=new,
            old=old,
        )
    )
    differing = SQL("SELECT partner_id FROM lifecycle_differing")
    cr.execute(
        SQL(
            "DELETE FROM %s WHERE company_id = %s AND partner_id IN (%s)",
            SQL.identifier(table),
            company.id,
            differing,
        )
    )
    cr.execute(
        SQL(
            "INSERT INTO %(table)s (company_id, %(columns)s) "
            "SELECT %(company)s, %(columns)s FROM lifecycle_read "
            "WHERE partner_id IN (%(differing)s) ORDER BY %(order)s",
            table=SQL.identifier(table),
            order=SQL(", ").join(SQL.identifier(name) for name in order),
            columns=columns,
            company=company.id,
            differing=differing,
        )
    )
    cr.execute("DROP TABLE pg_temp.lifecycle_read, pg_temp.lifecycle_differing")
