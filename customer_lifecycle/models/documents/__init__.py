from . import (
    customer_mixin,
    sale_order,
    crm_lead,
    sale_report,
)
