"""The VIP tiers that the demo's manager has accepted."""

from ..models.rules.rule import QUIET

#: key, name, rank, colour, badge, net revenue of 12 months from which on
TIERS = (
    ("silver", "Silver", 10, 4, "fa-star-o", 6000),
    ("gold", "Gold", 20, 3, "fa-star", 12000),
    ("platinum", "Platinum", 30, 11, "fa-diamond", 20000),
)


def load(env, company):
    """Create the tiers unless they are there."""
    # the first run evaluates them
    tiers = env["lifecycle.vip.tier"].with_context(**{QUIET: True})
    tiers._load_records(
        [
            {
                "xml_id": f"customer_lifecycle.vip_tier_{key}_demo",
                "noupdate": True,
                "values": {
                    "name": name,
                    "public_name": f"{name} Customer",
                    "rank": rank,
                    "color": color,
                    "badge": badge,
                    "entry": entry,
                    "min_orders": 2,
                    "company_id": company.id,
                },
            }
            for key, name, rank, color, badge, entry in TIERS
        ]
    )
