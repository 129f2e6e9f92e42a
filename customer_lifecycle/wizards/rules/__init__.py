from . import stage_hold
