from . import (
    contact_outcome,
    profile,
    sale_order,
)
