"""Pages of a customer's touchpoints, for the timeline.

In: a contact, filters, and the touchpoint sources that the reader may read. Out: described
touchpoints, the newest first, and for an overview also days, stages, people and forecast; a
source that fails is left out with a warning. Called by the journey screen and the person file.
"""

import heapq
import logging
from contextlib import nullcontext
from datetime import datetime, time, timedelta

import psycopg2
import pytz

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL, sql

from ..sources.source_mixin import DEFECTS
from .contacts import AllContacts, ContactScope
from .touchpoint_source import LANES

_logger = logging.getLogger(__name__)

#: touchpoints on a page, and the most that may be asked for at once
PAGE, MOST = 60, 500
MANAGER = "sales_team.group_sale_manager"
#: columns of apps that may be installed or not by which a journey finds a customer's records
LOOKED_UP = (
    ("rating.rating", "partner_id"),
    ("mailing.trace", "email"),
    ("mailing.trace", "message_id"),
    ("event.registration", "email"),
    ("survey.user_input", "email"),
)


class LifecycleJourney(models.AbstractModel):
    """Every touchpoint of a customer on one timeline, read with the reader's own rights."""

    _name = "lifecycle.journey"
    _description = "Customer Journey"

    @api.model
    @api.readonly
    def get_journey(self, partner_id, options=None):
        """A page of a customer's journey, newest first.

        :param partner_id: id of a contact; contacts of a company share their company's journey
        :param options: dict with any of

            - ``limit``: how many touchpoints, by default 60, at most 500
            - ``before``: key of the last touchpoint already known (see ``next``)
            - ``start``, ``end``: first and last day of the period, in the reader's time zone
            - ``lanes``, ``sources``: names and ids to show, by default all
            - ``text``: words that the line or its contact must contain
            - ``attention``: only what needs attention
            - ``person_id``: only this contact of the company
            - ``overview``: also count by day, and tell stages and forecast
        :return: dict with ``items`` (see ``lifecycle.touchpoint.source._items``), ``next`` (key
            to continue from, False at the end), ``warnings`` for managers, and for an overview
            ``sources``, ``lanes``, ``days`` (list of [source id, day, number, id
            where it is one, amount]),
            ``bands``, ``forecast``, ``people``, ``customer``, ``today``
        :raise AccessError: the reader may not read the contact or journeys
        """
        options = options or {}
        self.env["lifecycle.touchpoint.source"].check_access("read")
        partner = self.env["res.partner"].browse(partner_id)
        partner.check_access("read")
        everyone = self._everyone(partner)
        selected = everyone
        if options.get("person_id"):
            chosen = everyone.partners.filtered(lambda one: one.id == options["person_id"])
            selected = self._selected(chosen)
        journey = self._page(selected, options)
        if options.get("overview"):
            journey.update(self._frame(partner, everyone))
        return journey

    # ----- WHOSE -----

    @api.model
    def _everyone(self, partner):
        """The customer and all its contacts, as far as the reader may see them."""
        # sudo: which company a readable contact belongs to is no secret
        customer = partner.sudo().commercial_partner_id
        contacts = self.env["res.partner"].with_context(active_test=False)
        return self._selected(
            contacts.search_fetch(
                Domain("commercial_partner_id", "=", customer.id),
                ["name", "email", "email_normalized"],
                order="is_company desc, id",
            )
            | partner.with_context(active_test=False)
        )

    @api.model
    def _selected(self, partners):
        zone = self._timezone()
        return ContactScope(partners, zone, fields.Date.context_today(self.with_context(tz=zone)))

    @api.model
    def _nobody(self):
        return self._selected(self.env["res.partner"])

    @api.model
    def _everybody(self):
        zone = self._timezone()
        today = fields.Date.context_today(self.with_context(tz=zone))
        return AllContacts(self.env["res.partner"], zone, today)

    @api.model
    def _timezone(self):
        """The reader's time zone, that of the company for those who have none."""
        own = self.env.context.get("tz") or self.env.user.tz
        if own:
            return self.env["lifecycle.timezone"]._known(own)
        # sudo: the time zone of the company's contact is no secret, its contact may be
        return self.env.company.sudo()._lifecycle_timezone()

    # ----- A PAGE -----

    @api.model
    def _page(self, scope, options):
        limit = max(0, min(options.get("limit", PAGE), MOST))
        overview = bool(options.get("overview"))
        asked = {
            "before": options.get("before") or None,
            "start": self._moment(options.get("start")),
            "end": self._moment(options.get("end"), days=1),
            "text": (options.get("text") or "").strip() or None,
        }
        sources = self._sources(options)
        shown = {source.id for source in sources if self._is_shown(source, options)}
        if not overview:
            sources = sources.filtered(lambda source: source.id in shown)

        def statement(source):
            known = limit + 1 if source.id in shown else 0
            return source._statement(scope, limit=known, days=overview, **asked)

        statements, warnings = self._try_each(sources, statement)
        rows, refused = self._run(scope, statements)
        warnings += refused
        found = [
            [(row[4], id_, row[3]) for row in part if not row[1]] for id_, part in rows.items()
        ]
        newest = heapq.merge(*found, reverse=True)
        chosen = [key for _number, key in zip(range(limit + 1), newest, strict=False)]
        page, more = chosen[:limit], len(chosen) > limit
        items, failed = self._items(scope, page)
        page_data = {
            "items": items,
            "next": self._json_key(page[-1]) if more and page else False,
        }
        if overview:
            readable = sources.filtered(
                lambda source: source.id in rows and source.id not in failed
            )
            page_data["sources"] = [source._shown_as() for source in readable]
            page_data["days"] = [
                [source.id, *row]
                for source in readable
                for row in source._by_day(scope, rows[source.id])
            ]
        if self.env.user.has_group(MANAGER):
            page_data["warnings"] = [*warnings, *filter(None, failed.values())]
        return page_data

    @api.model
    def _run(self, scope, statements):
        """Rows by source id of all statements, read at once unless the database refuses one.

        :param statements: dict source id → SQL (see ``lifecycle.touchpoint.source._statement``)
        :return: dict source id → rows, list of warnings
        """
        rows = {source_id: [] for source_id in statements}
        if not statements:
            return rows, []
        # compiling a statement of many small parts takes longer than running it
        self.env.cr.execute("SET LOCAL jit = off")
        try:
            with self.env.cr.savepoint(flush=False):
                everything = SQL(" UNION ALL ").join(statements.values())
                for row in self.env.execute_query(scope.with_shared(everything)):
                    rows[row[0]].append(row)
            return rows, []
        except psycopg2.Error:
            sources = self.env["lifecycle.touchpoint.source"].browse(statements)
            return self._try_each(
                sources,
                lambda source: self.env.execute_query(scope.with_shared(statements[source.id])),
            )

    @api.model
    def _sources(self, options):
        attention = Domain("sentiment", "=", "bad") if options.get("attention") else Domain.TRUE
        return self.env["lifecycle.touchpoint.source"]._available(attention)

    @api.model
    def _is_shown(self, source, options):
        lanes, ids = options.get("lanes"), options.get("sources")
        return (not lanes or source.lane in lanes) and (not ids or source.id in ids)

    @api.model
    def _items(self, scope, page):
        """Describe the touchpoints of a page.

        :return: list of items in the page's order, dict source id → warning (False for what the
            reader may not read) of sources that could not be described
        """
        by_source = {}
        for moment, source_id, id_ in page:
            by_source.setdefault(source_id, []).append((moment, id_))
        sources = self.env["lifecycle.touchpoint.source"].browse(by_source)
        by_id, warnings = self._try_each(
            sources, lambda source: source._items(scope, by_source[source.id])
        )
        described = {
            (source_id, item["key"][2]): item
            for source_id, items in by_id.items()
            for item in items
        }
        failed = dict.fromkeys(by_source.keys() - by_id.keys(), False)
        failed.update({warning["source_id"]: warning for warning in warnings})
        items = [
            described[source_id, id_]
            for _moment, source_id, id_ in page
            if (source_id, id_) in described
        ]
        return items, failed

    @api.model
    def _try_each(self, sources, work):
        """Do something with each source, leaving out those with which it cannot be done.

        All are tried within one savepoint; only if the database refuses one, each gets its own.

        :param work: function of a source
        :return: results by source id, list of warnings
        """
        for careful in (False, True):
            results, warnings = {}, []
            try:
                with self.env.cr.savepoint(flush=False):
                    for source in sources:
                        try:
                            with self.env.cr.savepoint(flush=False) if careful else nullcontext():
                                results[source.id] = work(source)
                        except AccessError:
                            # whoever may not read the documents does not learn of them
                            continue
                        except DEFECTS as error:
                            warnings.append(self._warning(source, error))
                        except psycopg2.Error as error:
                            if not careful:
                                raise
                            warnings.append(self._warning(source, error))
                break
            except psycopg2.Error:
                if careful:
                    raise
        return results, warnings

    @api.model
    def _warning(self, source, error):
        message = str(error).strip().split("\n")[0]
        _logger.info("Touchpoint source %s is left out: %s", source.id, message)
        return {"source_id": source.id, "name": source.name, "message": message}

    @api.model
    def _json_key(self, key):
        moment, source_id, id_ = key
        return [moment.isoformat(), source_id, id_]

    @api.model
    def _moment(self, day, days=0):
        """First moment in UTC of a day in the reader's time zone.

        :param day: "2026-03-29", or nothing
        :param days: so many days later
        """
        if not day:
            return None
        zone = pytz.timezone(self._timezone())
        day = fields.Date.to_date(day) + timedelta(days=days)
        local = zone.localize(datetime.combine(day, time.min))
        return local.astimezone(pytz.utc).replace(tzinfo=None)

    # ----- AROUND THE TOUCHPOINTS -----

    @api.model
    def _frame(self, partner, everyone):
        """What does not depend on filters: who, lanes, stages and forecast."""
        customer = partner.sudo().commercial_partner_id
        profile = partner.lifecycle_profile_id
        labels = dict(self.env["lifecycle.touchpoint.source"]._fields["lane"]
                      ._description_selection(self.env))
        return {
            "customer": {"id": customer.id, "name": customer.name or customer.display_name},
            "people": [
                {"id": person.id, "name": person.name or person.display_name}
                for person in everyone.partners
            ],
            "lanes": [{"name": name, "label": labels[name]} for name, _label in LANES],
            "today": fields.Date.to_string(everyone.today),
            "currency_id": everyone.currency.id,
            "bands": profile._journey_bands() if profile else [],
            "forecast": self._forecast(profile),
        }

    @api.model
    def _forecast(self, profile):
        if not profile or not profile.next_order_from or not profile.next_order_to:
            return False
        return {
            "from": fields.Date.to_string(profile.next_order_from),
            "to": fields.Date.to_string(profile.next_order_to),
            "around": fields.Date.to_string(profile.next_order_date),
        }

    # ----- INDEXES IN OTHER APPS -----

    def _register_hook(self):
        super()._register_hook()
        self._make_indexes()

    @api.model
    def _lookup_indexes(self):
        """(index, table, column) of the lookups in apps that are installed."""
        for name, column in LOOKED_UP:
            if name in self.env and column in self.env[name]._fields:
                table = self.env[name]._table
                yield f"{table}_lifecycle_{column}_idx", table, column

    @api.model
    def _make_indexes(self):
        """Index what journeys look up in apps that this one does not depend on.

        Such an app may come later than this one: its tables are looked at whenever the models
        are loaded.
        """
        for index, table, column in self._lookup_indexes():
            if not sql.index_exists(self.env.cr, index):
                # two workers may get here at once
                self.env.cr.execute(
                    SQL(
                        "CREATE INDEX IF NOT EXISTS %s ON %s (%s) WHERE %s IS NOT NULL",
                        SQL.identifier(index),
                        SQL.identifier(table),
                        SQL.identifier(column),
                        SQL.identifier(column),
                    )
                )

    @api.model
    def _drop_indexes(self):
        """Leave the tables of other apps as they were."""
        for index, _table, _column in self._lookup_indexes():
            self.env.cr.execute(SQL("DROP INDEX IF EXISTS %s", SQL.identifier(index)))
