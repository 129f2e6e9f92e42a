from . import (
    pipeline,
    set_aside,
    run,
    refresh,
    steps,
)
