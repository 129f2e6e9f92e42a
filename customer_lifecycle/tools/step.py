"""What the flow from documents to labels is made of: steps for some customers on a day.

In: an environment, a company, a day, and whom it is about. Out: a step that makes its temporary
tables anew, says in its docstring what they hold, and drops them when it is through. Built upon
by the rooms that collect, predict, store and read.
"""

from odoo.tools import SQL

#: the largest id there can be
LAST_ID = 2**31 - 1


class Scope:
    """Whom a step is about: all customers of a company, a range of them, or a few.

    :param partner_ids: ids of commercial partners; None: not only a few
    :param id_range: (first, last) commercial partner ids, inclusive
    """

    def __init__(self, partner_ids=None, id_range=None):
        self.partner_ids = None if partner_ids is None else list(partner_ids)
        self.id_range = id_range

    @property
    def is_few(self):
        return self.partner_ids is not None

    def where(self, column):
        """Condition for the commercial partners it is about."""
        if self.id_range and not self.is_few:
            return SQL("%s BETWEEN %s AND %s", column, *self.id_range)
        return self.few(column)

    def few(self, column):
        """Condition for a few only: what is quicker read as a whole is read as a whole."""
        return SQL("%s = ANY(%s)", column, self.partner_ids) if self.is_few else SQL("TRUE")


EVERYBODY = Scope()


class Step:
    """Something that is done for some customers of a company on a day.

    Use it in a ``with`` statement: its tables of a former step are gone at the beginning, and its
    own at the end. After a failure they go with the transaction, or when they are made anew.
    """

    #: its temporary tables
    TABLES = ()

    def __init__(self, env, company, day, scope=EVERYBODY):
        self.env, self.cr = env, env.cr
        self.company, self.day, self.scope = company, day, scope

    def __enter__(self):
        self.drop()
        return self

    def __exit__(self, failure, *_details):
        if failure is None:
            self.drop()

    def drop(self):
        """Drop its temporary tables, as far as they are there."""
        if self.TABLES:
            tables = (SQL.identifier("pg_temp", name) for name in self.TABLES)
            self.cr.execute(SQL("DROP TABLE IF EXISTS %s", SQL(", ").join(tables)))
