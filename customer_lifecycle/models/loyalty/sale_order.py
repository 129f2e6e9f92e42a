"""Loyalty on quotations and orders: whose programs and cards, how many points, and what follows.

In: a quotation or cart with its customer, and a code or reward that somebody tries; confirmed
orders with loyalty cards that are changed, credited or cancelled. Out: the programs that he may
use, or why not, and points multiplied by his tier; then the difference in points, booked on the
card with a line in its history. Called by the loyalty app while it applies programs, codes and
rewards, when the order is confirmed, when its lines change, when a document of it is posted,
reset, cancelled or deleted, and when it is cancelled.
"""

from odoo import models
from odoo.fields import Command, Domain
from odoo.tools import float_compare, float_is_zero, float_round

from ...tools.context import own, own_value


# the class has the same name as that of the loyalty app, whose private method it extends
class SaleOrder(models.Model):
    """Whose programs and cards they are, how many points, and points that follow the order."""

    # each subject of quotations is in a file of its own
    _inherit = "sale.order"  # pylint: disable=consider-merging-classes-inherited

    # ----- CONDITIONS OF PROGRAMMES -----

    def _lifecycle_refused_programs(self):
        """Ids of programs whose conditions the customer does not meet.

        What was agreed stays: a confirmed or paid order keeps its programs.
        """
        self.ensure_one()
        refused = self.env["loyalty.program"]._lifecycle_refused(
            self.partner_id.commercial_partner_id, self.company_id
        )
        if refused and (
            self.state == "sale"
            # sudo: only whether it is paid
            or any(one.state in ("done", "authorized") for one in self.sudo().transaction_ids)
        ):
            refused -= set(self._get_applied_programs().ids)
        return refused

    def _lifecycle_narrow(self, domain, name):
        refused = self._lifecycle_refused_programs()
        if not refused:
            return domain
        leaf = (name, "not in", list(refused))
        # the web shop goes through a list's leaves
        if isinstance(domain, list):
            return [*domain, leaf]
        return Domain.AND([domain, [leaf]])

    def _get_program_domain(self):
        return self._lifecycle_narrow(super()._get_program_domain(), "id")

    def _get_trigger_domain(self):
        return self._lifecycle_narrow(super()._get_trigger_domain(), "program_id")

    def _try_apply_code(self, code):
        self.ensure_one()
        card = self.env["loyalty.card"].search([("code", "=", code)])
        rules = self.env["loyalty.rule"].search([("mode", "=", "with_code"), ("code", "=", code)])
        error = self._lifecycle_refusal(card.program_id | rules.program_id, card)
        return {"error": error} if error else super()._try_apply_code(code)

    def _apply_program_reward(self, reward, coupon, **kwargs):
        error = self._lifecycle_refusal(reward.program_id, coupon)
        return {"error": error} if error else super()._apply_program_reward(
            reward, coupon, **kwargs
        )

    def _lifecycle_refusal(self, programs, cards):
        """Sentence why the customer cannot use these, or None.

        Only colleagues are told who a card or an offer is for.
        """
        internal = self.env.user._is_internal()
        foreign = cards.filtered(lambda card: not card._lifecycle_is_for(self.partner_id))[:1]
        if foreign:
            owner = foreign.sudo().partner_id
            if not internal or not owner.sudo(False).has_access("read"):
                return self.env._("This card belongs to another customer.")
            return self.env._(
                "The card %(code)s belongs to %(owner)s. It can be used on orders of this "
                "customer only.",
                code=foreign.code,
                owner=owner.display_name,
            )
        refused = programs.filtered(lambda one: one.id in self._lifecycle_refused_programs())[:1]
        if not refused:
            return None
        if internal:
            return self.env._(
                "“%(program)s” is not for this customer. It is for customers with %(condition)s.",
                program=refused.sudo().name,
                condition=refused._lifecycle_condition_text(),
            )
        if self.partner_id.is_public:
            return self.env._("Sign in to use this offer.")
        return self.env._("This offer is not for your account.")

    # ----- CARDS -----

    def _lifecycle_company_cards(self):
        """Loyalty cards of the company that the order's contact belongs to."""
        self.ensure_one()
        cards = self.env["loyalty.card"]
        customer = self.partner_id.commercial_partner_id
        if not customer or customer == self.partner_id:
            return cards
        return cards.search(
            [
                ("partner_id", "=", customer.id),
                ("program_id.program_type", "=", "loyalty"),
                ("program_id.applies_on", "!=", "current"),
            ]
        )

    def _update_programs_and_rewards(self):
        self.ensure_one()
        if self.state == "sale" and self._lifecycle_with_points():
            given = self._lifecycle_given()
            later = self.with_context(lifecycle_settle_later=own())
            result = super(SaleOrder, later)._update_programs_and_rewards()
            self._lifecycle_give_again(given)
            return result
        if self.state == "sale":
            return super()._update_programs_and_rewards()
        self._lifecycle_drop_foreign_cards()
        cards = self._lifecycle_company_cards()
        if not cards:
            return super()._update_programs_and_rewards()
        if hasattr(self, "_try_pending_coupon"):
            # the shop would do this in between
            self._try_pending_coupon()
        order = self._lifecycle_use_company_cards(cards)
        return super(SaleOrder, order)._update_programs_and_rewards()

    def _lifecycle_drop_foreign_cards(self):
        """Take off cards, and what was got with them, after the customer was changed.

        Odoo leaves them on the order, for another customer to spend, and gives the order's points
        to a card of nobody.
        """
        # sudo: salespeople may not delete them, as in the loyalty app
        entries = self.sudo().coupon_point_ids.filtered(
            lambda one: one.coupon_id.program_id.is_nominative
            and not one.coupon_id._lifecycle_is_for(self.partner_id)
        )
        entries.unlink()
        used = self.applied_coupon_ids | self.order_line.coupon_id
        foreign = used.filtered(lambda card: not card._lifecycle_is_for(self.partner_id))
        if foreign:
            self.applied_coupon_ids -= foreign
            lines = self.order_line.filtered(lambda line: line.coupon_id in foreign)
            self.write({"order_line": [Command.delete(line.id) for line in lines]})

    def _lifecycle_use_company_cards(self, cards):
        """Let the order of a contact earn and spend the points of the company's cards.

        Odoo takes cards of the very contact only: it would take the points of the company's card
        off the order. They are put aside before, remembered in the context for rewards that
        spend them, and put back when programs are applied.

        :return: the order with these points in its context
        """
        # sudo: salespeople may not delete them, as in the loyalty app
        entries = self.sudo().coupon_point_ids.filtered(lambda one: one.coupon_id in cards)
        # the shop's carts are the superuser's: their customers may not look at cards
        held = entries.coupon_id.with_env(self.env)
        self.applied_coupon_ids |= held | cards.filtered(lambda card: card.points > 0)
        programs = held.program_id.filtered_domain(self._get_program_domain())
        status = self._program_check_compute_points(programs)
        aside = {
            card.id: status.get(card.program_id, {}).get("points", [0])[0] for card in held
        }
        entries.unlink()
        return self.with_context(lifecycle_points_aside=own(aside))

    def _get_real_points_for_coupon(self, coupon, post_confirm=False):
        points = super()._get_real_points_for_coupon(coupon, post_confirm=post_confirm)
        aside = own_value(self.env, "lifecycle_points_aside") or {}
        if (
            aside.get(coupon.id)
            and self.state != "sale"
            and coupon.program_id.applies_on != "future"
            and coupon not in self.coupon_point_ids.coupon_id
        ):
            points = coupon.currency_id.round(points + aside[coupon.id])
        return points

    # called by the loyalty app under the name that Python gives private methods of this class
    def __try_apply_program(self, program, coupon, status):
        if not coupon and program.program_type == "loyalty" and program.is_nominative:
            card = self.env["loyalty.card"]._lifecycle_find(program, self.partner_id)
            if card and card.partner_id != self.partner_id:
                self._add_points_for_coupon({card: status["points"][0]})
                return {"coupon": card}
        return super().__try_apply_program(program, coupon, status)

    # ----- POINTS -----

    def _program_check_compute_points(self, programs):
        result = super()._program_check_compute_points(programs)
        for program, status in result.items():
            if any(status.get("points") or []) and (multiplier := self._lifecycle_times(program)):
                status["points"] = [
                    # rounded as in the loyalty app
                    float_round(
                        points * multiplier.factor, precision_digits=2, rounding_method="DOWN"
                    )
                    for points in status["points"]
                ]
        return result

    def _lifecycle_times(self, program):
        return program._lifecycle_multiplier(
            self.partner_id.commercial_partner_id, self.company_id
        )

    def _add_loyalty_history_lines(self):
        result = super()._add_loyalty_history_lines()
        self._lifecycle_note_terms(confirmed=True)
        cards = self.sudo().coupon_point_ids.coupon_id
        for card in cards:
            if multiplier := self._lifecycle_times(card.program_id):
                self._lifecycle_explain(card, multiplier)
        cards._lifecycle_welcome()
        return result

    def _lifecycle_explain(self, card, multiplier):
        """Say in the history why there are more points than the rule gives."""
        line = card.history_ids.filtered(
            lambda one: one.order_model == self._name and one.order_id == self.id and one.issued
        )[:1]
        line._lifecycle_explain(self.display_name, multiplier)

    # ----- CREDIT NOTES AND CHANGES -----

    def _lifecycle_settle_points(self, move=None, kind="changed"):
        """Let the points of confirmed orders follow what became of them.

        The points of what is left are worked out anew from the order's lines and all its
        documents, and only the difference to what was booked before is booked: doing it twice
        changes nothing. Points that were spent come back with the last of it, as when an order is
        cancelled.
        """
        if own_value(self.env, "lifecycle_settle_later"):
            return
        for order in self.sudo().exists().filtered(lambda one: one.state == "sale"):
            order._lifecycle_note_terms()
            for card in order._lifecycle_loyalty_cards():
                order._lifecycle_settle_card(card, move, kind)

    def _lifecycle_loyalty_cards(self):
        """Loyalty cards that a confirmed order has filled or spent from."""
        cards = self.coupon_point_ids.coupon_id | self.order_line.coupon_id
        return cards.filtered(
            lambda card: card.program_type == "loyalty" and card.program_id.is_nominative
        )

    def _lifecycle_settle_card(self, card, move, kind):
        lines = self._lifecycle_credit_lines(card)
        terms = self.coupon_point_ids.filtered(
            lambda entry: entry.coupon_id == card
        ).lifecycle_terms or {}
        left = self._lifecycle_left(terms.get("documents", ()))
        due = 0.0
        if self._lifecycle_is_gone(left):
            due = terms.get("given", 0.0) - self._lifecycle_spent(card)
        elif terms:
            due = terms["given"] - self._lifecycle_worth(card.program_id, terms, left)
        due = float_round(due, precision_digits=2)
        booked = sum(lines.mapped("lifecycle_taken"))
        change = due - booked
        if float_is_zero(change, precision_digits=2):
            return
        move = move.exists() if move else self.env["account.move"]
        if move.move_type == "out_invoice" and move.state == "posted" and change > 0:
            # less was delivered than ordered
            kind = "changed"
        values = {
            "lifecycle_kind": kind,
            "lifecycle_order_id": self.id,
            "lifecycle_move_id": move.id,
            "lifecycle_taken": change,
            "lifecycle_open": True,
        }
        if change > 0:
            short = change - max(card.points, 0)
            card._lifecycle_add_points(
                -change, lambda one: self._lifecycle_say_taken(one, move, kind, short), **values
            )
            return
        # of what was taken, no more than what the customer has really lost
        taken = sum(lines.mapped("used")) - sum(lines.mapped("issued"))
        # who comes back to a number of points has been told of it before
        card.with_context(loyalty_no_mail=booked > 0)._lifecycle_add_points(
            max(0.0, taken - due),
            lambda one: one.env._("Order %s: points given back", self.name)
            if kind == "credited"
            else one.env._("Order %s changed", self.name),
            **values,
        )

    def _lifecycle_say_taken(self, card, move, kind, short):
        if kind == "changed":
            text = card.env._("Order %s changed", self.name)
        elif move.state == "posted":
            text = card.env._(
                "Order %(order)s: credited with %(document)s",
                order=self.name,
                document=move.sudo().name,
            )
        else:
            text = card.env._("Order %s: credited", self.name)
        return self._lifecycle_say_short(card, text, short)

    def _lifecycle_say_short(self, card, text, short):
        """Add that points were spent already, and are not taken."""
        if float_compare(short, 0, precision_digits=2) <= 0:
            return text
        return card.env._(
            "%(text)s; %(points)s had been used before",
            text=text,
            points=card._format_points(float_round(short, precision_digits=2)).strip(),
        )

    def _lifecycle_credit_lines(self, card):
        return self.env["loyalty.history"].sudo().search(
            [
                ("lifecycle_order_id", "=", self.id),
                ("card_id", "=", card.id),
                ("lifecycle_open", "=", True),
            ]
        )

    def _lifecycle_spent(self, card):
        return sum(
            self.order_line.filtered(lambda line: line.coupon_id == card).mapped("points_cost")
        )

    def _compute_loyalty_data(self):
        """Show on the order the points that it gives now, not those of its first day."""
        super()._compute_loyalty_data()
        shown = self.filtered("loyalty_data")
        if not shown:
            return
        # sudo: as Odoo sums up the history
        booked = self.env["loyalty.history"].sudo()._read_group(
            [("lifecycle_order_id", "in", shown.ids), ("lifecycle_open", "=", True)],
            ["lifecycle_order_id"],
            ["issued:sum", "used:sum"],
        )
        for order, issued, used in booked:
            order = order.with_env(self.env)
            data = order.loyalty_data
            order.loyalty_data = {**data, "issued": max(0.0, data["issued"] + issued - used)}

    # ----- REWARDS OF CONFIRMED ORDERS -----

    def _lifecycle_given(self):
        """Values of the points that a confirmed order has given, with the terms they go by."""
        self._lifecycle_with_points()._lifecycle_note_terms()
        return [
            {
                "coupon_id": entry.coupon_id.id,
                "points": entry.points,
                "lifecycle_terms": entry.lifecycle_terms,
            }
            for entry in self.sudo().coupon_point_ids
            if entry.lifecycle_terms
        ]

    def _lifecycle_give_again(self, given):
        """Put right what Odoo has noted for a confirmed order: other points, which no card got."""
        order = self.sudo()
        for values in given:
            entry = order.coupon_point_ids.filtered(
                lambda one, values=values: one.coupon_id.id == values["coupon_id"]
            )
            if entry:
                entry.points = values["points"]
            else:
                entry.create({"order_id": order.id, **values})
        self._lifecycle_settle_points()

    # ----- CANCELLATION -----

    def _action_cancel(self):
        """Undo what was booked after the order was confirmed; Odoo takes back the rest.

        Odoo deletes the order's lines in the history of its cards and the points with them. What
        it was is said on the card. No card goes below nought.
        """
        undone = [
            (order, card, card.points)
            for order in self.sudo().filtered(lambda one: one.state == "sale")
            for card in order._lifecycle_loyalty_cards()
        ]
        # the orders are still confirmed when their draft invoices are cancelled
        later = self.with_context(lifecycle_settle_later=own())
        if undone:
            self.check_access("write")
            # sudo: Odoo deletes the order's points here, which it allows managers only
            later = later.sudo()
        for order, card, _points in undone:
            order._lifecycle_undo_booked(card)
        result = super(SaleOrder, later)._action_cancel()
        for order, card, points in undone:
            if order.state == "cancel":
                order._lifecycle_tell_cancelled(card, points)
            else:
                order._lifecycle_settle_points()
        return result

    def _lifecycle_undo_booked(self, card):
        """Take out the lines that followed the order, with their points."""
        lines = self._lifecycle_credit_lines(card)
        taken = sum(lines.mapped("used")) - sum(lines.mapped("issued"))
        if not float_is_zero(taken, precision_digits=2):
            # no news: the points are taken in the next moment
            card.with_context(loyalty_no_mail=True).points += taken
        lines.unlink()

    def _lifecycle_tell_cancelled(self, card, before):
        """Say on the card what the cancellation did, and let it not go below nought.

        :param before: points that were on the card before
        """
        missing = float_round(-card.points, precision_digits=2)
        if card.points < 0:
            card.with_context(loyalty_no_mail=True).points = 0.0
        spoken = card._lifecycle_spoken()
        if missing > 0:
            # were spent on other orders, and stay the customer's
            self.env["loyalty.history"].sudo().create(
                {
                    "card_id": card.id,
                    "description": self._lifecycle_say_short(
                        spoken, spoken.env._("Order %s cancelled", self.name), missing
                    ),
                    "issued": missing,
                    "lifecycle_kind": "cancelled",
                    "lifecycle_order_id": self.id,
                }
            )
        change = float_round(card.points - before, precision_digits=2)
        text = (
            self.env._("Order %(order)s cancelled: %(points)s given back")
            if change > 0
            else self.env._("Order %(order)s cancelled: %(points)s taken back")
        )
        note = text % {
            "order": self.name, "points": card._format_points(abs(change)).strip()
        }
        card._message_log(body=self._lifecycle_say_short(card, note, missing))
