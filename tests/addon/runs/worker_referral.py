"""Recommendations rewarded by killed and doubled workers; tasks of worker.py."""

from odoo import Command


class ReferralTasks:
    """Makes friends who bought, and rewards who recommended."""

    def fill_referrals(self, friends):
        """A referral programme, and friends of two customers whose paid orders have matured."""
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            company = env.user.company_id
            reward = env["loyalty.program"].with_context(default_program_type="loyalty").create(
                {"name": "Club", "program_type": "loyalty", "applies_on": "both",
                 "trigger": "auto", "company_id": company.id,
                 "rule_ids": [Command.create({"minimum_amount": 1e9})]}
            )
            env["lifecycle.referral.program"].create(
                {"name": "Friends", "company_id": company.id, "waiting_days": 0,
                 "advocate_program_id": reward.id, "advocate_points": 7}
            )
            advocates = env["res.partner"].create(
                [{"name": f"Advocate {number}", "email": f"advocate{number}@example.com"}
                 for number in range(2)]
            )
            product = env["product.product"].create(
                {"name": "Item", "type": "service", "taxes_id": False}
            )
            provider = env["payment.provider"].create({"name": "Pay", "company_id": company.id})
            for number in range(friends):
                friend = env["res.partner"].create(
                    {"name": f"Friend {number}", "email": f"friend{number}@example.com",
                     "lifecycle_referred_by_id": advocates[number % 2].id}
                )
                order = env["sale.order"].create(
                    {"partner_id": friend.id, "company_id": company.id,
                     "order_line": [Command.create({"product_id": product.id,
                                                    "price_unit": 10})]}
                )
                order.action_confirm()
                env["payment.transaction"].create(
                    {"provider_id": provider.id, "reference": f"paid-{number}",
                     "payment_method_id": env.ref("payment.payment_method_card").id,
                     "amount": order.amount_total, "currency_id": order.currency_id.id,
                     "partner_id": friend.id, "state": "done",
                     "sale_order_ids": order.ids}
                )

    def run_referrals(self, passes, kill_at=None, kill_word=None, unlocked=False):
        """Run the scheduled action that rewards recommendations, as ``run_workflows``."""
        import odoo.addons.customer_lifecycle.models.referral.referral_work as work

        work.BATCH = 5
        counts = self._count(kill_at, kill_word)
        for _pass in range(passes):
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                if unlocked:
                    env["lifecycle.referral"]._cron_follow()
                else:
                    env.ref(
                        "customer_lifecycle.ir_cron_lifecycle_referral"
                    ).method_direct_trigger()
        return dict(counts)
