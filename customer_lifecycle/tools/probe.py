"""Ask the database what it thinks of a statement before anybody's work depends on it.

Comes in: SQL that was made of what people entered. Goes out: nothing, or why the database refuses
it. Called where filters and rules are saved or previewed, and before they are read for others.
"""

from contextlib import contextmanager

import psycopg2
from psycopg2 import errors

from odoo import tools
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

#: seconds after which the database has thought long enough about what it has not even begun
PATIENCE = 5
#: filters within filters within filters, which the planner takes apart one by one
DEEPEST = 8
#: conditions of one filter, those of the inner ones included
MOST = 200


@contextmanager
def limited(env, seconds=PATIENCE):
    """Let no statement within take longer; what was written within is undone where one does."""
    cr = env.cr
    cr.execute("SELECT current_setting('statement_timeout')")
    before = cr.fetchone()[0]
    with cr.savepoint(flush=False), tools.mute_logger("odoo.sql_db"):
        cr.execute("SELECT set_config('statement_timeout', %s, TRUE)", [f"{int(seconds * 1000)}ms"])
        yield
        # where the savepoint is undone, the setting is too
        cr.execute("SELECT set_config('statement_timeout', %s, TRUE)", [before])


def refusal(env, statement, rows=0):
    """Why the database refuses a SELECT, as one line; None where it does not.

    :param rows: so many rows are read, for what is only found out while reading; that takes time
        in large tables, and is given up after some seconds without an objection
    """
    try:
        with limited(env):
            env.cr.execute(SQL("SELECT * FROM (%s) probe LIMIT 0", statement))
    except errors.QueryCanceled:
        return too_long(env)
    except psycopg2.Error as error:
        return first_line(error)
    if not rows:
        return None
    try:
        with limited(env):
            env.cr.execute(SQL("SELECT * FROM (%s) probe LIMIT %s", statement, rows))
    except errors.QueryCanceled:
        return None
    except psycopg2.Error as error:
        return first_line(error)
    return None


def too_long(env):
    """Sentence about a statement that was given up."""
    return env._(
        "The database would need minutes to plan this. Use fewer filters within filters."
    )


def first_line(error):
    """What a database error says, without the statement it quotes."""
    return str(error).strip().partition("\n")[0]


def check_size(env, name, domain):
    """Refuse a domain that takes the database minutes to plan, before it is tried.

    :param name: of what the domain belongs to, for the sentence
    """
    count, depth = measure(domain)
    if depth > DEEPEST:
        raise ValidationError(
            env._(
                "“%(name)s” has filters within filters, %(depth)s deep; %(most)s are allowed, "
                "since the database would need minutes for it.",
                name=name,
                depth=depth,
                most=DEEPEST,
            )
        )
    if count > MOST:
        raise ValidationError(
            env._(
                "“%(name)s” has %(count)s conditions; %(most)s are allowed. Put what belongs "
                "together into a list of values or a segment of its own.",
                name=name,
                count=count,
                most=MOST,
            )
        )


def measure(domain):
    """(conditions, levels of filters within filters) of a Domain."""
    count = depth = 0
    for condition in domain.iter_conditions():
        count += 1
        # a path is a filter within a filter for each of its points
        depth = max(depth, condition.field_expr.count("."))
        value = condition.value
        if "any" in condition.operator and isinstance(value, list | tuple | Domain):
            inner, levels = measure(Domain(value))
            count += inner
            depth = max(depth, condition.field_expr.count(".") + 1 + levels)
    return count, depth
