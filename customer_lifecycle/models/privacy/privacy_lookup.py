"""Odoo's privacy lookup finds what this app keeps of a person, and can have it forgotten.

The lookup (app *Privacy*) may not be installed: its wizard is extended when the registry is
loaded, as automation rules extend the models that they watch.
"""

from odoo import api, models
from odoo.tools import SQL, email_normalize

WIZARD = "privacy.lookup.wizard"
LINE = "privacy.lookup.wizard.line"


class LifecyclePrivacyLookup(models.AbstractModel):
    _name = "lifecycle.privacy.lookup"
    _description = "What Odoo's Privacy Lookup Finds of the Customer Lifecycle"

    def _register_hook(self):
        super()._register_hook()
        registry = self.env.registry
        if WIZARD not in registry or hasattr(registry[WIZARD]._get_query, "origin"):
            return
        _extend(registry[WIZARD], "_get_query_models_blacklist", _without_ours)
        _extend(registry[WIZARD], "_get_query", _with_ours)
        _extend(registry[LINE], "action_unlink", _forget)

    @api.model
    def _unregister_hook(self):
        for name, methods in (
            (WIZARD, ("_get_query_models_blacklist", "_get_query")),
            (LINE, ("action_unlink",)),
        ):
            model = self.env.registry.get(name)
            for method in methods if model is not None else ():
                if hasattr(getattr(model, method), "origin"):
                    delattr(model, method)
        return super()._unregister_hook()

    @api.model
    def _found_sql(self, name, email):
        """SELECT of our records of a person, with the columns of the lookup."""
        privacy = self.env["lifecycle.privacy"]
        people = SQL(
            "SELECT id FROM res_partner WHERE id = ANY(%s) OR name ILIKE %s",
            # by any of the addresses in a contact's field
            self.env["lifecycle.opt.out"]._owners([email]).ids,
            name,
        )
        selects = [
            self._select_sql(model, privacy._rows_sql(model, people))
            for model in sorted(privacy._personal_models())
        ]
        entries = SQL(
            """SELECT id FROM lifecycle_audience_entry
                WHERE email_hash = encode(sha256(convert_to(%s, 'UTF8')), 'hex')""",
            email,
        )
        selects.append(self._select_sql("lifecycle.audience.entry", entries))
        refusals = SQL("SELECT id FROM lifecycle_opt_out WHERE email = %s", email)
        selects.append(self._select_sql("lifecycle.opt.out", refusals))
        # a person is found by his address and by his name
        return SQL(
            "SELECT DISTINCT res_model_id, res_id, is_active FROM (%s) ours",
            SQL(" UNION ALL ").join(selects),
        )

    @api.model
    def _select_sql(self, name, rows):
        model = self.env[name]
        return SQL(
            "SELECT %s AS res_model_id, id AS res_id, %s AS is_active FROM %s WHERE id IN (%s)",
            self.env["ir.model"]._get_id(name),
            SQL("active") if "active" in model._fields else SQL("TRUE"),
            SQL.identifier(model._table),
            rows,
        )


def _extend(model, name, method):
    method.origin = getattr(model, name)
    setattr(model, name, method)


def _without_ours(wizard):
    """Models that the lookup need not look at by itself."""
    ours = wizard.env["lifecycle.privacy"].sudo()._personal_models()
    return [*_without_ours.origin(wizard), *ours]


def _with_ours(wizard):
    ours = wizard.env["lifecycle.privacy.lookup"].sudo()._found_sql(
        wizard.name.strip(), email_normalize(wizard.email.strip())
    )
    return SQL("%s UNION ALL %s", _with_ours.origin(wizard), ours)


def _forget(line):
    """Deleting a record of ours: what guards and sums are made of stays, without its words."""
    privacy = line.env["lifecycle.privacy"].sudo()
    if line.is_unlinked or not privacy._stays(line.res_model):
        return _forget.origin(line)
    # the wizard is for administrators, and deletes as superuser itself
    privacy._forget(line.res_model, [line.res_id])
    line.execution_details = line.env._(
        "Anonymised %(model)s #%(id)s", model=line.res_model_id.name, id=line.res_id
    )
    line.is_unlinked = True
