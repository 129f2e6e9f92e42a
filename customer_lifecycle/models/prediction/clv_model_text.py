"""A fitted model in plain words: rhythm, loss, how forecasts are mixed, value of an order.

In: the parameters of a stored fit. Out: a list of sentences in the reader's language, empty where
there was not enough data. Shown on the form of the lifetime value model.
"""

from odoo import api, fields, models

from ... import kernel

#: what the kernel's candidate forecasts of orders are, in plain words
FORECAST_KINDS = {
    "model_k": "model",
    "model_k1": "model",
    # of fits that are kept from before expected orders were means
    "likely": "model",
    "past": "past",
    "past_rate": "past",
    "recent": "recent",
    "same_as_last_period": "recent",
}
#: groups of customers that the learnt factor is told for: at most so many, from so many percent on
TOLD, LEAST_TOLD = 4, 1.5


class LifecycleClvModel(models.Model):
    _inherit = "lifecycle.clv.model"

    reading = fields.Html(
        string="In Plain Words",
        compute="_compute_reading",
        sanitize=False,
        help="What the fitted parameters say about the company's customers.",
    )

    @api.depends_context("lang")
    @api.depends("parameters", "k", "weights", "value_model", "sufficient", "data")
    def _compute_reading(self):
        for model in self:
            lines = model._reading_lines()
            model.reading = lines and self.env["ir.qweb"]._render(
                "customer_lifecycle.clv_model_reading",
                {"lines": lines},
                minimal_qcontext=True,
                raise_if_not_found=True,
            )

    def _reading_lines(self):
        """Sentences on rhythm, loss and forecast.

        None where nothing was fitted, or where the figures are assumptions more than data.
        """
        self.ensure_one()
        parameters = self.parameters or {}
        if not parameters or not self.sufficient:
            return []
        lines = self._rhythm_lines(parameters) + self._loss_lines(parameters)
        return lines + self._weight_lines() + self._factor_lines() + self._value_lines()

    def _rhythm_lines(self, parameters):
        rate, spread = parameters.get("r"), parameters.get("alpha")
        if not rate or not spread:
            return []
        # k phases make an order; the gamma mean r / alpha is phases a day
        gap = self.k * spread / rate
        lines = [
            self.env._(
                "While they are customers, people order every %s days on average.",
                max(1, round(gap)),
            )
        ]
        if rate < 1:
            lines.append(
                self.env._("Customers differ very much in how often they order (r below 1).")
            )
        else:
            lines.append(self.env._("Customers differ moderately in how often they order."))
        if self.k > 1:
            lines.append(
                self.env._(
                    "They order more regularly than by chance (regularity %(k)s; 1 is chance).",
                    k=self.k,
                )
            )
        return lines

    def _loss_lines(self, parameters):
        lost, kept = parameters.get("a"), parameters.get("b")
        if not lost or not kept:
            return []
        share = 100 * lost / (lost + kept)
        if share < 1:
            return [self.env._("After an order, fewer than 1 in 100 of them leave for good.")]
        return [
            self.env._(
                "After an order, about %(share)s in 100 of them leave for good.",
                share=round(share),
            )
        ]

    def _weight_lines(self):
        labels = {
            "model": self.env._("the fitted model"),
            "past": self.env._("each customer's own past rate"),
            "recent": self.env._("the same again as in the last period"),
            "other": self.env._("other simple rules"),
        }
        shares = dict.fromkeys(labels, 0.0)
        for name, weight in (self.weights or {}).items():
            fitted = "model" if name in kernel.registered_estimators() else "other"
            shares[FORECAST_KINDS.get(name, fitted)] += weight
        parts = [
            self.env._("%(share)s %% %(method)s", share=round(100 * share), method=labels[kind])
            for kind, share in sorted(shares.items(), key=lambda pair: -pair[1])
            if share >= 0.005
        ]
        return parts and [self.env._("Forecasts are mixed from %s.", ", ".join(parts))]

    def _factor_lines(self):
        """What earlier periods taught of single customers: of whom more is expected, or less."""
        factor = (self.data or {}).get("learnt", {}).get("factor")
        if not factor:
            return []
        if not factor["trust"]:
            return [
                self.env._(
                    "What earlier periods say of single customers did not make the back-test "
                    "better, so it is left out."
                )
            ]
        groups = {
            ("pace_change", "high"): self.env._("customers who order faster lately than before"),
            ("pace_change", "low"): self.env._("customers who order slower lately than before"),
            ("silence", "high"): self.env._("customers who have not ordered for long"),
            ("silence", "low"): self.env._("customers who ordered a short time ago"),
            ("age", "high"): self.env._("customers of many years"),
            ("age", "low"): self.env._("new customers"),
            ("value", "high"): self.env._("customers with large orders"),
            ("value", "low"): self.env._("customers with small orders"),
            ("orders", "high"): self.env._("customers with many orders"),
            ("orders", "low"): self.env._("customers with few orders"),
        }
        lines = [
            self.env._(
                "Earlier periods taught what the methods miss in single customers; that counts "
                "for %s %%.",
                round(100 * factor["share"] * factor["trust"]),
            )
        ]
        for name, side, percent in factor["told"]:
            who = groups.get((name, side))
            if not who or abs(percent) < LEAST_TOLD or len(lines) > TOLD:
                continue
            values = {"who": who, "percent": round(abs(percent))}
            lines.append(
                self.env._("%(percent)s %% more orders are expected of %(who)s.", **values)
                if percent > 0
                else self.env._("%(percent)s %% fewer orders are expected of %(who)s.", **values)
            )
        # nobody's forecast is moved by what is worth a word
        return lines if len(lines) > 1 else []

    def _value_lines(self):
        about = self.value_model or {}
        if about.get("method") == "gamma_gamma":
            return [
                self.env._(
                    "The value of an order is the customer's own mean, drawn towards everybody's "
                    "the fewer orders there are (Gamma-Gamma model)."
                )
            ]
        if about.get("method") != "shrunken_mean":
            return []
        if about.get("repeat_buyers", 0) < kernel.LEAST_FOR_GAMMA_GAMMA:
            return [
                self.env._(
                    "The value of an order is the customer's own mean, drawn towards everybody's: "
                    "fewer than %s customers bought again, too few for the Gamma-Gamma model.",
                    kernel.LEAST_FOR_GAMMA_GAMMA,
                )
            ]
        return [
            self.env._(
                "The value of an order is the customer's own mean, drawn towards everybody's: "
                "whoever orders often spends differently each time, for which the Gamma-Gamma "
                "model does not allow."
            )
        ]
