from . import (
    clv_model,
    clv_model_text,
    clv_model_outliers,
    forecast,
    fit,
    interval,
    outputs,
    prediction_columns,
    rhythm,
)
