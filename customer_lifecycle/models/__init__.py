"""The rooms, from the ground up: each imports only from those before it."""

from . import (
    settings,
    web,
    documents,
    sources,
    prediction,
    profile,
    rules,
    segments,
    vip,
    reporting,
    journey,
    runs,
    calls,
    referral,
    workflow,
    loyalty,
    economics,
    comparison,
    overview,
    privacy,
)
