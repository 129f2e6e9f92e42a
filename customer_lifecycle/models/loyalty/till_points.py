"""Points of orders of a till whose goods come back.

Odoo takes no points at a refund. Comes in: a paid order of the till, its points as Odoo has booked
them, or the credit note of its invoice. Goes out: a line in the history of the card that the sale
has filled, whoever the refund names. Called by the till's order when it is paid and when its
points are booked, and by credit notes; worked out anew from all refunds of the sale, so that it
does not matter which of these comes first, or twice.

What a refund takes is taken at once. Where it gives more back than it takes, because the reward
that points were spent on comes back too, Odoo's own till promises that a refund leaves the card as
it is; the scheduled action of loyalty gives it back in the next minute.
"""

import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, float_compare, float_is_zero, float_round

from ...tools.batches import attempt, wake
from ...tools.context import own, own_value
from ...tools.fields import OptionalInteger
from .loyalty_member import CRON

_logger = logging.getLogger(__name__)

PAID = ("paid", "done", "invoiced")
#: days after which a refund is looked at no more
RECENT_DAYS = 30


class LoyaltyHistory(models.Model):
    _inherit = "loyalty.history"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_kind = fields.Selection(selection_add=[("returned", "Returned at the till")])
    # numbers: the app of the till may not be installed
    lifecycle_pos_order_id = OptionalInteger(
        string="Order of the Till", readonly=True, copy=False, index="btree_not_null"
    )
    lifecycle_pos_refund_id = OptionalInteger(
        string="Refund at the Till", readonly=True, copy=False
    )

    def _lifecycle_record(self):
        self.ensure_one()
        order_id = self.lifecycle_pos_refund_id or self.lifecycle_pos_order_id
        if order_id and not self.lifecycle_move_id and "pos.order" in self.env:
            return self.env["pos.order"].browse(order_id)
        return super()._lifecycle_record()


class AccountMove(models.Model):
    _inherit = "account.move"  # pylint: disable=consider-merging-classes-inherited

    def _lifecycle_settle_points(self):
        result = super()._lifecycle_settle_points()
        self.env["lifecycle.till.points"]._settle_credited(self)
        return result


class LifecycleLoyaltyMember(models.Model):
    _inherit = "lifecycle.loyalty.member"

    @api.model
    def _cron_loyalty(self):
        self.env["lifecycle.till.points"]._give_back_due()
        return super()._cron_loyalty()


class LifecycleTillPoints(models.AbstractModel):
    """What becomes of the points of a till's orders."""

    _name = "lifecycle.till.points"
    _description = "Points of Returned Goods"

    # ----- WATCHING THE TILL -----

    def _register_hook(self):
        """Extend the till's orders, which cannot be inherited from while they may not be there."""
        super()._register_hook()
        model_class = self.env.registry.get("pos.order")
        if model_class is None or not hasattr(model_class, "confirm_coupon_programs"):
            return

        def action_pos_order_paid(self):
            result = action_pos_order_paid.origin(self)
            self.env["lifecycle.till.points"]._settle(self)
            return result

        def confirm_coupon_programs(self, coupon_data):
            result = confirm_coupon_programs.origin(self, coupon_data)
            self.env["lifecycle.till.points"]._settle(self)
            # the till shows what is left
            cards = self.env["loyalty.card"].sudo()
            for update in (result or {}).get("coupon_updates", ()):
                update["points"] = cards.browse(update["id"]).points
            return result

        for method in (action_pos_order_paid, confirm_coupon_programs):
            if getattr(model_class.__dict__.get(method.__name__), "lifecycle_points", False):
                continue
            method.origin = getattr(model_class, method.__name__)
            method.lifecycle_points = True
            setattr(model_class, method.__name__, method)

    def _unregister_hook(self):
        result = super()._unregister_hook()
        model_class = self.env.registry.get("pos.order")
        for name in ("action_pos_order_paid", "confirm_coupon_programs"):
            method = model_class is not None and model_class.__dict__.get(name)
            if getattr(method, "lifecycle_points", False):
                delattr(model_class, name)
        return result

    # ----- SETTLING -----

    @api.model
    def _settle(self, orders):
        """Let the points of some orders, and of those that they take back, follow the returns."""
        for order in orders.sudo():
            if order.state not in PAID:
                continue
            refunded = order.lines.refunded_orderline_id.order_id
            for sale in refunded | order:
                if sale in refunded or sale.lines.refund_orderline_ids:
                    self._settle_unless_broken(sale, order)

    @api.model
    def _settle_credited(self, moves):
        """Let the points of invoiced orders of the till follow credit notes of the back office."""
        if "pos.order" not in self.env or not hasattr(
            self.env["pos.order"], "confirm_coupon_programs"
        ):
            return
        # sudo: accountants need not be allowed to see the order
        for move in moves.sudo().exists():
            if move.move_type == "out_refund" and not move.pos_order_ids:
                for sale in move.reversed_entry_id.pos_order_ids:
                    self._settle_unless_broken(sale, sale, move)

    @api.model
    def _give_back_due(self):
        """Give back the spent points whose reward was taken back at the till."""
        lines = self.env.get("pos.order.line", self)
        if "coupon_id" not in lines._fields:
            return
        since = fields.Datetime.now() - timedelta(days=RECENT_DAYS)
        refunds = lines.sudo().search(
            [
                ("refunded_orderline_id", "!=", False),
                ("create_date", ">=", since),
                ("refunded_orderline_id.coupon_id", "!=", False),
            ]
        ).order_id
        self.with_context(lifecycle_give_back=own())._settle(refunds)

    @api.model
    def _settle_unless_broken(self, sale, cause, move=None):
        """Settle one sale; a broken program stops no sale."""
        error = attempt(self.env, self._settle_sale, sale, cause, move)
        if error:
            _logger.warning("Points of %s do not follow its returns: %s", sale.name, error)

    @api.model
    def _settle_sale(self, sale, cause, move):
        cards = self._booked(sale).card_id.filtered(
            lambda card: card.program_type == "loyalty" and card.program_id.is_nominative
        )
        if not cards:
            return
        # two tills at once: the second one waits, or starts again
        self.env.cr.execute(
            SQL("SELECT id FROM pos_order WHERE id = %s FOR NO KEY UPDATE", sale.id)
        )
        for card in cards:
            self._settle_card(sale, card, cause, move or self.env["account.move"])

    @api.model
    def _settle_card(self, sale, card, cause, move):
        returned = self._returned(sale)
        given = self._net(sale, card) + self._taken_by_odoo(sale, card)
        due = given * self._share(sale, card.program_id, returned)
        # points that were spent come back with the reward that they were spent on
        due -= sum(
            line.points_cost * returned[line] for line in sale.lines if line.coupon_id == card
        )
        due = float_round(due, precision_digits=2)
        ours = self.env["loyalty.history"].sudo().search(
            [("lifecycle_pos_order_id", "=", sale.id), ("card_id", "=", card.id)], order="id desc"
        )
        odoo = sum(self._taken_by_odoo(refund, card) for refund in self._refunds(sale))
        change = due - sum(ours.mapped("lifecycle_taken")) - odoo
        if float_is_zero(change, precision_digits=2):
            return
        if (
            due < 0
            and change < 0
            and not move
            and not own_value(self.env, "lifecycle_give_back")
        ):
            wake(self.env, CRON)
            return
        if change < 0:
            change = self._reduce(ours, cause, change)
        values = {
            "lifecycle_kind": "credited" if move else "returned",
            "lifecycle_pos_order_id": sale.id,
            "lifecycle_pos_refund_id": False if move else cause.id,
            "lifecycle_move_id": move.id,
            "lifecycle_taken": change,
        }
        if float_is_zero(change, precision_digits=2):
            return
        if change > 0:
            short = change - max(card.points, 0)
            card._lifecycle_add_points(
                -change, lambda one: self._say_taken(one, sale, move, short), **values
            )
            return
        # of what was taken, no more than what the customer has really lost; what he had spent
        # on the reward is his in any case
        lost = sum(ours.mapped("used")) - sum(ours.mapped("issued")) + odoo
        card.with_context(loyalty_no_mail=True)._lifecycle_add_points(
            max(0.0, lost - due),
            lambda one: one.env._("Order %s: points given back", sale.name),
            **values,
        )

    @api.model
    def _reduce(self, lines, cause, change):
        """Take back what was booked a moment ago by the same refund, before Odoo took it too.

        :param lines: what was booked of a sale
        :param change: what was taken too much, as a negative number
        :return: what is left of it
        """
        for line in lines.filtered(
            lambda one: one.lifecycle_pos_refund_id == cause.id and one.lifecycle_taken > 0
        ):
            back = min(-change, line.lifecycle_taken)
            really = max(0.0, line.used - (line.lifecycle_taken - back))
            line.card_id.with_context(loyalty_no_mail=True).points += really
            line.write(
                {"used": line.used - really, "lifecycle_taken": line.lifecycle_taken - back}
            )
            if float_is_zero(line.lifecycle_taken, precision_digits=2):
                line.unlink()
            change += back
            if float_is_zero(change, precision_digits=2):
                break
        return change

    @api.model
    def _say_taken(self, card, sale, move, short):
        if move:
            text = card.env._(
                "Order %(order)s: credited with %(document)s", order=sale.name, document=move.name
            )
        else:
            text = card.env._("Order %s: returned", sale.name)
        return card.env["sale.order"]._lifecycle_say_short(card, text, short)

    # ----- WHAT WAS BOOKED -----

    @api.model
    def _booked(self, order):
        """Lines of cards' history that Odoo wrote for an order of the till."""
        return self.env["loyalty.history"].sudo().search(
            [("order_model", "=", "pos.order"), ("order_id", "=", order.id)]
        )

    @api.model
    def _net(self, order, card):
        """Points that Odoo gave for an order, before those that were spent in it."""
        lines = self._booked(order).filtered(lambda line: line.card_id == card)
        spent = sum(
            line.points_cost
            for line in order.lines
            # a refund made in the back office is a copy, which spends nothing
            if line.coupon_id == card and line.qty > 0 and not line.refunded_orderline_id
        )
        issued, used = sum(lines.mapped("issued")), sum(lines.mapped("used"))
        return issued - used + spent if lines else 0.0

    @api.model
    def _taken_by_odoo(self, order, card):
        """Points that Odoo took for what an order takes back.

        Where a rule asks for no minimum quantity, a refund has negative points. What is bought in
        the same order is set off against it.
        """
        net = self._net(order, card)
        back = order.lines.filtered("refunded_orderline_id")
        if not back or float_is_zero(net, precision_digits=2):
            return 0.0
        weights = self._weights(order, card.program_id)
        taken = -sum(weights[line] for line in back)
        bought = sum(weights[line] for line in order.lines - back)
        difference = bought - taken
        factor = net / difference if difference else 0.0
        return taken * factor if factor > 0 else max(0.0, -net)

    @api.model
    def _refunds(self, sale):
        refunds = sale.lines.refund_orderline_ids.order_id
        return refunds.filtered(lambda order: order.state in PAID)

    # ----- WHAT CAME BACK -----

    @api.model
    def _returned(self, sale):
        """Dict of the part of each line that came back, between 0 and 1."""
        credited = self._credited_share(sale)
        shares = {}
        for line in sale.lines:
            pieces = -sum(
                back.qty for back in line.refund_orderline_ids if back.order_id.state in PAID
            )
            part = pieces / line.qty if line.qty else 0.0
            shares[line] = min(1.0, max(0.0, part) + credited)
        return shares

    @api.model
    def _credited_share(self, sale):
        """Part of the order's invoice that was credited in the back office."""
        invoice = sale.account_move
        if not invoice or not invoice.amount_untaxed:
            return 0.0
        credited = self.env["account.move"].sudo().search(
            [
                ("reversed_entry_id", "=", invoice.id),
                ("move_type", "=", "out_refund"),
                ("state", "=", "posted"),
                ("pos_order_ids", "=", False),
            ]
        )
        return min(1.0, sum(credited.mapped("amount_untaxed")) / invoice.amount_untaxed)

    @api.model
    def _share(self, sale, program, returned):
        """Part of an order's points that belongs to what came back."""
        weights = self._weights(sale, program)
        goods = [line for line in weights if not line.is_reward_line]
        if all(float_compare(returned[line], 1, precision_digits=4) >= 0 for line in goods):
            return 1.0
        total = sum(weights.values())
        if total <= 0:
            return 0.0
        back = sum(weight * returned[line] for line, weight in weights.items())
        return min(1.0, max(0.0, back / total))

    @api.model
    def _weights(self, order, program):
        """Dict of the points that each line stands for by the program's rules."""
        lines = order.lines.filtered(
            lambda line: not line.combo_parent_id
            # what pays, and the program's own rewards, give and take no points
            and not (
                line.is_reward_line
                and (
                    line.reward_id.program_id == program
                    or line.reward_id.program_id.is_payment_program
                )
            )
        )
        amounts = {
            line: sum(map(self._signed, line | line.combo_line_ids)) for line in lines
        }
        total = sum(amount for amount in amounts.values() if amount > 0)
        weights = dict.fromkeys(lines, 0.0)
        for rule, products in program._get_valid_products(lines.product_id).items():
            for line in lines:
                if line.product_id not in products:
                    continue
                part = amounts[line]
                if rule.reward_point_mode == "unit":
                    part = 0.0 if line.is_reward_line else line.qty
                elif rule.reward_point_mode == "order":
                    part = amounts[line] / total if total else 0.0
                weights[line] += rule.reward_point_amount * part
        if not any(weights.values()):
            # rules have changed since
            return amounts
        return weights

    @api.model
    def _signed(self, line):
        """What a line is worth with tax: a refund in the till has a positive amount."""
        sign = line.qty * line.price_unit
        amount = line.price_subtotal_incl
        return amount if not sign else abs(amount) * (1 if sign > 0 else -1)
