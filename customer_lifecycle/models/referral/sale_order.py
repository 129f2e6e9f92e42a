"""Where recommendations meet quotations and the web shop's cart.

In: codes that are typed, and the code that the present visitor came with. Out: who recommended
us, noted on the customer, and the welcome coupon on the first order only. Called by Odoo when it
works out an order's rewards or takes a code.
"""

from odoo import fields, models
from odoo.http import request

from .referral import OPEN
from .referral_code import SALES


class SaleOrder(models.Model):
    """Codes in quotations and the web shop, and the welcome coupon on the first order."""

    _inherit = "sale.order"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_referred_by_id = fields.Many2one(
        related="partner_id.commercial_partner_id.lifecycle_referred_by_id",
        string="Recommended By",
        readonly=False,
        groups=SALES,
    )

    def _lifecycle_note_visitor(self):
        """Note who has sent a customer who was known before, while he shops."""
        user = self.env.user
        if not request or user._is_public() or not user.share:
            return
        customer = self.partner_id.sudo().commercial_partner_id
        if customer != user.sudo().partner_id.commercial_partner_id:
            return
        if customer.lifecycle_referred_by_id:
            return
        code, how = self.env["lifecycle.referral.code"]._of_visitor()
        if code:
            self.partner_id._lifecycle_name_advocate(code.partner_id, how)

    def _lifecycle_welcome_coupon(self):
        """The customer's coupon for the first order, where this is the first order."""
        self.ensure_one()
        customer = self.partner_id.sudo().commercial_partner_id
        referral = (
            self.env["lifecycle.referral"]
            .sudo()
            .search(
                [
                    ("friend_id", "=", customer.id),
                    # recommendations of the head office hold in its branches
                    ("company_id", "in", self.company_id._lifecycle_above().ids),
                    ("state", "in", OPEN),
                    ("friend_card_id", "!=", False),
                ],
                limit=1,
            )
        )
        coupon = referral.friend_card_id
        if not coupon.active or not coupon.points:
            return coupon.browse()
        earlier = self.sudo().search_count(
            [
                ("partner_id", "child_of", customer.id),
                ("company_id", "in", referral.company_id._lifecycle_family().ids),
                ("state", "=", "sale"),
                ("id", "not in", self.ids),
            ],
            limit=1,
        )
        return coupon.browse() if earlier else coupon

    def _lifecycle_is_welcome_coupon(self, cards):
        """Those of some coupons that were given to new customers."""
        return (
            self.env["lifecycle.referral"]
            .sudo()
            .search([("friend_card_id", "in", cards.ids)])
            .friend_card_id
            if cards
            else cards
        )

    def _update_programs_and_rewards(self):
        self.ensure_one()
        if self.state in ("draft", "sent") and self.partner_id:
            self._lifecycle_note_visitor()
            coupon = self._lifecycle_welcome_coupon()
            wrong = self._lifecycle_is_welcome_coupon(self.applied_coupon_ids) - coupon
            if wrong:
                self.order_line.filtered(lambda line: line.coupon_id in wrong).unlink()
                self.applied_coupon_ids -= wrong
            if coupon:
                self.applied_coupon_ids |= coupon
        return super()._update_programs_and_rewards()

    def _try_apply_code(self, code):
        self.ensure_one()
        found = self.env["lifecycle.referral.code"]._find(code)
        if found:
            return self._lifecycle_take_code(found)
        # sudo: coupons are for those who know their code
        card = self.env["loyalty.card"].sudo().search([("code", "=", code)], limit=1)
        if self._lifecycle_is_welcome_coupon(card) - self._lifecycle_welcome_coupon():
            return {
                "error": self.env._(
                    "This coupon is for the first order of the customer it was given to."
                )
            }
        return super()._try_apply_code(code)

    def _lifecycle_take_code(self, code):
        """Note who recommended us to the order's customer.

        :return: as ``_try_apply_code``
        """
        # whoever may not change the order names nobody to its customer
        self.check_access("write")
        advocate = code.partner_id
        if not self.env["lifecycle.referral.program"].with_company(
            self.company_id
        )._may_recommend(advocate):
            return {"error": self.env._("This referral code is not valid at the moment.")}
        customer = self.partner_id.sudo().commercial_partner_id
        if customer.lifecycle_exclude and request:
            # a guest of the web shop, who will be known at the checkout
            code._remember(code, "code")
            return {}
        present = customer.lifecycle_referred_by_id.commercial_partner_id
        if present and present != advocate:
            return {"error": self.env._("Somebody else is noted as having recommended us.")}
        referral = self.with_company(self.company_id).partner_id._lifecycle_name_advocate(
            advocate, "code"
        )
        if referral.state == "refused":
            reasons = dict(referral._fields["reason"]._description_selection(self.env))
            return {
                "error": self.env._(
                    "This recommendation cannot be rewarded: %s.", reasons[referral.reason]
                )
            }
        coupon = self._lifecycle_welcome_coupon()
        if not coupon:
            return {}
        self.applied_coupon_ids |= coupon
        return self._get_claimable_rewards(forced_coupons=coupon)
