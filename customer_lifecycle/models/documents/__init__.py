from . import (
    customer_mixin,
    document_mixin,
    sale_order,
    crm_lead,
    sale_report,
)
