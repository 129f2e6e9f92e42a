from odoo import models

from ...tools.context import own


class AccountMoveReversal(models.TransientModel):
    _inherit = "account.move.reversal"

    def reverse_moves(self, is_modify=False):
        """Look at the points when the new invoice is there: then nothing was lost."""
        if not is_modify:
            return super().reverse_moves(is_modify=is_modify)
        # the context must not stick to what follows
        later = self.with_context(lifecycle_settle_later=own())
        action = super(AccountMoveReversal, later).reverse_moves(is_modify=is_modify)
        self.sudo().new_move_ids.lifecycle_reissue = True
        (self.move_ids | self.new_move_ids)._lifecycle_settle_points()
        return action
