"""What a company's past has taught of what customers buy next, and how good it is.

In: what the kernel has learnt and tried. Out: the stored model, its rates beside simple ways, and
whether a new one is due. Written weekly; read by the refresh of single customers and by managers.
"""

from odoo import api, fields, models
from odoo.tools.misc import format_date

from ...kernel.next_product import AGAIN_FEATURES, ALIKE_FEATURES, DEFAULT, Weights

#: a model older than this is renewed by the next nightly run
LEARN_DAYS = 7
#: models of which one is kept each
KEPT = 53


class LifecycleProductModel(models.Model):
    """One look at all that a company's customers have bought."""

    _name = "lifecycle.product.model"
    _description = "Model of Next Products"
    _order = "id desc"

    company_id = fields.Many2one(
        "res.company", required=True, ondelete="cascade", index=True, readonly=True
    )
    as_of = fields.Date(string="Data Until", required=True, readonly=True)
    horizon = fields.Integer(
        string="Horizon (days)",
        readonly=True,
        aggregator=None,
        help="Chances are those to buy within so many days: the usual time from one visit of a "
        "customer to the next.",
    )
    gap = fields.Float(
        string="Days Between",
        readonly=True,
        aggregator=None,
        digits=(12, 1),
        help="Usual time after which a customer buys the same product again.",
    )
    customer_count = fields.Integer(string="Customers", readonly=True, aggregator=None)
    product_count = fields.Integer(string="Products", readonly=True, aggregator=None)
    pair_count = fields.Integer(
        string="Products after Others",
        readonly=True,
        aggregator=None,
        help="Pairs of products of which one is bought after the other more than by chance.",
    )
    weights = fields.Json(readonly=True)
    tried_from = fields.Date(readonly=True)
    tried_count = fields.Integer(
        string="Customers Tried",
        readonly=True,
        aggregator=None,
        help="Customers with purchases before the day of the back-test and after it.",
    )
    hit_rate = fields.Float(
        string="Suggested",
        readonly=True,
        aggregator=None,
        help="Share of the customers who bought one of the five products suggested, within the "
        "horizon.",
    )
    own_hit_rate = fields.Float(
        string="Bought Most Often by Himself",
        readonly=True,
        aggregator=None,
    )
    popular_hit_rate = fields.Float(
        string="Bought Most Lately by All", readonly=True, aggregator=None
    )
    cosine_hit_rate = fields.Float(
        string="Bought by the Same Customers",
        readonly=True,
        aggregator=None,
        help="Item-item cosine, with or without what he has already: whichever is better.",
    )
    recall = fields.Float(
        string="Share Suggested",
        readonly=True,
        aggregator=None,
        help="Mean share of the products bought within the horizon that were among the five.",
    )
    own_recall = fields.Float(readonly=True, aggregator=None)
    popular_recall = fields.Float(readonly=True, aggregator=None)
    cosine_recall = fields.Float(readonly=True, aggregator=None)

    @api.depends_context("lang")
    @api.depends("as_of", "company_id")
    def _compute_display_name(self):
        for model in self:
            model.display_name = self.env._(
                "%(company)s, %(date)s",
                company=model.company_id.name,
                date=format_date(self.env, model.as_of, date_format="medium"),
            )

    def action_view_pairs(self):
        """Open what is bought after what, as it was learnt last."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Products after Others"),
            "res_model": "lifecycle.product.pair",
            "view_mode": "list",
            "domain": [
                ("company_id", "=", self.company_id.id),
                ("demand", "=", 0),
            ],
        }

    @api.model
    def _current(self, company):
        """Newest model of a company; empty before the first."""
        return self.sudo().search([("company_id", "=", company.id)], order="id desc", limit=1)

    def _is_due(self, day):
        """Whether a new one is to be learnt: none, a week old, or not of this version."""
        return (
            not self
            or abs((day - self.as_of).days) >= LEARN_DAYS
            or len(self.weights["again"]) != len(AGAIN_FEATURES)
            or len(self.weights["alike"]) != len(ALIKE_FEATURES)
        )

    def _weights(self):
        """The weights, for the kernel."""
        stored = self.weights
        if self._is_due(self.as_of):
            # of another version, until the next night
            return DEFAULT
        return Weights(*(DEFAULT.again * 0 + stored["again"], DEFAULT.alike * 0 + stored["alike"]))

    @api.model
    def _store(self, company, day, knowledge, weights, backtest, counts):
        """Keep what the kernel has learnt.

        :param backtest: of the kernel, or None where too few could be tried
        :param counts: numbers of customers and products
        """
        values = {
            "company_id": company.id,
            "as_of": day,
            "horizon": knowledge.horizon,
            "gap": knowledge.gap,
            "customer_count": counts[0],
            "product_count": counts[1],
            "pair_count": int((knowledge.pairs.product != knowledge.pairs.following).sum()),
            "weights": {
                name: [float(weight) for weight in getattr(weights, name)]
                for name in weights._fields
            },
        }
        if backtest:
            methods = dict(backtest["methods"])
            methods["cosine"] = max(
                methods["cosine"], methods.pop("cosine_new"), key=lambda rates: rates["hit"]
            )
            values.update(
                tried_from=fields.Date.subtract(day, days=backtest["horizon"]),
                tried_count=backtest["customers"],
            )
            for name, rates in methods.items():
                prefix = "" if name == "product" else f"{name}_"
                values[f"{prefix}hit_rate"] = rates["hit"]
                values[f"{prefix}recall"] = rates["recall"]
        self.search([("company_id", "=", company.id)], order="id desc", offset=KEPT - 1).unlink()
        return self.create(values)
