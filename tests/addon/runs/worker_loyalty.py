"""Cards and points given by killed and doubled workers; tasks of worker.py."""

import functools
import time

from odoo import Command
from odoo.service.model import retrying


class LoyaltyTasks:
    """Gives cards, and buys with them meanwhile."""

    def fill_loyalty(self, customers):
        """A program that gives cards with a bonus, and one whose points are long due to expire.

        :return: [id of the first, id of the second]
        """
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            company = env.user.company_id
            env["loyalty.program"].search([]).action_archive()
            stage = env.ref("customer_lifecycle.stage_at_risk")
            club, former = env["loyalty.program"].with_context(
                default_program_type="loyalty"
            ).create(
                [{"name": name, "program_type": "loyalty", "applies_on": "both",
                  "trigger": "auto", "company_id": company.id} for name in ("Club", "Former")]
            )
            club.write(
                {"lifecycle_stage_ids": [Command.set(stage.ids)], "lifecycle_auto_card": True,
                 "lifecycle_welcome_points": 7}
            )
            # quotations apply the first only
            former.write(
                {"lifecycle_expiry_months": 6, "lifecycle_notice_days": 0,
                 "lifecycle_reminder": "none", "sale_ok": False}
            )
            partners = env["res.partner"].create(
                [{"name": f"Card {number:02}"} for number in range(customers)]
            )
            env["lifecycle.profile"].create(
                [{"partner_id": partner.id, "company_id": company.id, "stage_id": stage.id,
                  "currency_id": company.currency_id.id} for partner in partners]
            )
            env["loyalty.card"].create(
                [{"partner_id": partner.id, "program_id": former.id} for partner in partners]
            )
            return [club.id, former.id]

    def run_loyalty(self, passes, kill_at=None, kill_word=None, unlocked=False):
        """Run the scheduled action for cards and points some times; die if told so."""
        import odoo.addons.customer_lifecycle.models.loyalty.loyalty_expiry as expiry
        import odoo.addons.customer_lifecycle.models.loyalty.loyalty_member as member

        member.BATCH = expiry.BATCH = expiry.DATED = 5
        counts = self._count(kill_at, kill_word)
        for _pass in range(passes):
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                if unlocked:
                    env["lifecycle.loyalty.member"]._cron_loyalty()
                else:
                    env.ref(
                        "customer_lifecycle.ir_cron_lifecycle_loyalty"
                    ).method_direct_trigger()
        return dict(counts)

    def buy_with_cards(self):
        """Confirm an order of every customer, as users do who are told to try again."""
        with self.registry.cursor() as cursor:
            partners = self.env(cursor)["res.partner"].search([("name", "like", "Card %")]).ids
        for partner_id in partners:
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                partner = env["res.partner"].browse(partner_id)
                retrying(
                    functools.partial(self._quote_and_confirm, env, partner), env
                )

    def _quote_and_confirm(self, env, partner):
        order = env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create(
                        {"product_id": env["product.product"].search([], limit=1).id,
                         "price_unit": 10, "tax_ids": False}
                    )
                ],
            }
        )
        order._update_programs_and_rewards()
        time.sleep(0.01)
        order.action_confirm()
