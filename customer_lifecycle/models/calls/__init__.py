from . import (
    contact_outcome,
    profile,
)
