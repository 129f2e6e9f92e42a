"""What a workflow has brought, measured against its control group, with its uncertainty.

In: everybody who entered and what he bought within the days that the workflow says, as the
revenue sources tell. Out: numbers kept on the workflow, and a verdict with a table on its form.
Measured daily after the workflows' scheduled action has done its work, and by a button.
"""

import logging

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from ...kernel.uplift import (
    ENOUGH,
    customers_needed,
    difference_of_means,
    difference_of_shares,
)

_logger = logging.getLogger(__name__)

MANAGER = "sales_team.group_sale_manager"


class LifecycleWorkflow(models.Model):
    """What a workflow has brought, told no better than it can be known."""

    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    # what all customers of a workflow have bought is not for every salesperson
    effect = fields.Json(string="Measured Numbers", readonly=True, copy=False, groups=MANAGER)
    effect_date = fields.Datetime(
        string="Measured On", readonly=True, copy=False, groups=MANAGER
    )
    effect_html = fields.Html(
        string="Effect", compute="_compute_effect_html", sanitize=False, groups=MANAGER
    )

    # ----- MEASURING -----

    def action_measure(self):
        """Measure now instead of tomorrow morning."""
        self.check_access("write")
        self.sudo()._measure()

    @api.model
    def _measure_daily(self):
        """Measure what has not been measured for a day and may have changed since.

        Each in a transaction of its own; numbers that cannot be had must not stop the messages.
        """
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """SELECT workflow.id FROM lifecycle_workflow workflow
                    WHERE workflow.date_start IS NOT NULL
                      AND COALESCE(workflow.effect_date < %s, TRUE)
                      AND EXISTS (SELECT FROM lifecycle_workflow_enrollment enrollment
                                   WHERE enrollment.workflow_id = workflow.id
                                     AND enrollment.day_entered
                                         >= %s::date - workflow.effect_days - 3)""",
                fields.Datetime.subtract(now, hours=20),
                now,
            )
        )
        for (workflow_id,) in self.env.cr.fetchall():
            workflow = self.browse(workflow_id).sudo().with_context(tracking_disable=True)
            try:
                workflow._measure()
                self.env.flush_all()
            except Exception:
                self.env.cr.rollback()
                _logger.exception("The effect of workflow %s cannot be measured", workflow_id)
            self.env["ir.cron"]._commit_progress()

    def _measure(self):
        """Count what customers bought within the workflow's days after entering.

        Everybody who entered counts, whatever became of him: leaving out those who left early
        would compare the faithful with everybody.
        """
        self.env.flush_all()
        for workflow in self:
            groups = {"treated": [0] * 6, "control": [0] * 6}
            for company in workflow._companies():
                for name, *numbers in workflow._measured(company):
                    groups[name] = [
                        a + float(b or 0) for a, b in zip(groups[name], numbers, strict=True)
                    ]
            delivered = self.env["lifecycle.workflow.delivery"]._read_group(
                [("workflow_id", "=", workflow.id), ("kind", "=", "email")],
                ["state"],
                ["__count"],
            )
            workflow.effect = {
                **groups,
                "days": workflow.effect_days,
                "mails": dict(delivered),
                "seen": workflow._seen(),
                "goal": self.env["lifecycle.workflow.enrollment"].search_count(
                    [("workflow_id", "=", workflow.id), ("exit_reason", "=", "goal")]
                ),
            }
            workflow.effect_date = fields.Datetime.now()

    def _seen(self):
        """Numbers of e-mails that are measured, were opened and were clicked."""
        return list(
            self.env["lifecycle.workflow.delivery"]._read_group(
                [
                    ("workflow_id", "=", self.id),
                    ("state", "=", "done"),
                    ("is_measured", "=", True),
                ],
                [],
                ["__count", "date_opened:count", "date_clicked:count"],
            )[0]
        )

    def _measured(self, company):
        """Rows (group, entered, with an order, orders, revenue, revenue squared, complete)."""
        enrollments = self.env["lifecycle.workflow.enrollment"].sudo()
        partners = enrollments._read_group(
            [("workflow_id", "=", self.id), ("company_id", "=", company.id)],
            [],
            ["partner_id:array_agg_distinct"],
        )[0][0]
        if not partners:
            return []
        purchases = self.env["lifecycle.purchase.fact"]._rows_sql(company, partners)
        self.env.cr.execute(
            SQL(
                """WITH bought AS MATERIALIZED (
                       SELECT partner_id, day, SUM(amount) AS amount FROM (%(purchases)s) rows
                        GROUP BY partner_id, day
                   ), outcome AS (
                       SELECT enrollment.id, enrollment.state = 'control' AS control,
                              enrollment.day_entered + %(days)s <= %(today)s AS complete,
                              COUNT(bought.day) FILTER (WHERE bought.amount > 0) AS orders,
                              COALESCE(SUM(bought.amount), 0) AS revenue
                         FROM lifecycle_workflow_enrollment enrollment
                    LEFT JOIN bought ON bought.partner_id = enrollment.partner_id
                          AND bought.day BETWEEN enrollment.day_entered
                                             AND enrollment.day_entered + %(days)s
                          AND (enrollment.last_order_date IS NULL
                               OR bought.day > enrollment.last_order_date)
                        WHERE enrollment.workflow_id = %(workflow)s
                          AND enrollment.company_id = %(company)s
                        GROUP BY enrollment.id
                   )
                   SELECT CASE WHEN control THEN 'control' ELSE 'treated' END,
                          COUNT(*), COUNT(*) FILTER (WHERE orders > 0), SUM(orders),
                          SUM(revenue), SUM(revenue * revenue), COUNT(*) FILTER (WHERE complete)
                     FROM outcome GROUP BY control""",
                purchases=purchases,
                days=self.effect_days,
                today=company._lifecycle_today(),
                workflow=self.id,
                company=company.id,
            )
        )
        return self.env.cr.fetchall()

    # ----- TELLING -----

    @api.depends("effect")
    @api.depends_context("lang")
    def _compute_effect_html(self):
        for workflow in self:
            workflow.effect_html = workflow.effect and workflow._uplift_html()

    def _uplift_verdict(self):
        """(tone, sentence) on what the numbers prove."""
        effect = self.effect
        treated, control = effect["treated"], effect["control"]
        if not control[0]:
            return "warning", self.env._(
                "The effect is not proven: without a control group nobody knows how many of them "
                "would have ordered anyway. Give the next start of this workflow one of 10 to "
                "20 %."
            )
        if not treated[0]:
            return "info", self.env._("So far only the control group has members.")
        share_1, share_2 = treated[1] / treated[0], control[1] / control[0]
        _difference, low, high = self._uplift()
        if low > 0:
            return "success", self.env._("It works: more customers ordered than without it.")
        if high < 0:
            return "danger", self.env._(
                "It does harm: fewer customers ordered than without it. Pause it and find out why."
            )
        total = treated[0] + control[0]
        needed = customers_needed(share_1, share_2, control[0] / total)
        if needed is None:
            return "info", self.env._(
                "Too few customers to tell: so far there is no difference at all."
            )
        return "info", self.env._(
            "Too few customers to tell: about %s more needed, if the difference stays as it is.",
            f"{max(1, needed - int(total)):,}",
        )

    def _uplift(self):
        treated, control = self.effect["treated"], self.effect["control"]
        return difference_of_shares(treated[1], treated[0], control[1], control[0])

    def _uplift_html(self):
        self.ensure_one()
        effect = self.effect
        treated, control = effect["treated"], effect["control"]
        company = self.company_id or self.env.company

        def money(amount):
            return formatLang(self.env, amount, currency_obj=company.currency_id)

        def percent(share, sign=False):
            return f"{100 * share:+.1f}" if sign else f"{100 * share:.1f} %"

        def mean(group):
            return money(group[3] / group[0]) if group[0] else "–"

        def share(group):
            return percent(group[1] / group[0]) if group[0] else "–"

        # numbers of before opens and clicks were measured have none
        measured, *seen = effect.get("seen") or (0, 0, 0)

        def part(number):
            if not measured:
                return "–"
            return f"{number} ({percent(number / measured)})"

        rows = [
            (self.env._("Entered"), f"{treated[0]:.0f}", f"{control[0]:.0f}"),
            (self.env._("E-mails sent"), effect["mails"].get("done", 0), 0),
            (self.env._("E-mails not sent"), effect["mails"].get("skipped", 0), ""),
            (self.env._("Opened, of %s that are measured", measured), part(seen[0]), ""),
            (self.env._("Clicked, of %s that are measured", measured), part(seen[1]), ""),
            (self.env._("Left because the goal was reached"), effect["goal"], ""),
            (self.env._("Ordered within %s days", effect["days"]),
             f"{treated[1]:.0f} ({share(treated)})", f"{control[1]:.0f} ({share(control)})"),
            (self.env._("Orders"), f"{treated[2]:.0f}", f"{control[2]:.0f}"),
            (self.env._("Net revenue"), money(treated[3]), money(control[3])),
            (self.env._("Net revenue for each customer"), mean(treated), mean(control)),
        ]
        tone, verdict = self._uplift_verdict()
        difference = revenue = None
        if treated[0] and control[0]:
            shown = [percent(number, True) for number in self._uplift()]
            difference = self.env._(
                "Customers who ordered: %(difference)s percentage points against the "
                "control group (95 %% interval %(low)s to %(high)s).",
                **dict(zip(("difference", "low", "high"), shown, strict=True)),
            )
            if treated[2] + control[2] > 0:
                revenue = self._revenue_sentence(money)
        return self.env["ir.qweb"]._render(
            "customer_lifecycle.workflow_uplift",
            {
                "tone": tone,
                "verdict": verdict,
                "difference": difference,
                "revenue": revenue,
                "groups": [self.env._("With the workflow"), self.env._("Control group")],
                "rows": rows,
                "complete": self.env._(
                    "For %(complete)s of %(entered)s the %(days)s days are over.",
                    complete=f"{treated[5] + control[5]:.0f}",
                    entered=f"{treated[0] + control[0]:.0f}",
                    days=effect["days"],
                ),
                "seen": self._seen_note(measured),
            },
            minimal_qcontext=True,
            raise_if_not_found=True,
        )

    def _seen_note(self, measured):
        """How far the numbers of opens and clicks can be trusted."""
        if measured:
            return self.env._(
                "Opens and clicks are estimates: some mail programs load every picture by "
                "themselves, others none, and virus scanners follow links."
            )
        return self.env._(
            "Opens and clicks are measured only where the settings and, by default, the "
            "customer's consent allow it; so far that is nobody."
        )

    def _revenue_sentence(self, money):
        """What the workflow brings for each customer; of a few no interval can be trusted."""
        groups = [self.effect[name] for name in ("treated", "control")]
        difference, low, high = difference_of_means(
            *((group[0], group[3], group[4]) for group in groups)
        )
        if min(group[0] for group in groups) < ENOUGH:
            return self.env._(
                "Net revenue for each customer: %(difference)s against the control group, so far "
                "of too few customers for an interval.",
                difference=money(difference),
            )
        return self.env._(
            "Net revenue for each customer: %(difference)s against the control group (95 %% "
            "interval %(low)s to %(high)s).",
            difference=money(difference),
            low=money(low),
            high=money(high),
        )
