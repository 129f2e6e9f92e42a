from . import (
    cohort,
    customer_revenue,
    first_product,
)
