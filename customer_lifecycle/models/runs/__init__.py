from . import (
    collect,
    store,
    set_aside,
    run,
    refresh,
    steps,
)
