"""Labels of customers whose older purchases have come in late, moved without a sound.

Comes in: profiles that the pipeline has marked. Goes out: their stages
of the past, dated in it; tiers and segments that start nothing; and figures of today, so that
what is really new of them is then classified as news. Called by the refresh and by the runs.
"""

from odoo.tools import SQL

from .past import reconstruct

#: causes of transitions that were worked out and not observed: a better past takes their place
WORKED_OUT = ("initial", "reconstructed")
#: more than all changes that a customer can have
FAR = 1_000_000


def classify(env, company, today, partner_ids=None):
    """Move the marked customers by what is history, and take the mark away.

    :return: number of changes
    """
    where = SQL("company_id = %s AND history_until IS NOT NULL", company.id)
    if partner_ids is not None:
        where = SQL("%s AND partner_id = ANY(%s)", where, list(partner_ids))
    env.flush_all()
    rows = env.execute_query(
        SQL(
            """SELECT partner_id, last_order_date > history_until,
                      COALESCE(stage_hold_until >= %s, FALSE), order_count > 0
                 FROM lifecycle_profile WHERE %s ORDER BY partner_id""",
            today,
            where,
        )
    )
    if not rows:
        return 0
    marked = [row[0] for row in rows]
    news = [row[0] for row in rows if row[1]]
    pipeline = env["lifecycle.pipeline"]
    if news:
        # who has bought something new too is looked at without it first
        pipeline._write_figures(company, today, news, late=True)
    count = _replace_past(env, company, today, [row[0] for row in rows if row[3] and not row[2]])
    changed, _errors = env["lifecycle.classifier"]._classify_all(
        company, today, cause="reconstructed", partner_ids=marked
    )
    if news:
        pipeline._write_figures(company, today, news)
    forget(env, company, marked)
    return count + changed


def forget(env, company, partner_ids=None):
    """Take the marks away."""
    where = SQL("company_id = %s AND history_until IS NOT NULL", company.id)
    if partner_ids is not None:
        where = SQL("%s AND partner_id = ANY(%s)", where, partner_ids)
    env.cr.execute(SQL("UPDATE lifecycle_profile SET history_until = NULL WHERE %s", where))
    env["lifecycle.profile"].invalidate_model(["history_until"])


def _replace_past(env, company, today, partner_ids):
    """Work out the stages of some customers' past anew.

    What was observed stays: changes by rules, which may have started something, and by
    persons. The last stage that the past leads to begins after them.

    :return: number of transitions
    """
    if not partner_ids:
        return 0
    cr = env.cr
    cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_late_profile")
    cr.execute(
        SQL(
            """CREATE TEMPORARY TABLE lifecycle_late_profile AS
               SELECT profile.id, profile.stage_id, profile.stage_date,
                      (SELECT MAX(seen.date) FROM lifecycle_transition seen
                        WHERE seen.profile_id = profile.id AND seen.kind = 'stage'
                          AND seen.cause <> ALL(%(worked_out)s)) AS seen
                 FROM lifecycle_profile profile
                WHERE profile.company_id = %(company)s
                  AND profile.partner_id = ANY(%(partners)s)""",
            worked_out=list(WORKED_OUT),
            company=company.id,
            partners=partner_ids,
        )
    )
    late = SQL("profile_id IN (SELECT id FROM lifecycle_late_profile) AND kind = 'stage'")
    cr.execute(
        SQL(
            "DELETE FROM lifecycle_transition WHERE %s AND cause = ANY(%s)",
            late,
            list(WORKED_OUT),
        )
    )
    # out of the way of what is written now
    cr.execute(SQL("UPDATE lifecycle_transition SET number = number + %s WHERE %s", FAR, late))
    count = reconstruct(env, company, today, partner_ids)
    # what was observed later is the last word on when it was so, not on what is
    cr.execute(
        SQL(
            """INSERT INTO lifecycle_transition
                     (profile_id, kind, number, from_stage_id, to_stage_id, date, cause,
                      days_before)
               SELECT late.id, 'stage', %(far)s * 2, late.stage_id, profile.stage_id,
                      late.seen, 'reconstructed',
                      GREATEST(0, late.seen - late.stage_date)
                 FROM lifecycle_late_profile late
                 JOIN lifecycle_profile profile ON profile.id = late.id
                WHERE late.seen >= profile.stage_date
                  AND late.stage_id <> profile.stage_id""",
            far=FAR,
        )
    )
    # whose stage is the one that he was seen to come into stays there since then
    cr.execute(
        """UPDATE lifecycle_profile profile SET stage_date = late.seen
             FROM lifecycle_late_profile late
            WHERE late.id = profile.id AND late.seen > profile.stage_date"""
    )
    numbers = SQL(
        """UPDATE lifecycle_transition change SET number = -ranked.rank
             FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY profile_id
                                                 ORDER BY date, number) AS rank
                     FROM lifecycle_transition WHERE %s) ranked
            WHERE ranked.id = change.id""",
        late,
    )
    cr.execute(numbers)
    cr.execute(SQL("UPDATE lifecycle_transition SET number = -number WHERE %s", late))
    cr.execute("DROP TABLE pg_temp.lifecycle_late_profile")
    env["lifecycle.transition"].invalidate_model()
    env["lifecycle.profile"].invalidate_model()
    return count
