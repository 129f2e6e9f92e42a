from . import base_partner_merge, lifecycle_contact_call
