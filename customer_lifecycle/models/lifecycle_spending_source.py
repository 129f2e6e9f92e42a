from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from .lifecycle_fields import stored_names
from .lifecycle_spending import PURPOSES

#: fields of a source that hold a path from its model
PATHS = (
    "company_path",
    "date_path",
    "amount_path",
    "rate_path",
    "currency_path",
    "source_path",
    "medium_path",
    "campaign_path",
)
#: models whose records can be chosen by account, analytic account and product category
PICKABLE = ("account.move.line", "account.analytic.line")


class LifecycleSpendingSource(models.Model):
    """Documents that say what getting or keeping customers costs, described by data.

    Like a revenue source it names a model and the paths to what is needed, and sleeps while the
    model is not installed. A document that several sources take counts for the first only.
    """

    _name = "lifecycle.spending.source"
    _inherit = "lifecycle.sleeping.mixin"
    _description = "Spending Source"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(
        default=10, help="A document counts for the first source that takes it."
    )
    active = fields.Boolean(default=True)
    model = fields.Char(
        help="Technical name, for example account.move.line. The app that brings it may be "
        "installed later."
    )
    waits_for = fields.Char(
        string="Also Needs",
        help="Model, or field of a model, without which the source sleeps.",
    )
    domain = fields.Char(default="[]", required=True, help="Which records are spending.")
    only_picked = fields.Boolean(
        string="Only What Is Picked",
        help="Counts nothing until an account, analytic account or product category is picked.",
    )
    account_ids = fields.Many2many(
        "account.account", string="Accounts", help="Whatever is booked on these accounts."
    )
    analytic_account_ids = fields.Many2many(
        "account.analytic.account",
        string="Analytic Accounts",
        help="Whatever is booked on these analytic accounts; of a line that is split between "
        "several, the part that is theirs.",
    )
    category_ids = fields.Many2many(
        "product.category",
        string="Product Categories",
        help="Purchases of products in these categories or below.",
    )
    purpose = fields.Selection(PURPOSES, required=True, default="getting")
    getting_percent = fields.Float(
        string="Share for Getting (%)",
        default=50.0,
        help="How much of it was for getting customers; the rest was for keeping them.",
    )
    company_path = fields.Char(string="Company Field", default="company_id", required=True)
    date_path = fields.Char(string="Date Field", default="date", required=True)
    amount_path = fields.Char(string="Untaxed Amount Field", default="amount", required=True)
    negate = fields.Boolean(
        string="Reverse Sign", help="For fields that count spending as negative."
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
    source_path = fields.Char(string="Path to the Source", help="Path to a UTM source.")
    medium_path = fields.Char(string="Path to the Medium", help="Path to a UTM medium.")
    campaign_path = fields.Char(string="Path to the Campaign", help="Path to a UTM campaign.")
    source_id = fields.Many2one(
        "utm.source", help="For documents that name none themselves."
    )
    medium_id = fields.Many2one(
        "utm.medium", help="For documents that name none themselves."
    )
    campaign_id = fields.Many2one(
        "utm.campaign", help="For documents that name none themselves."
    )

    _share_range = models.Constraint(
        "CHECK (getting_percent BETWEEN 0 AND 100)", "Choose a share between 0 and 100 %."
    )

    state = fields.Selection(selection_add=[("unpicked", "Nothing picked")])

    # ----- STATE -----

    @api.depends(
        *("waits_for", "domain", "company_path", "date_path", "amount_path"),
        *("only_picked", "account_ids", "analytic_account_ids", "category_ids"),
    )
    def _compute_state(self):
        return super()._compute_state()

    def _inspect(self):
        state, message = super()._inspect()
        if state == "ready" and self._is_unpicked():
            return "unpicked", self.env._(
                "Counts nothing until you pick accounts, analytic accounts or product categories."
            )
        return state, message

    def _missing_model(self):
        missing = super()._missing_model()
        if missing is None and self.waits_for and not self._is_there(self.waits_for):
            return self.waits_for
        return missing

    def _asleep_message(self, model):
        return self.env._("Counts nothing until an app brings “%s”.", model)

    def _inspect_parts(self):
        self._compile(self.env.company.sudo())

    def _is_unpicked(self):
        # sudo: accounts of companies that the reader may not see are picked all the same
        source = self.sudo()
        picked = source.account_ids or source.analytic_account_ids or source.category_ids
        return self.only_picked and not picked

    @api.constrains(
        *("model", "waits_for", "domain", "only_picked"),
        *("account_ids", "analytic_account_ids", "category_ids"),
        *PATHS,
    )
    def _check_compiles(self):
        for source in self:
            state, message = source._inspect()
            if state == "error":
                raise ValidationError(message)
            if source._missing_model() is not None:
                continue
            source._check_author_may_read()
            with self.env.cr.savepoint():
                self.env.cr.execute(
                    SQL("SELECT * FROM (%s) probe LIMIT 0", source._compile(self.env.company))
                )

    def _check_author_may_read(self):
        """Refuse sources of documents that the present user may not see.

        Sums are read as superuser: whoever says what is summed up must be able to see all of it.
        """
        self.ensure_one()
        revenue = self.env["lifecycle.revenue.source"]
        revenue._check_may_read(self.model, [self[name] for name in PATHS if self[name]])
        revenue._check_domain_may_read(self.model, self._domain())
        # constraints run as superuser, also those of a user's own changes
        model = self.env[self.model].sudo(False)
        if model.env.su:
            return
        rules = self.env["ir.rule"].with_env(model.env)._compute_domain(self.model, "read")
        hidden = any(
            condition.field_expr.rpartition(".")[2] != "company_id"
            for condition in Domain(rules).optimize(model.sudo()).iter_conditions()
        )
        if hidden:
            raise ValidationError(
                self.env._(
                    "You may not see all documents that “%s” would sum up. Ask somebody who may, "
                    "for example in accounting, to change this source.",
                    self.name,
                )
            )

    def _domain(self):
        self.ensure_one()
        return Domain(literal_eval(self.domain.strip() or "[]"))

    # ----- COMPILATION -----

    @api.model
    def _awake(self):
        """Sources that can be read now, as superuser."""
        sources = self.sudo()
        sources = sources.search_fetch(Domain.TRUE, stored_names(sources))
        return sources.filtered(
            lambda source: source._missing_model() is None and not source._is_unpicked()
        )

    @api.model
    def _rows_sql(self, company, today):
        """SELECT of the documents of all sources in a company, each counted once.

        :return: SQL with the columns of ``lifecycle.spending._rows_sql``, None without sources
        """
        parts = [source._compile(company) for source in self._awake()]
        if not parts:
            return None
        return SQL(
            """SELECT res_model, res_id, spending_source_id, 'document' AS kind,
                      NULL::integer AS partner_id, date, getting, amount - getting AS keeping,
                      source_id, medium_id, campaign_id, NULL::integer AS stage_id,
                      NULL::integer AS segment_id
                 FROM (SELECT *, ROW_NUMBER() OVER (
                                     PARTITION BY res_model, res_id
                                     ORDER BY sequence, spending_source_id) AS place
                         FROM (%(parts)s) parts) ranked
                 CROSS JOIN LATERAL (
                     SELECT CASE purpose WHEN 'getting' THEN amount WHEN 'keeping' THEN 0
                            ELSE ROUND(amount * getting_percent::numeric / 100, %(digits)s)
                            END AS getting) split
                WHERE place = 1 AND amount <> 0 AND date <= %(today)s""",
            parts=SQL(" UNION ALL ").join(parts),
            digits=company.currency_id.decimal_places,
            today=today,
        )

    def _compile(self, company):
        """SELECT of this source's documents in one company.

        :raise ValueError: a path or the domain does not fit the model
        """
        self.ensure_one()
        paths = self.env["lifecycle.revenue.source"]
        # how to find the day and the rate is the same for revenue and for spending
        reader = paths.new({name: self[name] for name in ("date_path", "rate_path")})
        reader.currency_path = self.currency_path
        model = self.env[self.model].sudo().with_context(active_test=False)
        query = model._search(self._domain() & Domain(self.company_path, "=", company.id))
        table = query.table
        day = reader._day_sql(model, table, query, company)
        amount = paths._number_sql(model, table, self.amount_path, query)
        if self.negate:
            amount = SQL("-%s", amount)
        convert = reader._converter(model, table, query, company, day)
        amount = SQL("(%s * %s)", convert(amount), self._picked_sql(model, table, query))
        if self.model == "account.move.line":
            query.add_where(
                SQL(
                    "%s NOT IN (SELECT bill_id FROM lifecycle_spending "
                    "WHERE bill_id IS NOT NULL)",
                    SQL.identifier(table, "move_id"),
                )
            )
        return query.select(
            SQL("%s AS res_model", self.model),
            SQL("%s AS res_id", SQL.identifier(table, "id")),
            SQL("%s AS spending_source_id", self.id),
            SQL("%s AS sequence", self.sequence),
            SQL("%s AS date", day),
            SQL("ROUND(%s, %s) AS amount", amount, company.currency_id.decimal_places),
            SQL("%s AS purpose", self.purpose),
            SQL("%s AS getting_percent", self.getting_percent),
            *(self._channel_sql(model, table, query, name) for name in
              ("source", "medium", "campaign")),
        )

    def _channel_sql(self, model, table, query, name):
        """Source, medium or campaign of a document, else the one that is set for all."""
        fixed, path = self[f"{name}_id"].id or None, self[f"{name}_path"]
        if not path:
            return SQL("%s::integer AS %s", fixed, SQL.identifier(f"{name}_id"))
        found = self.env["lifecycle.revenue.source"]._path_sql(model, table, path, query)
        return SQL(
            "COALESCE(%s, %s)::integer AS %s", found, fixed, SQL.identifier(f"{name}_id")
        )

    def _picked_sql(self, model, table, query):
        """Which part of a record is picked, 0 to 1; the query loses what is not."""
        if self.model not in PICKABLE:
            return SQL("1")
        if not (self.account_ids or self.analytic_account_ids or self.category_ids):
            return SQL("0" if self.only_picked else "1")
        account = "account_id" if self.model == "account.move.line" else "general_account_id"
        whole = Domain(account, "in", self.account_ids.ids)
        if self.category_ids:
            whole |= Domain("product_id.categ_id", "child_of", self.category_ids.ids)
        analytic = self.analytic_account_ids.ids
        if self.model == "account.analytic.line":
            # one record for each analytic account: it is theirs as a whole
            if analytic:
                whole |= Domain("auto_account_id", "in", analytic)
            query.add_where(SQL("%s IN %s", SQL.identifier(table, "id"),
                                model._search(whole).subselect()))
            return SQL("1")
        part = SQL(
            """LEAST(1, COALESCE((
                   SELECT SUM(share.value::numeric) / 100
                     FROM jsonb_each_text(%(distribution)s) share
                    WHERE string_to_array(share.key, ',')::integer[] && %(analytic)s
               ), 0))""",
            distribution=SQL.identifier(table, "analytic_distribution"),
            analytic=analytic,
        )
        picked = SQL(
            "(CASE WHEN %s IN %s THEN 1 ELSE %s END)",
            SQL.identifier(table, "id"),
            model._search(whole).subselect(),
            part,
        )
        query.add_where(SQL("%s <> 0", picked))
        return picked

    def action_view_lines(self):
        """Open what the source has counted."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_spending_line_action"
        )
        return {
            **action,
            "domain": [("spending_source_id", "=", self.id)],
            "context": {},
            "display_name": self.name,
        }
