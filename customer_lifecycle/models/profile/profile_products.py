"""Which products a customer has bought, as a field that rules and filters can ask for.

In: the products on purchases that the store keeps. Out: “has bought”, “has not bought”, with any
condition on product, category, day, quantity, amount and source; evaluated in SQL for all at once,
with the rights of who asks.
"""

from odoo import api, models
from odoo.fields import Domain

from ...tools.fields import AskedOne2many, is_counted
from .asked_words import asked_words
from .bought import has_bought


class LifecycleProfile(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    bought_item_ids = AskedOne2many(
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
            return ~self._has_bought(items, Domain.TRUE)
        if operator == "in":
            return self._has_bought(items, Domain("id", "in", value))
        if operator == "any!":
            return self._has_bought(items.sudo(), Domain(value))
        if operator == "any":
            return self._has_bought(items, Domain(value))
        return NotImplemented

    @api.model
    def _has_bought(self, items, domain):
        return has_bought(items, domain, self._lifecycle_today())

    def _asked_words(self, condition):
        """What a condition of a rule asks of purchases or touchpoints, with what was found.

        :return: a sentence; None for a condition on something else
        """
        self.ensure_one()
        name, operator, value = condition.field_expr, condition.operator, condition.value
        if name != "bought_item_ids" or operator not in ("any", "not any"):
            return None
        items = self.env["lifecycle.purchase.item"]
        words = asked_words(items, value)
        asked = (
            self.env._("Has bought %s", words)
            if operator == "any"
            else self.env._("Has not bought %s", words)
        )
        plain = Domain(value).map_conditions(
            lambda each: Domain.TRUE if is_counted(items, each) else each
        )
        ((days, last),) = items._read_group(
            plain
            & Domain("partner_id", "=", self.partner_id.id)
            & Domain("company_id", "=", self.company_id.id)
            & Domain("day", "<=", self._lifecycle_today()),
            aggregates=["day:count_distinct", "day:max"],
        )
        if not days:
            return asked
        return self.env._(
            "%(asked)s (%(days)s days with such a purchase, the last on %(date)s)",
            asked=asked,
            days=days,
            date=self._date(last),
        )
