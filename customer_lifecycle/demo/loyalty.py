"""A loyalty program with conditions, points by VIP tier, cards with a past, and rewards."""

from odoo.fields import Command

#: the customers of the largest of the latest orders have collected for so long
HOLDERS, COLLECTED_ORDERS = 6, 4
#: key of the VIP tier, times the points
FACTORS = (("silver", 1.25), ("gold", 1.5), ("platinum", 2))


def load(env, company, gift):
    """Create the program, for everybody as yet; return it.

    :param gift: product that can be had for points
    """
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
                        ),
                        Command.create(
                            {
                                "reward_type": "product",
                                "reward_product_id": gift.id,
                                "required_points": 800,
                            }
                        ),
                    ],
                    "lifecycle_welcome_points": 100,
                    "lifecycle_expiry_months": 12,
                },
            }
        ]
    )


def restrict(env, program):
    """Make the program one for VIPs, who get their cards by themselves from now on."""
    tiers = {key: env.ref(f"customer_lifecycle.vip_tier_{key}_demo") for key, _factor in FACTORS}
    program.write(
        {
            "lifecycle_tier_ids": [Command.link(tier.id) for tier in tiers.values()],
            "lifecycle_multiplier_ids": [
                Command.create({"tier_id": tiers[key].id, "factor": factor})
                for key, factor in FACTORS
            ],
            "lifecycle_auto_card": True,
        }
    )


def collect(env, program, orders, since):
    """Cards with the points of their customers' last orders, the latest of which spends some.

    Written before invoices and credit notes, which then take points back by themselves.

    :param since: day from which on the orders were large enough to be looked at
    """
    recent = orders.filtered(lambda order: order.date_order.date() >= since)
    largest = recent.sorted(lambda order: (-order.amount_untaxed, order.id))
    customers = largest.partner_id.commercial_partner_id[:HOLDERS]
    for number, customer in enumerate(customers):
        *former, latest = orders.filtered(
            lambda order, customer=customer: order.partner_id.commercial_partner_id == customer
        ).sorted("date_order")[-COLLECTED_ORDERS:]
        card = env["loyalty.card"].create({"program_id": program.id, "partner_id": customer.id})
        joined = (former or [latest])[0].date_order
        moved = {line.id: joined for line in card.history_ids}
        for order in former:
            line = _add_points(env, card, order)
            moved[line.id] = order.date_order
        _spend(card, latest, program.reward_ids[number % len(program.reward_ids)])
        for line in card.history_ids:
            moved.setdefault(line.id, latest.date_order)
        env.flush_all()
        for line_id, moment in moved.items():
            env.cr.execute(
                "UPDATE loyalty_history SET create_date = %s WHERE id = %s", [moment, line_id]
            )
        env.cr.execute(
            "UPDATE loyalty_card SET create_date = %s WHERE id = %s", [joined, card.id]
        )
    env.invalidate_all()


def _add_points(env, card, order):
    """Points of an order that is confirmed already; return their line of the history."""
    points = round(order.amount_total)
    env["sale.order.coupon.points"].create(
        {"order_id": order.id, "coupon_id": card.id, "points": points}
    )
    card.points += points
    return env["loyalty.history"].create(
        {
            "card_id": card.id,
            "description": f"Order {order.name}",
            "issued": points,
            "order_model": "sale.order",
            "order_id": order.id,
        }
    )


def _spend(card, order, reward):
    """Claim a reward with an order, if there are points enough, and confirm it as on that day."""
    moment = order.date_order
    order.state = "draft"
    order._update_programs_and_rewards()
    if reward in order._get_claimable_rewards().get(card, reward.browse()):
        order._apply_program_reward(reward, card)
    order.action_confirm()
    order.date_order = moment
