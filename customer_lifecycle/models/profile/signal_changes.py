"""Which customers a run has to look at again for their signals, and which it may skip.

In: what the last run had seen, records made or changed since, dates and limits that have come.
Out: temporary tables of customers and contacts, or that all are due; what is seen now. Called by
the run's last step; the update asks here which signals are awake and whom else they reach.
"""

import re
from datetime import date, datetime, timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.date_utils import parse_date

from ..sources.paths import follow, path_sql
from ..sources.source_mixin import DEFECTS

#: what was new so shortly before a look may have been written by transactions still open then
MARGIN = timedelta(hours=2)

#: days after which all customers are looked at again: nothing tells of deleted records
COMPLETE_DAYS = 7
#: from this share of customers with news on, one pass over all is quicker
MANY = 0.1
#: dates in rules that are others on another day
MOVING = re.compile(r"today|now|[+-]\d+[a-zA-Z]|=")
MONTHS = re.compile(r"\d[my]")


class LifecycleSignal(models.Model):
    """Whose signals may say something else than they did when a run last looked.

    A night looks at these customers only: reading the messages and orders of many years again
    would take longer than everything else. A record is news when it was made or changed since,
    when its date has come, or when it came to a limit like "30 days ago"; on profiles, when
    their orders have changed.
    """

    # a file for each subject of this model
    _inherit = "lifecycle.signal"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _find_changes(self, company, seen, complete=False):
        """Note whom to look at, in the tables of :class:`~.signal.SignalReader`.

        :param seen: what this method returned at the last run that came to its end, or nothing
        :param complete: look at all customers
        :return: (whether the table holds all there is to look at; if not, all customers are
            due, what has been seen now)
        """
        cr = self.env.cr
        today = company._lifecycle_today()
        available = self.sudo()._available()
        groups = available.grouped(
            lambda signal: (
                signal.model,
                signal.partner_path,
                signal.company_path,
                signal.date_path,
            )
        )
        touches = self.env["lifecycle.touch"]
        now = {
            "date": fields.Datetime.to_string(cr.now() - MARGIN),
            "rules": {str(signal.id): signal._fingerprint() for signal in available},
            "ids": {str(signal.id): touches._newest_id(signal) for signal in available},
            "complete": fields.Date.to_string(today),
        }
        if (
            complete
            or not seen
            or seen["rules"] != now["rules"]
            or not (
                timedelta(0)
                <= today - date.fromisoformat(seen["complete"])
                < timedelta(COMPLETE_DAYS)
            )
        ):
            return False, now
        cr.execute("CREATE TEMPORARY TABLE lifecycle_changed_customer (partner_id integer)")
        # whose orders have changed may be new here, with records that are old
        parts = [
            SQL(
                "SELECT partner_id FROM lifecycle_profile WHERE company_id = %s AND %s",
                company.id,
                self._orders_changed_sql("lifecycle_profile"),
            )
        ]
        for signals in groups.values():
            try:
                parts.append(signals[0]._changes_sql(company.sudo(), seen))
                parts += signals._limit_parts(seen)
            except DEFECTS:
                # the update itself tells what is wrong with it
                continue
        touches._write_each(
            lambda said: SQL(
                """INSERT INTO lifecycle_changed_customer
                   SELECT partner_id FROM lifecycle_profile
                    WHERE company_id = %s AND active
                      AND partner_id IN (SELECT partner_id FROM (%s) news)""",
                company.id,
                said,
            ),
            parts,
        )
        cr.execute(
            """CREATE TEMPORARY TABLE lifecycle_changed_contact AS
               SELECT contact.id FROM lifecycle_changed_customer said
                 JOIN res_partner contact ON contact.commercial_partner_id = said.partner_id"""
        )
        cr.execute("ANALYZE lifecycle_changed_customer, lifecycle_changed_contact")
        cr.execute(
            SQL(
                """SELECT (SELECT COUNT(*) FROM lifecycle_changed_customer) <= %s * COUNT(*)
                     FROM lifecycle_profile WHERE company_id = %s""",
                MANY,
                company.id,
            )
        )
        few = cr.fetchone()[0]
        return few, {**now, "complete": seen["complete"]} if few else now

    def _fingerprint(self):
        """What decides which records speak, and what they say."""
        self.ensure_one()
        names = ("target", "aggregate", "model", "domain", "partner_path", "company_path")
        names = (*names, "date_path", "after_path", "value_path")
        # what was compared by the second once is compared by the day
        return [*(self[name] or "" for name in names), "day" if self.after_path else ""]

    def _changes_sql(self, company, seen):
        """SELECT of the customers of records that are news, whether they speak or no longer do."""
        self.ensure_one()
        touches = self.env["lifecycle.touch"]
        model = self.env[self.model].sudo().with_context(active_test=False)
        domain = Domain.TRUE
        if model._name == "lifecycle.profile":
            domain = Domain("company_id", "=", company.id)
        # records of other companies too: this one's may have become theirs
        query = model._search(domain)
        table = query.table
        customer = self._customer_sql(model, query)
        # who a record leads to can change on the way to him
        holder, alias = follow(model, query, self.partner_path, whole=False)
        changed = []
        if model._name == "lifecycle.profile":
            changed.append(self._orders_changed_sql(table))
        elif not touches._changes(model):
            last = seen["ids"].get(str(self.id), 0)
            changed.append(SQL("%s > %s", SQL.identifier(table, "id"), last))
        else:
            moment = path_sql(model, query, self.date_path)
            changed += [
                SQL("%s >= %s", SQL.identifier(table, "write_date"), seen["date"]),
                # what was planned speaks when its time has come
                SQL(
                    "%s >= %s::timestamp::date AND %s < %s",
                    moment,
                    seen["date"],
                    moment,
                    company._lifecycle_today() + timedelta(days=2),
                ),
            ]
        if alias != table and holder._log_access:
            changed.append(SQL("%s >= %s", SQL.identifier(alias, "write_date"), seen["date"]))
        query.add_where(SQL("(%s)", SQL(" OR ").join(changed)))
        query.add_where(SQL("%s IS NOT NULL", customer))
        return query.select(SQL("%s AS partner_id", customer))

    def _limit_parts(self, seen):
        """SELECTs of the customers of records that came to a limit of a rule since.

        "30 days ago" is another day each night. Where records do not change, and are as many as
        messages, what grows too old waits for the look at all customers.
        """
        parts, known = [], set()
        days = (fields.Date.today() - date.fromisoformat(seen["date"][:10])).days
        for signal in self:
            model = self.env[signal.model].sudo().with_context(active_test=False)
            if not self.env["lifecycle.touch"]._changes(model):
                continue
            for condition in signal._domain().iter_conditions():
                limit = self._moving_limit(condition.value)
                if limit is None or (condition.field_expr, limit) in known:
                    continue
                known.add((condition.field_expr, limit))
                # days begin elsewhere, months differ in length
                slack = 4 if MONTHS.search(condition.value) else 1
                first, last = limit - timedelta(days + slack), limit + timedelta(1)
                query = model._search(
                    Domain(condition.field_expr, ">=", first)
                    & Domain(condition.field_expr, "<=", last)
                )
                customer = signal._customer_sql(model, query)
                query.add_where(SQL("%s IS NOT NULL", customer))
                parts.append(query.select(SQL("%s AS partner_id", customer)))
        return parts

    def _moving_limit(self, value):
        """The day that a rule's value like "-30d" means today; None for any other value."""
        if not isinstance(value, str) or not MOVING.match(value):
            return None
        try:
            day = parse_date(value, self.env)
        except ValueError:
            return None
        return day.date() if isinstance(day, datetime) else day

    @api.model
    def _orders_changed_sql(self, table):
        """Condition for profiles whose orders are others than their preferences stand for."""
        return SQL(
            "(%s, %s) IS DISTINCT FROM (%s, %s)",
            SQL.identifier(table, "order_count"),
            SQL.identifier(table, "last_order_date"),
            SQL.identifier(table, "preference_order_count"),
            SQL.identifier(table, "preference_order_date"),
        )

    def _reached(self, company, partner_ids):
        """The customers, and those whom their profiles speak about.

        Who buys for the first time speaks about who recommended us.

        :param partner_ids: ids of commercial partners
        """
        reached = set(partner_ids)
        for signal in self.sudo()._available():
            if signal.model != "lifecycle.profile" or signal.partner_path == "partner_id":
                continue
            model = self.env[signal.model].sudo().with_context(active_test=False)
            try:
                query = model._search([("partner_id", "in", list(partner_ids))])
                customer = signal._customer_sql(model, query)
            except DEFECTS:
                continue
            query.add_where(SQL("%s IS NOT NULL", customer))
            reached.update(
                partner_id for (partner_id,) in self.env.execute_query(query.select(customer))
            )
        return list(reached)
