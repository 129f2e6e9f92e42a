"""Quotations and loyalty: whom programs and cards are for, company cards, points by VIP tier.

In: a quotation or cart with its customer, and a code or reward that somebody tries. Out: the
programs that he may use, or why not, and points multiplied by his tier. Called by the loyalty
app while it applies programs, codes and rewards, and when the order is confirmed.
"""

from odoo import models
from odoo.fields import Command, Domain
from odoo.tools import float_round

from ...tools.context import own, own_value


# the class has the same name as that of the loyalty app, whose private method it extends
class SaleOrder(models.Model):
    """Loyalty on quotations: whose programs and cards they are, and how many points."""

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
