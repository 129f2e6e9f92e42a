"""A loyalty program with a condition, points by VIP tier, and cards with a past."""

from odoo.fields import Command

#: the customers of the largest of the latest orders have collected for so long
HOLDERS, COLLECTED_ORDERS = 6, 4
#: key of the VIP tier, times the points
FACTORS = (("silver", 1.25), ("gold", 1.5), ("platinum", 2))


def load(env, company):
    """Create the program; return it, with its tiers' factors."""
    return env["loyalty.program"]._load_records(
        [
            {
                "xml_id": "customer_lifecycle.loyalty_program_demo",
                "noupdate": True,
                "values": {
                    "name": "Bean Club",
                    "program_type": "loyalty",
                    "applies_on": "both",
                    "trigger": "auto",
                    "portal_visible": True,
                    "portal_point_name": "Beans",
                    "company_id": company.id,
                    "rule_ids": [
                        Command.create(
                            {"reward_point_mode": "money", "reward_point_amount": 1}
                        )
                    ],
                    "reward_ids": [
                        Command.create(
                            {
                                "reward_type": "discount",
                                "discount_mode": "percent",
                                "discount": 10,
                                "discount_applicability": "order",
                                "required_points": 2000,
                            }
                        )
                    ],
                    "lifecycle_tier_ids": [
                        Command.link(env.ref(f"customer_lifecycle.vip_tier_{key}_demo").id)
                        for key, _factor in FACTORS
                    ],
                    "lifecycle_multiplier_ids": [
                        Command.create(
                            {
                                "tier_id": env.ref(f"customer_lifecycle.vip_tier_{key}_demo").id,
                                "factor": factor,
                            }
                        )
                        for key, factor in FACTORS
                    ],
                    "lifecycle_auto_card": True,
                    "lifecycle_welcome_points": 100,
                    "lifecycle_expiry_months": 12,
                },
            }
        ]
    )


def collect(env, program, orders, since):
    """Cards with the points of their customers' last orders, as if each had given them.

    Written before invoices and credit notes, which then take points back by themselves.

    :param since: day from which on the orders were large enough to be looked at
    """
    recent = orders.filtered(lambda order: order.date_order.date() >= since)
    largest = recent.sorted(lambda order: (-order.amount_untaxed, order.id))
    customers = largest.partner_id.commercial_partner_id[:HOLDERS]
    for customer in customers:
        theirs = orders.filtered(
            lambda order, customer=customer: order.partner_id.commercial_partner_id == customer
        ).sorted("date_order")[-COLLECTED_ORDERS:]
        card = env["loyalty.card"].create({"program_id": program.id, "partner_id": customer.id})
        env.flush_all()
        moved = {line.id: theirs[0].date_order for line in card.history_ids}
        env["sale.order.coupon.points"].create(
            [
                {"order_id": order.id, "coupon_id": card.id, "points": round(order.amount_total)}
                for order in theirs
            ]
        )
        for order in theirs:
            card.points += round(order.amount_total)
            line = env["loyalty.history"].create(
                {
                    "card_id": card.id,
                    "description": f"Order {order.name}",
                    "issued": round(order.amount_total),
                    "order_model": "sale.order",
                    "order_id": order.id,
                }
            )
            moved[line.id] = order.date_order
        env.flush_all()
        for line_id, moment in moved.items():
            env.cr.execute(
                "UPDATE loyalty_history SET create_date = %s WHERE id = %s", [moment, line_id]
            )
        env.cr.execute(
            "UPDATE loyalty_card SET create_date = %s WHERE id = %s",
            [theirs[0].date_order, card.id],
        )
    env.invalidate_all()
