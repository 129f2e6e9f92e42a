from odoo import fields
from odoo.tools import SQL


class ProfileMany2one(fields.Many2one):
    """Link from a contact to its customer's profile in the current company, without a column.

    SQL reaches the profile through one LEFT JOIN on (commercial partner, company), which is what
    makes fields related over it searchable, sortable, groupable and summable. The join carries
    the reader's own record rules even where the ORM follows the link as superuser, as it does
    for related fields.
    """

    def join(self, model, alias, query):
        profiles = model.env["lifecycle.profile"].sudo(False)
        coalias = query.make_alias(alias, self.name)
        query.add_join(
            "LEFT JOIN",
            coalias,
            profiles._table,
            SQL(
                "%s = %s AND %s = %s AND %s AND %s",
                SQL.identifier(coalias, "partner_id"),
                SQL.identifier(alias, "commercial_partner_id"),
                SQL.identifier(coalias, "company_id"),
                model.env.company.id,
                SQL.identifier(coalias, "active"),
                self._readable_sql(profiles, coalias),
            ),
        )
        return model.env["lifecycle.profile"], coalias

    def _readable_sql(self, profiles, alias):
        """Condition on a joined profile that the user may read it."""
        if profiles.env.su:
            return SQL("TRUE")
        if not profiles.has_access("read"):
            return SQL("FALSE")
        rules = profiles.env["ir.rule"]._compute_domain(profiles._name, "read")
        rules = rules.optimize_full(profiles.sudo())
        # the company is fixed by the join; rules over other models need a query of their own
        plain = all(
            condition.field_expr == "company_id" for condition in rules.iter_conditions()
        )
        if plain:
            return SQL("TRUE")
        readable = profiles.sudo().with_context(active_test=False)._search(rules)
        return SQL("%s IN %s", SQL.identifier(alias, "id"), readable.subselect())
