from . import (
    classifier,
    coming,
    past,
    late,
    past_sql,
    moves,
    profile,
    rule,
    rule_preview,
    stage,
    stage_statistic,
    transition,
)
