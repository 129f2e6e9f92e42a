from . import (
    sources,
    profile,
    rules,
    segments,
    vip,
    reporting,
    runs,
    calls,
    referral,
    workflow,
    loyalty,
    privacy,
)
