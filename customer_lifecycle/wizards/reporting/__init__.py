from . import (
    reconciliation,
    reconciliation_sql,
)
