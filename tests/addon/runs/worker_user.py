"""A user who saves while runs go on; tasks of worker.py."""

import functools
import random
import threading
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

    def drag(self, kind):
        """Move a customer by hand whom a computation has just moved, in two connections.

        :param kind: "stage" or "tier"
        :return: what both left: the customer's state, and (number, cause) of his history
        """
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            profile, ours, theirs = self._drag_states(env, kind)
            cursor.commit()
            self._move_as_computed(env, kind, profile, theirs)
            problems = []
            user = threading.Thread(
                target=self._drag, args=(kind, profile.id, ours.id, problems)
            )
            user.start()
            # the user has come as far as he can
            time.sleep(1)
            cursor.commit()
            user.join()
            cursor.execute(
                "SELECT number, cause FROM lifecycle_transition "
                "WHERE profile_id = %s AND kind = %s ORDER BY number DESC LIMIT 2",
                [profile.id, kind],
            )
            history = cursor.fetchall()
            env.invalidate_all()
            name = "stage_id" if kind == "stage" else "vip_tier_id"
            return {
                "problems": problems,
                "moved": profile[name] == ours,
                "history": history,
            }

    def _drag_states(self, env, kind):
        """A customer, the state the user wants for him, and the one of the computation."""
        profile = env["lifecycle.profile"].search([("stage_id", "!=", False)], limit=1)
        company = profile.company_id
        env.ref("base.user_admin").write(
            {"company_id": company.id, "company_ids": [Command.set(company.ids)]}
        )
        if kind == "stage":
            ours, theirs = (env["lifecycle.stage"].search([]) - profile.stage_id)[:2]
        else:
            ours, theirs = env["lifecycle.vip.tier"].create(
                [{"name": name, "rank": 70 + rank, "company_id": profile.company_id.id,
                  "entry": 10**7 + rank, "keep": 10**7}
                 for rank, name in enumerate(("Ours", "Theirs"))]
            )
        return profile, ours, theirs

    def _move_as_computed(self, env, kind, profile, state):
        name = "stage_id" if kind == "stage" else "vip_tier_id"
        env.cr.execute(
            f"CREATE TEMPORARY TABLE lifecycle_moves AS SELECT id, {name} AS from_id, "
            "%s AS to_id, CURRENT_DATE AS date, CURRENT_DATE AS since, '{}'::jsonb AS why "
            "FROM lifecycle_profile WHERE id = %s",
            [state.id, profile.id],
        )
        env.cr.execute(
            f"UPDATE lifecycle_profile SET {name} = %s WHERE id = %s", [state.id, profile.id]
        )
        # once Odoo is there
        from odoo.addons.customer_lifecycle.models.rules import moves

        moves.record(env, kind, "edit")

    def _drag(self, kind, profile_id, state_id, problems):
        name = "stage_id" if kind == "stage" else "vip_tier_id"
        try:
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                profile = env["lifecycle.profile"].browse(profile_id)
                profile = profile.with_user(env.ref("base.user_admin")).with_company(
                    profile.company_id
                )
                retrying(functools.partial(profile.write, {name: state_id}), profile.env)
        except Exception as error:
            problems.append(str(error))

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
