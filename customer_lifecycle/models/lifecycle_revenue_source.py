from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

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
    "document_path",
)


class LifecycleRevenueSource(models.Model):
    """A place where purchases come from, described by data instead of code.

    A source names a model and the paths from it to customer, company, date and untaxed amount.
    It is compiled into one SELECT through the ORM's own query builder. A source whose model is
    not installed sleeps; it wakes up by itself once that model appears.
    """

    _name = "lifecycle.revenue.source"
    _description = "Revenue Source"
    _order = "sequence, id"

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
    skip_domain = fields.Char(
        string="Counted Elsewhere If",
        help="Which records are left out because another source counts them. Ignored while one "
        "of the fields does not exist.",
    )
    net_of_credit_notes = fields.Boolean(
        help="Only for sale orders: subtract what was credited on their lines beyond what was "
        "invoiced above the order."
    )
    state = fields.Selection(
        [("ready", "Ready"), ("asleep", "App not installed"), ("error", "Not usable")],
        compute="_compute_state",
    )
    state_message = fields.Char(compute="_compute_state")

    # ----- STATE -----

    @api.depends_context("lang")
    @api.depends("model", "domain", "partner_path", "company_path", "date_path", "amount_path")
    def _compute_state(self):
        for source in self:
            source.state, source.state_message = source._inspect()

    def _inspect(self):
        """Return (state, message) after trying to compile the source."""
        self.ensure_one()
        if not self.model or self.model not in self.env:
            return "asleep", self.env._(
                "Counts nothing until an app brings the model “%s”.", self.model or ""
            )
        try:
            self._compile(self.env.company.sudo())
            # only companies whose value is margin compile this path
            model = self.env[self.model].sudo()
            if self.margin_path and self._path_exists(model, self.margin_path):
                self._number_sql(model, model._table, self.margin_path, model._search(Domain.TRUE))
        except (ValueError, KeyError, UserError, SyntaxError, TypeError, AttributeError) as error:
            return "error", self.env._("Correct the source: %s", error)
        return "ready", False

    @api.constrains("model", "domain", "skip_domain", "net_of_credit_notes", *PATHS)
    def _check_compiles(self):
        for source in self:
            if source.net_of_credit_notes and source.model != "sale.order":
                raise ValidationError(
                    self.env._(
                        "Only sale orders can be made net of credit notes by line; untick it or "
                        "set the model to sale.order."
                    )
                )
            state, message = source._inspect()
            if state == "error":
                raise ValidationError(message)
            source._check_author_may_read()
            if state == "ready":
                with self.env.cr.savepoint():
                    self.env.cr.execute(
                        SQL("SELECT * FROM (%s) probe LIMIT 0", source._compile(self.env.company))
                    )

    def _check_author_may_read(self):
        """Refuse paths to what the present user may not read.

        The compiled query runs as superuser: it must not show more than its author may see.
        """
        self.ensure_one()
        if self.model not in self.env:
            return
        paths = [self[name] for name in PATHS if self[name]]
        for domain in (self._domain(), self._skip_domain(self.env[self.model])):
            paths += [condition.field_expr for condition in domain.iter_conditions()]
        for path in paths:
            # constraints run as superuser, also those of a user's own changes
            model = self.env[self.model].sudo(False)
            for hop in path.split("."):
                field = model._fields.get(hop)
                if field is None:
                    break
                if not model.has_access("read") or not model._has_field_access(field, "read"):
                    raise ValidationError(
                        self.env._(
                            "You may not read “%(path)s” of “%(model)s”; ask somebody who may "
                            "to add this source.",
                            path=path,
                            model=self.model,
                        )
                    )
                if not field.relational:
                    break
                model = model.env[field.comodel_name]

    def _domain(self):
        self.ensure_one()
        return Domain(literal_eval(self.domain.strip() or "[]"))

    def _skip_domain(self, model):
        """Domain of the records that another source counts."""
        self.ensure_one()
        if not self.skip_domain:
            return Domain.FALSE
        domain = Domain(literal_eval(self.skip_domain.strip()))
        known = (
            self._path_exists(model, condition.field_expr)
            for condition in domain.iter_conditions()
        )
        return domain if all(known) else Domain.FALSE

    @api.model_create_multi
    def create(self, vals_list):
        sources = super().create(vals_list)
        self._sources_changed()
        return sources

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() - {"name", "sequence"}:
            self._sources_changed()
        return result

    def unlink(self):
        result = super().unlink()
        self._sources_changed()
        return result

    @api.model
    def _sources_changed(self):
        """Watch the models of the new set of sources, and let every figure be computed anew."""
        if self.env.registry.ready:
            self.env["lifecycle.queue"]._watch_again()
            companies = self.env["res.company"]._lifecycle_companies()
            self.env["lifecycle.run"].sudo()._request(companies, kind="settings", refit=True)

    # ----- COMPILATION -----

    @api.model
    def _for_company(self, company):
        """Active sources that can be read now and count for the company's basis."""
        sources = self.sudo().search([("basis", "in", ("both", company.lifecycle_basis))])
        return sources.filtered(lambda source: source.model in self.env)

    @api.model
    def _rows_sql(self, company, partner_ids=None):
        """Everything bought in a company, a row for each document.

        :param company: res.company record
        :param partner_ids: ids of commercial partners to restrict to, or None for all
        :return: SQL of a SELECT with the columns of ``COLUMNS``: commercial partner, local day,
            net amount and value in company currency, amount before credit notes, exchange
            difference of the credit notes, source and document id
        """
        parts = []
        for source in self._for_company(company):
            try:
                parts.append(source._compile(company.sudo(), partner_ids))
            except (ValueError, KeyError) as error:
                raise UserError(
                    self.env._(
                        "Revenue source “%(name)s” cannot be read: %(error)s",
                        name=source.name,
                        error=error,
                    )
                ) from error
        if not parts:
            return SQL(
                "SELECT 0 AS partner_id, NULL::date AS day, 0.0 AS amount, 0.0 AS value, "
                "0.0 AS gross, 0.0 AS exchange_difference, 0 AS source_id, 0 AS res_id "
                "WHERE FALSE"
            )
        return SQL(" UNION ALL ").join(parts)

    def _compile(self, company, partner_ids=None):
        """SELECT of this source's purchases in one company (see ``_rows_sql``).

        :raise ValueError: a path or the domain does not fit the model
        """
        self.ensure_one()
        model = self.env[self.model].sudo().with_context(active_test=False)
        domain = self._domain()
        domain &= Domain(self.company_path, "=", company.id)
        domain &= ~self._skip_domain(model)
        query = model._search(domain)
        table = query.table

        partner_model, partner_alias = self._follow(model, table, self.partner_path, query)
        if partner_model._name != "res.partner":
            raise ValueError(
                self.env._("“%s” does not lead to a contact.", self.partner_path)
            )
        customer = partner_model._field_to_sql(partner_alias, "commercial_partner_id", query)
        if partner_ids is not None:
            query.add_where(SQL("%s = ANY(%s)", customer, list(partner_ids)))
        query.add_where(
            SQL(
                "%s NOT IN (SELECT id FROM res_partner WHERE lifecycle_exclude)",
                customer,
            )
        )
        day = self._day_sql(model, table, query, company)
        gross = self._number_sql(model, table, self.amount_path, query)
        if self.negate:
            gross = SQL("-%s", gross)
        net, booked = gross, None
        if self.net_of_credit_notes:
            credit = self._join_credit_notes(query, table, partner_ids is not None)
            net = SQL("(%s - COALESCE(%s, 0))", gross, SQL.identifier(credit, "reduction"))
            booked = SQL("COALESCE(%s, 0)", SQL.identifier(credit, "booked"))
        digits = company.currency_id.decimal_places
        convert = self._converter(model, table, query, company, day)
        amount = SQL("ROUND(%s, %s)", convert(net), digits)
        document = (
            self._path_sql(model, table, self.document_path, query)
            if self.document_path
            else SQL.identifier(table, "id")
        )
        return query.select(
            SQL("%s AS partner_id", customer),
            SQL("%s AS day", day),
            SQL("%s AS amount", amount),
            SQL(
                "%s AS value",
                self._value_sql(model, table, query, company, amount, gross, net, convert),
            ),
            SQL("ROUND(%s, %s) AS gross", convert(gross), digits),
            SQL(
                "%s AS exchange_difference",
                SQL("ROUND(%s - %s, %s)", convert(SQL("(%s - %s)", gross, net)), booked, digits)
                if booked is not None
                else SQL("0.0"),
            ),
            SQL("%s AS source_id", self.id),
            SQL("%s AS res_id", document),
        )

    def _value_sql(self, model, table, query, company, amount, gross, net, convert):
        """What the purchase is worth by the company's definition of value."""
        digits = company.currency_id.decimal_places
        if company.lifecycle_value == "revenue":
            return amount
        share = SQL(
            "ROUND(%s * (%s)::numeric, %s)",
            amount,
            company.lifecycle_margin_percent / 100,
            digits,
        )
        if (
            company.lifecycle_value == "margin"
            and self.margin_path
            and self._path_exists(model, self.margin_path)
        ):
            margin = self._number_sql(model, table, self.margin_path, query)
            # a credited part of the order takes its part of the margin along; what was given
            # away has nothing to credit and costs what it costs
            kept = SQL(
                "(CASE WHEN %s = 0 THEN %s ELSE %s * %s / NULLIF(%s, 0) END)",
                gross, margin, margin, net, gross,
            )
            return SQL("COALESCE(ROUND(%s, %s), %s)", convert(kept), digits, share)
        return share

    def _converter(self, model, table, query, company, day):
        """Function that turns an SQL amount of this source into company currency."""
        if self.rate_path:
            rate = self._number_sql(model, table, self.rate_path, query)
            return lambda amount: SQL("(%s / COALESCE(NULLIF(%s, 0), 1))", amount, rate)
        if self.currency_path:
            currency = self._path_sql(model, table, self.currency_path, query)
            rate = self._rate_of_day(currency, company, day)
            own_rate = self._rate_of_day(SQL("%s", company.currency_id.id), company, day)
            return lambda amount: SQL(
                "(CASE WHEN %s = %s THEN %s ELSE %s / %s * %s END)",
                currency,
                company.currency_id.id,
                amount,
                amount,
                rate,
                own_rate,
            )
        return lambda amount: SQL("(%s)", amount)

    @api.model
    def _rate_of_day(self, currency, company, day):
        """Rate of a currency on a day, as Odoo chooses it: last before, else first, else 1."""
        chosen = SQL(
            """SELECT rate FROM res_currency_rate
                WHERE currency_id = %s AND (company_id IS NULL OR company_id = %s)""",
            currency,
            company.root_id.id,
        )
        return SQL(
            """COALESCE((%(chosen)s AND name <= %(day)s ORDER BY company_id, name DESC LIMIT 1),
                        (%(chosen)s ORDER BY company_id, name LIMIT 1), 1)::numeric""",
            chosen=chosen,
            day=day,
        )

    def _day_sql(self, model, table, query, company):
        """The purchase's day in the company's time zone."""
        *_hops, last = self.date_path.split(".")
        target, _alias = self._follow(model, table, self.date_path, query, whole=False)
        moment = self._path_sql(model, table, self.date_path, query)
        if target._fields[last].type == "date":
            return moment
        return SQL(
            "(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date",
            moment,
            company._lifecycle_timezone(),
        )

    @api.model
    def _join_credit_notes(self, query, table, few_orders):
        """Join what credit notes took from each sale order; returns the alias.

        For each order line, what counts as taken back is the credited amount less what had been
        invoiced above the ordered amount: a reversed and reissued invoice leaves the order whole.
        Amounts are in the order's currency; ``booked`` is the same part of the credit notes in
        company currency at the rate they were booked with.
        """
        alias = query.make_alias(table, "lifecycle_credit")
        # with few orders each is looked up by itself; with all, one pass over the credit notes
        restrict = (
            SQL("line.order_id = %s", SQL.identifier(table, "id"))
            if few_orders
            else SQL(
                """line.id IN (
                    SELECT rel.order_line_id
                      FROM account_move credit_note
                      JOIN account_move_line item ON item.move_id = credit_note.id
                      JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = item.id
                     WHERE credit_note.move_type = 'out_refund' AND credit_note.state = 'posted'
                )"""
            )
        )
        credits = SQL(
            """SELECT order_id,
                      SUM(sign * taken) AS reduction,
                      SUM(booked * sign * taken / NULLIF(credited, 0)) AS booked
                 FROM (
                    SELECT order_id, sign, credited, booked,
                           GREATEST(0, sign * credited
                                       - GREATEST(0, sign * (invoiced - ordered))) AS taken
                      FROM (
                        SELECT line.order_id,
                               line.price_subtotal AS ordered,
                               CASE WHEN line.price_subtotal < 0 THEN -1 ELSE 1 END AS sign,
                               COALESCE(SUM(part.amount) FILTER (WHERE NOT part.refund), 0)
                                   AS invoiced,
                               COALESCE(SUM(part.amount) FILTER (WHERE part.refund), 0)
                                   AS credited,
                               COALESCE(SUM(part.booked) FILTER (WHERE part.refund), 0)
                                   AS booked
                          FROM sale_order_line line
                          JOIN sale_order ordering ON ordering.id = line.order_id
                          JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = line.id
                          JOIN account_move_line item ON item.id = rel.invoice_line_id
                          JOIN account_move move ON move.id = item.move_id
                          CROSS JOIN LATERAL (
                            SELECT move.move_type = 'out_refund' AS refund,
                                   item.balance AS booked,
                                   CASE WHEN move.currency_id = ordering.currency_id
                                        THEN item.price_subtotal
                                        WHEN move.move_type = 'out_refund'
                                        THEN item.balance * ordering.currency_rate
                                        ELSE -item.balance * ordering.currency_rate
                                   END AS amount
                          ) part
                         WHERE move.state = 'posted'
                           AND move.move_type IN ('out_invoice', 'out_refund')
                           AND line.is_downpayment IS NOT TRUE
                           AND %(restrict)s
                         GROUP BY line.id
                      ) totals
                 ) netted
                GROUP BY order_id""",
            restrict=restrict,
        )
        query.add_join(
            "LEFT JOIN",
            alias,
            SQL("LATERAL (%s)", credits) if few_orders else SQL("(%s)", credits),
            SQL("%s = %s", SQL.identifier(alias, "order_id"), SQL.identifier(table, "id")),
        )
        return alias

    # ----- PATHS -----

    @api.model
    def _follow(self, model, alias, path, query, whole=True):
        """Join along a path of many2one fields; return the last (model, alias).

        :param whole: follow the last field of the path too
        """
        hops = path.split(".")
        for hop in hops if whole else hops[:-1]:
            field = model._fields.get(hop)
            if field is None or field.type != "many2one":
                raise ValueError(
                    self.env._(
                        "“%(field)s” is not a link field of %(model)s.",
                        field=hop,
                        model=model._name,
                    )
                )
            model, alias = field.join(model, alias, query)
        return model, alias

    @api.model
    def _path_sql(self, model, alias, path, query):
        model, alias = self._follow(model, alias, path, query, whole=False)
        return model._field_to_sql(alias, path.split(".")[-1], query)

    @api.model
    def _number_sql(self, model, alias, path, query):
        return SQL("%s::numeric", self._path_sql(model, alias, path, query))

    @api.model
    def _path_exists(self, model, path):
        for hop in path.split("."):
            field = model._fields.get(hop)
            if field is None:
                return False
            model = self.env[field.comodel_name] if field.relational else model
        return True

    def _document_model(self):
        """Name of the model that the documents of this source belong to."""
        self.ensure_one()
        model = self.env[self.model]
        for hop in (self.document_path or "").split("."):
            if hop:
                model = self.env[model._fields[hop].comodel_name]
        return model._name

    # ----- WATCHING -----

    def _watched_fields(self):
        """Fields whose change makes a customer's history change.

        :return: dict model name → list of (path from this source's model to that model, set of
            field names); contacts, companies and currencies are watched elsewhere
        """
        self.ensure_one()
        paths = [self[name] for name in PATHS if name != "document_path"]
        for domain in (self._domain(), self._skip_domain(self.env[self.model])):
            paths += [condition.field_expr for condition in domain.iter_conditions()]
        watched = {}
        for path in filter(None, paths):
            model, prefix = self.env[self.model], []
            for hop in path.split("."):
                field = model._fields.get(hop)
                if field is None:
                    break
                if field.store:
                    key = (model._name, ".".join(prefix))
                    watched.setdefault(key, set()).add(hop)
                if field.type != "many2one" or field.comodel_name in (
                    "res.partner",
                    "res.company",
                    "res.currency",
                ):
                    break
                model, prefix = self.env[field.comodel_name], [*prefix, hop]
        result = {}
        for (name, prefix), names in watched.items():
            result.setdefault(name, []).append((prefix, names))
        return result

    @api.model
    def _affected_sql(self, name, partner_path, company_path, prefix, record_ids):
        """SELECT (commercial partner, company) of the rows of a source behind some records.

        :param name: the source's model
        :param prefix: path from it to the model of the records, empty for its own
        :raise ValueError: a path does not fit the model
        """
        model = self.env[name].sudo().with_context(active_test=False)
        query = model._search(Domain(prefix or "id", "in", list(record_ids)))
        partner_model, alias = self._follow(model, query.table, partner_path, query)
        return query.select(
            SQL(
                "%s AS partner_id",
                partner_model._field_to_sql(alias, "commercial_partner_id", query),
            ),
            SQL(
                "%s AS company_id",
                self._path_sql(model, query.table, company_path, query),
            ),
        )
