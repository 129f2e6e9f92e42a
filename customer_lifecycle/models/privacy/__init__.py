from . import (
    privacy,
    privacy_lookup,
    res_partner,
    person_file,
    retention,
)
