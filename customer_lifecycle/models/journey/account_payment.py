"""Payments: found by their customer.

In: a journey that asks for a customer's payments. Out: the index that finds them.
"""

from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    # a journey looks up a customer's payments, which no screen of Odoo does
    _lifecycle_partner_idx = models.Index("(partner_id) WHERE partner_id IS NOT NULL")
