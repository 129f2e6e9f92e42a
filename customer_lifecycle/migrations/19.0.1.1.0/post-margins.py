"""Give delivered revenue sources the fields that say what is known of margins.

Only where nobody has written one there, and where the source still reads the delivered field.
"""

KNOWN = (
    ("revenue_source_external_purchase", "amount_company", "margin_path", "margin_company"),
    ("revenue_source_pos_order", "price_subtotal", "cost_path", "total_cost"),
    ("revenue_source_pos_order", "price_subtotal", "cost_known_path", "is_total_cost_computed"),
    ("revenue_source_pos_order_not_invoiced", "price_subtotal", "cost_path", "total_cost"),
    (
        "revenue_source_pos_order_not_invoiced",
        "price_subtotal",
        "cost_known_path",
        "is_total_cost_computed",
    ),
)


def migrate(cr, version):
    for name, amount_path, column, path in KNOWN:
        cr.execute(
            f"""UPDATE lifecycle_revenue_source source SET {column} = %s
                  FROM ir_model_data data
                 WHERE data.module = 'customer_lifecycle' AND data.name = %s
                   AND data.model = 'lifecycle.revenue.source' AND data.res_id = source.id
                   AND source.amount_path = %s AND COALESCE(source.{column}, '') = ''
                   AND COALESCE(source.margin_path, '') = ''""",
            [path, name, amount_path],
        )
