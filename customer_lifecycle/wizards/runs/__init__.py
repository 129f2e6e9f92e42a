from . import set_aside_correction
