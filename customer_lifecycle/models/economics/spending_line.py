"""One live list of all spending: by hand, from documents, rewards and recommendations.

In: entered spending, the spending sources, costs of loyalty programs, rewarded recommendations.
Out: rows of day, channel and what was for getting or keeping customers, to list and open. Read by
the list of spending and by the customer economics.
"""

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.sql import row_id
from ..sources.money import own_rate_of_day, rate_of_day
from ..sources.revenue_payment import PAYMENT_PROGRAMS


class LifecycleSpendingLine(models.Model):
    """All money spent on getting and keeping customers, read live from where it stands.

    What was entered by hand is spread over the months; documents of the spending sources and
    rewards of loyalty programmes count on their day.
    """

    _name = "lifecycle.spending.line"
    _description = "Money Spent on Customers"
    _inherit = "lifecycle.document.mixin"
    _auto = False
    _order = "date desc, id desc"

    kind = fields.Selection(
        [
            ("hand", "Entered by hand"),
            ("document", "Documents"),
            ("reward", "Rewards of loyalty programs"),
            ("referral", "Rewards for recommendations"),
        ],
        string="Kind of Spending",
        readonly=True,
    )
    spending_source_id = fields.Many2one("lifecycle.spending.source", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    date = fields.Date(
        readonly=True, help="For what is spread over several months: its first day in the month."
    )
    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Document Id", model_field="res_model", readonly=True, aggregator=None
    )
    getting = fields.Monetary(string="For Getting", readonly=True)
    keeping = fields.Monetary(string="For Keeping", readonly=True)
    amount = fields.Monetary(readonly=True, help="Untaxed, in company currency.")
    source_id = fields.Many2one("utm.source", readonly=True)
    medium_id = fields.Many2one("utm.medium", readonly=True)
    campaign_id = fields.Many2one("utm.campaign", readonly=True)
    stage_id = fields.Many2one("lifecycle.stage", string="For Stage", readonly=True)
    segment_id = fields.Many2one("lifecycle.segment", string="For Segment", readonly=True)

    @property
    def _table_query(self):
        company = self.env.company.sudo()
        return SQL(
            """SELECT %(id)s, kind, spending_source_id, partner_id, %(company)s AS company_id,
                      %(currency)s AS currency_id, date, res_model, res_id, getting, keeping,
                      getting + keeping AS amount, source_id, medium_id, campaign_id, stage_id,
                      segment_id
                 FROM (%(rows)s) rows""",
            id=row_id(
                *("kind", "res_model", "res_id", "partner_id", "date", "sub_id"),
                "spending_source_id",
            ),
            company=company.id,
            currency=company.currency_id.id,
            rows=self._rows_sql(company),
        )

    # ----- WHERE MONEY IS SPENT -----

    @api.model
    def _rows_sql(self, company):
        """SELECT of everything spent in a company until today.

        :param company: res.company record, as superuser
        :return: SQL with the columns kind, res_model, res_id, sub_id, spending_source_id,
            partner_id, date, getting, keeping, source_id, medium_id, campaign_id, stage_id and
            segment_id
        """
        today = company._lifecycle_today()
        parts = [
            self.env["lifecycle.spending"]._rows_sql(company, today),
            self.env["lifecycle.spending.source"]._rows_sql(company, today),
        ]
        columns = SQL(
            "res_model, res_id, spending_source_id, kind, partner_id, date, getting, keeping, "
            "source_id, medium_id, campaign_id, stage_id, segment_id"
        )
        return SQL(" UNION ALL ").join(
            [
                *(
                    SQL("SELECT %s, 0 AS sub_id FROM (%s) part", columns, part)
                    for part in parts
                    if part is not None
                ),
                SQL(
                    "SELECT %s, sub_id FROM (%s) part", columns,
                    self._rewards_sql(company, today),
                ),
                SQL(
                    "SELECT %s, 0 AS sub_id FROM (%s) part", columns,
                    self._money_for_friends_sql(company, today),
                ),
            ]
        )

    @api.model
    def _rewards_sql(self, company, today):
        """Rewards of loyalty programmes by customer and order.

        On a customer's first order they were for getting him, later for keeping him. Coupons for
        having recommended somebody are money spent on getting that friend, and on his channel.
        """
        return SQL(
            """SELECT reward.res_model, reward.res_id, reward.program_id AS sub_id,
                      NULL::integer AS spending_source_id,
                      CASE WHEN friend.rewarded THEN 'referral' ELSE 'reward' END AS kind,
                      reward.partner_id, reward.day AS date,
                      CASE WHEN aim.getting THEN reward.cost ELSE 0 END AS getting,
                      CASE WHEN aim.getting THEN 0 ELSE reward.cost END AS keeping,
                      origin.source_id, origin.medium_id, origin.campaign_id,
                      NULL::integer AS stage_id, NULL::integer AS segment_id
                 FROM (%(rewards)s) reward
                 LEFT JOIN lifecycle_profile profile
                   ON profile.partner_id = reward.partner_id AND profile.company_id = %(company)s
                 LEFT JOIN LATERAL (
                     SELECT TRUE AS rewarded, known.first_source_id, known.first_medium_id,
                            known.first_campaign_id
                       FROM lifecycle_referral referral
                       JOIN lifecycle_referral_program program
                         ON program.id = referral.program_id
                        AND program.advocate_program_id = reward.program_id
                       JOIN loyalty_program given
                         ON given.id = program.advocate_program_id
                        AND given.program_type <> 'loyalty'
                       LEFT JOIN lifecycle_profile known
                         ON known.partner_id = referral.friend_id
                        AND known.company_id = referral.company_id
                      WHERE referral.advocate_id = reward.partner_id
                        AND referral.company_id = %(company)s AND referral.state = 'rewarded'
                      ORDER BY referral.date_rewarded::date <= reward.day DESC,
                               referral.date_rewarded DESC
                      LIMIT 1
                 ) friend ON TRUE
                 CROSS JOIN LATERAL (
                     SELECT COALESCE(friend.rewarded, FALSE)
                            OR COALESCE(reward.day <= profile.first_order_date, TRUE) AS getting
                 ) aim
                 CROSS JOIN LATERAL (
                     SELECT CASE WHEN friend.rewarded THEN friend.first_source_id
                                 ELSE profile.first_source_id END AS source_id,
                            CASE WHEN friend.rewarded THEN friend.first_medium_id
                                 ELSE profile.first_medium_id END AS medium_id,
                            CASE WHEN friend.rewarded THEN friend.first_campaign_id
                                 ELSE profile.first_campaign_id END AS campaign_id
                 ) origin
                WHERE reward.day <= %(today)s""",
            rewards=self.env["lifecycle.loyalty.cost"]._rows_sql(company),
            company=company.id,
            today=today,
        )

    @api.model
    def _money_for_friends_sql(self, company, today):
        """Recommendations rewarded with money on an eWallet or gift card.

        Using such money is no cost of a programme, having been given it is.
        """
        day = SQL(
            "(referral.date_rewarded AT TIME ZONE 'UTC' AT TIME ZONE %s)::date",
            company._lifecycle_timezone(),
        )
        return SQL(
            """SELECT 'lifecycle.referral' AS res_model, referral.id AS res_id,
                      NULL::integer AS spending_source_id, 'referral' AS kind,
                      referral.advocate_id AS partner_id, %(day)s AS date,
                      ROUND(referral.points::numeric
                            * CASE WHEN given.currency_id = %(currency)s THEN 1
                                   ELSE %(own_rate)s / %(rate)s END, %(digits)s) AS getting,
                      0::numeric AS keeping, known.first_source_id AS source_id,
                      known.first_medium_id AS medium_id,
                      known.first_campaign_id AS campaign_id,
                      NULL::integer AS stage_id, NULL::integer AS segment_id
                 FROM lifecycle_referral referral
                 JOIN lifecycle_referral_program program ON program.id = referral.program_id
                 JOIN loyalty_program given ON given.id = program.advocate_program_id
                 LEFT JOIN lifecycle_profile known
                   ON known.partner_id = referral.friend_id
                  AND known.company_id = referral.company_id
                WHERE referral.company_id = %(company)s AND referral.state = 'rewarded'
                  AND given.program_type = ANY(%(payment)s) AND %(day)s <= %(today)s
                  -- what nobody knows the worth of is not one to one
                  AND (given.currency_id = %(currency)s OR %(rate)s IS NOT NULL)""",
            day=day,
            currency=company.currency_id.id,
            own_rate=own_rate_of_day(company, day),
            rate=rate_of_day(SQL("given.currency_id"), company, day),
            digits=company.currency_id.decimal_places,
            company=company.id,
            payment=list(PAYMENT_PROGRAMS),
            today=today,
        )
