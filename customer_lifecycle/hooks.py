from odoo.tools import SQL


def post_init_hook(env):
    """Leave out who is no customer by nature, and order the first computation.

    Public users, internal users' contacts and the database's own companies start excluded;
    people may change each of these flags afterwards, nothing presets them a second time.
    """
    env["res.partner"]._lifecycle_preset_exclusion()
    env.ref("customer_lifecycle.ir_cron_lifecycle_nightly")._trigger()


def uninstall_hook(env):
    """Remove what lives outside the models that Odoo drops by itself."""
    env["lifecycle.vip.benefit"]._take_back()
    env["lifecycle.journey"]._drop_indexes()
    env.cr.execute("DROP INDEX IF EXISTS sale_order_line_lifecycle_delivery_idx")
    places = env["lifecycle.vip.place"]
    places._take_away(places._given_fields())
    env.cr.execute(
        SQL("DELETE FROM ir_config_parameter WHERE key LIKE %s", "customer_lifecycle.%")
    )
    # Odoo forgets the foreign keys of fields that an app added to other apps' models
    env["ir.model.constraint"].search(
        [("module.name", "=", "customer_lifecycle"), ("type", "=", "f")]
    ).unlink()
    # Odoo lets each app that extends a mixin name the models that inherit it, and keeps the names
    env.cr.execute(
        SQL(
            "DELETE FROM ir_model_data WHERE model = 'ir.model.inherit' AND name LIKE %s "
            "AND module != 'customer_lifecycle'",
            "model_inherit__lifecycle_%",
        )
    )
