from . import (
    cohort,
    profile_cohort,
    customer_revenue,
)
