from . import (
    cohort,
    customer_revenue,
)
