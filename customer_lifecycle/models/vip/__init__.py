from . import (
    classifier,
    profile,
    profile_tier_text,
    transition,
    vip_benefit,
    sale_order,
    res_partner,
    document_badge,
    vip_tier,
    product_pricelist,
)
