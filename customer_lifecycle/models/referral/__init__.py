from . import (
    referral_program,
    referral_code,
    referral,
    referral_guard,
    referral_work,
    res_partner,
    sale_order,
    crm_lead,
)
