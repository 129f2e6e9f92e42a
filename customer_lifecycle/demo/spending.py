"""Where the demo customers came from, and what getting and keeping them has cost."""

from datetime import timedelta

from dateutil.relativedelta import relativedelta

#: what is spent again and again: name, months between, days, amount, purpose, share, channel
REPEATED = (
    ("Search engine ads", 1, 28, 380, "getting", 50, "search"),
    ("Stand at a coffee trade fair", 6, 3, 1900, "getting", 50, "fair"),
    ("Newsletter: writing and sending", 12, 360, 960, "both", 40, "newsletter"),
    ("Visits to customers", 3, 20, 1100, "keeping", 50, None),
)
MONTHS = 24
#: every fifth customer came by himself
CHANNELS = ("search", "fair", "newsletter", "search", None)


def load(env, company, orders, today):
    """Name what brought each customer on his first order, and enter what was spent.

    :param orders: all confirmed sale orders of the demo
    """
    channels = _channels(env)
    firsts = {}
    for order in orders.sorted(lambda order: (order.date_order, order.id)):
        firsts.setdefault(order.partner_id.commercial_partner_id, order)
    for number, customer in enumerate(sorted(firsts, key=lambda customer: customer.id)):
        channel = channels.get(CHANNELS[number % len(CHANNELS)])
        if channel:
            firsts[customer].write(channel)
    env["lifecycle.spending"].create(_spending(env, company, channels, today))


def _channels(env):
    """Source and medium by name; Odoo brings some, users may have deleted them."""
    fair = env["utm.source"]._load_records(
        [
            {
                "xml_id": "customer_lifecycle.utm_source_fair_demo",
                "noupdate": True,
                "values": {"name": "Trade fair"},
            }
        ]
    )

    def found(name):
        return env.ref(f"utm.{name}", raise_if_not_found=False) or env["utm.source"]

    return {
        "search": {
            "source_id": found("utm_source_search_engine").id,
            "medium_id": found("utm_medium_website").id,
        },
        "fair": {"source_id": fair.id, "medium_id": found("utm_medium_direct").id},
        "newsletter": {
            "source_id": found("utm_source_newsletter").id,
            "medium_id": found("utm_medium_email").id,
        },
    }


def _spending(env, company, channels, today):
    common = {"company_id": company.id, "currency_id": company.currency_id.id}
    rows = []
    for name, every, days, amount, purpose, share, channel in REPEATED:
        for months in range(MONTHS, -1, -every):
            first = (today - relativedelta(months=months)).replace(day=1)
            rows.append(
                {
                    **common,
                    "name": name,
                    "date_from": first,
                    "date_to": first + timedelta(days=days - 1),
                    "amount": amount,
                    "purpose": purpose,
                    "getting_percent": share,
                    **(channels[channel] if channel else {}),
                }
            )
    year = today - relativedelta(months=11)
    rows.append(
        {
            **common,
            "name": "New website",
            "date_from": year.replace(day=1),
            "date_to": year.replace(day=1) + timedelta(days=89),
            "amount": 3000,
            "purpose": "getting",
            "note": "For customers from everywhere: no source named.",
        }
    )
    gifts = today.replace(year=today.year - 1, month=12, day=10)
    rows.append(
        {
            **common,
            "name": "Christmas gifts",
            "date_from": gifts,
            "date_to": gifts + timedelta(days=10),
            "amount": 850,
            "purpose": "keeping",
            "stage_id": env.ref("customer_lifecycle.stage_loyal").id,
        }
    )
    return rows
