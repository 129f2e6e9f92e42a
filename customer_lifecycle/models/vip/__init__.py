from . import (
    classifier,
    profile,
    transition,
    vip_benefit,
    sale_order,
    crm_lead,
    res_partner,
    document_badge,
    vip_tier,
    product_pricelist,
)
