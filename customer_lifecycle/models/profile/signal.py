"""Signals: what else than purchases is read into profiles, described by data.

In: a model, a filter and paths, such as to ratings, deliveries or unpaid invoices. Out: dates and
numbers on the profiles, and warnings about signals that cannot be read. Called by the run's last
step and by the refresh; workflows after deliveries read the same records.
"""

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import rights
from ...tools.probe import refusal
from ..sources.paths import check_kinds, customer_sql, day_sql, number_sql, path_sql
from ..sources.source_mixin import DEFECTS
from .complaints import COMPLAINTS, UNPAID
from .reader import Reader

#: profile fields that signals fill; another add-on extends the selection
TARGETS = [
    ("advocacy_date", "Last spoke for us"),
    ("last_contact_date", "Last contact"),
    ("referral_count", "Successful recommendations"),
    ("satisfaction_average", "Average rating"),
    ("satisfaction_last", "Last rating"),
    ("delivery_date", "Last delivery"),
    *((complaint.date, complaint.target) for complaint in COMPLAINTS),
    (UNPAID, "Unpaid since"),
]
#: how the records found for a customer become one value
AGGREGATES = [
    ("latest", "The latest date"),
    ("earliest", "The earliest date"),
    ("count", "Their number"),
    ("average", "The average of a number"),
    ("last", "The number of the latest"),
]
PATHS = ("partner_path", "company_path", "date_path", "after_path", "value_path")
#: by the kind of field: what it reads where nothing is found, and what is found
NOTHING = {"date": "NULL::date", "integer": "0", "float": "NULL::numeric"}
FOUND = {"date": "%s", "integer": "COALESCE(%s, 0)::integer", "float": "ROUND(%s, 2)"}


class SignalReader(Reader):
    """Reads signals of the customers that there is news of.

    - ``lifecycle_changed_customer``: those customers, unless all are looked at
    - ``lifecycle_changed_contact``: all their contacts
    """

    TABLES = ("lifecycle_changed_customer", "lifecycle_changed_contact")
    SEEN = "signal_seen"
    only_changed = False

    def find_changes(self, seen, complete):
        self.only_changed, now = self.env["lifecycle.signal"]._find_changes(
            self.company, seen, complete
        )
        return now

    def update(self):
        return self.env["lifecycle.signal"]._update(
            self.company, self.scope.partner_ids, self.only_changed
        )


class LifecycleSignal(models.Model):
    """Where something that rules look at is read from, besides purchases.

    A signal names a model and the paths from it to customer, company and date, as revenue sources
    do, and the profile field that it fills. It sleeps until its model is installed. Dates are
    kept rather than counts of the last year: they stay true while time passes.
    """

    _name = "lifecycle.signal"
    _inherit = "lifecycle.sleeping.mixin"
    _description = "Customer Signal"
    _order = "target, sequence, id"
    _path_fields = PATHS

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    target = fields.Selection(
        TARGETS,
        string="Fills",
        required=True,
        help="Several signals may fill one field: the latest date, the earliest, or the sum "
        "counts.",
    )
    aggregate = fields.Selection(AGGREGATES, default="latest", required=True)
    model = fields.Char(required=True, help="Technical name; its app may be installed later.")
    domain = fields.Char(default="[]", required=True)
    partner_path = fields.Char(string="Customer Field", default="partner_id", required=True)
    company_path = fields.Char(
        string="Company Field", help="Empty, or empty on a record: counts in every company."
    )
    date_path = fields.Char(string="Date Field", default="create_date", required=True)
    after_path = fields.Char(
        string="Only If Later Than",
        help="Another date field: the record counts when its day is later than that one's. What "
        "was promised for a day is kept until it ends, in the company's time zone.",
    )
    value_path = fields.Char(
        string="Number Field", help="For averages and the number of the latest record."
    )
    waits_for = fields.Char(
        help="Technical name of a model or field: the signal speaks only while it is installed, "
        "for example stock.picking.is_dropship.",
    )
    unless_model = fields.Char(
        string="Only Without",
        help="Technical name of a model: the signal speaks only while its app is not installed.",
    )

    # ----- STATE -----

    @api.depends("domain", "target", "aggregate", "waits_for", "unless_model", *PATHS)
    def _compute_state(self):
        return super()._compute_state()

    def _missing_model(self):
        missing = super()._missing_model()
        if missing is None and self.unless_model and self.unless_model in self.env:
            return self.unless_model
        return missing

    def _asleep_message(self, model):
        if model and model == self.unless_model:
            return self.env._("Says nothing while an app brings the model “%s”.", model)
        return self.env._("Says nothing until an app brings “%s”.", model)

    def _defect_message(self, error):
        return self.env._("Correct the signal: %s", error)

    def _inspect_parts(self):
        check_kinds(self, self.env[self.model], ("date_path", "after_path", "value_path"))
        problem = refusal(self.env, self._compile(self.env.company.sudo()))
        if problem:
            raise ValueError(problem)

    @api.constrains("model", "domain", "target", "aggregate", *PATHS)
    def _check_compiles(self):
        for signal in self:
            if (signal.aggregate in ("average", "last")) != bool(signal.value_path):
                raise ValidationError(
                    self.env._(
                        "A number field goes with an average or the number of the latest, and "
                        "only with these."
                    )
                )
            kind = self.env["lifecycle.profile"]._fields[signal.target].type
            if (kind == "date") != (signal.aggregate in ("latest", "earliest")):
                raise ValidationError(
                    self.env._("“%s” does not fit the field it fills.", signal.name)
                )
            if signal._checked_state() == "ready":
                signal._check_author_reads()
                # averages and numbers tell amounts
                companies = rights.author_env(self.env).companies
                rights.check_sees_records(
                    self.env, signal.name, signal.model, signal._company_domain(companies)
                )

    def _company_domain(self, companies):
        """Domain of the records that count in some companies."""
        domain = self._domain()
        if self.company_path:
            domain &= Domain(self.company_path, "in", [*companies.ids, False])
        return domain

    # ----- COMPILATION -----

    def _customer_sql(self, model, query):
        """The commercial partner that a record is about."""
        return customer_sql(model, query, self.partner_path)[1]

    def _compile(self, company, partner_ids=None, only_changed=False, days=None):
        """SELECT of (commercial partner, value): one row for each customer with a record.

        :param partner_ids: restrict to these commercial partners
        :param only_changed: restrict to the contacts in ``lifecycle_changed_contact``
        :param days: first and last day to look at; without: all until today
        """
        self.ensure_one()
        # "today" in a filter is the company's
        model = (
            self.env[self.model]
            .sudo()
            .with_context(active_test=False, tz=company._lifecycle_timezone())
        )
        query = model._search(self._company_domain(company._lifecycle_family()))
        customer = self._customer_sql(model, query)
        if partner_ids is not None:
            query.add_where(SQL("%s = ANY(%s)", customer, list(partner_ids)))
        if only_changed:
            # the link itself: few are found by its index where all would be read otherwise
            link = path_sql(model, query, self.partner_path)
            query.add_where(
                SQL("%s IN (SELECT id FROM pg_temp.lifecycle_changed_contact)", link)
            )
        moment = path_sql(model, query, self.date_path)
        day = day_sql(model, query, self.date_path, company)
        if self.after_path:
            query.add_where(SQL("%s > %s", day, day_sql(model, query, self.after_path, company)))
        number = SQL("NULL::numeric")
        if self.value_path:
            number = number_sql(model, query, self.value_path)
        values = {
            "latest": SQL("MAX(day)"),
            "earliest": SQL("MIN(day)"),
            "count": SQL("COUNT(*)::numeric"),
            "average": SQL("AVG(number)"),
            "last": SQL("(ARRAY_AGG(number ORDER BY moment DESC, number))[1]"),
        }
        return SQL(
            "SELECT partner_id, %s AS value FROM (%s) found WHERE day BETWEEN %s AND %s "
            "GROUP BY partner_id",
            values[self.aggregate],
            query.select(
                SQL("%s AS partner_id", customer),
                SQL("%s AS day", day),
                SQL("%s AS moment", moment),
                SQL("%s AS number", number),
            ),
            *(days or ("-infinity", company._lifecycle_today())),
        )

    # ----- WRITING -----

    @api.model
    def _update(self, company, partner_ids=None, only_changed=False):
        """Write what the signals say to a company's profiles, where it differs.

        A signal that cannot be read is left out and keeps what it said before.

        :param partner_ids: restrict to these commercial partners
        :param only_changed: restrict to those in ``lifecycle_changed_customer``
        :return: (number of changed profiles, warnings)
        """
        columns, joins, warnings = {}, [], []
        available = self.sudo()._available().grouped("target")
        if partner_ids is not None:
            partner_ids = self._reached(company, partner_ids)
        for target in self._fields["target"].get_values(self.env):
            kind = self.env["lifecycle.profile"]._fields[target].type
            signals = available.get(target)
            if not signals:
                # what nobody reads any more is not said either
                columns[target] = SQL(NOTHING[kind])
                continue
            parts = []
            for signal in signals:
                try:
                    with self.env.cr.savepoint():
                        self._probe(signal, company)
                    parts.append(signal._compile(company.sudo(), partner_ids, only_changed))
                except (psycopg2.Error, *DEFECTS) as error:
                    warnings.append(
                        self.env._(
                            "The signal “%(name)s” cannot be read: %(error)s",
                            name=signal.name,
                            error=error,
                        )
                    )
            if len(parts) < len(signals):
                continue
            together = "SUM" if signals[0].aggregate == "count" else "MAX"
            together = "MIN" if signals[0].aggregate == "earliest" else together
            joins.append(
                SQL(
                    "LEFT JOIN (SELECT partner_id, %s(value) AS value FROM (%s) found "
                    "GROUP BY partner_id) %s ON %s = profile.partner_id",
                    SQL(together),
                    SQL(" UNION ALL ").join(parts),
                    SQL.identifier(target),
                    SQL.identifier(target, "partner_id"),
                )
            )
            columns[target] = SQL(FOUND[kind], SQL.identifier(target, "value"))
        if not columns:
            return 0, warnings
        where = SQL("profile.company_id = %s AND profile.active", company.id)
        if partner_ids is not None:
            where = SQL("%s AND profile.partner_id = ANY(%s)", where, partner_ids)
        if only_changed:
            where = SQL(
                "%s AND profile.partner_id IN "
                "(SELECT partner_id FROM pg_temp.lifecycle_changed_customer)",
                where,
            )
        old = SQL(", ").join(SQL.identifier("profile", name) for name in columns)
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_profile changed SET (%(names)s) = ROW(%(said)s)
                     FROM (SELECT profile.id, %(values)s
                             FROM lifecycle_profile profile %(joins)s
                            WHERE %(where)s
                              AND (%(old)s) IS DISTINCT FROM (%(new)s)) said
                    WHERE said.id = changed.id""",
                names=SQL(", ").join(SQL.identifier(name) for name in columns),
                said=SQL(", ").join(SQL.identifier("said", f"new_{name}") for name in columns),
                values=SQL(", ").join(
                    SQL("%s AS %s", value, SQL.identifier(f"new_{name}"))
                    for name, value in columns.items()
                ),
                joins=SQL(" ").join(joins),
                where=where,
                old=old,
                new=SQL(", ").join(columns.values()),
            )
        )
        return self.env.cr.rowcount, warnings

    @api.model
    def _probe(self, signal, company):
        self.env.cr.execute(
            SQL("SELECT * FROM (%s) probe LIMIT 0", signal._compile(company.sudo()))
        )
