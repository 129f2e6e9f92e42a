from . import (
    account_move_reversal,
    base_partner_merge,
    lifecycle_audience_export_wizard,
    lifecycle_contact_call,
    lifecycle_workflow_enter,
    lifecycle_referral_merge,
    lifecycle_workflow_merge,
    lifecycle_workflow_preview,
    lifecycle_workflow_start,
    lifecycle_vip_tier_hold,
    lifecycle_vip_tier_pricelist,
    lifecycle_vip_tier_suggestion,
)
