from . import (
    product_category,
    product_template,
    product_pair,
    product_model,
    next_product,
    profile,
    run,
    sale_order,
    res_users,
)
