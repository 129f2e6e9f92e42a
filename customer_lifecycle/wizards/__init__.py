from . import (
    sources,
    profile,
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
