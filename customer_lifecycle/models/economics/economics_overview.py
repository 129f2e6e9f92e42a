"""The sentences and figures above the report on getting and keeping customers.

In: the filter that is set in the report. Out: a headline and two blocks of labelled figures, in
the reader's language. Called by the web client whenever the report's filter changes.
"""

from odoo import api, models
from odoo.tools.misc import formatLang

from .economics import CHANNEL

TOTALS = (
    "new_customers:sum",
    "getting:sum",
    "cost_per_new:avg",
    "earned:sum",
    "expected:sum",
    "value_per_money:avg",
    "payback_months:avg",
    "active_customers:sum",
    "month:count_distinct",
    "keeping:sum",
    "cost_per_active:avg",
    "repeat_revenue:sum",
    "keeping_percent:avg",
    "lost_customers:sum",
)


class LifecycleEconomics(models.Model):
    """The report in plain words, for the filters that are set."""

    # a file for each subject of this large model
    _inherit = "lifecycle.economics"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def get_overview(self, domain):
        """What getting and keeping has cost and brought, in words.

        :param domain: the rows of the report that are looked at
        :return: dict with ``headline``, ``getting`` and ``keeping`` (dicts of ``title``,
            ``known``, ``text`` and ``figures``, a list of dicts of ``label``, ``value``, ``help``)
            and ``as_of``, in a company whose orders were counted earlier
        """
        self.check_access("read")
        as_of = self._prepare(self.env.company.sudo())
        # one pass over the purchases answers both
        (total,), channels = self._read_grouping_sets(domain, [[], [*CHANNEL]], [*TOTALS])
        names = [spec.partition(":")[0] for spec in TOTALS]
        found = dict(zip(names, total, strict=True))
        position = len(CHANNEL) + names.index("getting")
        loose = sum(row[position] or 0 for row in channels if not any(row[: len(CHANNEL)]))
        return {
            "headline": self._headline(found),
            "getting": self._getting_overview(found, loose),
            "keeping": self._keeping_overview(found),
            "as_of": as_of and self.env._("Orders counted on %s.", as_of),
        }

    @api.model
    def _money(self, amount):
        return formatLang(self.env, amount or 0, currency_obj=self.env.company.currency_id)

    @api.model
    def _number(self, number, digits=0):
        return formatLang(self.env, number or 0, digits=digits)

    @api.model
    def _headline(self, found):
        """What getting costs against keeping, in one sentence."""
        getting, keeping = found["cost_per_new"], found["cost_per_active"]
        if getting and keeping and getting > 0 and keeping > 0:
            months = getting / keeping
            return self.env._(
                "Getting one new customer costs as much as keeping a customer for %s months.",
                self._number(months, 0 if months >= 10 else 1),
            )
        if getting:
            return self.env._(
                "A new customer costs %s. What keeping customers costs is not known yet.",
                self._money(getting),
            )
        if keeping:
            return self.env._(
                "Keeping a customer costs %s a month. What getting one costs is not known yet.",
                self._money(keeping),
            )
        return self.env._("What getting and keeping customers costs is not known yet.")

    @api.model
    def _getting_overview(self, found, loose):
        new, spent = found["new_customers"] or 0, found["getting"] or 0
        value = (found["earned"] or 0) + (found["expected"] or 0)
        return {
            "title": self.env._("Getting"),
            "known": bool(spent),
            "text": self._getting_text(found, new, spent, loose),
            "figures": [
                self._figure("new_customers", self._number(new)),
                self._figure("getting", self._money(spent) if spent else None),
                self._figure("cost_per_new", self._money_or_none(found["cost_per_new"])),
                {
                    "name": "value",
                    "label": self.env._("They bring"),
                    "value": self._money(value),
                    "help": self.env._(
                        "%(earned)s so far, %(expected)s expected.",
                        earned=self._money(found["earned"]),
                        expected=self._money(found["expected"]),
                    ),
                },
                {
                    **self._figure("value_per_money", None),
                    "label": self.env._(
                        "Value for each %s spent", self.env.company.currency_id.symbol
                    ),
                    "value": self._number(found["value_per_money"], 1) if spent and new else None,
                },
                self._figure("payback_months", self._payback_words(found, new, spent)),
            ],
        }

    @api.model
    def _getting_text(self, found, new, spent, loose):
        if not spent:
            return self.env._(
                "No money spent on getting customers is known for this period. Enter what you "
                "spent, or pick the bills that stand for it."
            )
        if not new:
            return self.env._("Money was spent, but nobody ordered for the first time.")
        if not loose or loose == spent:
            return ""
        return self.env._(
            "%s was spent on no channel in particular; the filter “Share Out Unassigned” "
            "shares it out.", self._money(loose)
        )

    @api.model
    def _payback_words(self, found, new, spent):
        if not spent or not new:
            return None
        months = found["payback_months"]
        if months is None or months is False:
            return self.env._("Not yet")
        if not months:
            return self.env._("At once")
        return self.env._("1 month") if months == 1 else self.env._("%s months", months)

    @api.model
    def _keeping_overview(self, found):
        spent, months = found["keeping"] or 0, found["month"] or 1
        text = "" if spent else self.env._(
            "No money spent on keeping customers is known for this period. Enter what you spent, "
            "or pick the bills that stand for it."
        )
        percent = found["keeping_percent"]
        return {
            "title": self.env._("Keeping"),
            "known": bool(spent),
            "text": text,
            "figures": [
                {
                    **self._figure("active_customers", ""),
                    "label": self.env._("Active customers a month"),
                    "value": self._number((found["active_customers"] or 0) / months),
                    "help": self.env._("Customers who order in a month, on average."),
                },
                self._figure("keeping", self._money(spent) if spent else None),
                {
                    **self._figure("cost_per_active", None),
                    "label": self.env._("Per active customer and month"),
                    "value": self._money_or_none(found["cost_per_active"]),
                },
                self._figure("repeat_revenue", self._money(found["repeat_revenue"])),
                {
                    **self._figure("keeping_percent", None),
                    "label": self.env._("Of repeat revenue"),
                    "value": f"{self._number(percent, 1)} %" if percent else None,
                    "help": self.env._(
                        "Money spent on keeping customers in percent of what repeat orders "
                        "brought."
                    ),
                },
                self._figure("lost_customers", self._number(found["lost_customers"])),
            ],
        }

    @api.model
    def _money_or_none(self, amount):
        return self._money(amount) if amount else None

    @api.model
    def _figure(self, name, value):
        described = self.fields_get([name], ["string", "help"])[name]
        return {
            "name": name,
            "label": described["string"],
            "value": value,
            "help": described.get("help") or "",
        }
