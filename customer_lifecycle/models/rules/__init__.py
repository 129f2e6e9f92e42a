from . import (
    classifier,
    profile_why,
    profile,
    rule,
    rule_preview,
    stage,
    stage_statistic,
    transition,
)
