"""Uninstalling the addon; tasks of worker.py."""

import random

from odoo import Command
from odoo.modules.registry import Registry


class UninstallTasks:
    """Uninstalls the addon after it has given things to customers."""

    def uninstall(self):
        """Uninstall the addon as a user does; return what Odoo can do afterwards."""
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            given = self._give_pricelists(env)
            card_id = self._give_card(env)
            env["ir.ui.view"].create(
                [
                    {"name": tag, "model": "res.partner", "arch": f"<{tag}/>"}
                    for tag in ("journey_map", "lifecycle_cohort")
                ]
            )
            cursor.commit()
            env.ref("base.module_customer_lifecycle").button_immediate_uninstall()
        registry = Registry(self.database)
        patched = [
            f"{name}.{method}"
            for name, model_class in registry.items()
            for method, value in vars(model_class).items()
            if getattr(value, "lifecycle_watch", False)
        ]
        with registry.cursor() as cursor:
            env = self.env(cursor)
            views = [(False, "form"), (False, "list"), (False, "search")]
            form = env["res.partner"].get_views(views)
            partner = env["res.partner"].search([("name", "=", "Customer 01")], limit=1)
            shown = list(form["models"]["res.partner"]["fields"])
            read = partner.read([name for name in shown if name in partner._fields])
            self._save_order(env, random.Random(1), partner)
            partner.phone = "+32 1"
            cursor.commit()
            models = [name for name in registry if name.startswith("lifecycle.")]
            untyped = env["ir.ui.view"].search([("type", "=", False)]).mapped("name")
            pricelists = [
                env["res.partner"].browse(partner_id).with_company(company_id)
                .specific_property_product_pricelist.name
                for partner_id, company_id in given
            ]
            card = env["loyalty.card"].browse(card_id)
            cards = [
                card.points,
                card.history_ids.sorted("id").mapped("description"),
                card.history_ids.sorted("id").mapped(lambda line: [line.issued, line.used]),
                card.program_id.active,
            ]
        return {
            "cards": cards,
            "pricelists": pricelists,
            "patched": patched,
            "models": models,
            "untyped": untyped,
            "read": len(read),
            "fields": shown,
        }

    def _give_card(self, env):
        """A card with lines of this addon's making, of a program with conditions."""
        program = env["loyalty.program"].with_context(default_program_type="loyalty").create(
            {"name": "Kept", "program_type": "loyalty", "applies_on": "both", "trigger": "auto",
             "lifecycle_welcome_points": 30, "lifecycle_expiry_months": 6,
             "lifecycle_stage_ids": [Command.set(env["lifecycle.stage"].search([]).ids)]}
        )
        partner = env["res.partner"].search([("name", "=", "Customer 01")], limit=1)
        card = env["loyalty.card"].create({"program_id": program.id, "partner_id": partner.id})
        card._lifecycle_add_points(12, lambda one: "Thank you", lifecycle_kind="credited")
        return card.id

    def _give_pricelists(self, env):
        """Two customers with a pricelist: one that the addon gave, and one that a person chose."""
        ours, theirs = env["product.pricelist"].create([{"name": "Ours"}, {"name": "Theirs"}])
        given = []
        for profile, chosen in zip(
            env["lifecycle.profile"].search([], limit=2), (ours, theirs), strict=True
        ):
            profile.vip_pricelist_id = ours
            partner = profile.partner_id.with_company(profile.company_id)
            partner.specific_property_product_pricelist = chosen
            given.append((partner.id, profile.company_id.id))
        return given
