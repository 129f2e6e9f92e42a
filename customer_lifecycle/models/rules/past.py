"""Replays the stages of the past from the purchases, with the rules of today.

In: what was known from each purchase to the next, and what the rules say of it. Out: transitions
with the cause "reconstructed", and the stage where each customer ends. Called by a company's
first run, and for customers whose older purchases have come in late.
"""

from datetime import date

import numpy as np

from odoo import api, models
from odoo.tools import SQL

from ... import kernel
from ...tools.copy import copy_in, copy_out
from .past_sql import EPOCH, PAST

#: profiles whose past is replayed at a time, which bounds the memory it takes
CHUNK = 200_000


class LifecycleClassifier(models.AbstractModel):
    """Stages of the past, so that nobody starts with a history of no days.

    Between two purchases a rule begins or ends to hold only on days that its conditions name: so
    many days after the last order, so many times the rhythm. The rules are evaluated by the same
    SQL as those of today, for each purchase and each of these days; the kernel goes through what
    they say. The result is that of a run on every single day since the first purchase.

    What the past does not tell is unknown: predictions before the last purchase, opportunities,
    days in the stage itself. Rules must not depend on these alone.
    """

    # a file for each subject of this large model
    _inherit = "lifecycle.classifier"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _reconstruct(self, company, today, partner_ids=None):
        """Replay the stages day by day over the company's purchase history.

        :param partner_ids: replay those of these commercial partners only
        :return: number of reconstructed transitions
        """
        self.env.flush_all()
        cr = self.env.cr
        cr.execute("SET LOCAL jit = off")
        cr.execute("SET LOCAL work_mem = '256MB'")
        stages = self.env["lifecycle.stage"]._in_priority()
        rules = [stage._rule(keep) for stage in stages for keep in (False, True)]
        # compiled while the real profiles are in sight
        masks, reasons = self._past_sql(stages)
        self._list_spells(company, today, partner_ids)
        cr.execute("SELECT MIN(id), MAX(id) FROM lifecycle_spells")
        first, last = cr.fetchone()
        count = 0
        if first is not None:
            cr.execute(
                "CREATE TEMPORARY TABLE lifecycle_past (id bigint, number bigint, "
                "spell_day bigint, day bigint, from_id bigint, to_id bigint, since bigint, "
                "ordered bigint, is_last bigint)"
            )
            for start in range(first, last + 1, CHUNK):
                count += self._replay(
                    company, today, stages, rules, (start, start + CHUNK - 1), masks, reasons
                )
            cr.execute("DROP TABLE pg_temp.lifecycle_past")
        cr.execute("DROP TABLE pg_temp.lifecycle_spells")
        return count

    @api.model
    def _replay(self, company, today, stages, rules, ids, masks, reasons):
        """Find and record the past moves of the profiles with ids in a range."""
        cr = self.env.cr
        self._show_past(company, self._moments_sql(rules, ids))
        names = ("id", "spell_day", "day", "enter", "keep", "ordered")
        frame = copy_out(cr, masks, dict.fromkeys(names, np.int64))
        cr.execute("DROP VIEW pg_temp.lifecycle_profile")
        known = frame["id"].to_numpy() << 20 | frame["day"].to_numpy()
        order = np.argsort(known, kind="stable")
        moves = kernel.replay_stages(
            *(frame[name].to_numpy()[order] for name in ("id", "day", "enter", "keep")),
            self._stage_rules(stages),
            (today - date(1970, 1, 1)).days,
            frame["ordered"].to_numpy()[order],
        )
        if not len(moves.day):
            return 0
        found = np.searchsorted(known[order], moves.customer << 20 | moves.day, "right") - 1
        begins = np.r_[True, moves.customer[1:] != moves.customer[:-1]]
        row = np.arange(len(begins))
        stage_ids = np.array([*stages.ids, 0])  # the last stands for nowhere
        cr.execute("TRUNCATE pg_temp.lifecycle_past")
        copy_in(
            cr,
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
        self._write_past(company, reasons)
        return len(moves.day)

    @api.model
    def _stage_rules(self, stages):
        """What limits moving between stages, as the kernel wants it."""
        place = {stage.id: number for number, stage in enumerate(stages)}
        # a door that is not in force lets nobody in
        closed = 1 << 62
        return kernel.StageRules(
            stages.mapped("min_days"),
            stages.mapped("max_days"),
            [
                stage.enter_from_ids
                and closed
                | sum(1 << place[door.id] for door in stage.enter_from_ids if door.id in place)
                or 0
                for stage in stages
            ],
            stages.mapped("after_order"),
        )

    # ----- WRITING -----

    @api.model
    def _write_past(self, company, reasons):
        """Record the moves in ``lifecycle_past``, and the stage that the last led to."""
        cr = self.env.cr
        self._show_past(
            company,
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
        self._insert(
            SQL(
                """INSERT INTO lifecycle_transition
                         (profile_id, kind, number, from_stage_id, to_stage_id, date, cause, why,
                          days_before)
                   SELECT id, 'stage', number, NULLIF(from_id, 0), to_id, date, 'reconstructed',
                          why, CASE WHEN from_id > 0 THEN date - %(epoch)s - since END
                     FROM (%(reasons)s) moves""",
                epoch=EPOCH,
                reasons=reasons,
            )
        )
        cr.execute("DROP VIEW pg_temp.lifecycle_profile")
        cr.execute(
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
