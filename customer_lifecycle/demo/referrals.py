"""A referral programme, and what has come of the demo's recommendations."""

from datetime import timedelta

from odoo.fields import Command


def load(env, company, pairs):
    """Create the programme and note who brought whom.

    :param pairs: list of (friend, advocate) contacts, whose orders are there already
    """
    coupons = env["loyalty.program"]._load_records(
        [
            {
                "xml_id": "customer_lifecycle.loyalty_program_thanks_demo",
                "noupdate": True,
                "values": {
                    "name": "Thank-You Coupon",
                    "program_type": "coupons",
                    "applies_on": "current",
                    "trigger": "with_code",
                    "company_id": company.id,
                    "currency_id": company.currency_id.id,
                    "reward_ids": [
                        Command.create(
                            {
                                "reward_type": "discount",
                                "discount_mode": "per_order",
                                "discount": 25,
                                "required_points": 1,
                            }
                        )
                    ],
                },
            }
        ]
    )
    program = env["lifecycle.referral.program"]._load_records(
        [
            {
                "xml_id": "customer_lifecycle.referral_program_demo",
                "noupdate": True,
                "values": {
                    "name": "Bring a Colleague",
                    "company_id": company.id,
                    "advocate_program_id": coupons.id,
                    "friend_program_id": coupons.id,
                    # nobody is written to about the demo's past
                    "mail_template_id": False,
                },
            }
        ]
    )
    made = env["lifecycle.referral"]
    for number, (friend, advocate) in enumerate(pairs):
        order = env["sale.order"].search(
            [("partner_id", "child_of", friend.id), ("state", "=", "sale")],
            order="date_order",
            limit=1,
        )
        if not order:
            continue
        made |= made.create(
            {
                "program_id": program.id,
                "company_id": company.id,
                "advocate_id": advocate.id,
                "contact_id": advocate.id,
                "friend_id": friend.id,
                "how": ("link", "code", "contact")[number % 3],
                "date": order.date_order - timedelta(days=3),
                "order_model": order._name,
                "order_id": order.id,
                "date_order": order.date_order,
                "state": "ordered",
            }
        )
    if made:
        # the oldest: what came of it lies in the past
        first = made.sorted("date_order")[0]
        first.date_paid = first.date_order.date() + timedelta(days=20)
        first._reward()
        first.date_rewarded = first.date_order + timedelta(days=34)
    program.mail_template_id = env.ref("customer_lifecycle.mail_template_referral_reward")
