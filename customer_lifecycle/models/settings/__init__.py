from . import (
    branch_mixin,
    health,
    timezone,
    res_company,
    res_config_settings,
    res_users,
)
