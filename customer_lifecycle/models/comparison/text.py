"""What the form of a comparison shows: a sentence, notes, a table and a chart.

In: the stored result. Out: computed fields in the reader's language and way of writing numbers,
and whether the result still answers what is asked. Nothing is measured here.
"""

from odoo import api, fields, models
from odoo.tools.misc import format_date, formatLang

from ...kernel.comparison import Figure
from ...kernel.uplift import ENOUGH

TONES = {
    "more": "success", "less": "danger", "none": "info", "few": "warning", "open": "info",
}
#: figures whose values are shares, and those that are amounts
SHARES, AMOUNTS = ("ordered", "lost"), ("revenue", "basket")


class LifecycleComparison(models.Model):
    """The figures in words, as a table and as a chart."""

    # a file for each subject of this large model
    _inherit = "lifecycle.comparison"  # pylint: disable=consider-merging-classes-inherited

    verdict = fields.Char(compute="_compute_verdict")
    result_html = fields.Html(
        string="Figures", compute="_compute_result_html", sanitize=False
    )
    chart = fields.Json(compute="_compute_chart")
    is_stale = fields.Boolean(compute="_compute_is_stale")
    compared_count = fields.Integer(compute="_compute_counts")
    left_out_count = fields.Integer(compute="_compute_counts")
    waiting_count = fields.Integer(compute="_compute_counts")
    has_control_group = fields.Boolean(compute="_compute_has_control_group")

    def _is_of_date(self):
        """Whether the result is of a date for everybody, whatever is asked since."""
        return bool(self.result) and self.result["asked"][0] == "date"

    @api.depends("result")
    def _compute_counts(self):
        for comparison in self:
            result = comparison.result or {}
            is_date = comparison._is_of_date()
            comparison.compared_count = not is_date and result.get("compared", 0)
            comparison.left_out_count = result.get("new", 0) + result.get("alone", 0)
            comparison.waiting_count = not is_date and result.get("waiting", 0)

    @api.depends(
        "result", "event", "program_id", "tier_id", "segment_id", "stage_id", "workflow_id",
        "event_date", "date_from", "date_to", "window_days", "domain", "company_id",
    )
    def _compute_is_stale(self):
        for comparison in self:
            comparison.is_stale = bool(comparison.result) and (
                comparison.result["asked"] != comparison._asked()
            )

    @api.depends("workflow_id", "event")
    def _compute_has_control_group(self):
        for comparison in self:
            workflow = comparison.workflow_id.sudo() if comparison.event == "workflow" else False
            comparison.has_control_group = bool(workflow) and workflow.control_count > 0

    # ----- IN WORDS -----

    def _figures(self):
        """Dict name → ``Figure`` of the result, or of members alone; empty where there is none."""
        figures, own = self.result["figures"], self.result.get("own", {})
        if not figures and any(own.get("orders", ())):
            figures = own
        return {
            name: Figure(*values, *[None] * (len(Figure._fields) - len(values)))
            for name, values in figures.items()
        }

    def _percent(self, value, sign=False):
        """A percentage in the reader's way of writing, without a sign of minus nothing."""
        text = formatLang(self.env, abs(value), digits=0 if abs(value) >= 9.5 else 1)
        if sign and text.strip("0.,"):
            text = f"{'+' if value > 0 else '−'}{text}"
        return self.env._("%s %%", text)

    def _money(self, value):
        text = formatLang(self.env, abs(value), currency_obj=self.currency_id)
        return f"−{text}" if value < 0 and not self.currency_id.is_zero(value) else text

    @api.depends("result", "outcome")
    @api.depends_context("lang")
    def _compute_verdict(self):
        for comparison in self:
            comparison.verdict = comparison.result and comparison._verdict()

    def _verdict(self):
        """What the figures prove, in one sentence."""
        if self.outcome == "open":
            return self._verdict_date()
        if self.outcome == "few":
            return self._verdict_few()
        figure = self._figures()["revenue"]
        if figure.percent is None:
            low, high = self._money(figure.low), self._money(figure.high)
            share = self._money(abs(figure.effect))
        else:
            low = self._percent(figure.percent_low, True)
            high = self._percent(figure.percent_high, True)
            share = self._percent(abs(figure.percent))
        if self.outcome == "none":
            return self.env._(
                "No effect can be shown: between %(low)s and %(high)s.", low=low, high=high
            )
        if self.outcome == "more":
            return self.env._(
                "Members spend %(share)s more than comparable customers (between %(low)s and "
                "%(high)s).",
                share=share,
                low=low,
                high=high,
            )
        return self.env._(
            "Members spend %(share)s less than comparable customers (between %(low)s and "
            "%(high)s).",
            share=share,
            low=low,
            high=high,
        )

    def _verdict_few(self):
        result = self.result
        if self._is_of_date() and result["figures"]:
            return self.env._("Nobody had bought before these days began.")
        if self._is_of_date():
            return self.env._("The %s days after it are not over yet.", result["days"])
        if result["members"] >= ENOUGH and result["exposure"] > 0.5:
            return self.env._("Nearly everybody has joined: there is nobody left to compare with.")
        if result["members"] < ENOUGH and result["waiting"]:
            return self.env._(
                "Too few customers: %(count)s of %(needed)s. For %(waiting)s more the %(days)s "
                "days are not over yet.",
                count=result["members"],
                needed=ENOUGH,
                waiting=self._number(result["waiting"]),
                days=result["days"],
            )
        if result["members"] < ENOUGH:
            return self.env._(
                "Too few customers: %(count)s of %(needed)s.",
                count=result["members"],
                needed=ENOUGH,
            )
        return self.env._(
            "Too few customers to compare with: %(count)s of %(needed)s.",
            count=result["compared"],
            needed=ENOUGH,
        )

    def _verdict_date(self):
        # compared with is the year earlier
        before, after, year_before, year_after, *_effect = self._figures()["revenue"]
        proof = self.env._("It concerned everybody, so a cause is not proven.")
        if not before or before < 0:
            return proof
        change = self._percent(100 * (after / before - 1), True)
        if not year_before or year_before < 0:
            return self.env._(
                "Revenue per customer changed by %(change)s. %(proof)s",
                change=change,
                proof=proof,
            )
        return self.env._(
            "Revenue per customer changed by %(change)s; a year earlier, over the same days, by "
            "%(earlier)s. %(proof)s",
            change=change,
            earlier=self._percent(100 * (year_after / year_before - 1), True),
            proof=proof,
        )

    def _notes(self):
        """Sentences on whom the figures are of."""
        result = self.result
        if self._is_of_date():
            return [
                result["members"] and self.env._(
                    "Of %(now)s customers who had bought before these days began, and of "
                    "%(earlier)s for the year earlier.",
                    now=self._number(result["members"]),
                    earlier=self._number(result["compared"]),
                ),
                self._sample_note(result["looked_at"], result["over"]),
            ]
        return [
            result["waiting"] and self.outcome != "few" and self.env._(
                "%(joined)s customers joined; for %(waiting)s of them the %(days)s days after it "
                "are not over yet.",
                joined=self._number(result["joined"]),
                waiting=self._number(result["waiting"]),
                days=result["days"],
            ),
            result["members"] and self.env._(
                "%(members)s members are compared with %(compared)s customers who had not joined "
                "by the same day and until then had bought as much, as often and as lately.",
                members=self._number(result["members"]),
                compared=self._number(result["compared"]),
            ),
            result["new"] and self.env._(
                "Left out: %s who had never ordered before they joined.",
                self._number(result["new"]),
            ),
            result["alone"] and self.env._(
                "Left out: %s whom nobody was like.", self._number(result["alone"])
            ),
            result["unknown"] and self.env._(
                "Of %s nobody knows the day: they were in it when the history began.",
                self._number(result["unknown"]),
            ),
            result["figures"] and result["exposure"] >= 0.005 and self.env._(
                "The customers compared with had joined themselves for %s of the time after; the "
                "difference is corrected for that.",
                self._percent(100 * result["exposure"]),
            ),
            self._sample_note(result["looked_at"], result["over"]),
        ]

    def _sample_note(self, looked_at, total):
        return looked_at < total and self.env._(
            "Looked at: %(some)s of %(all)s, drawn at random.",
            some=self._number(looked_at),
            all=self._number(total),
        )

    def _number(self, value):
        return formatLang(self.env, value, digits=0)

    # ----- AS A TABLE -----

    def _labels(self):
        days = self.result["days"]
        return {
            "ordered": self.env._("Ordered within %s days", days),
            "orders": self.env._("Orders per customer"),
            "revenue": self.env._("Net revenue per customer"),
            "basket": self.env._("Average order"),
            "gap": self.env._("Days between orders"),
            "lost": self.env._("Customers lost"),
        }

    def _shown(self, name, value, sign=False):
        """A value, or a change, of a figure."""
        if value is None:
            return "–"
        if name in SHARES:
            points = formatLang(self.env, abs(100 * value), digits=1)
            text = (
                self.env._("%s points", points) if sign else self.env._("%s %%", points)
            )
        elif name in AMOUNTS:
            text = formatLang(self.env, abs(value), currency_obj=self.currency_id)
        else:
            text = formatLang(self.env, abs(value), digits=1)
        if not any(digit in text for digit in "123456789"):
            return text
        return f"{'−' if value < 0 else '+' if sign else ''}{text}"

    @api.depends("result", "outcome")
    @api.depends_context("lang")
    def _compute_result_html(self):
        for comparison in self:
            comparison.result_html = comparison.result and comparison._result_html()

    def _result_html(self):
        """Members, those compared with, and the difference of their changes."""
        self.ensure_one()
        is_date, alone = self._is_of_date(), not self.result["figures"]
        figures = self._figures()
        groups = [
            self.env._("Around that day") if is_date else self.env._("Members"),
            self.env._("A year earlier") if is_date else self.env._("Comparable customers"),
        ]
        labels = self._labels() if figures else {}
        return self.env["ir.qweb"]._render(
            "customer_lifecycle.comparison_figures",
            {
                "notes": [note for note in self._notes() if note],
                "groups": groups[: 1 if alone else 2],
                "columns": [self.env._("Before"), self.env._("After"), self.env._("Change")],
                "difference": not alone and not is_date and {
                    "title": self.env._("Difference"), "note": self.env._("95 % interval"),
                },
                "rows": [
                    {
                        "label": label,
                        "values": self._values(name, figures[name], alone),
                        "difference": self._difference(name, figures[name]),
                    }
                    for name, label in labels.items()
                ],
            },
            minimal_qcontext=True,
            raise_if_not_found=True,
        )

    def _values(self, name, figure, alone):
        """Texts of before, after and change, of members and of those compared with."""
        pairs = [(figure.before, figure.after), (figure.control_before, figure.control_after)]
        texts = []
        for before, after in pairs[: 1 if alone else 2]:
            change = None if before is None or after is None else after - before
            texts.append(
                (
                    self._shown(name, before),
                    self._shown(name, after),
                    self._shown(name, change, True),
                )
            )
        return texts

    def _difference(self, name, figure):
        """The difference with its interval, and whether it is more than chance."""
        if figure.effect is None:
            return {"text": "–", "interval": None, "is_sure": False}
        return {
            "text": self._shown(name, figure.effect, True),
            "is_sure": figure.low > 0 or figure.high < 0,
            "interval": self.env._(
                "%(low)s to %(high)s",
                low=self._shown(name, figure.low, True),
                high=self._shown(name, figure.high, True),
            ),
        }

    # ----- AS A CHART -----

    @api.depends("result")
    @api.depends_context("lang")
    def _compute_chart(self):
        for comparison in self:
            periods = (comparison.result or {}).get("periods") or {}
            if not periods or comparison.result["members"] < 1:
                comparison.chart = False
                continue
            is_date = comparison._is_of_date()
            comparison.chart = {
                **periods,
                "currency_id": comparison.currency_id.id,
                "is_date": is_date,
                "day": is_date and format_date(self.env, comparison.result["asked"][1]),
            }
