"""The customer's RFM scores and group, and what they rest on in words.

In: scores and group that the classifier writes, the boundaries of the newest RFM scale.
Out: a note with the customer's values and what the next higher score takes, for the chip and the
contact form.
"""

from odoo import api, fields, models
from odoo.tools.misc import format_date, formatLang

from ...tools.fields import OptionalInteger
from .rfm_group import SCORED_BUYERS


class LifecycleProfile(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    rfm_recency = OptionalInteger(
        string="Recency Score",
        readonly=True,
        aggregator="avg",
        help="From 1 to 5: among the fifth of the company's buyers who ordered last, 5.",
    )
    rfm_frequency = OptionalInteger(
        string="Frequency Score",
        readonly=True,
        aggregator="avg",
        help="From 1 to 5: among the fifth of the company's buyers with most orders, 5.",
    )
    rfm_monetary = OptionalInteger(
        string="Monetary Score",
        readonly=True,
        aggregator="avg",
        help="From 1 to 5: among the fifth of the company's buyers with the largest mean order, "
        "5.",
    )
    rfm_score = fields.Char(
        string="RFM Score",
        readonly=True,
        help="Recency, frequency and monetary value, each from 1 to 5: 555 ordered last, most "
        "often and most. From 200 buyers on.",
    )
    rfm_group_id = fields.Many2one(
        "lifecycle.rfm.group", string="RFM Group", ondelete="set null", readonly=True
    )
    rfm_note = fields.Char(string="RFM in Words", compute="_compute_rfm_note")

    def _chips(self):
        return [*super()._chips(), self._chip_rfm()]

    def _chip_rfm(self):
        if not self.rfm_group_id:
            return None
        value = self.rfm_group_id.name
        if self.rfm_score:
            value = f"{value} {self.rfm_score}"
        return self._chip(
            "rfm", self.env._("RFM group"), value, why=[self.rfm_note], sequence=20
        )

    @api.depends_context("lang")
    @api.depends("rfm_score", "rfm_group_id", "last_order_date", "order_count")
    def _compute_rfm_note(self):
        # sudo: the boundaries are no secret; who may read the profile may know why
        scales = self.env["lifecycle.rfm.scale"].sudo()
        current = {company: scales._current(company) for company in self.company_id}
        for profile in self:
            profile.rfm_note = profile._rfm_words(current[profile.company_id])

    def _rfm_words(self, scale):
        """Why the customer is in his RFM group: values and the boundaries of his scores."""
        self.ensure_one()
        if not self.rfm_group_id:
            return False
        if not self.rfm_score or scale.method != "scores":
            if not self._sees_whole_company():
                # how many customers there are is not for who sees his own only
                return self.env._(
                    "%(orders)s orders, the last %(when)s. Fixed thresholds: scores need "
                    "%(needed)s buyers.",
                    orders=self.order_count,
                    when=self._ago(self.days_since_last_order),
                    needed=SCORED_BUYERS,
                )
            return self.env._(
                "%(orders)s orders, the last %(when)s. Fixed thresholds: the company has "
                "%(buyers)s buyers, scores need %(needed)s.",
                orders=self.order_count,
                when=self._ago(self.days_since_last_order),
                buyers=scale.buyer_count,
                needed=SCORED_BUYERS,
            )
        return self.env._(
            "Recency %(recency)s: last order %(last)s%(recency_range)s. "
            "Frequency %(frequency)s: %(orders)s orders%(frequency_range)s. "
            "Monetary value %(monetary)s: %(mean)s an order%(monetary_range)s.",
            recency=self.rfm_recency,
            last=self._date(self.last_order_date),
            recency_range=self._rfm_next(scale.recency, self.rfm_recency, self._rfm_date),
            frequency=self.rfm_frequency,
            orders=self.order_count,
            frequency_range=self._rfm_next(scale.frequency, self.rfm_frequency, str),
            monetary=self.rfm_monetary,
            mean=self._money(self.average_order_value),
            monetary_range=self._rfm_next(scale.monetary, self.rfm_monetary, self._rfm_money),
        )

    def _rfm_next(self, boundaries, score, shown):
        """What the next higher score takes, in brackets; nothing at the top."""
        if score >= 5:
            return ""
        # among equal boundaries the scores between are nobody's
        boundary = boundaries[score - 1]
        higher = 2 + max(k for k, other in enumerate(boundaries) if other == boundary)
        return self.env._(
            " (%(score)s: above %(boundary)s)", score=higher, boundary=shown(boundary)
        )

    def _rfm_date(self, value):
        return format_date(self.env, fields.Date.to_date(value), date_format="medium")

    def _rfm_money(self, value):
        return formatLang(self.env, float(value), currency_obj=self.currency_id)
