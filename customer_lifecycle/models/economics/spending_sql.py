"""The SELECT behind spending sources, in which every document counts once.

In: the sources that are awake, what they pick, bills that were entered by hand. Out: rows like
those of entered spending, without what an earlier source took. Called by the spending lines, the
checks of a source and the list of what is set aside.
"""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.context import own_value
from ..sources.money import converter, plausible_sql, reason_sql, worth_sql
from ..sources.paths import check_kinds, day_sql, number_sql, path_sql
from .spending_source import PATHS

#: models whose records can be chosen by account, analytic account and product category
PICKABLE = ("account.move.line", "account.analytic.line")
#: what is made of spending cannot be spending
COUNTED = ("lifecycle.spending", "lifecycle.spending.line", "lifecycle.economics")


class LifecycleSpendingSource(models.Model):
    """What a spending source reads, as SQL."""

    # a file for each subject of this large model
    _inherit = "lifecycle.spending.source"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _available(self, domain=Domain.TRUE):
        return super()._available(domain).filtered(lambda source: not source._is_unpicked())

    @api.model
    def _rows_sql(self, company, today):
        """SELECT of the documents of all sources in a company, each counted once.

        :return: SQL with the columns of ``lifecycle.spending._rows_sql``, None without sources
        """
        # what cannot be read is left out: its state says so
        selects = [
            source._compile(company)
            for source in self.sudo()._available()
            if not source._problem(company)
        ]
        if not selects:
            return None
        return SQL(
            """SELECT res_model, res_id, spending_source_id, 'document' AS kind,
                      NULL::integer AS partner_id, date, getting, amount - getting AS keeping,
                      source_id, medium_id, campaign_id, NULL::integer AS stage_id,
                      NULL::integer AS segment_id
                 FROM (SELECT *, BOOL_OR(keys IS NULL) OVER earlier AS gone,
                              string_to_array(
                                  string_agg(array_to_string(keys, ' '), ' ') OVER earlier, ' ')
                                  AS gone_keys
                         FROM (%(selects)s) found
                       WINDOW earlier AS (
                           PARTITION BY res_model, res_id ORDER BY sequence, spending_source_id
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) ranked
                 CROSS JOIN LATERAL (
                     SELECT LEAST(1, COALESCE(SUM(value::numeric) FILTER (
                                WHERE key = ANY(gone_keys)), 0) / 100) AS before,
                            COALESCE(SUM(value::numeric) FILTER (
                                WHERE key = ANY(keys)
                                  AND (key = ANY(gone_keys)) IS NOT TRUE), 0) / 100 AS own
                       FROM jsonb_each_text(distribution)) shares
                 CROSS JOIN LATERAL (
                     -- parts of a document add up to it, to the cent
                     SELECT CASE WHEN gone THEN 0
                            ELSE ROUND(whole * CASE WHEN keys IS NULL THEN 1
                                                    ELSE LEAST(1, before + own) END, %(digits)s)
                                 - ROUND(whole * before, %(digits)s) END AS amount) taken
                 CROSS JOIN LATERAL (
                     SELECT CASE purpose WHEN 'getting' THEN amount WHEN 'keeping' THEN 0
                            ELSE ROUND(amount * getting_percent::numeric / 100, %(digits)s)
                            END AS getting) split
                WHERE amount <> 0 AND date <= %(today)s""",
            selects=SQL(" UNION ALL ").join(selects),
            digits=company.currency_id.decimal_places,
            today=today,
        )

    def _compile(self, company):
        """SELECT of this source's documents in one company.

        With ``lifecycle_set_aside`` in the context, of those that nobody can believe instead.

        :raise ValueError: a path or the domain does not fit the model
        """
        self.ensure_one()
        model = self.env[self.model].sudo().with_context(active_test=False)
        self._check_kinds(model)
        # what branches spend is their head office's, as what they sell
        query = model._search(
            self._domain() & Domain(self.company_path, "in", company._lifecycle_family().ids)
        )
        table = query.table
        day = day_sql(model, query, self.date_path, company)
        amount = number_sql(model, query, self.amount_path)
        if self.negate:
            amount = SQL("-%s", amount)
        convert = converter(self, model, query, company, day)
        moment = path_sql(model, query, self.date_path)
        worth = worth_sql(self, model, query, company, amount, convert)
        plausible = plausible_sql(company, moment, worth)
        keys = self._picked_sql(model, table, query)
        self._leave_out_named_bills(table, query)
        if own_value(self.env, "lifecycle_set_aside"):
            query.add_where(SQL("(%s) IS NOT TRUE", plausible))
            return self._set_aside_select(query, company, moment, amount, convert)
        query.add_where(plausible)
        return query.select(
            SQL("%s AS res_model", self.model),
            SQL("%s AS res_id", SQL.identifier(table, "id")),
            SQL("%s AS spending_source_id", self.id),
            SQL("%s AS sequence", self.sequence),
            SQL("%s AS date", day),
            SQL("%s AS whole", convert(amount)),
            SQL("%s AS keys", keys),
            SQL(
                "%s AS distribution",
                SQL.identifier(table, "analytic_distribution")
                if self.model == "account.move.line"
                else SQL("NULL::jsonb"),
            ),
            SQL("%s AS purpose", self.purpose),
            SQL("%s AS getting_percent", self.getting_percent),
            *(self._channel_sql(model, query, name) for name in ("source", "medium", "campaign")),
        )

    def _channel_sql(self, model, query, name):
        """Source, medium or campaign of a document, else the one that is set for all."""
        fixed, path = self[f"{name}_id"].id or None, self[f"{name}_path"]
        if not path:
            return SQL("%s::integer AS %s", fixed, SQL.identifier(f"{name}_id"))
        found = path_sql(model, query, path)
        return SQL("COALESCE(%s, %s)::integer AS %s", found, fixed, SQL.identifier(f"{name}_id"))

    def _leave_out_named_bills(self, table, query):
        """What somebody entered by hand and named the bill for does not count twice."""
        column = {
            "account.move": "id",
            "account.move.line": "move_id",
            "account.analytic.line": "move_line_id",
        }.get(self.model)
        if not column:
            return
        named = SQL("SELECT bill_id FROM lifecycle_spending WHERE bill_id IS NOT NULL")
        if column == "move_line_id":
            named = SQL("SELECT id FROM account_move_line WHERE move_id IN (%s)", named)
        column = SQL.identifier(table, column)
        query.add_where(SQL("(%s IS NULL OR %s NOT IN (%s))", column, column, named))

    def _picked_sql(self, model, table, query):
        """Keys of the analytic distribution that are picked, NULL: all of the record.

        The query loses the records of which nothing is picked.
        """
        everything = SQL("NULL::text[]")
        if self.model not in PICKABLE:
            return everything
        if not (self.account_ids or self.analytic_account_ids or self.category_ids):
            if self.only_picked:
                query.add_where(SQL("FALSE"))
            return everything
        account = "account_id" if self.model == "account.move.line" else "general_account_id"
        whole = Domain(account, "in", self.account_ids.ids)
        if self.category_ids:
            whole |= Domain("product_id.categ_id", "child_of", self.category_ids.ids)
        analytic = self.analytic_account_ids.ids
        if self.model == "account.analytic.line":
            # one record for each analytic account: it is theirs as a whole
            if analytic:
                whole |= Domain("auto_account_id", "in", analytic)
            query.add_where(whole.optimize_full(model)._to_sql(model, table, query))
            return everything
        keys = SQL(
            """(CASE WHEN (%(whole)s) IS NOT TRUE THEN ARRAY(
                   SELECT key FROM jsonb_object_keys(%(distribution)s) key
                    WHERE string_to_array(key, ',') && %(analytic)s) END)""",
            whole=whole.optimize_full(model)._to_sql(model, table, query),
            distribution=SQL.identifier(table, "analytic_distribution"),
            analytic=[str(number) for number in analytic],
        )
        query.add_where(SQL("%s IS DISTINCT FROM '{}'", keys))
        return keys

    def _check_kinds(self, model):
        """Refuse paths to another kind of field than spending can be made of.

        :raise ValueError: says which
        """
        if model._name in COUNTED:
            raise ValueError(
                self.env._("This money counts already; choose the model that holds the documents.")
            )
        check_kinds(self, model, PATHS)

    def _set_aside_select(self, query, company, moment, amount, convert):
        """SELECT of the rows of ``lifecycle.set.aside`` from the query of a spending source."""
        return query.select(
            SQL("NULL::integer AS source_id"),
            SQL("%s AS spending_source_id", self.id),
            SQL("%s AS res_model", self.model),
            SQL("%s AS res_id", SQL.identifier(query.table, "id")),
            SQL("NULL::integer AS partner_id"),
            SQL("%s::date::text AS dated", moment),
            SQL("trim_scale(%s)::text AS amount", amount),
            SQL(
                "%s AS reason",
                reason_sql(company, moment, convert(amount)),
            ),
        )
