"""Revenue of a period beside what Odoo's own reports say, every difference by its kind.

In: a period and the current company. Out: a page with the revenue by source, and for each of
Odoo's reports on sales, shops and invoices its total, what differs and why, and ours; each line
opens its documents. What the kinds are is computed in ``lifecycle_reconciliation_sql``.
"""

from datetime import date

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

SECTIONS = [
    ("source", "Revenue by Source"),
    ("sale", "Sales Analysis"),
    ("pos", "Orders of the Point of Sale"),
    ("invoice", "Invoice Analysis"),
]
#: documents that a line keeps to open them
MOST_DOCUMENTS = 5000
#: lines that are no difference
TOTALS = ("source", "reported", "counted")


class LifecycleReconciliation(models.TransientModel):
    """A period whose revenue is compared with Odoo's own reports."""

    _name = "lifecycle.reconciliation"
    _description = "Reconciliation of Revenue"

    date_from = fields.Date(
        string="From", required=True, default=lambda self: self._default_date_from()
    )
    date_to = fields.Date(
        string="Until", required=True, default=lambda self: self._default_date_to()
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    line_ids = fields.One2many("lifecycle.reconciliation.line", "reconciliation_id", readonly=True)
    unexplained = fields.Monetary(
        readonly=True, help="What no kind of difference accounts for: should be nothing."
    )
    computed = fields.Boolean(readonly=True)

    @api.model
    def _default_date_from(self):
        return fields.Date.context_today(self) + relativedelta(months=-1, day=1)

    @api.model
    def _default_date_to(self):
        return fields.Date.context_today(self) + relativedelta(day=1, days=-1)

    @api.depends("date_from", "date_to")
    def _compute_display_name(self):
        for one in self:
            one.display_name = self.env._("Revenue Compared with Odoo's Reports")

    @api.onchange("date_from", "date_to")
    def _onchange_period(self):
        # the lines are those of another period
        self.line_ids = False
        self.computed = False

    def action_compare(self):
        """Compute the lines anew and show them."""
        self.ensure_one()
        if self.date_to < self.date_from:
            raise UserError(self.env._("The last day must not be before the first."))
        if self.date_from < date(1900, 1, 1) or self.date_to > date(9000, 1, 1):
            raise UserError(self.env._("Choose days between the years 1900 and 9000."))
        company = self.company_id
        if company not in self.env.companies:
            raise AccessError(self.env._("You do not work in %s.", company.sudo().name))
        # what is dated later does not count yet
        today = company.sudo()._lifecycle_today()
        if self.date_to > today >= self.date_from:
            self.date_to = today
        self.sudo().line_ids.unlink()
        # sudo: sums of all documents of the company, which whoever may see this page sees anyway
        family = company | company._lifecycle_family()
        one = self.sudo().with_context(allowed_company_ids=family.ids, active_test=False)
        one._collect()
        lines = one._lines()
        self.env["lifecycle.reconciliation.line"].sudo().create(lines)
        self.sudo().write(
            {
                "computed": True,
                "unexplained": sum(
                    abs(line["amount"]) for line in lines if line["kind"] == "unexplained"
                ),
            }
        )
        # the page shows it where it is
        return True

    def _lines(self):
        """Values of the lines, from what was collected."""
        digits = self.currency_id.decimal_places
        values = []

        def add(section, kind, amount, count, **more):
            values.append(
                {
                    "reconciliation_id": self.id,
                    "sequence": len(values),
                    "section": section,
                    "kind": kind,
                    "amount": amount,
                    "document_count": count,
                    **more,
                }
            )

        for source_id, amount, count in self.env.execute_query(
            SQL(
                """SELECT source_id, ROUND(SUM(amount), %s), COUNT(DISTINCT res_id)
                     FROM lifecycle_counted GROUP BY source_id""",
                digits,
            )
        ):
            add("source", "source", float(amount), count, source_id=source_id)
        add(
            "source",
            "counted",
            round(sum(line["amount"] for line in values), digits),
            sum(line["document_count"] for line in values),
        )
        rows = self.env.execute_query(
            SQL(
                """SELECT section, kind, model, ROUND(SUM(amount), %(digits)s),
                          COUNT(DISTINCT res_id),
                          (ARRAY_AGG(DISTINCT res_id))[1:%(most)s]
                     FROM lifecycle_reconciled
                    GROUP BY section, kind, model
                   HAVING kind IN ('reported', 'counted', 'unexplained')
                       OR COUNT(*) FILTER (WHERE amount <> 0) > 0
                    ORDER BY section, kind, model""",
                digits=digits,
                most=MOST_DOCUMENTS,
            )
        )
        for section, _label in SECTIONS[1:]:
            mine = [row for row in rows if row[0] == section]
            if not mine:
                continue
            total = {kind: 0.0 for kind in ("reported", "counted", "unexplained")}
            counts = dict.fromkeys(total, 0)
            for _section, kind, _model, amount, count, _ids in mine:
                if kind in total:
                    total[kind] += float(amount)
                    counts[kind] += count
            explained = 0.0
            add(section, "reported", round(total["reported"], digits), counts["reported"])
            for _section, kind, model, amount, count, ids in mine:
                if kind in (*TOTALS, "rounding") or (kind == "unexplained" and not amount):
                    continue
                explained += float(amount)
                add(section, kind, float(amount), count, res_model=model, res_ids=ids)
            # single cents of documents, and what adding up rounded lines makes of them
            rounding = round(
                total["counted"] - round(total["reported"], digits) - explained, digits
            )
            if rounding:
                add(section, "rounding", rounding, 0)
            if not any(row[1] == "unexplained" and row[3] for row in mine):
                add(section, "unexplained", 0.0, 0)
            add(section, "counted", round(total["counted"], digits), counts["counted"])
        return values


class LifecycleReconciliationLine(models.TransientModel):
    """A total, or one kind of difference."""

    _name = "lifecycle.reconciliation.line"
    _description = "Line of a Reconciliation"
    _order = "sequence, id"
    _rec_name = "label"

    reconciliation_id = fields.Many2one(
        "lifecycle.reconciliation", required=True, ondelete="cascade", index=True
    )
    sequence = fields.Integer()
    section = fields.Selection(SECTIONS, required=True)
    kind = fields.Selection(selection="_selection_kind", required=True)
    source_id = fields.Many2one("lifecycle.revenue.source", ondelete="cascade")
    label = fields.Char(string="What", compute="_compute_label")
    amount = fields.Monetary()
    currency_id = fields.Many2one(related="reconciliation_id.currency_id")
    document_count = fields.Integer(string="Documents")
    res_model = fields.Char()
    res_ids = fields.Json()

    @api.model
    def _selection_kind(self):
        return [
            ("source", self.env._("Source")),
            ("reported", self.env._("Odoo's report")),
            ("counted", self.env._("Counted as revenue")),
            ("till", self.env._("Orders of the point of sale, compared below")),
            ("basis", self.env._("Purchases are invoices here, not orders")),
            ("excluded", self.env._("Contacts that are excluded from the life cycle")),
            ("aside", self.env._("Set aside: day, amount or exchange rate cannot be right")),
            ("no_contact", self.env._("Sold without a customer")),
            ("zone", self.env._("Another day in the company's time zone")),
            ("no_product", self.env._("Lines without a product, which Odoo's report leaves out")),
            ("payment", self.env._("Gift cards, eWallets and down payments: money, not goods")),
            ("tip", self.env._("Tips")),
            ("delivery", self.env._("Delivered otherwise than ordered, or shipping alone")),
            ("credit", self.env._("Credit notes, taken off the order on its own day")),
            ("returned", self.env._("Taken back at the till, off the order on its own day")),
            ("sign", self.env._("Refunds that Odoo's report adds instead of subtracting")),
            ("moved", self.env._("Refunds, taken off the sale on its own day")),
            ("settled", self.env._("Orders paid at the till, counted as the orders that they are")),
            ("by_order", self.env._("Invoices and credit notes of orders, counted as orders")),
            ("by_till", self.env._("Invoices of the point of sale, counted as sold there")),
            ("no_order", self.env._("Invoices without an order: purchases are orders here")),
            ("uncounted", self.env._("Credit notes of invoices that do not count")),
            ("down_payment", self.env._("Down payments, counted with the final invoice")),
            ("other_day", self.env._("Credit notes, taken off the sale on its own day")),
            ("capped", self.env._("Given back beyond what the customer has bought")),
            ("left_out", self.env._("Left out by the filter of the source")),
            ("exchange", self.env._("Exchange differences")),
            ("rounding", self.env._("Rounding")),
            ("unexplained", self.env._("Unexplained")),
        ]

    @api.depends_context("lang")
    @api.depends("kind", "section", "source_id")
    def _compute_label(self):
        kinds = dict(self._selection_kind())
        sections = dict(self._fields["section"]._description_selection(self.env))
        for line in self:
            if line.kind == "source":
                line.label = line.source_id.name
            elif line.kind == "reported":
                line.label = self.env._("Odoo's report “%s”", sections[line.section])
            else:
                line.label = kinds.get(line.kind)

    def action_open(self):
        """Open the documents behind a line."""
        self.ensure_one()
        wizard = self.reconciliation_id
        period = [("date", ">=", wizard.date_from), ("date", "<=", wizard.date_to)]
        if self.section == "source" or self.kind == "counted":
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "customer_lifecycle.lifecycle_customer_revenue_action"
            )
            domain = period
            if self.source_id:
                domain = [*period, ("source_id", "=", self.source_id.id)]
            elif self.section != "source":
                domain = [*period, ("source_id", "in", self._section_sources().ids)]
            # the list of documents before their charts
            views = sorted(action["views"], key=lambda view: view[1] != "list")
            return {**action, "views": views, "domain": domain, "context": {}}
        if self.kind == "reported":
            return self._open_report()
        if not self.env[self.res_model].has_access("read"):
            raise UserError(self.env._("You may not open these documents; ask somebody who may."))
        return {
            "type": "ir.actions.act_window",
            "name": self.label,
            "res_model": self.res_model,
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", self.res_ids or [])],
            "context": {"active_test": False},
        }

    def _section_sources(self):
        model = {"sale": "sale.order", "pos": "pos.order", "invoice": "account.move"}
        sources = self.env["lifecycle.revenue.source"].sudo()
        return sources._for_company(self.reconciliation_id.company_id.sudo()).filtered(
            lambda source: source._document_model() == model[self.section]
        )

    def _open_report(self):
        """Odoo's own report with the period as its filter."""
        wizard = self.reconciliation_id
        name, amount = {
            "sale": ("sale.report", "price_subtotal"),
            "pos": ("report.pos.order", "price_subtotal_excl"),
            "invoice": ("account.invoice.report", "price_subtotal"),
        }[self.section]
        if not self.env[name].has_access("read"):
            raise UserError(
                self.env._("You may not open this report of Odoo's; ask somebody who may.")
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.label,
            "res_model": name,
            "views": [(False, "pivot"), (False, "graph")],
            "domain": wizard._report_domain(self.section),
            # the amount that was compared, not the one that the report begins with
            "context": {"pivot_measures": [amount], "graph_measure": amount},
        }
