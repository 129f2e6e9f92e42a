"""The delivered source of credit notes without an order tells whose they are, and their limit."""


def migrate(cr, version):
    # the column is new: nobody has chosen otherwise
    cr.execute(
        """UPDATE lifecycle_revenue_source source SET goodwill = TRUE
             FROM ir_model_data data
            WHERE data.module = 'customer_lifecycle'
              AND data.name = 'revenue_source_credit_note'
              AND data.model = 'lifecycle.revenue.source' AND data.res_id = source.id
              AND source.model = 'account.move.line'"""
    )
