from odoo import api, models


class ResUsers(models.Model):
    _inherit = "res.users"

    @api.model_create_multi
    def create(self, vals_list):
        users = super().create(vals_list)
        # colleagues and anonymous visitors are no customers; a colleague who is both can be
        # included again by hand
        users.filtered(lambda user: not user.share or user._is_public()).partner_id.sudo().write(
            {"lifecycle_exclude": True}
        )
        return users
