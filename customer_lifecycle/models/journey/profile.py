"""A customer's first touch, touches and channels before his first and last order, and his stages.

In: what the attribution stores when orders have changed; transitions, and how long others
usually stay. Out: fields for lists and the contact, one sentence each on the first and the last
order, for the chip of the first touch; a list of stays, for the band above the touchpoints.
"""

from odoo import api, fields, models

from ...tools.fields import ClearedMany2one, OptionalInteger
from .attribution import AttributionReader


class LifecycleProfile(models.Model):
    """How a customer came to us, what led to the first and the last order, and his stays."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    # ----- FIRST TOUCH -----

    first_touch_date = fields.Date(
        string="First Touch", readonly=True, help="First time that we heard of each other."
    )
    first_touch_id = ClearedMany2one(
        "lifecycle.touchpoint.source",
        string="First Touch Was",
        readonly=True,
        help="What the first touch was, for example a message from the customer. Empty where the "
        "customer began with an order or was just entered.",
    )
    first_source_id = ClearedMany2one(
        "utm.source",
        string="Acquisition Source",
        readonly=True,
        help="What brought the customer to us, for example a newsletter: the source of the "
        "earliest opportunity, order or touchpoint that names one.",
    )
    first_medium_id = ClearedMany2one(
        "utm.medium",
        string="Acquisition Channel",
        readonly=True,
        help="The way on which the customer came, for example e-mail or a search engine.",
    )
    first_campaign_id = ClearedMany2one(
        "utm.campaign",
        string="Acquisition Campaign",
        readonly=True,
        help="The campaign that brought the customer to us.",
    )

    # ----- ON THE WAY -----

    touch_count = fields.Integer(
        string="Touches",
        readonly=True,
        help="How often customer and company were in touch: messages, calls, meetings, "
        "opportunities and what else counts as a touch.",
    )
    touches_to_first_order = OptionalInteger(
        string="Touches Before the First Order",
        readonly=True,
        aggregator="avg",
        help="Touches before the first order was confirmed.",
    )
    days_to_first_order = OptionalInteger(
        string="Days to the First Order",
        readonly=True,
        aggregator="avg",
        help="Days from the first touch to the first order.",
    )
    order_touch_ids = fields.One2many(
        "lifecycle.order.touch", "profile_id", string="Touches Before Orders", readonly=True
    )

    # ----- BEFORE THE FIRST ORDER -----

    first_order_touch_id = ClearedMany2one(
        "lifecycle.touchpoint.source",
        string="Last Touch Before the First Order",
        readonly=True,
        help="What happened last before the customer ordered for the first time.",
    )
    first_order_touch_date = fields.Date(
        string="Day of the Last Touch Before the First Order", readonly=True
    )
    first_order_source_id = ClearedMany2one(
        "utm.source",
        string="Source of the First Order",
        readonly=True,
        help="Named by the first order, or else by the last touch before it that names one.",
    )
    first_order_medium_id = ClearedMany2one(
        "utm.medium", string="Channel of the First Order", readonly=True
    )
    first_order_campaign_id = ClearedMany2one(
        "utm.campaign", string="Campaign of the First Order", readonly=True
    )

    # ----- BEFORE THE LAST ORDER -----

    last_order_touch_id = ClearedMany2one(
        "lifecycle.touchpoint.source",
        string="Last Touch Before the Last Order",
        readonly=True,
        help="What happened last before the customer's latest order, since the order before it.",
    )
    last_order_touch_date = fields.Date(
        string="Day of the Last Touch Before the Last Order", readonly=True
    )
    last_order_source_id = ClearedMany2one(
        "utm.source",
        string="Source of the Last Order",
        readonly=True,
        help="Named by the latest order, or else by the last touch before it that names one.",
    )
    last_order_medium_id = ClearedMany2one(
        "utm.medium", string="Channel of the Last Order", readonly=True
    )
    last_order_campaign_id = ClearedMany2one(
        "utm.campaign", string="Campaign of the Last Order", readonly=True
    )

    # ----- IN WORDS -----

    def _origin_text(self):
        """Source or campaign that brought the customer, in words; empty if unknown."""
        self.ensure_one()
        return (self.first_source_id or self.first_campaign_id or self.first_medium_id).name or ""

    def _way_text(self):
        """How the customer came to the first order, in one sentence; empty if nothing is known."""
        self.ensure_one()
        origin, touches, days = (
            self._origin_text(),
            self.touches_to_first_order,
            self.days_to_first_order,
        )
        if not self.first_order_date:
            if origin and self.touch_count:
                return self.env._(
                    "Came through “%(origin)s”; %(touches)s so far, no order yet.",
                    origin=origin,
                    touches=self._touches_text(self.touch_count),
                )
            return self.env._("Came through “%s”.", origin) if origin else ""
        if not touches:
            return self.env._("Came through “%s”.", origin) if origin else ""
        values = {
            "origin": origin,
            "touches": self._touches_text(touches),
            "days": self._days_text(days),
        }
        if origin:
            return self.env._(
                "Came through “%(origin)s”; %(touches)s in %(days)s before the first order.",
                **values,
            )
        return self.env._("%(touches)s in %(days)s before the first order.", **values)

    @api.model
    def _readers(self):
        return [*super()._readers(), AttributionReader]

    def _touches_text(self, number):
        return self.env._("1 touch") if number == 1 else self.env._("%s touches", number)

    def _days_text(self, days):
        if not days or days == 1:
            return self.env._("one day")
        return self.env._("%s days", days)

    def _last_order_text(self):
        """What came last before the latest order, in one sentence; empty if nothing did."""
        self.ensure_one()
        origin = (
            self.last_order_source_id or self.last_order_campaign_id or self.last_order_medium_id
        ).name
        touch = self.last_order_touch_id.name
        if self.order_count < 2 or not (touch or origin):
            return ""
        if not touch:
            return self.env._("The last order came through “%s”.", origin)
        values = {
            "touch": touch,
            "date": self._date(self.last_order_touch_date),
            "origin": origin,
        }
        if origin:
            return self.env._(
                "Before the last order: %(touch)s on %(date)s, through “%(origin)s”.", **values
            )
        return self.env._("Before the last order: %(touch)s on %(date)s.", **values)

    # ----- STAYS IN STAGES -----

    def _journey_bands(self):
        """Stays in stages, oldest first.

        :return: list of dicts ``stage`` (name), ``color``, ``tone``, ``start`` and ``end`` (days
            as text; the last stay ends today), ``days``, ``usual`` (words, or False) and ``why``
        """
        self.ensure_one()
        moves = self.env["lifecycle.transition"].search(
            [("profile_id", "=", self.id), ("kind", "=", "stage")], order="number"
        )
        if not moves:
            # known, but not classified yet
            return []
        today = self._lifecycle_today()
        # sudo: how many days are usual, and not of how many customers
        usual = {
            row.stage_id.id: row.usual
            for row in self.env["lifecycle.stage.statistic"].sudo().search(
                [("company_id", "=", self.company_id.id)]
            )
        }
        bands = []
        for move, following in zip(moves, [*moves[1:], None], strict=True):
            end = following.date if following else max(today, move.date)
            stage = move.to_stage_id
            if not stage or (following and end == move.date):
                # left on the day it was entered: nothing to see
                continue
            bands.append(
                {
                    "stage": stage.name,
                    "color": stage.color,
                    "tone": stage.tone,
                    "start": fields.Date.to_string(move.date),
                    "end": fields.Date.to_string(end),
                    "days": (end - move.date).days,
                    "current": not following,
                    "usual": usual.get(stage.id, False),
                    "why": move.why_text or False,
                }
            )
        return bands

    # ----- CHIP -----

    def _chips(self):
        return [*super()._chips(), self._chip_origin()]

    def _chip_origin(self):
        if not self.first_touch_date:
            return None
        names = [self.first_source_id.name, self.first_medium_id.name, self.first_campaign_id.name]
        names = list(dict.fromkeys(filter(None, names)))
        referrer = self.partner_id.lifecycle_referred_by_id
        return self._chip(
            "origin",
            self.env._("First touch"),
            self._date(self.first_touch_date),
            why=[
                self._way_text(),
                len(names) > 1 and self.env._("In full: %s.", ", ".join(names)),
                # the friend may belong to a company that the reader does not see
                referrer.has_access("read")
                and referrer
                and self.env._("Recommended by %s.", referrer.display_name),
                self.referral_count
                and self.env._("Has brought %s other customers.", self.referral_count),
                not self.touches_to_first_order
                and self.days_to_first_order
                and self.env._("First order %s later.", self._days_text(self.days_to_first_order)),
                self._last_order_text(),
            ],
            sequence=130,
        )
