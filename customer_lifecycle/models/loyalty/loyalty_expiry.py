"""Lets points expire: works out the day, gives notice before it, takes the points.

In: cards of programs whose points expire, last orders, and what became of notices by e-mail. Out:
dates on the cards, reminders asked for, and a line in the history of a card whose points end.
Called by the scheduled action of loyalty, for each program once a day.
"""

import logging

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.batches import CONFLICTS, together
from ..workflow.consent import PAUSES

_logger = logging.getLogger(__name__)

#: cards that are dated, reminded of or emptied between two commits
DATED, BATCH = 5_000, 200
#: fewer points are none: orders add and subtract fractions, and leave a rest that is never seen
LEAST = 0.005
#: days after which a notice whose e-mail has failed is given anew
FAILED_DAYS = 7
#: times that a batch is tried when orders come in between
ATTEMPTS = 5


class LifecycleLoyaltyMember(models.Model):
    """Points that expire: their date, the notice before it, and the end.

    The day is counted from the last order or the last points, whichever is later. No points go
    earlier than the notice days after the notice, so that a rule that is switched on today, or a
    server that was off for months, takes nothing from anybody unannounced. An e-mail counts as
    notice from the day on that it was sent, or refused for a lasting reason: points wait with it.
    """

    # expiry is a subject of its own
    _inherit = "lifecycle.loyalty.member"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _expire_all(self):
        """Look at every expiring program once a day; return False if time ran out."""
        commit = self.env["ir.cron"]._commit_progress
        self._forget_days()
        commit()
        for program_id in self._programs(
            [("lifecycle_expiry_months", ">", 0), ("program_type", "=", "loyalty")]
        ):
            program = self.env["loyalty.program"].sudo().browse(program_id)
            today = (program.company_id or self.env.company)._lifecycle_today()
            if program.lifecycle_expiry_day == today:
                continue
            for work in (
                self._follow_some, self._date_some, self._remind_some, self._expire_some
            ):
                if not self._go_through(program_id, today, work):
                    return False
            self._note_day(program_id, today)
            commit()
        return True

    @api.model
    def _note_day(self, program_id, today):
        """Write that a program was looked at, not that somebody changed it.

        Reminders are read with the rights of whoever changed it last.
        """
        self.env.cr.execute(
            SQL(
                "UPDATE loyalty_program SET lifecycle_expiry_day = %s WHERE id = %s",
                today,
                program_id,
            )
        )
        self.env["loyalty.program"].invalidate_model(["lifecycle_expiry_day"])

    @api.model
    def _go_through(self, program_id, today, work):
        """Do a work for all cards of a program; return False if time ran out before the end."""
        after, conflicts = 0, 0
        while after is not None:
            program = self.env["loyalty.program"].sudo().browse(program_id)
            if not self._hold(program):
                # somebody is at it
                return False
            try:
                after = work(program, today, after)
                self.env.flush_all()
            except CONFLICTS as error:
                # an order was confirmed meanwhile
                self.env.cr.rollback()
                _logger.info("Points of “%s” are looked at again: %s", program_id, error)
                conflicts += 1
                if conflicts == ATTEMPTS:
                    raise
            if not self.env["ir.cron"]._commit_progress():
                return False
        return True

    # ----- THE DAY -----

    @api.model
    def _forget_days(self):
        """Programs whose points no longer expire."""
        self.env["loyalty.card"].flush_model()
        self.env.cr.execute(
            "UPDATE loyalty_card SET lifecycle_points_expiry = NULL, lifecycle_points_base = NULL "
            "WHERE lifecycle_points_expiry IS NOT NULL AND program_id IN "
            "(SELECT id FROM loyalty_program WHERE COALESCE(lifecycle_expiry_months, 0) = 0)"
        )
        self.env["loyalty.card"].invalidate_model()

    @api.model
    def _date_some(self, program, today, after):
        """Write on some cards when their points expire; return where to go on, or None.

        The base is the day that follows from orders and points alone.
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """WITH batch AS MATERIALIZED (
                       SELECT card.id, card.points >= %(least)s AND card.active AS filled,
                              card.create_date, card.lifecycle_notice_base,
                              card.lifecycle_notice_date,
                              holder.commercial_partner_id AS customer
                         FROM loyalty_card card
                         JOIN res_partner holder ON holder.id = card.partner_id
                        WHERE card.program_id = %(program)s AND card.id > %(after)s
                        ORDER BY card.id LIMIT %(limit)s
                   ), bases AS (
                       SELECT batch.*, CASE WHEN filled THEN (GREATEST(
                                  create_date::date,
                                  (SELECT MAX(line.create_date)::date FROM loyalty_history line
                                    WHERE line.card_id = batch.id AND line.issued > 0),
                                  (SELECT MAX(profile.last_order_date)
                                     FROM lifecycle_profile profile
                                    WHERE profile.partner_id = batch.customer
                                      AND profile.company_id = ANY(%(companies)s))
                              ) + make_interval(months => %(months)s))::date END AS base
                         FROM batch
                   ), days AS (
                       SELECT id, base, CASE WHEN base IS NOT NULL THEN GREATEST(base,
                                  CASE WHEN lifecycle_notice_base = base
                                       THEN lifecycle_notice_date ELSE %(today)s::date
                                  END + %(notice)s) END AS day
                         FROM bases
                   ), written AS (
                       UPDATE loyalty_card
                          SET lifecycle_points_base = base, lifecycle_points_expiry = day
                         FROM days
                        WHERE loyalty_card.id = days.id
                          AND (lifecycle_points_base IS DISTINCT FROM base
                               OR lifecycle_points_expiry IS DISTINCT FROM day)
                   )
                   SELECT MAX(id), COUNT(*) FROM batch""",
                program=program.id,
                after=after,
                limit=DATED,
                companies=program._lifecycle_companies().ids,
                months=program.lifecycle_expiry_months,
                notice=program.lifecycle_notice_days,
                today=today,
                least=LEAST,
            )
        )
        last, count = self.env.cr.fetchone()
        self.env["loyalty.card"].invalidate_model()
        return last if count == DATED else None

    @api.model
    def _some(self, program, condition, after):
        """Some cards of customers about whom everything is known, locked until the commit."""
        self.env.cr.execute(
            SQL(
                """SELECT card.id FROM loyalty_card card
                     JOIN res_partner holder ON holder.id = card.partner_id
                    WHERE card.program_id = %s AND card.id > %s AND card.points >= %s
                      AND card.active AND %s
                      AND NOT EXISTS (SELECT FROM lifecycle_queue queued
                                       WHERE queued.partner_id = holder.commercial_partner_id)
                    ORDER BY card.id LIMIT %s FOR NO KEY UPDATE OF card SKIP LOCKED""",
                program.id,
                after,
                LEAST,
                condition,
                BATCH,
            )
        )
        return self.env["loyalty.card"].sudo().browse(row[0] for row in self.env.cr.fetchall())

    @api.model
    def _safely(self, program, today, cards, work):
        """Work on some cards; if that fails, on each alone, and leave out who fails."""
        together(
            self.env,
            cards,
            lambda some: work(program, today, some),
            lambda card, error: _logger.warning(
                "The points of card %s are left alone: %s", card.code, error
            ),
        )

    # ----- NOTICE -----

    @api.model
    def _follow_some(self, program, today, after):
        """See what has become of notices by e-mail; return where to go on, or None.

        One that waits has not begun the notice, one that was sent began it that day. One that
        was dropped for a passing reason, such as the number of messages, or that has failed a
        week ago, is given anew. Other reasons, such as an unsubscription, are there to stay, and
        so is one that nobody has any more.
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """WITH batch AS MATERIALIZED (
                       SELECT card.id, mail.state, mail.date::date AS day,
                              mail.state = 'skipped' AND mail.reason = ANY(%(passing)s)
                              OR mail.state = 'failed' AND mail.date < %(week_ago)s AS again
                         FROM loyalty_card card
                         LEFT JOIN lifecycle_workflow_delivery mail
                           ON mail.id = card.lifecycle_notice_delivery_id
                        WHERE card.program_id = %(program)s AND card.id > %(after)s
                          AND card.lifecycle_notice_delivery_id IS NOT NULL
                        ORDER BY card.id LIMIT %(limit)s
                   ), written AS (
                       UPDATE loyalty_card
                          SET lifecycle_notice_date = CASE WHEN batch.state = 'waiting'
                                  THEN %(today)s ELSE GREATEST(lifecycle_notice_date, day) END,
                              lifecycle_notice_base = CASE WHEN again THEN NULL
                                  ELSE lifecycle_notice_base END,
                              lifecycle_notice_delivery_id = CASE
                                  WHEN again OR batch.state IN ('done', 'skipped')
                                       OR batch.state IS NULL THEN NULL
                                  ELSE lifecycle_notice_delivery_id END
                         FROM batch WHERE loyalty_card.id = batch.id
                   )
                   SELECT MAX(id), COUNT(*) FROM batch""",
                passing=[reason for reason, _label in PAUSES],
                week_ago=fields.Datetime.subtract(fields.Datetime.now(), days=FAILED_DAYS),
                program=program.id,
                after=after,
                today=today,
                limit=DATED,
            )
        )
        last, count = self.env.cr.fetchone()
        self.env["loyalty.card"].invalidate_model()
        return last if count == DATED else None

    @api.model
    def _remind_some(self, program, today, after):
        """Give notice to some customers; return where to go on, or None."""
        cards = self._some(
            program,
            SQL(
                "card.lifecycle_points_base <= %s "
                "AND card.lifecycle_notice_base IS DISTINCT FROM card.lifecycle_points_base",
                fields.Date.add(today, days=program.lifecycle_notice_days),
            ),
            after,
        )
        self._safely(program, today, cards, self._remind)
        return cards[-1:].id or None

    @api.model
    def _remind(self, program, today, cards):
        mails = {}
        if program.lifecycle_reminder != "none":
            mails = self._send_reminders(program, today, cards)
        for card in cards:
            card.lifecycle_notice_base = card.lifecycle_points_base
            card.lifecycle_notice_date = today
            mail = mails.get(card.partner_id.commercial_partner_id)
            card.lifecycle_notice_delivery_id = mail.id if mail else None

    # ----- THE END -----

    @api.model
    def _expire_some(self, program, today, after):
        """Take the points of some cards; return where to go on, or None."""
        cards = self._some(
            program,
            SQL(
                "card.lifecycle_points_expiry <= %(today)s "
                "AND card.lifecycle_notice_base = card.lifecycle_points_base "
                "AND card.lifecycle_notice_date + %(notice)s <= %(today)s "
                # looked at every day: what is left is a message that waits or has failed
                "AND card.lifecycle_notice_delivery_id IS NULL",
                today=today,
                notice=program.lifecycle_notice_days,
            ),
            after,
        )
        self._safely(program, today, cards, self._expire)
        return cards[-1:].id or None

    @api.model
    def _expire(self, program, today, cards):
        months = program.lifecycle_expiry_months
        cards._lifecycle_add_points(
            -float("inf"),
            lambda card: card.env._(
                "Expired: %s months without an order or new points", months
            ),
            lifecycle_kind="expired",
        )
        cards.write({"lifecycle_points_base": False, "lifecycle_points_expiry": False})
