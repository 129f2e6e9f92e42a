from . import (
    branch_mixin,
    health,
    timezone,
    res_company,
    res_company_currency,
    res_config_settings,
    res_users,
)
