"""What a manager of the demo company wants to know of the time before and after."""

from datetime import timedelta

#: a new price list began so many days ago, and so many days are compared
NEW_PRICES, WINDOW = 120, 90


def load(env, company, program, today):
    """Ask the questions; they are answered after the first computation of all customers."""
    env["lifecycle.comparison"]._load_records(
        [
            {
                "xml_id": f"customer_lifecycle.comparison_{key}_demo",
                "noupdate": True,
                "values": {
                    "company_id": company.id,
                    "window_days": WINDOW,
                    "state": "waiting",
                    "user_id": env.ref("base.user_admin").id,
                    **values,
                },
            }
            for key, values in (
                (
                    "prices",
                    {
                        "name": "New price list",
                        "event": "date",
                        "event_date": today - timedelta(days=NEW_PRICES),
                    },
                ),
                ("loyalty", {"event": "loyalty", "program_id": program.id}),
            )
        ]
    )
    env["lifecycle.comparison"]._wake()
