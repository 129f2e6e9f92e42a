"""Who joins and who leaves each segment, found for all segments at once.

In: profiles, the segments in force and their members so far. Out: changed memberships, recorded
as transitions and counted by month, and the segments' figures. Called with the other labels by
the nightly run and the refresh of a few customers, and by previews of a changed segment.
"""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import rights
from ..rules import moves
from ..rules.profiles_as_of import ProfilesAsOf


class LifecycleClassifier(models.AbstractModel):
    """Keeps the members of all segments up to date, in one pass over the profiles."""

    # a file for each subject of this large model
    _inherit = "lifecycle.classifier"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _classify_segments(self, company, today, cause="rule", partner_ids=None):
        """Evaluate all segments' rules and record who joined and who left.

        :return: (number of changes, list of errors of automation rules)
        """
        segments = self.env["lifecycle.segment"]._in_force()
        if not segments:
            return 0, []
        self.env.flush_all()
        cr = self.env.cr
        self._find_segment_moves(segments, company, today, partner_ids)
        cr.execute("SELECT COUNT(*) FROM lifecycle_moves")
        count = cr.fetchone()[0]
        errors = []
        figures = self.env["lifecycle.segment.figure"]
        if count:
            self._apply_segment_moves()
            errors = moves.record(self.env, "segment", cause)
            self.env["lifecycle.segment.flow"]._add(company)
        if partner_ids is None:
            figures._count(company)
        elif count:
            figures._shift(company)
        cr.execute("DROP TABLE pg_temp.lifecycle_moves")
        if count:
            self.env["lifecycle.profile"].invalidate_model()
            self.env["lifecycle.segment.member"].invalidate_model()
        return count, errors

    @api.model
    def _find_segment_moves(self, segments, company, today, partner_ids=None):
        """Temporary table ``lifecycle_moves`` of memberships that begin or end.

        Rules are evaluated to one array a profile and compared with the array of its
        memberships: rows are made of what differs only. Who is archived leaves, and so does
        everybody in a segment that now is another company's.
        """
        if partner_ids is None:
            # hashed subqueries over the contacts must fit, or each is read anew for each profile
            self.env.cr.execute("SET LOCAL work_mem = '256MB'")
            self.env.cr.execute("SET LOCAL jit = off")
        domain = Domain("company_id", "=", company.id)
        if partner_ids is not None:
            domain &= Domain("partner_id", "in", list(partner_ids))
        profiles = ProfilesAsOf(self.env, company, today, domain)
        query = profiles.query
        meant = segments.filtered(lambda segment: segment.company_id in (company, company.browse()))
        matches = [
            SQL(
                "CASE WHEN %s THEN %s END",
                profiles.matches(self._joined(segment._rule(), profiles.model, company)),
                segment.id,
            )
            # sorted as the memberships are
            for segment in meant.sorted("id")
        ]
        query.add_join(
            "LEFT JOIN",
            "membership",
            SQL(
                """(SELECT profile_id, array_agg(segment_id ORDER BY segment_id) AS ids
                      FROM lifecycle_segment_member WHERE segment_id = ANY(%s)
                     GROUP BY profile_id)""",
                segments.ids,
            )
            if partner_ids is None
            else SQL(
                """LATERAL (SELECT profile_id, array_agg(segment_id ORDER BY segment_id) AS ids
                              FROM lifecycle_segment_member
                             WHERE segment_id = ANY(%s) AND profile_id = %s
                             GROUP BY profile_id)""",
                segments.ids,
                profiles.column("id"),
            ),
            SQL("membership.profile_id = %s", profiles.column("id")),
        )
        matching = (
            SQL(
                "CASE WHEN %s THEN array_remove(ARRAY[%s]::integer[], NULL) "
                "ELSE '{}'::integer[] END",
                profiles.column("active"),
                SQL(", ").join(matches),
            )
            if matches
            else SQL("'{}'::integer[]")
        )
        columns, reasons = self._reasons_sql(segments, profiles)
        self.env.cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_moves")
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_moves AS
                   WITH differing AS MATERIALIZED (
                       -- OFFSET: who differs would have his rules evaluated twice
                       SELECT * FROM (%(profiles)s OFFSET 0) compared
                        WHERE matching <> present)
                   SELECT differing.id, NULL::integer AS from_id, entered.segment_id AS to_id,
                          %(today)s::date AS date, NULL::date AS since,
                          CASE entered.segment_id WHEN 0 THEN '{}'::jsonb %(reasons)s END AS why
                     FROM differing
                    CROSS JOIN LATERAL unnest(differing.matching) entered (segment_id)
                    WHERE entered.segment_id <> ALL(differing.present)
                   UNION ALL
                   SELECT differing.id, lost.segment_id, NULL, %(today)s::date, member.since,
                          CASE lost.segment_id WHEN 0 THEN '{}'::jsonb %(reasons)s END
                     FROM differing
                    CROSS JOIN LATERAL unnest(differing.present) lost (segment_id)
                     JOIN lifecycle_segment_member member
                       ON member.profile_id = differing.id
                      AND member.segment_id = lost.segment_id
                    WHERE lost.segment_id <> ALL(differing.matching)
                      AND lost.segment_id <> ALL(%(kept)s)""",
                profiles=query.select(
                    SQL("%s AS id", profiles.column("id")),
                    SQL("%s AS matching", matching),
                    SQL("COALESCE(membership.ids, '{}'::integer[]) AS present"),
                    *columns,
                ),
                reasons=reasons,
                today=today,
                kept=meant.filtered(lambda segment: segment.mode == "add").ids,
            )
        )

    @api.model
    def _joined(self, rule, profiles, company):
        """The rule with conditions on the contact as one join that all segments share.

        As subqueries they would be evaluated for all contacts, also where few profiles are
        looked at.
        """
        def joined(condition):
            if condition.operator == "any" and profiles._fields[condition.field_expr].type == (
                "many2one"
            ):
                return Domain(condition.field_expr, "any!", condition.value)
            return condition

        rule = rights.within_company(rule, profiles, company)
        return rule.optimize_full(profiles).map_conditions(joined)

    @api.model
    def _reasons_sql(self, segments, profiles):
        """Values that decide about segments.

        :return: (columns of the values, WHEN branches of the values that a segment looks at)
        """
        columns, branches = {}, []
        for segment in segments:
            names = {rule.field_expr for rule in segment._rule().iter_conditions()}
            for name in names - columns.keys():
                columns[name] = profiles.value(name)
            values = SQL(", ").join(
                SQL("%s::text, %s", name, SQL.identifier(f"value_{name}"))
                for name in sorted(names)
                if columns[name]
            )
            branches.append(SQL("WHEN %s THEN jsonb_build_object(%s)", segment.id, values))
        return [
            SQL("%s AS %s", value, SQL.identifier(f"value_{name}"))
            for name, value in columns.items()
            if value
        ], SQL(" ").join(branches)

    @api.model
    def _apply_segment_moves(self):
        """Write the memberships that begin, and delete those that end."""
        self.env.cr.execute(
            """DELETE FROM lifecycle_segment_member member USING lifecycle_moves moves
                WHERE member.profile_id = moves.id AND member.segment_id = moves.from_id"""
        )
        moves.insert(
            self.env,
            """INSERT INTO lifecycle_segment_member (profile_id, segment_id, since)
               SELECT id, to_id, date FROM lifecycle_moves WHERE to_id IS NOT NULL""",
        )
