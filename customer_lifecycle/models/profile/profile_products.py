"""Which products a customer has bought, as a field that rules and filters can ask for.

In: the products on purchases that the store keeps. Out: “has bought”, “has not bought”, with any
condition on product, category, day, quantity, amount and source; evaluated in SQL for all at once,
with the rights of who asks.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class LifecycleProfile(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    bought_item_ids = fields.One2many(
        "lifecycle.purchase.item",
        string="Products",
        compute="_compute_bought_item_ids",
        search="_search_bought_item_ids",
        help="Products on purchases, net of what came back: for rules like “has bought this "
        "machine, and no coffee in the last 60 days”.",
    )

    @api.depends("partner_id", "company_id")
    def _compute_bought_item_ids(self):
        items = self.env["lifecycle.purchase.item"].search(
            Domain("partner_id", "in", self.partner_id.ids)
            & Domain("company_id", "in", self.company_id.ids)
        )
        bought = items.grouped(lambda item: (item.partner_id, item.company_id))
        for profile in self:
            profile.bought_item_ids = bought.get(
                (profile.partner_id, profile.company_id), self.env["lifecycle.purchase.item"]
            )

    def _search_bought_item_ids(self, operator, value):
        items = self.env["lifecycle.purchase.item"]
        if operator == "in" and set(value) == {False}:
            return ~self._bought(items, Domain.TRUE)
        if operator == "in":
            return self._bought(items, Domain("id", "in", value))
        if operator == "any!":
            return self._bought(items.sudo(), Domain(value))
        if operator == "any":
            return self._bought(items, Domain(value))
        return NotImplemented

    @api.model
    def _bought(self, items, domain):
        """Domain of the profiles whose customers have bought some of the items of a domain.

        :param items: the model, with the rights that count
        """

        today = self._lifecycle_today()

        def to_sql(_model, alias, _query):
            found = items._search(domain)
            # a day of its own for each row when the past is replayed
            found.add_where(SQL("%s <= %s", SQL.identifier(found.table, "day"), today))
            for name in ("partner_id", "company_id"):
                found.add_where(
                    SQL("%s = %s", SQL.identifier(found.table, name), SQL.identifier(alias, name))
                )
            return SQL("EXISTS (%s)", found.select(SQL("1")))

        def predicate(profile):
            wanted = (
                Domain("partner_id", "=", profile.partner_id.id)
                & Domain("company_id", "=", profile.company_id.id)
                & Domain("day", "<=", today)
            )
            return bool(items.search_count(domain & wanted, limit=1))

        return Domain.custom(to_sql=to_sql, predicate=predicate)
