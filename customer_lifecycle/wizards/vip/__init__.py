from . import (
    vip_tier_hold,
    vip_tier_pricelist,
    vip_tier_suggestion,
)
