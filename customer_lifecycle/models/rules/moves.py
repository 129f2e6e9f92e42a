"""Writes moves between stages, tiers and segments into the history of transitions.

In: a temporary table of moves, with what was left, what was entered and why. Out: numbered
transitions, made through the ORM where automation rules are to hear of them, else in SQL; and the
errors of such rules. Called by the classifiers of stages, tiers and segments.
"""

import logging

from psycopg2 import errors

from odoo import api, models
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


class LifecycleClassifier(models.AbstractModel):
    """Keeps every move between stages, tiers and segments as a transition."""

    # a file for each subject of this large model
    _inherit = "lifecycle.classifier"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _record_moves(self, kind, cause):
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
        self._number_moves(kind)
        if cause == "rule":
            return self._create_transitions(kind)
        self._insert_transitions(kind, cause)
        return []

    @api.model
    def _number_moves(self, kind):
        segment = SQL("COALESCE(moves.from_id, moves.to_id)" if kind == "segment" else "0")
        self.env.cr.execute("ALTER TABLE lifecycle_moves ADD number integer DEFAULT 1")
        if not self._has_past(kind):
            return
        past = SQL(
            """FROM lifecycle_transition past
                WHERE past.profile_id = moves.id AND past.kind = %s
                  AND COALESCE(past.segment_id, 0) = %s""",
            kind,
            segment,
        )
        # a first classification rewrites nothing: there is no past to count on from
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_moves moves SET number = 1 + (SELECT MAX(number) %s)
                    WHERE EXISTS (SELECT %s)""",
                past,
                past,
            )
        )

    @api.model
    def _has_past(self, kind):
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
        return self.env.execute_query(SQL("SELECT %s", past))[0][0]

    @api.model
    def _states_sql(self, kind):
        """The two columns' values of a move."""
        if kind == "segment":
            return SQL("COALESCE(moves.from_id, moves.to_id), moves.to_id IS NOT NULL")
        return SQL("moves.from_id, moves.to_id")

    @api.model
    def _insert_transitions(self, kind, cause, single=None):
        """Record moves in SQL: nothing that listens to new transitions hears of them.

        :param single: values of the only transition to record
        """
        where = SQL("TRUE")
        if single:
            where = SQL("moves.id = %s", single["profile_id"])
        if single and kind == "segment":
            # the customer's other segments are moves of their own
            where = SQL(
                "%s AND COALESCE(moves.from_id, moves.to_id) = %s", where, single["segment_id"]
            )
        self._insert(
            SQL(
                """INSERT INTO lifecycle_transition
                         (profile_id, kind, number, %(columns)s, date, cause, why,
                          days_before)
                   SELECT moves.id, %(kind)s, moves.number, %(states)s,
                          moves.date, %(cause)s, moves.why, moves.date - moves.since
                     FROM lifecycle_moves moves WHERE %(where)s""",
                columns=SQL(", ").join(SQL.identifier(name) for name in COLUMNS[kind]),
                states=self._states_sql(kind),
                kind=kind,
                cause=cause,
                where=where,
            )
        )

    @api.model
    def _insert(self, statement):
        """Insert rows that are new to this transaction.

        ON CONFLICT would look every row up first. What somebody else has inserted meanwhile is a
        conflict of transactions: all of it is done again.
        """
        try:
            self.env.cr.execute(statement)
        except errors.UniqueViolation as error:
            raise errors.SerializationFailure(str(error)) from error

    @api.model
    def _create_transitions(self, kind):
        """Record moves through the ORM, so that automation rules on transitions run.

        :return: errors of automation rules; the moves themselves are recorded all the same
        """
        self.env.cr.execute(
            SQL(
                "SELECT id, number, date, why, date - since, %s FROM lifecycle_moves moves "
                "ORDER BY id",
                self._states_sql(kind),
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
            for profile_id, number, date, why, days, *states in self.env.cr.fetchall()
        ]
        failures = []
        for start in range(0, len(values), CREATE_BATCH):
            batch = values[start : start + CREATE_BATCH]
            if self._create_together(batch) is None:
                continue
            for single in batch:
                error = self._create_together([single])
                if error is not None:
                    self._insert_transitions(kind, "rule", single)
                    failures.append((single["profile_id"], str(error)))
        return failures

    @api.model
    def _create_together(self, batch):
        """Create transitions in a savepoint; return the error that undid it, or None."""
        try:
            with self.env.cr.savepoint():
                self.env["lifecycle.transition"].sudo().create(batch)
                self.env.flush_all()
        except Exception as error:
            # whatever an automation rule raises must not cost the history
            _logger.warning("Automation on a life-cycle transition failed: %s", error)
            return error
        return None
