from . import (
    segment_member,
    audience_export,
    classifier_rfm,
    classifier,
    profile_rfm,
    profile,
    rfm_group,
    rfm_scale,
    segment,
    segment_statistic,
    segment_month,
)
