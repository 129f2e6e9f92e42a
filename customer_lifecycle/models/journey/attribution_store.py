"""Writes the ways to orders that were collected, and only where something differs.

In: the temporary tables of touches, purchases and ways. Out: one row for each day with orders
that anything led to, and on the profile the first touch, the numbers, and what preceded the first
and last order. Called at the end of the collecting, which the preferences set off.
"""

from odoo import api, fields, models
from odoo.tools import SQL

from .touchpoint_touch import CAMPAIGN

#: columns of the profile, for first and last order each, by those of ``lifecycle_attribution``
LAST_TOUCH = {
    "touch_id": "touchpoint_id",
    "touch_date": "touch_day",
    "source_id": "source_id",
    "medium_id": "medium_id",
    "campaign_id": "campaign_id",
}


class LifecycleTouch(models.AbstractModel):
    """Writing the ways to orders where they differ."""

    # a file for each subject of this model
    _inherit = "lifecycle.touch"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _store_orders(self):
        cr = self.env.cr
        cr.execute(
            """DELETE FROM lifecycle_order_touch old USING lifecycle_chosen chosen
                WHERE chosen.id = old.profile_id
                  AND NOT EXISTS (SELECT FROM lifecycle_attribution found
                                   WHERE found.profile_id = old.profile_id
                                     AND found.day = old.date)"""
        )
        columns = ["is_first", "touch_count", "touch_date", "touchpoint_id", *CAMPAIGN]
        names = SQL(", ").join(SQL.identifier(name) for name in columns)
        old, new = (
            SQL(", ").join(SQL.identifier(alias, name) for name in columns)
            for alias in ("old", "excluded")
        )
        cr.execute(
            SQL(
                """INSERT INTO lifecycle_order_touch AS old (profile_id, date, %(names)s)
                   SELECT profile_id, day, is_first, number, touch_moment, touchpoint_id, source_id,
                          medium_id, campaign_id
                     FROM lifecycle_attribution
                   ON CONFLICT (profile_id, date) DO UPDATE SET (%(names)s) = ROW(%(new)s)
                    WHERE (%(old)s) IS DISTINCT FROM (%(new)s)""",
                names=names,
                old=old,
                new=new,
            )
        )
        self.env["lifecycle.order.touch"].invalidate_model()

    @api.model
    def _store_profiles(self, company):
        """Write first touch, numbers and what preceded the first and the last order."""
        columns = {
            "first_touch_date": SQL("first.day"),
            "first_touch_id": SQL("first.touchpoint_id"),
            "first_source_id": SQL("first.source_id"),
            "first_medium_id": SQL("first.medium_id"),
            "first_campaign_id": SQL("first.campaign_id"),
            "touch_count": SQL("counted.number"),
            "touches_to_first_order": SQL(
                "CASE WHEN chosen.first_order_date IS NOT NULL THEN counted.before END"
            ),
            "days_to_first_order": SQL(
                "GREATEST(0, chosen.first_order_date - first.day)"
            ),
        }
        for order in ("first_order", "last_order"):
            columns.update(
                {
                    f"{order}_{name}": SQL.identifier(order, column)
                    for name, column in LAST_TOUCH.items()
                }
            )
        old = SQL(", ").join(SQL.identifier("profile", name) for name in columns)
        new = SQL(", ").join(columns.values())
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_profile profile SET (%(names)s) = ROW(%(new)s)
                     FROM lifecycle_chosen chosen
                     LEFT JOIN (%(first)s) first ON first.profile_id = chosen.id
                     LEFT JOIN lifecycle_attribution first_order
                            ON first_order.profile_id = chosen.id
                           AND first_order.day = chosen.first_order_date
                     LEFT JOIN lifecycle_attribution last_order
                            ON last_order.profile_id = chosen.id
                           AND last_order.day = chosen.last_order_date
                     LEFT JOIN lifecycle_bought bought ON bought.profile_id = chosen.id
                           AND bought.day = chosen.first_order_date
                     CROSS JOIN LATERAL (
                        SELECT COUNT(*)::integer AS number,
                               COUNT(*) FILTER (WHERE moment < bought.moment)::integer AS before
                          FROM lifecycle_touch touch WHERE touch.profile_id = chosen.id
                     ) counted
                    WHERE chosen.id = profile.id AND first.day IS NOT NULL
                      AND (%(old)s) IS DISTINCT FROM (%(new)s)""",
                names=SQL(", ").join(SQL.identifier(name) for name in columns),
                new=new,
                old=old,
                first=self._first_touch_sql(company),
            )
        )

    @api.model
    def _first_touch_sql(self, company):
        """SELECT of the day of the first touch and the campaign behind it, by profile.

        Opportunities that have no contact yet belong to whoever has their e-mail address.
        """
        zone = company._lifecycle_timezone()
        default = self.env["res.company"]._lifecycle_default_company().id
        family = company._lifecycle_family().ids

        def leads(link):
            return SQL(
                """SELECT contact.profile_id,
                          LEAST(lead.create_date, lead.lifecycle_first_date), NULL,
                          %s
                     FROM lifecycle_contact contact JOIN crm_lead lead ON %s
                    WHERE COALESCE(lead.company_id, contact.company_id, %s) = ANY(%s)""",
                SQL(", ").join(
                    SQL(
                        "CASE WHEN COALESCE(lead.lifecycle_first_source_id, "
                        "lead.lifecycle_first_medium_id, lead.lifecycle_first_campaign_id) "
                        "IS NULL THEN %s ELSE %s END",
                        SQL.identifier("lead", name),
                        SQL.identifier("lead", f"lifecycle_first_{name}"),
                    )
                    for name in CAMPAIGN
                ),
                link,
                default,
                family,
            )

        return SQL(
            """SELECT profile_id,
                      (MIN(moment) AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS day,
                      (ARRAY_AGG(touchpoint_id ORDER BY moment, touchpoint_id))[1]
                          AS touchpoint_id, %(campaign)s
                 FROM (SELECT profile_id, moment, touchpoint_id, source_id, medium_id, campaign_id
                         FROM lifecycle_touch
                       UNION ALL %(by_partner)s UNION ALL %(by_email)s
                       UNION ALL
                       SELECT contact.profile_id, ordering.create_date, NULL,
                              ordering.source_id, ordering.medium_id, ordering.campaign_id
                         FROM lifecycle_contact contact
                         JOIN sale_order ordering ON ordering.partner_id = contact.id
                        WHERE ordering.company_id = ANY(%(family)s)
                       UNION ALL
                       SELECT id, first_order_date::timestamp AT TIME ZONE %(zone)s
                                  AT TIME ZONE 'UTC', NULL, NULL, NULL, NULL
                         FROM lifecycle_chosen WHERE first_order_date IS NOT NULL
                       UNION ALL
                       SELECT profile_id, COALESCE(create_date, %(now)s), NULL, NULL, NULL, NULL
                         FROM lifecycle_contact) touches
                WHERE moment IS NOT NULL
                GROUP BY profile_id""",
            zone=zone,
            # contacts loaded past Odoo have no date: without one they would be due for ever
            now=fields.Datetime.now(),
            campaign=SQL(", ").join(self._earliest_campaign(SQL("moment"), SQL())),
            by_partner=leads(SQL("lead.partner_id = contact.id")),
            by_email=leads(
                SQL(
                    "lead.partner_id IS NULL "
                    "AND lead.email_normalized = contact.email_normalized"
                )
            ),
            family=family,
        )
