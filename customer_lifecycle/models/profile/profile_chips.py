"""The chips on a contact's life cycle tab, and the sentences behind each of them.

In: the profile's labels, signals, preferences and touches, loyalty cards. Out: a list of dicts
in the order of the screen. Called by the overview of one customer; workflows and loyalty costs
make their chips with the same helper.
"""

from odoo import fields, models


class LifecycleProfile(models.Model):
    """The customer at a glance: a chip for each thing worth knowing, the rest on a click."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    def _overview_chips(self):
        """Chips for the screen, in order; the tier has a line of its own, with its buttons.

        :return: list of dicts ``name``, ``label``, ``value``, ``tone`` (a Bootstrap colour), and
            ``why``: sentences that a click shows; ``html`` with what to do on the stage's;
            ``actions``: buttons that a click shows (``label``, ``model``, ``method``, ``ids``,
            ``confirm``)
        """
        self.ensure_one()
        makers = (
            self._chip_stage,
            self._chip_rfm,
            self._chip_segments,
            self._chip_complaints,
            self._chip_missing,
            self._chip_open,
            self._chip_satisfaction,
            self._chip_tastes,
            self._chip_potential,
            self._chip_points,
            self._chip_loyalty_cost,
            self._chip_workflows,
            self._chip_origin,
        )
        return [chip for chip in (make() for make in makers) if chip]

    def _chip(self, name, label, value, why=(), tone="secondary", **more):
        return {
            "name": name,
            "label": label,
            "value": value,
            "why": [sentence for sentence in why if sentence],
            "tone": tone,
            **more,
        }

    def _chip_stage(self):
        if not self.stage_id:
            return None
        pace = dict(self._fields["stage_pace"]._description_selection(self.env))
        details = [self.stage_stay, self.stage_usual, pace.get(self.stage_pace)]
        return self._chip(
            "stage",
            self.env._("Stage"),
            f"{self.stage_id.name}, {self.stage_stay}" if self.stage_stay else self.stage_id.name,
            why=[" · ".join(filter(None, details)), *self._why_stage()],
            tone="secondary" if self.stage_tone == "muted" else self.stage_tone,
            html=self.stage_id.playbook or False,
        )

    def _chip_rfm(self):
        if not self.rfm_group_id:
            return None
        value = self.rfm_group_id.name
        if self.rfm_score:
            value = f"{value} {self.rfm_score}"
        return self._chip("rfm", self.env._("RFM group"), value, why=[self.rfm_note])

    def _chip_segments(self):
        segments = self.segment_ids
        if not segments:
            return None
        return self._chip(
            "segments",
            self.env._("Segments"),
            # names may have commas of their own
            " · ".join(segments.mapped("name")),
            why=self._why_segments(),
        )

    def _chip_complaints(self):
        causes = self._complaints()
        if not causes:
            return None
        return self._chip(
            "complaints",
            self.env._("May be dissatisfied"),
            causes[0],
            why=causes[1:],
            tone="danger",
        )

    def _chip_missing(self):
        today = self._lifecycle_today()
        missing = self._missing_products()
        if not missing:
            return None
        return self._chip(
            "missing",
            self.env._("Usual item missing"),
            " · ".join(missing[:2].mapped("product_id.name")),
            why=[
                self.env._(
                    "“%(product)s”: every %(gap)s days, last %(days)s days ago, usually "
                    "%(quantity)g at a time.",
                    product=usual.product_id.name,
                    gap=max(1, round(usual.gap)),
                    days=(today - usual.last_date).days,
                    quantity=usual.quantity,
                )
                for usual in missing
            ],
            tone="warning",
        )

    def _chip_open(self):
        parts = []
        if self.open_opportunity_count:
            parts.append(
                self.env._("1 opportunity")
                if self.open_opportunity_count == 1
                else self.env._("%s opportunities", self.open_opportunity_count)
            )
        if self.open_quotation_count:
            parts.append(
                self.env._("1 quotation")
                if self.open_quotation_count == 1
                else self.env._("%s quotations", self.open_quotation_count)
            )
        if not parts:
            return None
        return self._chip("open", self.env._("Open"), ", ".join(parts), tone="info")

    def _chip_satisfaction(self):
        if self.satisfaction_average is False:
            return None
        average = self.satisfaction_average
        return self._chip(
            "satisfaction",
            self.env._("Satisfaction"),
            self.env._("%(average).1f of 5", average=average),
            why=[
                self.satisfaction_last is not False
                and self.env._("Last rating: %(last).0f of 5.", last=self.satisfaction_last)
            ],
            tone="success" if average >= 4 else "warning" if average >= 2.5 else "danger",
        )

    def _chip_tastes(self):
        usual = self.usual_product_ids[:3].mapped("product_id.name")
        likes = self.favorite_category_ids.mapped("name") or usual[:2]
        if not likes:
            return None
        weekdays = dict(self._fields["usual_weekday"]._description_selection(self.env))
        return self._chip(
            "tastes",
            self.env._("Likes"),
            " · ".join(likes),
            why=[
                usual and self.env._("Usually buys: %s.", " · ".join(usual)),
                self.usual_weekday
                and self.env._("Usually orders on a %s.", weekdays[self.usual_weekday]),
                self.usual_team_id
                and self.env._("Usual channel: %s.", self.usual_team_id.name),
            ],
        )

    def _chip_potential(self):
        if not self.potential:
            return None
        return self._chip(
            "potential",
            self.env._("Share won"),
            f"{round(100 * self.potential_share)} %",
            why=[
                self.env._(
                    "%(won)s of a yearly budget of %(budget)s; %(gap)s not won yet.",
                    won=self._money(self.revenue_year),
                    budget=self._money(self.potential),
                    gap=self._money(self.potential_gap),
                )
            ],
        )

    def _chip_points(self):
        cards = self.env["loyalty.card"]
        if not cards.has_access("read"):
            return None
        today = fields.Date.context_today(self)
        cards = cards.search(
            [
                ("partner_id", "child_of", self.partner_id.id),
                ("points", ">", 0),
                ("program_id.active", "=", True),
                (
                    "program_id.company_id",
                    "in",
                    [*self.company_id._lifecycle_above().ids, False],
                ),
                "|",
                ("expiration_date", "=", False),
                ("expiration_date", ">=", today),
            ]
        )
        if not cards:
            return None
        lines = [
            f"{card.program_id.name}: {card.points_display}"
            + (
                ""
                if card.partner_id == self.partner_id
                else f" ({card.partner_id.display_name})"
            )
            for card in cards[:10]
        ]
        first = cards[0]
        return self._chip(
            "points",
            self.env._("Loyalty"),
            first.points_display if len(cards) == 1 else self.env._("%s cards", len(cards)),
            why=lines,
            tone="success",
        )

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
        )
