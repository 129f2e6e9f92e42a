"""Replays the stages of the past from the purchases, with the rules of today.

In: what was known from each purchase to the next, and the rules of the stages. Out: transitions
with the cause "reconstructed", and the stage where each customer ends. Called by the classifier
for a company's first run, and for customers whose older purchases have come in late.
"""

from datetime import date

import numpy as np

from odoo.tools import SQL

from ... import kernel
from ...tools.copy import copy_in, copy_out
from . import moves as history
from .spells import EPOCH, PAST, Spells

#: profiles whose past is replayed at a time, which bounds the memory it takes
CHUNK = 200_000


def reconstruct(env, company, today, partner_ids=None):
    """Replay the stages day by day over a company's purchases, so that nobody starts at no days.

    Between two purchases a rule begins or ends to hold only on days that its conditions name: so
    many days after the last order, so many times the rhythm. The rules are evaluated by the same
    SQL as those of today, for each purchase and each of these days; the kernel goes through what
    they say. The result is that of a run on every single day since the first purchase.

    What the past does not tell is unknown; rules must not depend on it alone.

    :param partner_ids: replay those of these commercial partners only
    :return: number of reconstructed transitions
    """
    env.flush_all()
    env.cr.execute("SET LOCAL jit = off")
    env.cr.execute("SET LOCAL work_mem = '256MB'")
    rules = env["lifecycle.stage"]._rules()
    count = 0
    with Spells(env, company, today, partner_ids) as spells:
        env.cr.execute(
            "CREATE TEMPORARY TABLE lifecycle_past (id bigint, number bigint, "
            "spell_day bigint, day bigint, from_id bigint, to_id bigint, since bigint, "
            "ordered bigint, is_last bigint)"
        )
        for ids in spells.ranges(CHUNK):
            count += _replay(spells, rules, ids)
        env.cr.execute("DROP TABLE pg_temp.lifecycle_past")
    return count


def _replay(spells, rules, ids):
    """Find and record the past moves of the profiles with ids in a range."""
    env = spells.env
    names = ("id", "spell_day", "day", "enter", "keep", "ordered")
    frame = copy_out(
        env.cr, _masks_sql(rules, spells.moments(rules, ids)), dict.fromkeys(names, np.int64)
    )
    known = frame["id"].to_numpy() << 20 | frame["day"].to_numpy()
    order = np.argsort(known, kind="stable")
    moves = kernel.replay_stages(
        *(frame[name].to_numpy()[order] for name in ("id", "day", "enter", "keep")),
        rules.limits(),
        (spells.today - date(1970, 1, 1)).days,
        frame["ordered"].to_numpy()[order],
    )
    if not len(moves.day):
        return 0
    found = np.searchsorted(known[order], moves.customer << 20 | moves.day, "right") - 1
    begins = np.r_[True, moves.customer[1:] != moves.customer[:-1]]
    row = np.arange(len(begins))
    stage_ids = np.array([*(rule.id for rule in rules), 0])  # the last stands for nowhere
    env.cr.execute("TRUNCATE pg_temp.lifecycle_past")
    copy_in(
        env.cr,
        "lifecycle_past",
        (
            moves.customer,
            1 + row - np.maximum.accumulate(np.where(begins, row, 0)),
            frame["spell_day"].to_numpy()[order][found],
            moves.day,
            stage_ids[moves.source],
            stage_ids[moves.target],
            moves.since,
            frame["ordered"].to_numpy()[order][found],
            np.r_[begins[1:], True],
        ),
    )
    _record(spells, rules)
    return len(moves.day)


def _masks_sql(rules, profiles):
    """SELECT of profile, day of the spell, day, bits of the stages whose rules let in and keep."""
    enter, lax, strict = rules.bits_sql(profiles)
    return SQL(
        "SELECT id, spell_day, day, enter, (enter & %s::bigint) | kept AS keep, ordered "
        "FROM (%s) evaluated",
        strict,
        profiles.query.select(
            SQL("%s AS id", profiles.column("id")),
            SQL("%s - %s AS spell_day", profiles.column("spell_day"), EPOCH),
            SQL("%s - %s AS day", profiles.day, EPOCH),
            SQL("%s - %s AS ordered", profiles.column("last_order_date"), EPOCH),
            SQL("%s AS enter", enter),
            SQL("%s AS kept", lax),
        ),
    )


def _record(spells, rules):
    """Record the moves in ``lifecycle_past``, and the stage that the last led to."""
    profiles = spells.as_of_moments(
        SQL(
            """SELECT spells.*, %(epoch)s + past.day::integer AS moment, %(past)s
                 FROM lifecycle_past past
                 JOIN lifecycle_spells spells
                   ON spells.id = past.id
                  AND spells.spell_day - %(epoch)s = past.spell_day::integer""",
            epoch=EPOCH,
            past=SQL(", ").join(SQL.identifier("past", name) for name in PAST),
        ),
        PAST,
    )
    why = [
        SQL("WHEN %s THEN %s", rule.id, values)
        for rule in rules
        if (values := profiles.values(rule.names))
    ]
    reasons = profiles.query.select(
        *(profiles.column(name) for name in ("id", *PAST)),
        SQL("%s AS date", profiles.day),
        SQL("CASE %s %s END AS why", profiles.column("to_id"), SQL(" ").join(why)),
    )
    history.insert(
        spells.env,
        SQL(
            """INSERT INTO lifecycle_transition
                     (profile_id, kind, number, from_stage_id, to_stage_id, date, cause, why,
                      days_before)
               SELECT id, 'stage', number, NULLIF(from_id, 0), to_id, date, 'reconstructed',
                      why, CASE WHEN from_id > 0 THEN date - %(epoch)s - since END
                 FROM (%(reasons)s) moves""",
            epoch=EPOCH,
            reasons=reasons,
        ),
    )
    spells.env.cr.execute(
        SQL(
            """UPDATE lifecycle_profile profile
                  SET stage_id = past.to_id,
                      stage_date = %(epoch)s + past.day::integer,
                      stage_order_date = %(epoch)s + past.ordered::integer
                 FROM lifecycle_past past
                WHERE past.id = profile.id AND past.is_last = 1""",
            epoch=EPOCH,
        )
    )
