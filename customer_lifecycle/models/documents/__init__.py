from . import (
    sale_order,
    customer_mixin,
)
