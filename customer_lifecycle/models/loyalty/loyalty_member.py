"""Gives customers their card of a loyalty program, once, and remembers that they have it.

In: programs that give cards by themselves, and the customers whom their conditions fit. Out: new
cards, and a row for each member, also where no card could be made. Run by the scheduled action
of loyalty, which new and changed programs wake; cards made by others are noted here as well.
"""

import logging
from functools import partial

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.batches import hold_until_commit, in_batches, together, wake

_logger = logging.getLogger(__name__)

CRON = "customer_lifecycle.ir_cron_lifecycle_loyalty"
#: customers who get their card between two commits
BATCH = 200
#: cards are given quietly: no mail, no PDF, no tracking
QUIET = {
    "loyalty_no_mail": True,
    "action_no_send_mail": True,
    "tracking_disable": True,
}


class LifecycleLoyaltyMember(models.Model):
    """A customer's first card of a loyalty program; there is one row for each such pair.

    Odoo lets a customer have any number of cards. This row's unique index makes sure that he is
    given one, and one welcome bonus, whoever is at work at the same time; it stays when the card
    is deleted.
    """

    _name = "lifecycle.loyalty.member"
    _description = "Member of a Loyalty Program"
    _log_access = False
    _order = "date_joined desc, id desc"
    _rec_name = "partner_id"

    program_id = fields.Many2one(
        "loyalty.program", required=True, ondelete="cascade", readonly=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, ondelete="cascade", readonly=True,
        index=True,
    )
    card_id = fields.Many2one(
        "loyalty.card", ondelete="set null", readonly=True, index="btree_not_null"
    )
    company_id = fields.Many2one(related="program_id.company_id")
    date_joined = fields.Datetime(string="Joined", required=True, readonly=True)
    welcome_due = fields.Boolean(string="Welcome Bonus to Come", readonly=True)
    welcome_date = fields.Datetime(string="Welcome Bonus", readonly=True)
    problem = fields.Char(readonly=True)

    _program_partner_unique = models.UniqueIndex(
        "(program_id, partner_id)", "A customer joins a program once."
    )

    def action_retry(self):
        """Have cards that could not be made tried again."""
        self.check_access("read")
        # sudo: whoever sees the problem may have it tried again, nothing else
        self.sudo().filtered(lambda one: one.problem and not one.card_id).unlink()
        self._wake()

    # ----- SCHEDULED ACTION -----

    @api.model
    def _wake(self):
        """Have the scheduled action run soon if a program has something for it to do."""
        programs = self.env["loyalty.program"].sudo()
        if programs.search_count(
            ["|", ("lifecycle_auto_card", "=", True), ("lifecycle_expiry_months", ">", 0)],
            limit=1,
        ):
            wake(self.env, CRON)

    @api.model
    def _cron_loyalty(self):
        """Give cards to who is to have one, then see to points that expire; go on when woken."""
        self = self.with_context(lang=None, **QUIET)
        if not (self._give_all() and self._expire_all()):
            wake(self.env, CRON)

    @api.model
    def _programs(self, domain):
        return self.env["loyalty.program"].sudo().search(domain, order="id").ids

    @api.model
    def _hold(self, program):
        """Hold a program until the next commit; False if somebody else does."""
        return hold_until_commit(self.env, "loyalty", program.id)

    # ----- CARDS -----

    @api.model
    def _give_all(self):
        """Give all cards that are due; return False if time ran out before the end."""
        for program_id in self._programs([("lifecycle_auto_card", "=", True)]):
            # alone: others may be gone when its turn comes
            program = self.env["loyalty.program"].sudo().browse(program_id)
            find, give = partial(self._waiting, program), partial(self._give, program)
            if not in_batches(self.env, find, give):
                return False
            self.env["ir.cron"]._commit_progress()
        return True

    @api.model
    def _waiting(self, program, after=0):
        """Customers who are to get a card, from a position on; none while others hold it."""
        if not program._lifecycle_gives_cards() or not self._hold(program):
            return []
        self.env["lifecycle.profile"].flush_model()
        self.env["loyalty.card"].flush_model(["program_id", "partner_id"])
        self.env.cr.execute(
            SQL(
                "SELECT DISTINCT profile.partner_id %s AND profile.partner_id > %s "
                "ORDER BY profile.partner_id LIMIT %s",
                program._lifecycle_waiting_sql(),
                after,
                BATCH,
            )
        )
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _give(self, program, partner_ids):
        """Make the cards of some customers; one that fails is noted and left alone."""

        def give(ids):
            self.env["loyalty.card"].sudo().create(
                [
                    {"program_id": program.id, "partner_id": partner_id, "points": 0}
                    for partner_id in ids
                ]
            )

        def note(ids, error):
            _logger.warning("No card of “%s” for %s: %s", program.name, ids, error)
            self.sudo().create(
                {
                    "program_id": program.id,
                    "partner_id": ids[0],
                    "date_joined": fields.Datetime.now(),
                    "problem": self.env["lifecycle.workflow.mail"]._readable(error),
                }
            )

        def put_off(error):
            # somebody makes a card of one of them: the next pass looks again
            _logger.info("Cards of “%s” are put off: %s", program.name, error)

        together(self.env, partner_ids, give, note, put_off)
