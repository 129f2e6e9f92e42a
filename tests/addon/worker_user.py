"""A user who saves while runs go on; tasks of worker.py."""

import functools
import random
import time

from odoo import Command, fields
from odoo.service.model import retrying


class UserTasks:
    """Saves what users save."""

    def user(self, seed, saves, partner_ids):
        """Save what users save; nothing is tried again, except merging and deleting.

        :return: number of saves of each kind
        """
        chance = random.Random(seed)
        done = {}
        for _save in range(saves):
            kind = chance.choice(
                ["phone", "order", "order", "cancel", "line", "import", "contact", "parent",
                 "exclude", "merge", "delete"]
            )
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                partners = env["res.partner"].browse(partner_ids).exists()
                save = getattr(self, f"_save_{kind}")
                if kind in ("merge", "delete"):
                    # Odoo itself tries these again when anybody else has changed the contact
                    retrying(functools.partial(save, env, chance, partners), env)
                else:
                    save(env, chance, partners)
                    # a user thinks; meanwhile the refresh goes on with what it has seen
                    time.sleep(chance.choice([0, 0.005, 0.03]))
            done[kind] = done.get(kind, 0) + 1
        return done

    def _save_phone(self, env, chance, partners):
        chance.choice(partners).phone = f"+32 {chance.randint(1, 10**6)}"

    def _save_order(self, env, chance, partners):
        partner = chance.choice(partners)
        order = env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": env["product.product"].search([], limit=1).id,
                            "price_unit": chance.randint(1, 500),
                            "tax_ids": False,
                        }
                    )
                ],
            }
        )
        order.action_confirm()

    def _order(self, env, chance, partners):
        # the user's own customers: two users at one order conflict without any computation
        orders = env["sale.order"].search(
            [("state", "=", "sale"), ("partner_id", "in", partners.ids)]
        )
        return chance.choice(orders) if orders else orders

    def _save_cancel(self, env, chance, partners):
        self._order(env, chance, partners)._action_cancel()

    def _save_line(self, env, chance, partners):
        self._order(env, chance, partners).order_line.price_unit = chance.randint(1, 500)

    def _save_import(self, env, chance, partners):
        env["lifecycle.external.purchase"].create(
            {"partner_id": chance.choice(partners).id, "amount": chance.randint(-50, 500),
             "date": fields.Date.today()}
        )

    def _save_contact(self, env, chance, partners):
        parent = chance.choice(partners.commercial_partner_id)
        env["res.partner"].create({"name": "New", "email": "n@example.com",
                                   "parent_id": parent.id})

    def _save_parent(self, env, chance, partners):
        partner, parent = chance.choice(partners), chance.choice(partners)
        if parent.commercial_partner_id != partner and not partner.child_ids:
            partner.parent_id = parent.commercial_partner_id

    def _save_exclude(self, env, chance, partners):
        partner = chance.choice(partners)
        partner.lifecycle_exclude = not partner.lifecycle_exclude

    def _save_merge(self, env, chance, partners):
        one, two = chance.sample(partners.ids, 2)
        pair = partners.browse([one, two])
        if not pair.parent_id and not pair.child_ids:
            wizard = env["base.partner.merge.automatic.wizard"].create({})
            wizard._merge(pair.ids, pair[0])

    def _save_delete(self, env, chance, partners):
        partner = env["res.partner"].create({"name": "Short-lived", "email": "s@example.com"})
        env["crm.lead"].create({"name": "L", "partner_id": partner.id}).unlink()
        doomed = env["res.partner"].search([("name", "=", "Doomed")], limit=1)
        env["crm.lead"].search([("partner_id", "=", doomed.id)]).unlink()
        doomed.unlink()
