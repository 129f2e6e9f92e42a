"""The delivered source of invoices leaves out what only pays: gift cards, down payments."""


def migrate(cr, version):
    # nobody could tick it for invoices before
    cr.execute(
        """UPDATE lifecycle_revenue_source source SET net_of_credit_notes = TRUE
             FROM ir_model_data data
            WHERE data.module = 'customer_lifecycle' AND data.name = 'revenue_source_invoice'
              AND data.model = 'lifecycle.revenue.source' AND data.res_id = source.id
              AND source.model = 'account.move' AND NOT COALESCE(source.negate, FALSE)
              AND source.amount_path = 'amount_untaxed_signed'"""
    )
