from . import (
    base_partner_merge,
    sale_loyalty_coupon_wizard,
)
