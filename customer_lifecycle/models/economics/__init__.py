from . import (
    spending,
    spending_source,
    spending_sql,
    spending_line,
    economics,
    economics_sql,
    economics_overview,
    economics_cube,
)
