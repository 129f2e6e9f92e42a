"""Bring the delivered sources of the till along, where nobody has changed them.

A till stores refunds with a positive amount, may leave their customer out, and sells money: the
former filters and paths took refunds for sales, and gift cards for goods. Sources that were
changed by hand stay as they are, except for the new fields, which say what the till's columns
mean.
"""

from odoo import SUPERUSER_ID, api

STATES = "('order_id.state', 'in', ['paid', 'done', 'invoiced'])"
FORMER_SKIP = (
    "[('sale_order_line_id', '!=', False), '|', ('refunded_orderline_id', '=', False), "
    "('sale_order_line_id.is_downpayment', '=', True)]"
)
DOMAIN = f"[{STATES}, ('product_id.lifecycle_is_money', '=', False)]"
PAYING = "[('reward_id.program_id.program_type', 'in', ['gift_card', 'ewallet'])]"
#: by name of the delivered record, what was delivered and what is now
SOURCES = {
    "revenue_source_pos_order": (
        {
            "domain": f"[{STATES}, ('order_id.partner_id', '!=', False)]",
            "skip_domain": FORMER_SKIP,
        },
        {
            "domain": DOMAIN,
            "skip_domain": "[('sale_order_line_id', '!=', False)]\n"
            "[('refunded_orderline_id.sale_order_line_id', '!=', False)]\n" + PAYING,
        },
    ),
    "revenue_source_pos_order_not_invoiced": (
        {
            "domain": f"[{STATES}, ('order_id.partner_id', '!=', False), "
            "('order_id.account_move', '=', False)]",
            "skip_domain": None,
            "name": "Point of sale without invoice",
        },
        {
            "domain": DOMAIN,
            "skip_domain": "[('sale_order_line_id.is_downpayment', '=', True)]\n" + PAYING,
            "name": "Point of sale, with or without invoice",
        },
    ),
    "revenue_source_invoice": (
        {"skip_domain": None},
        {
            "skip_domain": "[('pos_order_ids', '!=', False)]\n"
            "[('reversed_entry_id.pos_order_ids', '!=', False)]"
        },
    ),
}
SIGNS = {
    "quantity_path": "qty",
    "price_path": "price_unit",
    "refunded_path": "refunded_orderline_id",
}


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {"lang": None})
    sources = {
        name: env.ref(f"customer_lifecycle.{name}", raise_if_not_found=False) for name in SOURCES
    }
    both = ("revenue_source_pos_order_not_invoiced", "revenue_source_invoice")
    kept = {
        name
        for name, source in sources.items()
        if not source or not _is_delivered(source, SOURCES[name][0])
    }
    for name, source in sources.items():
        if not source:
            continue
        values = {}
        if source.model == "pos.order.line":
            # whoever counts lines of a till in his own way means these, too
            values.update(
                {
                    path: value
                    for path, value in SIGNS.items()
                    if not source[path] and source.amount_path == "price_subtotal"
                }
            )
        # the invoices leave to the till what the till's source counts: one without the other
        # would count twice or not at all
        together = both if name in both else (name,)
        if not kept.intersection(together):
            now = dict(SOURCES[name][1])
            if source.name != SOURCES[name][0].get("name"):
                now.pop("name", None)
            values.update(now)
        if values:
            source.write(values)
    credited = env.ref("customer_lifecycle.revenue_source_pos_credit_note", False)
    if credited and kept.intersection(both):
        # the invoices go on counting these themselves
        credited.basis = "orders"
    touch = env.ref("customer_lifecycle.touchpoint_source_pos_order", raise_if_not_found=False)
    former = "[('state', 'in', ['paid', 'done', 'invoiced'])]"
    if touch and touch.domain == former:
        touch.domain = f"{former[:-1]}, ('is_refund', '!=', True)]"


def _is_delivered(source, former):
    # the name is no figure: renamed is not changed
    return all(
        (source[field] or None) == value for field, value in former.items() if field != "name"
    )
