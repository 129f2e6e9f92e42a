"""Documents that are not counted because nobody can believe them.

In: the revenue and spending sources' documents of the current company, read live. Out: a list
with the reason for each, for managers to correct; the number and a sentence for runs and the
first steps.
"""

import math

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from ...tools.context import own
from ...tools.sql import row_id
from ..settings.res_company import LARGEST_AMOUNT
from ..sources.money import unrated_move_sql
from ..sources.source_mixin import DEFECTS
from .run import STAGES_ONLY

#: models of documents whose day and rate are corrected from the list
CORRECTABLE = ("sale.order", "pos.order")


class LifecycleSetAside(models.Model):
    """A document whose day, amount or exchange rate cannot be right."""

    _name = "lifecycle.set.aside"
    _description = "Document Set Aside"
    _inherit = "lifecycle.document.mixin"
    _auto = False
    _order = "source_id, res_id desc"

    source_id = fields.Many2one("lifecycle.revenue.source", readonly=True)
    spending_source_id = fields.Many2one("lifecycle.spending.source", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    res_model = fields.Char(string="Model", readonly=True)
    # as they are stored: no date or number of another type holds all that a database may
    dated = fields.Char(readonly=True)
    amount = fields.Char(string="Amount as Stored", readonly=True)
    amount_text = fields.Char(
        string="Amount", compute="_compute_amount_text", help="Untaxed, in the document's currency."
    )
    reason = fields.Selection(
        [
            ("0", "It has no date"),
            ("1", "Dated too far in the past"),
            ("2", "Dated too far in the future"),
            ("3", "No exchange rate"),
            ("4", "The amount is too large"),
        ],
        string="Why",
        readonly=True,
    )
    # text, not a line: lists show it whole
    what_to_do = fields.Text(compute="_compute_what_to_do")
    correctable = fields.Boolean(compute="_compute_what_to_do")

    @property
    def _table_query(self):
        company = self.env.company.sudo()
        return SQL(
            """SELECT %(id)s, source_id, spending_source_id, %(company)s AS company_id,
                      MIN(partner_id) AS partner_id, res_model, res_id, MIN(dated) AS dated,
                      CASE WHEN COUNT(*) = 1 THEN MIN(amount)
                           ELSE STRING_AGG(amount, ' + ') END AS amount,
                      MIN(reason)::text AS reason
                 FROM (%(rows)s) found
                GROUP BY source_id, spending_source_id, res_model, res_id""",
            rows=self._rows_sql(company),
            company=company.id,
            id=row_id("source_id", "spending_source_id", "res_model", "res_id"),
        )

    @api.model
    def _rows_sql(self, company, source=None, partner_ids=None):
        """SELECT of every row that is set aside in a company.

        :param source: of this revenue source only
        :param partner_ids: of the sales, those of these customers only
        """
        # sudo: what is not counted is no secret to managers, who alone may read the list
        sources = source or self.env["lifecycle.revenue.source"].sudo()._for_company(company)
        if source is None:
            sources = [*sources, *self.env["lifecycle.spending.source"].sudo()._available()]
        parts = []
        for one in sources:
            try:
                one = one.sudo().with_context(lifecycle_set_aside=own())
                restricted = partner_ids is not None and one._name == "lifecycle.revenue.source"
                parts.append(one._compile(company, *([partner_ids] if restricted else [])))
            except DEFECTS:
                # a source that cannot be read says so itself
                continue
        if source is None or source.net_of_credit_notes and source.model == "sale.order":
            parts += self._credit_rows(company, sources, partner_ids)
        return SQL(" UNION ALL ").join(parts) or SQL(
            "SELECT 0 AS source_id, 0 AS spending_source_id, '' AS res_model, 0 AS res_id, "
            "0 AS partner_id, '' AS dated, '' AS amount, 0 AS reason WHERE FALSE"
        )

    @api.model
    def _credit_rows(self, company, sources, partner_ids=None):
        """SELECTs of invoices and credit notes of orders which change no order: absurd ones, and
        those in another currency than the order without a rate."""
        unrated = unrated_move_sql(company)
        return [
            SQL(
                """SELECT %(source)s, NULL::integer, 'account.move', move.id,
                          move.commercial_partner_id, move.invoice_date::text,
                          trim_scale(move.amount_untaxed_signed)::text, reason.number
                     FROM account_move move
                     CROSS JOIN LATERAL (
                        SELECT CASE WHEN NOT ABS(move.amount_untaxed_signed) < %(largest)s
                                    THEN 4
                                    WHEN %(unrated)s AND EXISTS (
                                        SELECT FROM account_move_line item
                                          JOIN sale_order_line_invoice_rel rel
                                            ON rel.invoice_line_id = item.id
                                          JOIN sale_order_line line
                                            ON line.id = rel.order_line_id
                                         WHERE item.move_id = move.id
                                           AND line.currency_id <> move.currency_id)
                                    THEN 3 END AS number
                     ) reason
                    WHERE move.company_id = ANY(%(companies)s) AND move.state = 'posted'
                      AND %(wanted)s
                      AND move.move_type IN ('out_invoice', 'out_refund')
                      AND (NOT ABS(move.amount_untaxed_signed) < %(largest)s
                           OR move.invoice_currency_rate = 1
                              AND move.currency_id <> %(own)s)
                      AND reason.number IS NOT NULL""",
                source=one.id,
                companies=company._lifecycle_family().ids,
                wanted=SQL("TRUE")
                if partner_ids is None
                else SQL("move.commercial_partner_id = ANY(%s)", list(partner_ids)),
                own=company.currency_id.id,
                largest=LARGEST_AMOUNT,
                unrated=unrated,
            )
            for one in sources
            if one._name == "lifecycle.revenue.source"
            and one.model == "sale.order"
            and one.net_of_credit_notes
        ]

    @api.model
    def _count(self, company, source=None):
        """Number of documents that are set aside."""
        self.env.flush_all()
        return self.env.execute_query(
            SQL(
                "SELECT COUNT(*) FROM (SELECT DISTINCT res_model, res_id FROM (%s) found) one",
                self._rows_sql(company.sudo(), source),
            )
        )[0][0]

    @api.model
    def _any_of(self, company, partner_ids):
        """Whether anything is set aside among the sales of some customers, or among spending."""
        spending = self.env["lifecycle.spending.source"].sudo()._available()
        if not partner_ids and not spending:
            return False
        self.env.flush_all()
        rows = self._rows_sql(company.sudo(), partner_ids=partner_ids)
        return bool(self.env.execute_query(SQL("SELECT FROM (%s) found LIMIT 1", rows)))

    @api.model
    def _warning(self, count):
        """Sentence on documents that are not counted; False where all are."""
        if not count:
            return False
        return self.env._(
            "Documents set aside: %s. Their day, amount or exchange rate cannot be right, so "
            "that they are not counted until they are corrected.",
            count,
        )

    @api.model
    def _last_warning(self, company):
        """What the last complete run said."""
        return self._warning(self._last_count(company))

    @api.model
    def _last_count(self, company):
        """How many the last complete run found."""
        # sudo: whoever sees the first steps may know it
        run = self.env["lifecycle.run"].sudo().search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "done"),
                ("kind", "not in", (*STAGES_ONLY, "refresh")),
            ],
            limit=1,
        )
        return run.set_aside_count

    @api.depends_context("lang")
    @api.depends("amount")
    def _compute_amount_text(self):
        """Thousands are told apart; what is no number stays as it is stored."""
        for row in self:
            parts = (row.amount or "").split(" + ")
            try:
                numbers = [float(part) for part in parts]
            except ValueError:
                numbers = []
            row.amount_text = (
                " + ".join(formatLang(self.env, number, digits=2) for number in numbers)
                if numbers and all(map(math.isfinite, numbers))
                else row.amount
            )

    @api.depends_context("lang")
    @api.depends("reason", "res_model")
    def _compute_what_to_do(self):
        advice = {
            "0": self.env._("Give the document its date."),
            "1": self.env._("Correct the date, or choose an earlier first day in the settings."),
            "2": self.env._("Correct the date."),
            "3": self.env._(
                "Enter an exchange rate and have the document computed anew, for example by "
                "choosing its currency or date again."
            ),
            "4": self.env._("Correct the amount, or choose a larger limit in the settings."),
        }
        rate = self.env._("Enter an exchange rate for its day, then choose Correct.")
        posted = self.env._("Reset it to draft, put it right and confirm it again.")
        for row in self:
            # Odoo lets nobody change the day of what is confirmed, and a rate is taken only once
            row.correctable = row.res_model in CORRECTABLE and row.reason in ("1", "2", "3")
            row.what_to_do = advice.get(row.reason)
            if row.correctable and row.reason == "3":
                row.what_to_do = rate
            elif row.res_model == "account.move" and row.reason != "3":
                row.what_to_do = posted

    def action_correct(self):
        """Ask for the right day of a document that Odoo's own form does not let change."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Correct %s", self.document_name),
            "res_model": "lifecycle.set.aside.correction",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_res_model": self.res_model,
                "default_res_id": self.res_id,
                "default_day": self.dated if self.reason == "3" else False,
            },
        }
