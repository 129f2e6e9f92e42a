"""Promotes customers to VIP tiers, gives notice of drops, and drops them after the grace.

In: figures of the profiles and the tiers of the company; branches take over those of their head
office. Out: tier and review date on the profile, transitions, and a call to see to the benefits.
Called by the nightly run, the refresh of a few customers, releases by hand and previews of tiers.
"""

from odoo import api, models
from odoo.tools import SQL

from ...tools.context import own_value
from ..rules import moves


class LifecycleClassifier(models.AbstractModel):
    """Puts every customer of a company into the VIP tier he reaches or still keeps, in SQL."""

    # a file for each subject of this large model
    _inherit = "lifecycle.classifier"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _classify_tiers(self, company, today, cause="rule", partner_ids=None):
        """Evaluate the company's tiers: promote, announce drops, and drop after the grace.

        The first evaluation of a company's tiers is history, whatever the cause of the run.

        :return: (number of changed memberships, list of errors of automation rules)
        """
        self.env.flush_all()
        above = company._lifecycle_tier_company()
        if above != company:
            # a branch has the tiers of its head office, which judges them by all purchases
            self._hand_down_tiers(above, company, partner_ids)
            return 0, []
        tiers = self.env["lifecycle.vip.tier"]._of_company(company)
        if not self._has_tiers(company, tiers) or tiers._why_inactive(company, today):
            return 0, []
        if not company.lifecycle_tiers_date:
            if partner_ids is not None:
                # a few customers cannot be the first evaluation of all
                return 0, []
            cause = "rule" if own_value(self.env, "lifecycle_announce") else "initial"
            company.sudo().lifecycle_tiers_date = today
            self.env.flush_all()
        self._find_tier_changes(company, tiers, today, partner_ids)
        self._apply_tier_changes(today, announced=cause == "rule")
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_moves AS
                   SELECT id, from_id, to_id, %s::date AS date, since, why
                     FROM lifecycle_tier_changes WHERE from_id IS DISTINCT FROM to_id""",
                today,
            )
        )
        count = self.env.cr.rowcount
        errors = moves.record(self.env, "tier", cause) if count else []
        self.env.cr.execute("DROP TABLE pg_temp.lifecycle_moves, pg_temp.lifecycle_tier_changes")
        self.env["lifecycle.profile"].invalidate_model()
        for branch in company._lifecycle_tier_followers():
            self._hand_down_tiers(company, branch, partner_ids)
        self.env["lifecycle.vip.benefit"]._wake()
        return count, errors

    @api.model
    def _hand_down_tiers(self, company, branch, partner_ids=None):
        """Let customers of a branch show the tier that they have at the head office.

        It is no news, and brings nothing of its own: history and benefits are the head office's.
        """
        self.env["lifecycle.profile"].flush_model()
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile
                      SET vip_tier_id = above.vip_tier_id, vip_since = above.vip_since,
                          vip_applied_tier_id = above.vip_tier_id, vip_review_date = NULL,
                          vip_announced_date = NULL, vip_manual = FALSE,
                          vip_hold_until = NULL, vip_reason = NULL
                     FROM lifecycle_profile own
                     LEFT JOIN lifecycle_profile above
                       ON above.partner_id = own.partner_id AND above.company_id = %(company)s
                    WHERE own.company_id = %(branch)s AND own.id = profile.id AND %(few)s
                      AND (own.vip_tier_id, own.vip_since, own.vip_applied_tier_id)
                          IS DISTINCT FROM
                          (above.vip_tier_id, above.vip_since, above.vip_tier_id)""",
                company=company.id,
                branch=branch.id,
                few=SQL("TRUE")
                if partner_ids is None
                else SQL("own.partner_id = ANY(%s)", list(partner_ids)),
            )
        )
        self.env["lifecycle.profile"].invalidate_model()

    @api.model
    def _find_tier_moves(self, company, today):
        """Temporary table ``lifecycle_moves`` of whose tier the rules in force would change."""
        self.env.flush_all()
        tiers = self.env["lifecycle.vip.tier"]._of_company(company)
        self._find_tier_changes(company, tiers, today, None)
        self.env.cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_moves")
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_moves AS
                   SELECT id, from_id, to_id FROM lifecycle_tier_changes
                    WHERE from_id IS DISTINCT FROM to_id AND %s""",
                not tiers._why_inactive(company, today),
            )
        )
        self.env.cr.execute("DROP TABLE pg_temp.lifecycle_tier_changes")

    @api.model
    def _has_tiers(self, company, tiers):
        """Whether there is a tier in force, or somebody in one that no longer is."""
        if tiers:
            return True
        self.env.cr.execute(
            SQL(
                """SELECT EXISTS (SELECT FROM lifecycle_profile
                                   WHERE company_id = %s AND vip_tier_id IS NOT NULL)""",
                company.id,
            )
        )
        return self.env.cr.fetchone()[0]

    @api.model
    def _find_tier_changes(self, company, tiers, today, partner_ids):
        """Temporary table ``lifecycle_tier_changes``: whose tier or review date is to change.

        Tiers are counted from 1, the lowest, so that they compare by number; 0 is none. In
        steps: ``level`` (of the present tier), ``best`` (the highest that is reached), ``keeps``
        (whether the present one is kept) and ``met`` (the highest below the present one whose
        keep threshold is met); then ``target``; then the review date in the target.
        """
        where = SQL("profile.company_id = %s", company.id)
        if partner_ids is not None:
            where = SQL("%s AND profile.partner_id = ANY(%s)", where, list(partner_ids))
        self.env.cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_tier_changes")
        self.env.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_tier_changes AS
                   SELECT profile.id, judged.from_id, judged.since, moved.to_id,
                          dated.review, why.why
                     FROM lifecycle_profile profile %(joins)s
                     CROSS JOIN LATERAL (
                       SELECT profile.vip_tier_id AS from_id, profile.vip_since AS since,
                              profile.vip_review_date AS review,
                              COALESCE(profile.vip_hold_until >= %(today)s, FALSE) AS held,
                              %(level)s AS level, %(best)s AS best, %(met)s AS met,
                              %(keeps)s AS keeps, %(grace)s AS grace,
                              profile.vip_tier_id = ANY(%(broken)s) AS broken
                     ) judged
                     CROSS JOIN LATERAL (
                       SELECT CASE
                         WHEN judged.held OR judged.broken THEN judged.level
                         WHEN NOT profile.active THEN 0
                         WHEN judged.level = 0 AND judged.from_id IS NOT NULL
                         THEN GREATEST(judged.best, judged.met)
                         WHEN judged.best > judged.level THEN judged.best
                         WHEN judged.level = 0 OR judged.keeps THEN judged.level
                         WHEN COALESCE(judged.review, %(today)s + judged.grace) <= %(today)s
                              AND COALESCE(judged.since < %(today)s, TRUE)
                         THEN GREATEST(judged.best, %(drop)s)
                         ELSE judged.level END AS level
                     ) target
                     CROSS JOIN LATERAL (
                       SELECT CASE WHEN target.level > 0 AND target.level = judged.level
                                        OR judged.held OR judged.broken THEN judged.from_id
                                   ELSE %(ids)s END AS to_id
                     ) moved
                     CROSS JOIN LATERAL (
                       SELECT CASE
                         WHEN judged.broken THEN judged.review
                         WHEN target.level = 0 OR judged.held OR %(target_keeps)s THEN NULL
                         WHEN target.level <> judged.level THEN %(today)s + %(target_grace)s
                         ELSE COALESCE(judged.review, %(today)s + judged.grace)
                       END AS review
                     ) dated
                     CROSS JOIN LATERAL (SELECT %(why)s AS why) why
                    WHERE %(where)s AND (profile.active OR profile.vip_tier_id IS NOT NULL)
                      AND (moved.to_id IS DISTINCT FROM judged.from_id
                           OR dated.review IS DISTINCT FROM judged.review)""",
                **self._tier_cases(tiers),
                joins=SQL(" ").join(
                    join
                    for tier in tiers
                    for window in tier._windows()
                    if (join := window.join_sql(partner_ids))
                ),
                broken=self._broken_tiers(company).ids,
                today=SQL("%s::date", today),
                where=where,
            )
        )

    @api.model
    def _broken_tiers(self, company):
        """Tiers that were switched off: who is in them stays until they are corrected."""
        # sudo: rules decide for everybody
        return (
            self.env["lifecycle.vip.tier"]
            .sudo()
            .search([("company_id", "=", company.id), ("rule_error", "!=", False)])
        )

    @api.model
    def _tier_cases(self, tiers):
        """SQL expressions over ``profile``, ``judged`` and ``target`` that name the tiers."""

        def case(branches, otherwise):
            branches = list(branches)
            if not branches:
                return otherwise
            return SQL("CASE %s ELSE %s END", SQL(" ").join(branches), otherwise)

        levels = list(enumerate(tiers, 1))
        keeps = {tier: tier._keeps_sql() for tier in tiers}

        def of_present(value):
            return [
                SQL("WHEN profile.vip_tier_id = %s THEN %s", tier.id, value(level, tier))
                for level, tier in levels
            ]

        def of_target(value):
            return [
                SQL("WHEN target.level = %s THEN %s", level, value(level, tier))
                for level, tier in levels
            ]

        def met_below(limit):
            return case(
                (
                    SQL("WHEN %s THEN %s", keeps[tier], level)
                    for level, tier in reversed(levels[:limit])
                ),
                SQL("0"),
            )

        zero, false = SQL("0"), SQL("FALSE")
        reached = [
            SQL("WHEN %s THEN %s", tier._enters_sql(), level) for level, tier in reversed(levels)
        ]
        return {
            "level": case(of_present(lambda level, tier: SQL("%s", level)), zero),
            "best": case(reached, zero),
            "keeps": case(of_present(lambda level, tier: keeps[tier]), false),
            # below the present tier; below any for a tier that is no longer there
            "met": case(
                of_present(lambda level, tier: met_below(level - 1)), met_below(len(levels))
            ),
            "grace": case(of_present(lambda level, tier: SQL("%s", tier.grace_days)), zero),
            "drop": case(
                (
                    SQL("WHEN judged.level = %s THEN %s", level, level - 1)
                    for level, tier in levels
                    if tier.drop_to == "down"
                ),
                SQL("judged.met"),
            ),
            "ids": case(of_target(lambda level, tier: SQL("%s", tier.id)), SQL("NULL::integer")),
            "target_keeps": case(of_target(lambda level, tier: keeps[tier]), false),
            "target_grace": case(
                of_target(lambda level, tier: SQL("%s", tier.grace_days)), zero
            ),
            "why": self._tier_why(case, levels),
        }

    @api.model
    def _tier_why(self, case, levels):
        """jsonb of the values that decided: of the tier entered, else of the one that was left.

        ``values`` are those of the tier's windows, this year's before the last one's.
        """

        def facts(tier):
            windows = tier._windows()
            return SQL(
                """jsonb_build_object(
                       'tier', %s, 'entry', %s, 'keep', %s, 'min_orders', %s, 'measure', %s,
                       'term', %s, 'values', jsonb_build_array(%s),
                       'orders', jsonb_build_array(%s),
                       'review', judged.review, 'archived', NOT profile.active)""",
                tier.id,
                float(tier._entry()),
                float(tier.keep),
                tier.min_orders,
                SQL("%s::text", tier.measure),
                SQL("%s::text", tier.term if tier.in_window else ""),
                SQL(", ").join(
                    SQL("COALESCE(%s, 0)", window.value_sql()) for window in windows
                ),
                SQL(", ").join(
                    SQL("COALESCE(%s, 0)", window.orders_sql()) for window in windows
                ),
            )

        return case(
            [
                SQL(
                    "WHEN GREATEST(target.level, judged.level) = %s THEN %s", level, facts(tier)
                )
                for level, tier in levels
            ],
            SQL("'{}'::jsonb"),
        )

    @api.model
    def _apply_tier_changes(self, today, announced):
        """Write tiers and review dates to the profiles.

        :param announced: whether benefits and activities are to follow; else what is changed
            now counts as dealt with
        """
        moved = SQL("changes.from_id IS DISTINCT FROM changes.to_id")
        silent = SQL(
            """, vip_applied_tier_id = CASE
                   WHEN profile.vip_applied_tier_id IS NOT DISTINCT FROM changes.from_id
                   THEN changes.to_id ELSE profile.vip_applied_tier_id END,
                 -- an activity that has become needless is still to be removed
                 vip_announced_date = CASE
                   WHEN changes.review IS NULL AND profile.vip_activity_id IS NOT NULL
                   THEN profile.vip_announced_date ELSE changes.review END"""
        )
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile
                      SET vip_tier_id = changes.to_id,
                          vip_review_date = changes.review,
                          vip_since = CASE WHEN NOT %(moved)s THEN profile.vip_since
                                           WHEN changes.to_id IS NOT NULL THEN %(today)s END,
                          vip_manual = profile.vip_manual AND NOT %(moved)s,
                          vip_hold_until = CASE WHEN NOT %(moved)s
                                                THEN profile.vip_hold_until END,
                          vip_reason = CASE WHEN NOT %(moved)s THEN profile.vip_reason END
                          %(silent)s
                     FROM lifecycle_tier_changes changes WHERE changes.id = profile.id""",
                moved=moved,
                silent=SQL() if announced else silent,
                today=SQL("%s::date", today),
            )
        )
