"""Which touches led to each order, collected in temporary tables for many customers at once.

In: the touchpoint sources that count, the days with purchases. Out: who was in touch since the
last complete run, and the ways to orders, which its storing half writes. A reader, asked when
orders have changed or customers were in touch; signals borrow its way to notice new records.
"""

import psycopg2

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.batches import together
from ..profile.reader import Reader
from ..profile.signal_changes import MARGIN
from ..sources.money import dated_sql
from ..sources.paths import day_sql, fields_along, follow, number_sql, path_sql
from ..sources.source_mixin import DEFECTS
from .touchpoint_source import GUARDED_BY_DOCUMENT
from .touchpoint_touch import CAMPAIGN, campaign_sql


class AttributionReader(Reader):
    """Reads the way to the orders of who has ordered or was in touch since.

    - ``lifecycle_touched``: who was in touch; emptied as they are done
    - ``lifecycle_touch``: everything that counts as a touch of the chosen customers
    - ``lifecycle_document``: documents that touches are attached to
    - ``lifecycle_bought``: days with orders, and the moment of each
    - ``lifecycle_attribution``: what led to each order since the one before
    """

    TABLES = (
        *("lifecycle_touched", "lifecycle_touch", "lifecycle_document"),
        *("lifecycle_bought", "lifecycle_attribution"),
    )
    SEEN = "touch_seen"

    def find_changes(self, seen, complete):
        return self.env["lifecycle.touch"]._find_touched(self.company, seen)

    def is_due(self):
        return SQL(
            "profile.first_touch_date IS NULL "
            "OR profile.partner_id IN (SELECT partner_id FROM pg_temp.lifecycle_touched)"
        )

    def read_orders(self):
        self.env["lifecycle.touch"]._store(self.company)
        if not self.scope.is_few:
            self.cr.execute(
                "DELETE FROM pg_temp.lifecycle_touched WHERE partner_id IN "
                "(SELECT partner_id FROM lifecycle_chosen)"
            )


class LifecycleTouch(models.AbstractModel):
    """The way to an order: first touch, last touch before each order, how many and how long."""

    _name = "lifecycle.touch"
    _description = "Touches on the Way to an Order"

    # ----- WHO IS DUE -----

    @api.model
    def _find_touched(self, company, seen):
        """Note who was in touch since the last complete run, in ``lifecycle_touched``.

        :param seen: what this method returned then, or nothing
        :return: what has been seen now, to be kept once all noted customers are computed
        """
        cr = self.env.cr
        cr.execute("CREATE TEMPORARY TABLE lifecycle_touched (partner_id integer)")
        sources, readable = self.env["lifecycle.touchpoint.source"]._of_touches()
        now = {
            "date": fields.Datetime.to_string(cr.now() - MARGIN),
            "rules": {str(source.id): source._touch_rule() for source in sources},
            "ids": {str(source.id): self._newest_id(source) for source in sources},
        }
        if not seen or seen.get("rules") != now["rules"]:
            # who was never computed is due anyway
            cr.execute(
                SQL(
                    "INSERT INTO lifecycle_touched SELECT partner_id FROM lifecycle_profile "
                    "WHERE company_id = %s AND active AND first_touch_date IS NOT NULL",
                    company.id,
                )
            )
            return now
        everybody = SQL(
            "(SELECT id, commercial_partner_id AS profile_id, email_normalized, company_id "
            "FROM res_partner)"
        )
        for source in sources:

            def is_new(model, table, moment, source=source):
                if not self._changes(model):
                    last = seen["ids"].get(str(source.id), 0)
                    return SQL("%s > %s", SQL.identifier(table, "id"), last)
                # what was planned becomes a touch when its time has come
                return SQL(
                    "(%s >= %s OR %s >= %s)",
                    SQL.identifier(table, "write_date"),
                    seen["date"],
                    moment,
                    seen["date"],
                )

            self._write_each(
                lambda new: SQL(
                    "INSERT INTO lifecycle_touched SELECT DISTINCT profile_id FROM (%s) new", new
                ),
                self._parts_of(source, company, everybody, readable, is_new),
            )
        cr.execute("ANALYZE lifecycle_touched")
        return now

    @api.model
    def _changes(self, model):
        """Whether records change after they were made; messages and page views do not."""
        return model._log_access and model._name not in GUARDED_BY_DOCUMENT

    @api.model
    def _newest_id(self, source):
        """Id up to which all records of a source that does not change are known for sure."""
        model = self.env[source.model].sudo()
        if self._changes(model):
            return 0
        older = SQL("TRUE")
        if model._log_access:
            older = SQL("create_date < %s", self.env.cr.now() - MARGIN)
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM %s WHERE %s ORDER BY id DESC LIMIT 1",
                SQL.identifier(model._table),
                older,
            )
        )
        return rows[0][0] if rows else 0

    @api.model
    def _parts_of(self, source, company, contacts, readable, condition=None, shared=False):
        """SELECTs of a source's touches; none where it does not fit its model."""
        try:
            return source._touch_parts(company, contacts, readable, condition, shared)
        except DEFECTS:
            # journeys tell managers what is wrong with it
            return []

    @api.model
    def _write_each(self, statement, parts):
        """Run a statement over the SELECTs that the database accepts.

        :param statement: function of the SQL of all of them to the SQL to run
        """
        together(
            self.env,
            parts,
            lambda some: self.env.cr.execute(statement(SQL(" UNION ALL ").join(some))),
            # journeys tell managers what is wrong with it
            lambda _part, _error: None,
            catch=psycopg2.Error,
        )

    # ----- COMPUTE -----

    @api.model
    def _store(self, company):
        """Compute and write the ways of the customers in ``lifecycle_chosen``, where they differ.

        Their contacts stand in ``lifecycle_contact``.
        """
        self.env["lifecycle.profile"]._hold_links()
        cr = self.env.cr
        self._collect_touches(company)
        self._collect_purchases(company)
        self._collect_attribution(company)
        self._store_orders()
        self._store_profiles(company)
        cr.execute(
            "DROP TABLE pg_temp.lifecycle_touch, pg_temp.lifecycle_bought, "
            "pg_temp.lifecycle_attribution"
        )

    @api.model
    def _collect_touches(self, company):
        """Everything that counts as a touch, once, as ``lifecycle_touch``."""
        cr = self.env.cr
        sources, readable = self.env["lifecycle.touchpoint.source"]._of_touches()
        contacts = SQL("lifecycle_contact")
        kinds = {kind for source in sources for kind in source._touch_documents(readable)}
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_touch, pg_temp.lifecycle_document")
        cr.execute(
            "CREATE TEMPORARY TABLE lifecycle_document "
            "(profile_id integer, model varchar, id integer, kind varchar)"
        )
        for kind in sorted(kinds, key=str):
            # several sources look at what is attached to the same documents
            self._write_each(
                lambda parts, kind=kind: SQL(
                    "INSERT INTO lifecycle_document SELECT DISTINCT *, %s FROM (%s) document",
                    str(kind),
                    parts,
                ),
                sources._documents_of_contacts(kind, company, contacts),
            )
        cr.execute("ANALYZE lifecycle_document")
        cr.execute(
            "CREATE TEMPORARY TABLE lifecycle_touch (profile_id integer, moment timestamp, "
            "touchpoint_id integer, res_id integer, source_id integer, medium_id integer, "
            "campaign_id integer)"
        )
        # one meeting with two people of a company is one touch
        self._write_each(
            lambda parts: SQL("INSERT INTO lifecycle_touch SELECT DISTINCT * FROM (%s) touches",
                              parts),
            [
                part
                for source in sources
                for part in self._parts_of(source, company, contacts, readable, shared=True)
            ],
        )
        cr.execute("DROP TABLE pg_temp.lifecycle_document")
        cr.execute("CREATE INDEX ON lifecycle_touch (profile_id, moment)")
        cr.execute("ANALYZE lifecycle_touch")

    @api.model
    def _collect_purchases(self, company):
        """Days with orders and the moment of each, as ``lifecycle_bought``.

        Amounts are not needed, which cost most of reading purchases.
        """
        cr = self.env.cr
        zone = company._lifecycle_timezone()
        parts = []
        for source in self.env["lifecycle.revenue.source"]._for_company(company):
            if not source.negate:
                parts.append(self._purchases_sql(source, company.sudo(), zone))
        campaign = SQL(", ").join(self._earliest_campaign(SQL("moment"), SQL()))
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_bought")
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_bought AS
                   SELECT profile_id, day, MIN(moment) AS moment, %s,
                          LAG(MIN(moment)) OVER (PARTITION BY profile_id ORDER BY day)
                              AS previous
                     FROM (%s) purchases GROUP BY profile_id, day""",
                campaign,
                SQL(" UNION ALL ").join(parts)
                or SQL(
                    "SELECT 0 AS profile_id, NULL::date AS day, NULL::timestamp AS moment, "
                    "0 AS source_id, 0 AS medium_id, 0 AS campaign_id WHERE FALSE"
                ),
            )
        )
        cr.execute("ANALYZE lifecycle_bought")

    @api.model
    def _purchases_sql(self, source, company, zone):
        model = self.env[source.model].sudo().with_context(active_test=False)
        domain = source._domain() & Domain(
            source.company_path, "in", company._lifecycle_family().ids
        )
        query = model._search(domain & ~source._skip_domain(model))
        table = query.table
        amount = number_sql(model, query, source.amount_path)
        query.add_where(SQL("%s > 0", amount))
        moment = path_sql(model, query, source.date_path)
        query.add_where(dated_sql(company, moment))
        if fields_along(model, source.date_path)[-1].type == "date":
            # where only the day is known, what happened on it counts as before
            moment = SQL("((%s + 1)::timestamp AT TIME ZONE %s AT TIME ZONE 'UTC')", moment, zone)
        document, alias = model, table
        if source.document_path:
            document, alias = follow(model, query, source.document_path)
        found = query.select(
            SQL("%s AS partner_id", path_sql(model, query, source.partner_path)),
            SQL("%s AS res_id", SQL.identifier(table, "id")),
            SQL("%s AS day", day_sql(model, query, source.date_path, company)),
            SQL("%s AS moment", moment),
            *(
                SQL("%s AS %s", value, SQL.identifier(name))
                for name, value in campaign_sql(document, alias, query).items()
            ),
        )
        return SQL(
            """SELECT contact.profile_id, found.day, found.moment, found.source_id,
                      found.medium_id, found.campaign_id
                 FROM lifecycle_buyer contact
                 JOIN (%s) found ON found.partner_id = contact.id
                WHERE %s""",
            found,
            self.env["lifecycle.preference"]._bought_for_sql(source.model, SQL("found.res_id")),
        )

    @api.model
    def _earliest_campaign(self, moment, direction):
        """Columns with the campaign of the first record that names any, or with DESC the last."""
        return [
            SQL(
                "(ARRAY_AGG(%s ORDER BY %s %s) FILTER (WHERE "
                "COALESCE(source_id, medium_id, campaign_id) IS NOT NULL))[1] AS %s",
                SQL.identifier(name),
                moment,
                direction,
                SQL.identifier(name),
            )
            for name in CAMPAIGN
        ]

    @api.model
    def _collect_attribution(self, company):
        """What led to each order since the one before, as ``lifecycle_attribution``."""
        cr = self.env.cr
        own = SQL("COALESCE(bought.source_id, bought.medium_id, bought.campaign_id) IS NOT NULL")
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_attribution")
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_attribution AS
                   SELECT bought.profile_id, bought.day, bought.moment,
                          bought.previous IS NULL AS is_first,
                          near.number, near.moment AS touch_moment, near.touchpoint_id,
                          (near.moment AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date
                              AS touch_day, %(campaign)s
                     FROM lifecycle_bought bought
                     CROSS JOIN LATERAL (
                        SELECT COUNT(*)::integer AS number, MAX(moment) AS moment,
                               (ARRAY_AGG(touchpoint_id ORDER BY moment DESC, touchpoint_id))[1]
                                   AS touchpoint_id, %(last)s
                          FROM lifecycle_touch touch
                         WHERE touch.profile_id = bought.profile_id
                           AND touch.moment < bought.moment
                           AND touch.moment >= COALESCE(bought.previous, '-infinity')
                     ) near
                    WHERE near.number > 0 OR %(own)s""",
                zone=company._lifecycle_timezone(),
                own=own,
                last=SQL(", ").join(self._earliest_campaign(SQL("moment"), SQL("DESC"))),
                campaign=SQL(", ").join(
                    SQL(
                        "CASE WHEN %s THEN %s ELSE %s END AS %s",
                        own,
                        SQL.identifier("bought", name),
                        SQL.identifier("near", name),
                        SQL.identifier(name),
                    )
                    for name in CAMPAIGN
                ),
            )
        )
        cr.execute("CREATE INDEX ON lifecycle_attribution (profile_id, day)")
        cr.execute("ANALYZE lifecycle_attribution")
