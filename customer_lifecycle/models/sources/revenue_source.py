"""Which documents count as purchases, and one SELECT of them for all who compute.

In: a model, a filter and paths that somebody entered or that came with the app. Out: rows of
customer, day, amount and value; a source that cannot be read is left out on screens and stops a
run. Read by the pipeline, the forecast's fit, purchases, cohorts, economics and comparisons.
"""

import logging

import psycopg2

from odoo import SUPERUSER_ID, api, fields, models, tools
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import rights
from ...tools.context import own_value
from ...tools.probe import check_size, first_line, limited
from .money import converter, plausible_sql, worth_sql
from .paths import customer_sql, day_sql, fields_along, number_sql, path_sql
from .source_mixin import DEFECTS

_logger = logging.getLogger(__name__)

#: columns of every compiled source, in this order
COLUMNS = (
    "partner_id",
    "day",
    "amount",
    "value",
    "gross",
    "exchange_difference",
    "source_id",
    "res_id",
    "by_share",
)
#: fields of a source that hold a path from its model
PATHS = (
    "partner_path",
    "company_path",
    "date_path",
    "amount_path",
    "rate_path",
    "currency_path",
    "margin_path",
    "cost_path",
    "cost_known_path",
    "document_path",
    "quantity_path",
    "price_path",
    "refunded_path",
)


class LifecycleRevenueSource(models.Model):
    """A place where purchases come from, described by data instead of code.

    A source names a model and the paths from it to customer, company, date and untaxed amount.
    It is compiled into one SELECT through the ORM's own query builder. A source whose model is
    not installed sleeps; it wakes up by itself once that model appears.
    """

    _name = "lifecycle.revenue.source"
    _inherit = "lifecycle.sleeping.mixin"
    _description = "Revenue Source"
    _order = "sequence, id"
    _path_fields = PATHS

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    basis = fields.Selection(
        [
            ("both", "Always"),
            ("orders", "When purchases are confirmed orders"),
            ("invoices", "When purchases are posted invoices"),
        ],
        string="Counts",
        default="both",
        required=True,
    )
    model = fields.Char(
        required=True,
        help="Technical name, for example sale.order. The app that brings it may be installed "
        "later.",
    )
    domain = fields.Char(default="[]", required=True, help="Which records are purchases.")
    partner_path = fields.Char(
        string="Customer Field",
        default="partner_id",
        required=True,
        help="Path to the contact, for example order_id.partner_id.",
    )
    company_path = fields.Char(string="Company Field", default="company_id", required=True)
    date_path = fields.Char(string="Date Field", default="date", required=True)
    amount_path = fields.Char(string="Untaxed Amount Field", default="amount", required=True)
    negate = fields.Boolean(
        string="Reverse Sign", help="For fields that count a sale as negative, like balances."
    )
    rate_path = fields.Char(
        string="Currency Rate Field",
        help="Stored rate by which the amount is divided to get company currency. Empty: the "
        "amount already is in company currency, or a currency field says which it is in.",
    )
    currency_path = fields.Char(
        string="Currency Field",
        help="For amounts in a foreign currency without a stored rate: converted with the rate "
        "of the day.",
    )
    margin_path = fields.Char(
        string="Margin Field", help="Margin in the amount's currency, where the model stores one."
    )
    document_path = fields.Char(
        string="Document Field",
        help="Path to the document to open. Empty: the record itself.",
    )
    skip_domain = fields.Text(
        string="Left Out If",
        help="Which records are left out, because another source counts them or because they are "
        "no purchase of goods. One filter a line; a line is ignored while one of its fields does "
        "not exist.",
    )
    net_of_credit_notes = fields.Boolean(
        help="Only for sale orders and invoices: count what was bought in the end, without gift "
        "cards, eWallets and down payments. Orders count less what was credited, in the "
        "quantities that were or will be delivered and invoiced; an invoice that was taken back "
        "whole is no purchase."
    )
    # ----- STATE -----

    @api.depends("domain", "skip_domain", *PATHS, "defect")
    def _compute_state(self):
        return super()._compute_state()

    def _asleep_message(self, model):
        return self.env._("Counts nothing until an app brings the model “%s”.", model)

    def _defect_message(self, error):
        return self.env._("Correct the source: %s", error)

    def _inspect_parts(self):
        self._compile(self.env.company.sudo())
        # only companies whose value is margin compile these paths
        model = self.env[self.model].sudo()
        for path in filter(None, (self.margin_path, self.cost_path, self.cost_known_path)):
            if fields_along(model, path):
                path_sql(model, model._search(Domain.TRUE), path)
        # what only the database finds fault with, like a number compared with a word
        problem = isinstance(self.id, int) and self._problem(self.env.company)
        if problem:
            raise ValueError(problem)

    @api.constrains("model", "domain", "skip_domain", "net_of_credit_notes", *PATHS)
    def _check_compiles(self):
        for source in self:
            if source.net_of_credit_notes and not source._may_be_net():
                raise ValidationError(
                    self.env._(
                        "Only sale orders can be made net of credit notes by line, and invoices "
                        "with the amount amount_untaxed_signed; untick it or set the model to "
                        "sale.order."
                    )
                )
            state = source._checked_state()
            check_size(self.env, source.name, source._domain())
            source._check_author_may_read()
            if state == "ready":
                source._check_runs(source._compile(self.env.company.sudo()))

    def _may_be_net(self):
        if self.model == "account.move":
            return self.amount_path == "amount_untaxed_signed" and not self.negate
        return self.model == "sale.order"

    def _check_author_may_read(self):
        """Refuse paths to, and sums of, what the present user may not read."""
        self.ensure_one()
        if self.model not in self.env:
            return
        self._check_author_reads(self._domain(), self._skip_domain(self.env[self.model]))
        if self.state == "ready":
            # of companies that he does not work in the profiles' own rules show him nothing
            companies = rights.author_env(self.env).companies
            ours = Domain(self.company_path, "in", companies.ids)
            rights.check_sees_records(self.env, self.name, self.model, self._domain() & ours)

    @api.model_create_multi
    def create(self, vals_list):
        sources = super().create(vals_list)
        # Odoo checks no rights where there is no record
        if sources:
            self._sources_changed()
        return sources

    def write(self, vals):
        result = super().write(vals)
        if self and vals.keys() - {"name", "sequence"}:
            self._sources_changed()
        return result

    def unlink(self):
        result = super().unlink()
        if self:
            self._sources_changed()
        return result

    @api.model
    def _sources_changed(self):
        """Watch the models of the new set of sources, and let every figure be computed anew."""
        self.env.registry.clear_cache()
        if self.env.registry.ready:
            self.env["lifecycle.queue"]._watch_again()
            companies = self.env["res.company"]._lifecycle_companies()
            self.env["lifecycle.run"].sudo()._request(companies, kind="settings", refit=True)

    # ----- COMPILATION -----

    @api.model
    def _for_company(self, company):
        """Active sources that can be read now and count for the company's basis."""
        return self.sudo()._available([("basis", "in", ("both", company.lifecycle_basis))])

    def _wording(self):
        return [self.skip_domain, *super()._wording()]

    @api.model
    def _unread(self, company):
        """Sentence that names the sources of a company that are left out, or False."""
        return " ".join(
            self._unreadable(source, problem)
            for source in self._for_company(company)
            if (problem := source._problem(company))
        ) or False

    @api.model
    def _find_defects(self, company, partner_ids=None):
        """Mark the sources that fail while their documents are read, and say which they are.

        Called when a computation has failed; reads what that has read.

        :return: sentences
        """
        sentences = []
        for source in self._for_company(company):
            problem = source._problem(company)
            if not problem:
                try:
                    with limited(self.env, seconds=600):
                        self.env.cr.execute(
                            SQL(
                                "SELECT COUNT(*) FROM (%s) probe WHERE amount + value + gross > 0 "
                                "AND day IS NOT NULL",
                                source._compile(company.sudo(), partner_ids),
                            )
                        )
                except psycopg2.Error as error:
                    problem = first_line(error)
                    source._mark(problem)
            if problem:
                sentences.append(self._unreadable(source, problem))
        return sentences

    @api.model
    def _carefully(self, company, partner_ids, work):
        """Result of some work for a user that reads purchases of some customers.

        A source with which the database only finds fault while reading is marked, and the work is
        done again without it.

        :param work: function without arguments; may be called twice
        """
        try:
            with self.env.cr.savepoint(flush=False):
                return work()
        except (psycopg2.DataError, psycopg2.ProgrammingError):
            if not self.sudo()._find_defects(company, list(partner_ids)):
                raise
            return work()

    @api.model
    def _read_carefully(self, company, partner_ids, statement):
        """Rows of a SELECT, for a user; guarded like :meth:`_carefully`, in two messages.

        :param statement: function without arguments that makes the SQL; may be called twice
        """
        query, cr = statement(), self.env.cr
        self.env.flush_query(query)
        try:
            # both in one message to the database: forms are opened all day
            cr.execute(SQL("SAVEPOINT lifecycle_careful; %s", query))
            rows = cr.fetchall()
        except (psycopg2.DataError, psycopg2.ProgrammingError):
            cr.execute("ROLLBACK TO SAVEPOINT lifecycle_careful")
            if not self.sudo()._find_defects(company, list(partner_ids)):
                raise
            rows = self.env.execute_query(statement())
        cr.execute("RELEASE SAVEPOINT lifecycle_careful")
        return rows

    @api.model
    def _look_again(self, company):
        """Take the mark from sources that can be read again, as after an app was put right."""
        for source in self._for_company(company).filtered("defect"):
            try:
                with limited(self.env, seconds=600):
                    self.env.cr.execute(
                        SQL("SELECT COUNT(*), SUM(amount) FROM (%s) probe",
                            source._compile(company.sudo()))
                    )
            except (psycopg2.Error, *DEFECTS):
                continue
            source._mark(False)

    @api.model
    def _unreadable(self, source, problem):
        return self.env._(
            "Revenue source “%(name)s” cannot be read: %(error)s",
            name=source.name,
            error=problem,
        )

    @api.model
    def _rows_sql(self, company, partner_ids=None, by_document=False, complete=False):
        """Everything bought in a company, in rows as the sources have them.

        A source that cannot be read is left out where somebody works; its state says so. What is
        computed and kept must not miss it: customers would lose what they have bought.

        :param company: res.company record
        :param partner_ids: ids of commercial partners to restrict to, as numbers or as SQL of
            an array; None for all
        :param by_document: sum up the lines of documents that come in lines, so that a document
            has one row
        :param complete: rather fail than leave a source out
        :return: SQL of a SELECT with the columns of ``COLUMNS``: commercial partner, local day,
            net amount and value in company currency, amount before credit notes, exchange
            difference of the credit notes, source and document id, and the part of the net
            amount of whose value only the company's share is known
        """
        sources = self.browse()
        for source in self._for_company(company):
            problem = source._problem(company)
            if problem and complete:
                raise UserError(self._unreadable(source, problem))
            if problem:
                _logger.info("Revenue source %s is left out: %s", source.id, problem)
                continue
            sources += source
        given = sources.filtered("goodwill") if partner_ids is not None else self.browse()
        parts = [(each, each._compile(company.sudo(), partner_ids)) for each in sources - given]
        bought = None
        if given:
            # of some customers, what limits a goodwill is looked up once, for all who ask
            bought = SQL(" UNION ALL ").join(rows for _each, rows in parts) or self._nothing_sql()
            known = SQL("SELECT * FROM lifecycle_bought")
            parts = [
                (each, SQL("%s WHERE source_id = %s", known, each.id)) for each, _rows in parts
            ]
            parts += [
                (each, each._compile(company.sudo(), partner_ids, bought=known))
                for each in given
            ]
        if by_document:
            parts = [(each, each._by_document(rows)) for each, rows in parts]
        if not parts:
            return self._nothing_sql()
        rows = SQL(" UNION ALL ").join(part for _each, part in parts)
        if bought:
            return SQL("WITH lifecycle_bought AS MATERIALIZED (%s) %s", bought, rows)
        return rows

    @api.model
    def _nothing_sql(self):
        """SELECT without rows, in the columns of ``COLUMNS``."""
        return SQL(
            "SELECT 0 AS partner_id, NULL::date AS day, 0.0 AS amount, 0.0 AS value, "
            "0.0 AS gross, 0.0 AS exchange_difference, 0 AS source_id, 0 AS res_id, "
            "0.0 AS by_share WHERE FALSE"
        )

    @api.model
    def _rows_of(self, company, partner_id):
        """Everything that one customer bought in a company, for screens: see ``_rows_sql``.

        Reading and compiling the sources takes longer than the answer; they stay the same until
        somebody changes them, or the day or the company's settings change.
        """
        rows = self._compiled_rows(
            company.id,
            company._lifecycle_today(),
            company.lifecycle_basis,
            company.lifecycle_value,
            company.lifecycle_margin_percent,
            company._lifecycle_timezone(),
            company.currency_id.id,
            company._lifecycle_limits(),
        )
        return SQL(
            "WITH lifecycle_wanted AS (SELECT ARRAY[%s] AS ids) SELECT * FROM (%s) wanted_rows",
            partner_id,
            rows,
        )

    @api.model
    @tools.ormcache(
        *("company_id", "today", "basis", "value", "margin_percent", "timezone", "currency_id"),
        "limits",
    )
    def _compiled_rows(
        self, company_id, today, basis, value, margin_percent, timezone, currency_id, limits
    ):
        # kept for everybody: nothing of who happens to ask first may be in it
        context = {"lang": None, "allowed_company_ids": [company_id]}
        sources = self.with_env(api.Environment(self.env.cr, SUPERUSER_ID, context))
        company = sources.env.company
        return sources._rows_sql(company, SQL("(SELECT ids FROM lifecycle_wanted)::int[]"))

    def _compile(self, company, partner_ids=None, among=None, bought=None):
        """SELECT of this source's purchases in one company (see ``_rows_sql``).

        With ``lifecycle_set_aside`` in the context, of those that nobody can believe instead.

        :param among: SELECT of the commercial partners to restrict to, where they may be many
        :param bought: SELECT of what all other sources have of these customers, where it is there
        :raise ValueError: a path or the domain does not fit the model
        """
        self.ensure_one()
        model = self.env[self.model].sudo().with_context(active_test=False)
        self._check_kinds(model)
        domain = self._domain()
        # a head office has sold what its branches have
        domain &= Domain(self.company_path, "in", company._lifecycle_family().ids)
        domain &= ~self._skip_domain(model) & self._own_domain()
        query = model._search(domain)
        table = query.table

        contact, commercial = customer_sql(model, query, self.partner_path)
        firms = self.env["lifecycle.former.firm"]
        customer = firms._customer_sql(query, model._name, table, contact, commercial)
        wanted, part = None, None
        if partner_ids is not None:
            wanted = partner_ids if isinstance(partner_ids, SQL) else SQL("%s", list(partner_ids))
        if self.goodwill:
            customer, part = self._join_buyers(query, table, customer, wanted)
        elif wanted is not None:
            query.add_where(firms._wanted_sql(contact, commercial, wanted))
        if wanted is not None and customer is not commercial:
            query.add_where(SQL("%s = ANY(%s)", customer, wanted))
        if among is not None:
            query.add_where(SQL("%s IN (%s)", customer, among))
        # of nobody, like a sale over the counter
        query.add_where(SQL("%s IS NOT NULL", customer))
        query.add_where(
            SQL(
                "%s NOT IN (SELECT id FROM res_partner WHERE lifecycle_exclude)",
                customer,
            )
        )
        day = day_sql(model, query, self.date_path, company)
        if self.goodwill:
            day = self._settled_day_sql(query, table, company, day)
        gross = number_sql(model, query, self.amount_path)
        gross = self._signed_sql(model, table, query, gross)
        convert = converter(self, model, query, company, day)
        moment = path_sql(model, query, self.date_path)
        worth = worth_sql(self, model, query, company, gross, convert)
        plausible = plausible_sql(company, moment, worth)
        if own_value(self.env, "lifecycle_set_aside"):
            query.add_where(SQL("(%s) IS NOT TRUE", plausible))
            return self._set_aside_select(model, query, company, customer, moment, gross, convert)
        query.add_where(plausible)
        net, reduction, booked, margin_change = gross, None, None, None
        exchanged = SQL("0.0")
        if self.net_of_credit_notes and model._name == "account.move":
            gross, net, day, exchanged = self._move_worth(
                query, table, gross, day, partner_ids is not None
            )
        elif self.net_of_credit_notes:
            gross, net, reduction, booked, margin_change = self._order_worth(
                query, table, gross, self._documents_of_sql(model, wanted), company
            )
        elif self._is_refunds():
            gross, reduction, booked = self._refund_worth(model, table, query, company, day, net)
        digits = company.currency_id.decimal_places
        amount = SQL("ROUND(%s, %s)", convert(net), digits)
        if part:
            amount = part(convert(net), digits)
        document = (
            path_sql(model, query, self.document_path)
            if self.document_path
            else SQL.identifier(table, "id")
        )
        known = self._known_margin(
            model, table, query, company, gross, net, convert, margin_change
        )
        if known and part:
            known = tuple(part(each, digits) for each in known)
        rows = query.select(
            SQL("%s AS partner_id", customer),
            SQL("%s AS day", day),
            SQL("%s AS amount", amount),
            SQL("%s AS value", self._value_sql(company, amount, known)),
            SQL("ROUND(%s, %s) AS gross", convert(gross), digits),
            SQL(
                "%s AS exchange_difference",
                SQL("ROUND(%s - %s, %s)", convert(reduction), booked, digits)
                if reduction is not None
                else SQL("ROUND(%s, %s)", exchanged, digits),
            ),
            SQL("%s AS source_id", self._origin.id),
            SQL("%s AS res_id", document),
            SQL("%s AS by_share", self._by_share_sql(known, amount, company)),
            *(
                self._item_columns(model, query)
                if own_value(self.env, "lifecycle_by_product")
                else ()
            ),
        )
        return self._within_purchases(rows, company, wanted, bought) if self.goodwill else rows

    # ----- LATEST PURCHASE -----

    set_aside_count = fields.Integer(
        string="Documents Set Aside", compute="_compute_set_aside_count"
    )

    @api.depends_context("allowed_company_ids")
    @api.depends("state")
    def _compute_set_aside_count(self):
        """Only of those that can be looked at: the list of sources must not read all documents."""
        found = self.env["lifecycle.set.aside"]
        for source in self:
            source.set_aside_count = (
                found._count(self.env.company.sudo(), source) if source.state == "ready" else 0
            )

    def action_view_set_aside(self):
        """List the documents of this source that are not counted."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_set_aside_action"
        )
        return {**action, "domain": [("source_id", "=", self.id)]}

    def action_view_latest(self):
        """List the latest purchases that this source finds, to see whether they are right."""
        self.ensure_one()
        if self.state != "ready":
            raise UserError(self.state_message)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_purchase_action"
        )
        return {
            **action,
            "display_name": self.env._("Latest purchases: %s", self.name),
            "domain": [],
            "context": {"lifecycle_source_id": self.id},
        }
