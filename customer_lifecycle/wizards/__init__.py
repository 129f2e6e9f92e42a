from . import (
    base_partner_merge,
    lifecycle_audience_export_wizard,
    lifecycle_contact_call,
)
