from . import (
    comparison,
    comparison_customer,
    events,
    measure,
    text,
    loyalty_program,
)
