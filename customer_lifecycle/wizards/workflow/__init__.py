from . import (
    base_partner_merge_consent,
    workflow_enter,
    base_partner_merge,
    workflow_preview,
    workflow_start,
)
