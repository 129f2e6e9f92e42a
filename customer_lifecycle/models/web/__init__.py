from . import (
    ir_actions_act_window_view,
    ir_ui_view,
    compared_mixin,
    demo,
    first_steps,
    landing,
)
