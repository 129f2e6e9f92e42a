"""Since when each customer is a member, for every kind of event that can be compared.

In: a comparison. Out: a SELECT of customers and days from cards, transitions, workflows or
recommendations; an empty day stands for one that nobody knows. Called by the measurement.
"""

from odoo import models
from odoo.tools import SQL


class LifecycleComparison(models.Model):
    """On which day each customer's time after began."""

    # a file for each subject of this large model
    _inherit = "lifecycle.comparison"  # pylint: disable=consider-merging-classes-inherited

    def _events_sql(self):
        """SELECT (partner_id, day) of commercial partners, each once.

        A day of NULL is one that nobody knows: such customers are neither members whose change
        is looked at nor customers who had not joined. Meant to be extended by addons that bring
        other events.
        """
        self.ensure_one()
        return getattr(self, f"_events_{self.event}_sql")()

    def _local_day(self, moment):
        return SQL(
            "(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date",
            moment,
            self.company_id._lifecycle_timezone(),
        )

    def _events_loyalty_sql(self):
        """The first card; one that came with a quotation is none before the order."""
        return SQL(
            """SELECT partner_id, MIN(day) AS day FROM (
                   SELECT owner.commercial_partner_id AS partner_id, %(made)s AS day
                     FROM loyalty_card card
                     JOIN res_partner owner ON owner.id = card.partner_id
                     LEFT JOIN sale_order ordering ON ordering.id = card.order_id
                    WHERE card.program_id = %(program)s
                      AND COALESCE(ordering.state, 'sale') = 'sale'
                   UNION ALL
                   SELECT member.partner_id, %(joined)s
                     FROM lifecycle_loyalty_member member
                    WHERE member.program_id = %(program)s AND member.card_id IS NULL
                      AND member.problem IS NULL
               ) cards GROUP BY partner_id""",
            made=self._local_day(SQL("card.create_date")),
            joined=self._local_day(SQL("member.date_joined")),
            program=self.program_id.id,
        )

    def _moves_sql(self, condition, causes=("initial", "edit")):
        """First entry by a move in the history.

        :param causes: who first entered with one of these has no day: he met the rule before
            anybody looked, or before somebody changed the rule
        """
        return SQL(
            """SELECT profile.partner_id,
                      NULLIF(MIN(move.date), MIN(move.date) FILTER (
                          WHERE move.cause = ANY(%s))) AS day
                 FROM lifecycle_transition move
                 JOIN lifecycle_profile profile ON profile.id = move.profile_id
                WHERE profile.company_id = %s AND %s
                GROUP BY profile.partner_id""",
            list(causes),
            self.company_id.id,
            condition,
        )

    def _events_tier_sql(self):
        return self._moves_sql(
            SQL(
                """move.kind = 'tier' AND move.to_tier_id IN (
                       SELECT id FROM lifecycle_vip_tier
                        WHERE company_id = %s AND rank >= %s)""",
                self.company_id.id,
                self.tier_id.rank,
            ),
            # with a changed rule comes the level itself, and what it brings
            causes=("initial",),
        )

    def _events_segment_sql(self):
        return self._moves_sql(
            SQL(
                "move.kind = 'segment' AND move.joined AND move.segment_id = %s",
                self.segment_id.id,
            )
        )

    def _events_stage_sql(self):
        return self._moves_sql(
            SQL("move.kind = 'stage' AND move.to_stage_id = %s", self.stage_id.id)
        )

    def _events_workflow_sql(self):
        """The first time; who was drawn for the control group has not been in the workflow."""
        return SQL(
            """SELECT partner_id, MIN(day_entered) AS day
                 FROM lifecycle_workflow_enrollment
                WHERE workflow_id = %s AND company_id = %s AND state != 'control'
                GROUP BY partner_id""",
            self.workflow_id.id,
            self.company_id.id,
        )

    def _events_referral_sql(self):
        """The first order, which for nearly all comes after the recommendation."""
        return SQL(
            """SELECT profile.partner_id,
                      GREATEST(MIN(%(came)s), MIN(profile.first_order_date)) AS day
                 FROM lifecycle_referral referral
                 JOIN lifecycle_profile profile ON profile.partner_id = referral.friend_id
                  AND profile.company_id = referral.company_id
                WHERE referral.company_id = %(company)s AND referral.state != 'refused'
                  AND profile.first_order_date IS NOT NULL
                GROUP BY profile.partner_id""",
            came=self._local_day(SQL("referral.date")),
            company=self.company_id.id,
        )
