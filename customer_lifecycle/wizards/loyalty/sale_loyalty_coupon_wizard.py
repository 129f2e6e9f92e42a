from odoo import models
from odoo.exceptions import ValidationError


class SaleLoyaltyCouponWizard(models.TransientModel):
    _inherit = "sale.loyalty.coupon.wizard"

    def action_apply(self):
        """Take referral codes too, which need not come with a reward for the order."""
        self.ensure_one()
        if self.order_id and self.env["lifecycle.referral.code"]._find(self.coupon_code):
            status = self.order_id._try_apply_code(self.coupon_code)
            if "error" in status:
                raise ValidationError(status["error"])
            if not status:
                return {
                    "type": "ir.actions.client",
                    "tag": "display_notification",
                    "params": {
                        "type": "success",
                        "message": self.env._("The recommendation is noted."),
                        "next": {"type": "ir.actions.act_window_close"},
                    },
                }
        return super().action_apply()
