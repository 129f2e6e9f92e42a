"""The scheduled work on recommendations: following the friends' orders, giving rewards.

In: recommendations under way, orders and till orders, their invoices and payments. Out: states,
points or a new coupon, and the e-mail about it. Called by the hourly scheduled action; outgoing
mail asks here once more whether that e-mail may leave.
"""

import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...tools.batches import CONFLICTS, attempt, hold, wake
from ...tools.messages import REWARD, Message
from ..vip.vip_benefit import QUIET
from .referral_program import POINT_PROGRAMS

_logger = logging.getLogger(__name__)

CRON = "customer_lifecycle.ir_cron_lifecycle_referral"
#: rewards between two commits
BATCH = 200


class LifecycleReferral(models.Model):
    """Following the friends' orders, and giving each reward once.

    What is to be done is read from the documents, not from what happened to them: whatever
    crashed, the next time finds it. State, card, points and their history are one transaction.
    """

    # a file for each subject of this large model
    _inherit = "lifecycle.referral"  # pylint: disable=consider-merging-classes-inherited

    # ----- SCHEDULED ACTION -----

    @api.model
    def _cron_follow(self):
        """Look at the orders of everybody under way, and give what is due."""
        commit = self.env["ir.cron"]._commit_progress
        self.env.cr.execute(
            SQL("SELECT DISTINCT company_id FROM lifecycle_referral WHERE %s", self._open_sql())
        )
        companies = self.env["res.company"].sudo().browse(
            sorted(row[0] for row in self.env.cr.fetchall())
        )
        left = commit(remaining=len(companies))
        for company in companies:
            if not left:
                wake(self.env, CRON)
                return
            referrals = self.with_company(company).with_context(**QUIET)
            # two workers at once would make two cards of one customer
            with hold(self.env, "referral", company.ids) as held:
                put_off = not held or not referrals._work_off(company)
            if put_off:
                # somebody is working on some of them now
                wake(self.env, CRON, minutes=1)
            left = commit(1)

    @api.model
    def _work_off(self, company):
        """Follow and reward in one company; return False where something has to wait."""
        commit = self.env["ir.cron"]._commit_progress
        done = self._unless_conflict(self._follow, company)
        left, after = commit(), 0
        while ids := self._due(company, after):
            if not left:
                return False
            after = ids[-1]
            done &= self._unless_conflict(self._give, company, ids)
            left = commit()
        return done

    @api.model
    def _unless_conflict(self, method, *args):
        """Call a method in a savepoint; return False where another transaction was faster."""
        try:
            with self.env.cr.savepoint():
                method(*args)
                self.env.flush_all()
        except CONFLICTS as error:
            _logger.info("Recommendations are put off: %s", error)
            return False
        return True

    @api.model
    def _open_sql(self):
        return SQL("state IN ('joined', 'ordered', 'waiting')")

    # ----- FOLLOWING -----

    @api.model
    def _follow(self, company, ids=None):
        """Bring the states of all under way up to date with the friends' orders.

        The first order that is paid counts, as long as it is not credited in full.
        """
        self.env.flush_all()
        orders = [self._sale_orders_sql(company)]
        if "pos.order" in self.env:
            orders.append(self._pos_orders_sql(company))
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_referral referral
                      SET state = found.state, order_model = found.model,
                          order_id = found.order_id, date_order = found.moment,
                          date_paid = found.date_paid
                     FROM (
                        SELECT one.id, first.model, first.order_id, first.moment,
                               CASE WHEN first.paid THEN 'waiting'
                                    WHEN first.order_id IS NOT NULL THEN 'ordered'
                                    ELSE 'joined' END AS state,
                               CASE WHEN first.paid AND one.state = 'waiting'
                                         AND one.order_model = first.model
                                         AND one.order_id = first.order_id
                                    THEN one.date_paid
                                    WHEN first.paid THEN %(today)s END AS date_paid
                          FROM lifecycle_referral one
                          LEFT JOIN LATERAL (
                               SELECT * FROM (%(orders)s) bought
                                WHERE bought.moment >= one.date
                                ORDER BY paid DESC, moment, order_id LIMIT 1
                          ) first ON TRUE
                         WHERE one.company_id = %(company)s AND %(open)s AND %(few)s
                     ) found
                    WHERE found.id = referral.id
                      AND (referral.state, referral.order_model, referral.order_id,
                           referral.date_order, referral.date_paid)
                          IS DISTINCT FROM (found.state, found.model, found.order_id,
                                            found.moment, found.date_paid)""",
                today=company._lifecycle_today(),
                orders=SQL(" UNION ALL ").join(orders),
                company=company.id,
                open=self._open_sql(),
                few=SQL("TRUE") if ids is None else SQL("one.id = ANY(%s)", ids),
            )
        )
        self.invalidate_model()

    @api.model
    def _sale_orders_sql(self, company):
        """SELECT (model, order, moment, whether paid) of the friend's confirmed orders.

        Paid is what was invoiced whole and settled, or paid online; what is credited in full
        counts as never paid, also where the credit note does not know the order. What counts is
        the goods: a gift card pays for them, and buying one is no order of goods.
        """
        sources = self.env["lifecycle.revenue.source"]
        return SQL(
            """SELECT 'sale.order' AS model, ordering.id AS order_id,
                      ordering.date_order AS moment,
                      ((billed.settled
                        AND (ordering.invoice_status IN ('invoiced', 'upselling')
                             OR billed.invoiced >= goods.untaxed - 0.005))
                       OR online.amount >= ordering.amount_total - 0.005)
                      AND (billed.invoiced = 0 OR billed.credited < billed.invoiced - 0.005)
                          AS paid
                 FROM res_partner contact
                 JOIN sale_order ordering ON ordering.partner_id = contact.id
                CROSS JOIN LATERAL (
                    SELECT COALESCE(SUM(line.price_total), 0) AS total,
                           COALESCE(SUM(line.price_subtotal), 0) AS untaxed
                      FROM sale_order_line line
                     WHERE line.order_id = ordering.id AND NOT %(pays)s
                ) goods
                CROSS JOIN LATERAL (
                    SELECT COALESCE(SUM(item.price_subtotal)
                                    FILTER (WHERE move.move_type = 'out_invoice'), 0) AS invoiced,
                           COALESCE(SUM(item.price_subtotal)
                                    FILTER (WHERE move.move_type = 'out_refund'), 0) AS credited,
                           COALESCE(BOOL_AND(move.payment_state
                                             IN ('paid', 'in_payment', 'reversed'))
                                    FILTER (WHERE move.move_type = 'out_invoice'), FALSE)
                           AND COALESCE(BOOL_OR(move.move_type = 'out_invoice'
                                                AND move.payment_state <> 'reversed'), FALSE)
                               AS settled
                      FROM sale_order_line line
                      JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = line.id
                      JOIN account_move_line item ON item.id = rel.invoice_line_id
                      JOIN account_move move ON move.id = item.move_id
                     WHERE line.order_id = ordering.id AND move.state = 'posted'
                       AND move.move_type IN ('out_invoice', 'out_refund') AND NOT %(pays)s
                ) billed
                CROSS JOIN LATERAL (
                    SELECT COALESCE(SUM(paying.amount), 0) AS amount
                      FROM payment_transaction paying
                     WHERE paying.state = 'done' AND (
                           paying.id IN (SELECT transaction_id FROM sale_order_transaction_rel
                                          WHERE sale_order_id = ordering.id)
                           OR paying.source_transaction_id IN (
                               SELECT transaction_id FROM sale_order_transaction_rel
                                WHERE sale_order_id = ordering.id))
                ) online
                WHERE contact.commercial_partner_id = one.friend_id
                  AND ordering.state = 'sale' AND ordering.company_id = ANY(%(companies)s)
                  AND goods.total > 0""",
            pays=sources._line_pays_sql(),
            companies=company._lifecycle_family().ids,
        )

    @api.model
    def _pos_orders_sql(self, company):
        """The same of a shop's orders, which are paid at once and may be refunded.

        What counts is the goods: what is left of them after refunds, whoever these name, and
        after credit notes of the back office; however they were paid, and without gift cards,
        top-ups and tips. The till stores refunds with a positive amount.
        """
        return SQL(
            """SELECT 'pos.order', ordering.id, ordering.date_order,
                      goods.left_over * (1 - COALESCE(billed.credited, 0)) > 0.005
                 FROM res_partner contact
                 JOIN pos_order ordering ON ordering.partner_id = contact.id
                CROSS JOIN LATERAL (
                    SELECT SUM(worth.sold) AS sold,
                           SUM(worth.sold * (1 - LEAST(1, GREATEST(0, COALESCE(back.part, 0)))))
                               AS left_over
                      FROM pos_order_line line
                     CROSS JOIN LATERAL (
                        SELECT ABS(line.price_subtotal_incl)
                               * SIGN(line.qty * line.price_unit::numeric) AS sold
                     ) worth
                      LEFT JOIN LATERAL (
                        SELECT -SUM(refund.qty) / NULLIF(line.qty, 0) AS part
                          FROM pos_order_line refund
                          JOIN pos_order refunding ON refunding.id = refund.order_id
                         WHERE refund.refunded_orderline_id = line.id
                           AND refunding.state IN ('paid', 'done', 'invoiced')
                     ) back ON TRUE
                     WHERE line.order_id = ordering.id
                       AND line.refunded_orderline_id IS NULL
                       AND line.product_id NOT IN (%(money)s)
                ) goods
                 LEFT JOIN LATERAL (
                    SELECT SUM(note.amount_untaxed) / NULLIF(MAX(bill.amount_untaxed), 0)
                               AS credited
                      FROM account_move bill
                      JOIN account_move note ON note.reversed_entry_id = bill.id
                     WHERE bill.id = ordering.account_move
                       AND note.move_type = 'out_refund' AND note.state = 'posted'
                       AND NOT EXISTS (SELECT FROM pos_order refunding
                                        WHERE refunding.account_move = note.id)
                ) billed ON TRUE
                WHERE contact.commercial_partner_id = one.friend_id
                  AND ordering.state IN ('paid', 'done', 'invoiced')
                  AND ordering.company_id = ANY(%(companies)s) AND goods.sold > 0.005""",
            money=self.env["lifecycle.revenue.source"]._money_products_sql(),
            companies=company._lifecycle_family().ids,
        )

    # ----- REWARDING -----

    @api.model
    def _due(self, company, after=0):
        """Ids of the next whose waiting days are over."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """SELECT referral.id FROM lifecycle_referral referral
                     JOIN lifecycle_referral_program program ON program.id = referral.program_id
                    WHERE referral.state = 'waiting' AND referral.company_id = %s
                      AND referral.date_paid + program.waiting_days <= %s
                      AND referral.id > %s
                    ORDER BY referral.id LIMIT %s""",
                company.id,
                company._lifecycle_today(),
                after,
                BATCH,
            )
        )
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _give(self, company, ids):
        """Reward some recommendations, except those that somebody else holds.

        Everything is asked again under the lock: orders may have been credited since.
        """
        self.env.cr.execute(
            SQL(
                "SELECT id FROM lifecycle_referral WHERE id = ANY(%s) AND state = 'waiting' "
                "ORDER BY id FOR UPDATE SKIP LOCKED",
                ids,
            )
        )
        referrals = self.sudo().browse(row[0] for row in self.env.cr.fetchall())
        referrals._follow(company, referrals.ids)
        unread = self.env["lifecycle.revenue.source"]._unread(company)
        if unread:
            # whether a friend had bought before cannot be said: what is given is not taken back
            referrals.filtered(lambda one: one.problem != unread).problem = unread
            return
        referrals._judge()
        for referral in referrals:
            if referral.state != "waiting":
                continue
            error = attempt(self.env, referral._reward)
            if error:
                # one broken programme must not keep the others from their rewards
                _logger.warning("Reward of recommendation %s failed: %s", referral.id, error)
                referral.problem = str(error)[:500]

    def _reward(self):
        """Give one reward: points on the card or a new coupon, with history, and its e-mail."""
        self.ensure_one()
        program = self.program_id.advocate_program_id
        points = self.program_id.advocate_points
        if not program.active:
            raise UserError(self.env._("The loyalty program “%s” is archived.", program.name))
        person = self._recipient()
        if not person.active:
            # nobody could spend it
            raise UserError(
                self.env._("“%s” is archived: restore the contact to give the reward.",
                           person.display_name)
            )
        cards = self.env["loyalty.card"].sudo().with_context(
            **QUIET, action_no_send_mail=True
        )
        card = cards.browse()
        if program.program_type in POINT_PROGRAMS:
            card = cards.search(
                [("program_id", "=", program.id), ("partner_id", "=", person.id)],
                order="id",
                limit=1,
            )
        if not card:
            card = cards.create({"program_id": program.id, "partner_id": person.id, "points": 0})
        card.points += points
        self.env["loyalty.history"].sudo().create(
            {
                "card_id": card.id,
                # customers read it: not whom they brought
                "description": self.env._("Reward for a recommendation"),
                "issued": points,
            }
        )
        self.write(
            {
                "state": "rewarded",
                "date_rewarded": fields.Datetime.now(),
                "card_id": card.id,
                "points": points,
                "recipient_id": person.id,
                "problem": False,
            }
        )
        self._tell()

    def _recipient(self):
        """The person who gets the reward: orders take into account exactly their contact's cards.

        Who recommended us, else who ordered last, else the customer.
        """
        self.ensure_one()
        contact = self.contact_id
        if (
            contact.active
            and not contact.is_company
            and contact.commercial_partner_id == self.advocate_id
        ):
            return contact
        profile = self.env["lifecycle.profile"].sudo().search(
            [("partner_id", "=", self.advocate_id.id), ("company_id", "=", self.company_id.id)]
        )
        decisions = self.env["lifecycle.consent"]._decide_customers(
            Message(self.company_id, REWARD), profile
        )
        return (profile and decisions[profile.id].person) or self.advocate_id

    def _tell(self):
        """Queue the e-mail about the reward, unless the person must not or cannot be written to.

        It is judged again when it leaves: see ``mail_mail``.
        """
        template, person = self.program_id.mail_template_id, self.recipient_id
        if template and not self._must_not_tell(person):
            # read with the rights of who has set up the programme: a template shows what it likes
            user = (self.program_id.write_uid | self.program_id.create_uid)._lifecycle_present()[:1]
            if not user:
                raise UserError(
                    self.env._(
                        "Nobody is responsible any more for sending “%s”.", template.name
                    )
                )
            template = template.with_context(
                allowed_company_ids=self.company_id.ids
            ).with_company(self.company_id)
            if not user._is_superuser():
                template = template.with_user(user).sudo(False)
            # without a layout, which would name the friend in its head
            with self.advocate_id._lifecycle_shown_in_charge(self.company_id):
                template.send_mail(
                    self.id,
                    email_values={
                        "record_company_id": self.company_id.id,
                        "record_alias_domain_id": self.company_id.alias_domain_id.id,
                    },
                )

    def _must_not_tell(self, person):
        """Why the e-mail about the reward must not go to a person, or None."""
        self.ensure_one()
        if not self.card_id.active:
            return "reward"
        decisions = self.env["lifecycle.consent"]._decide(
            Message(self.company_id, REWARD), person
        )
        return decisions[person.id].reason if person else None
