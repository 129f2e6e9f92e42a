"""Writes moves between stages, tiers and segments into the history of transitions.

In: a temporary table of moves, with what was left, what was entered and why. Out: numbered
transitions, made through the ORM where automation rules are to hear of them, else in SQL; and the
errors of such rules. Called by the classifiers of stages, tiers and segments.
"""

import logging

from psycopg2 import errors

from odoo.tools import SQL

_logger = logging.getLogger(__name__)

#: transitions created through the ORM at a time
CREATE_BATCH = 500
#: columns of a transition that hold what was left and what was entered, by kind
COLUMNS = {
    "stage": ("from_stage_id", "to_stage_id"),
    "tier": ("from_tier_id", "to_tier_id"),
    "segment": ("segment_id", "joined"),
}


def record(env, kind, cause):
    """Record the moves in the temporary table ``lifecycle_moves`` as transitions.

    Its columns: ``id`` of the profile, ``from_id`` and ``to_id`` (NULL: none; a segment that
    is joined stands in ``to_id``, one that is left in ``from_id``), ``date`` of the move,
    ``since`` (date of the former one), ``why`` (jsonb).

    :param kind: "stage", "tier" or "segment"
    :param cause: ``rule`` creates transitions through the ORM, so that automation rules
        see them; any other cause is history and is written without a sound
    :return: list of (profile id, error) of automation rules; the moves are recorded all the
        same
    """
    _number(env, kind)
    if cause == "rule":
        return _create(env, kind)
    insert_transitions(env, kind, cause)
    return []


def _number(env, kind):
    segment = SQL("COALESCE(moves.from_id, moves.to_id)" if kind == "segment" else "0")
    env.cr.execute("ALTER TABLE lifecycle_moves ADD number integer DEFAULT 1")
    if not _has_past(env, kind):
        return
    past = SQL(
        """FROM lifecycle_transition past
            WHERE past.profile_id = moves.id AND past.kind = %s
              AND COALESCE(past.segment_id, 0) = %s""",
        kind,
        segment,
    )
    # a first classification rewrites nothing: there is no past to count on from
    env.cr.execute(
        SQL(
            """UPDATE lifecycle_moves moves SET number = 1 + (SELECT MAX(number) %s)
                WHERE EXISTS (SELECT %s)""",
            past,
            past,
        )
    )


def _has_past(env, kind):
    """Whether there is a history to count on from; the first members of all have none."""
    if kind == "segment":
        # whatever a segment's history holds has been counted by month too
        past = SQL(
            """EXISTS (SELECT FROM lifecycle_segment_flow WHERE segment_id IN (
                   SELECT COALESCE(from_id, to_id) FROM lifecycle_moves))"""
        )
    else:
        past = SQL(" OR ").join(
            SQL(
                "EXISTS (SELECT FROM lifecycle_transition WHERE %s IS NOT NULL)",
                SQL.identifier(name),
            )
            for name in reversed(COLUMNS[kind])
        )
    return env.execute_query(SQL("SELECT %s", past))[0][0]


def _states_sql(kind):
    """The two columns' values of a move."""
    if kind == "segment":
        return SQL("COALESCE(moves.from_id, moves.to_id), moves.to_id IS NOT NULL")
    return SQL("moves.from_id, moves.to_id")


def insert_transitions(env, kind, cause, single=None):
    """Record moves in SQL: nothing that listens to new transitions hears of them.

    :param single: values of the only transition to record
    """
    where = SQL("TRUE")
    if single:
        where = SQL("moves.id = %s", single["profile_id"])
    if single and kind == "segment":
        # the customer's other segments are moves of their own
        where = SQL("%s AND COALESCE(moves.from_id, moves.to_id) = %s", where, single["segment_id"])
    insert(
        env,
        SQL(
            """INSERT INTO lifecycle_transition
                     (profile_id, kind, number, %(columns)s, date, cause, why,
                      days_before)
               SELECT moves.id, %(kind)s, moves.number, %(states)s,
                      moves.date, %(cause)s, moves.why, moves.date - moves.since
                 FROM lifecycle_moves moves WHERE %(where)s""",
            columns=SQL(", ").join(SQL.identifier(name) for name in COLUMNS[kind]),
            states=_states_sql(kind),
            kind=kind,
            cause=cause,
            where=where,
        ),
    )


def insert(env, statement):
    """Insert rows that are new to this transaction.

    ON CONFLICT would look every row up first. What somebody else has inserted meanwhile is a
    conflict of transactions: all of it is done again.
    """
    try:
        env.cr.execute(statement)
    except errors.UniqueViolation as error:
        raise errors.SerializationFailure(str(error)) from error


def _create(env, kind):
    """Record moves through the ORM, so that automation rules on transitions run.

    :return: errors of automation rules; the moves themselves are recorded all the same
    """
    env.cr.execute(
        SQL(
            "SELECT id, number, date, why, date - since, %s FROM lifecycle_moves moves ORDER BY id",
            _states_sql(kind),
        )
    )
    values = [
        {
            "profile_id": profile_id,
            "kind": kind,
            "number": number,
            "date": date,
            "cause": "rule",
            "why": why,
            "days_before": days or 0,
            **dict(zip(COLUMNS[kind], states, strict=True)),
        }
        for profile_id, number, date, why, days, *states in env.cr.fetchall()
    ]
    failures = []
    for start in range(0, len(values), CREATE_BATCH):
        batch = values[start : start + CREATE_BATCH]
        if _create_together(env, batch) is None:
            continue
        for single in batch:
            error = _create_together(env, [single])
            if error is not None:
                insert_transitions(env, kind, "rule", single)
                failures.append((single["profile_id"], str(error)))
    return failures


def _create_together(env, batch):
    """Create transitions in a savepoint; return the error that undid it, or None."""
    try:
        with env.cr.savepoint():
            env["lifecycle.transition"].sudo().create(batch)
            env.flush_all()
    except Exception as error:
        # whatever an automation rule raises must not cost the history
        _logger.warning("Automation on a life-cycle transition failed: %s", error)
        return error
    return None
