"""All that the life cycle tab of one contact shows, or the reason why it is empty.

In: the id of a contact. Out: chips, figures, forecast and value by year, or a sentence such as
"the first computation has not finished". Called by the tab in the browser; the journey map and
the contact's figures take the name of the expected value from here. Other rooms add their chips
with the helper that is here.
"""

from odoo import api, fields, models

MONTH_DAYS = 365 / 12


class LifecycleProfile(models.Model):
    _inherit = "lifecycle.profile"

    user_id = fields.Many2one(related="partner_id.user_id", string="Salesperson")
    country_id = fields.Many2one(related="partner_id.country_id")

    # ----- LABELS -----

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Name the company's own horizon where it is not the usual year."""
        result = super().fields_get(allfields, attributes)
        if self.env.company.lifecycle_horizon != 365:
            label = result.get("clv_predicted", {})
            if "string" in label:
                label["string"] = self._expected_label(self.env.company)
        return result

    @api.model
    def _expected_label(self, company):
        """Words for the value that is expected within the company's horizon."""
        days = company.lifecycle_horizon
        months = round(days / MONTH_DAYS)
        if months > 1 and abs(days - months * MONTH_DAYS) < 2:
            return self.env._("Expected in the next %s months", months)
        return self.env._("Expected in the next %s days", days)

    # ----- OVERVIEW OF ONE CUSTOMER -----

    @api.model
    @api.readonly
    def get_partner_overview(self, partner_id):
        """Everything that a contact's life cycle tab shows, or why it shows nothing.

        :param partner_id: id of a contact; contacts of a company show their company's figures
        :return: dict with ``kind``: "figures" with the figures, else the reason
            ("none", "excluded", "hidden", "waiting") and a ``message`` in plain words
        :raise AccessError: the user may not read the contact or is no salesperson
        """
        partner = self.env["res.partner"].browse(partner_id)
        partner.check_access("read")
        profile = partner.lifecycle_profile_id
        # sudo: whether its company is excluded may be said to whoever reads the contact
        customer = partner.sudo().commercial_partner_id
        overview = {
            "customer": customer != partner and customer.display_name,
            "basis": self.env.company.lifecycle_basis,
            "chips": profile._overview_chips() if profile else [],
        }
        if profile and (profile.order_count or profile.revenue):
            # the figures are the reader's own to see; the settings behind them are not secret
            return {**overview, **profile._overview_figures()}
        kind, message = self._why_no_figures(customer)
        return {**overview, "kind": kind, "message": message}

    @api.model
    def _why_no_figures(self, customer):
        """Return (kind, sentence) for a customer without figures that the user may see."""
        company = self.env.company
        if customer.lifecycle_exclude:
            return "excluded", self.env._(
                "%s is excluded from the life cycle: no figures are computed.",
                customer.display_name,
            )
        # sudo: only whether there are figures, to tell the reader whom to ask for them
        hidden = self.sudo().search_count(
            [
                ("partner_id", "=", customer.id),
                ("company_id", "=", company.id),
                ("order_count", ">", 0),
            ],
            limit=1,
        )
        if hidden and not self.env.user.has_group(
            "sales_team.group_sale_salesman_all_leads"
        ):
            return "hidden", self.env._(
                "%s looks after this customer: only this salesperson and colleagues who may "
                "see all documents can see the figures.",
                customer.user_id.name,
            )
        # sudo: salespeople may not read runs
        runs = self.env["lifecycle.run"].sudo()
        if not runs.search_count(
            [("company_id", "=", company.id), ("state", "=", "done")], limit=1
        ):
            return "waiting", self.env._(
                "The first computation has not finished yet; figures appear here afterwards."
            )
        if company.lifecycle_basis == "invoices":
            return "none", self.env._(
                "No purchases yet; first figures after the first posted invoice."
            )
        return "none", self.env._(
            "No purchases yet; first figures after the first confirmed order."
        )

    def _overview_figures(self):
        """Figures of this profile for the screen; amounts in company currency."""
        self.ensure_one()
        company = self.company_id.sudo()
        today = company._lifecycle_today()
        interval = self.env["lifecycle.prediction"]._interval(self, today)
        names = [
            "order_count",
            "first_order_date",
            "last_order_date",
            "days_since_last_order",
            "average_order_value",
            "order_interval",
            "clv_historical",
            "revenue",
            "headline",
        ]
        figures = self._read_format(names)[0]
        figures.update(
            kind="figures",
            profile_id=figures.pop("id"),
            currency_id=self.currency_id.id,
            value_is=company.lifecycle_value,
            horizon=company.lifecycle_horizon,
            expected_label=self._expected_label(company),
            prediction=self._overview_prediction(interval, today),
            explanation=self.env["lifecycle.clv.model"]._current(company)._explain(),
            years=self._value_by_year(interval, today),
            share_text=self._share_text(company),
        )
        return figures

    def _share_text(self, company):
        """For how much of the revenue the margin is not known; False where it is."""
        if company.lifecycle_value != "margin":
            return False
        purchases = self.env["lifecycle.purchase"].with_context(lifecycle_profile_id=self.id)
        ((amount, by_share),) = purchases._read_group(
            [("profile_id", "=", self.id), ("counted", "=", True)],
            [],
            ["amount:sum", "by_share:sum"],
        )
        return company._lifecycle_share_sentence(amount or 0, by_share or 0)

    def _overview_prediction(self, interval, today):
        if not self.predicted:
            return False
        names = [
            "clv_predicted",
            "expected_orders",
            "p_order",
            "p_order_30",
            "next_order_date",
            "next_order_from",
            "next_order_to",
        ]
        if self.env.user.has_group("sales_team.group_sale_manager"):
            names.append("p_alive")
        prediction = self._read_format(names)[0]
        prediction.update(
            low=interval["low"] if interval else False,
            high=interval["high"] if interval else False,
            overdue=bool(self.next_order_to and self.next_order_to < today),
            due=bool(self.next_order_date and self.next_order_date < today),
        )
        return prediction

    def _value_by_year(self, interval, today):
        """Value of each calendar year, earned and expected, without gaps.

        :return: list of dicts ``year``, ``earned``, ``expected`` and ``until``: the last day
            of the forecast where it ends within the year
        """
        purchases = self.env["lifecycle.purchase"].with_context(lifecycle_profile_id=self.id)
        groups = purchases._read_group(
            [("profile_id", "=", self.id), ("counted", "=", True)], ["date:year"], ["value:sum"]
        )
        earned = {day.year: value for day, value in groups}
        expected = {day.year: (value, day) for day, value in (interval or {}).get("years", [])}
        first = min([*earned, today.year])
        last = max([*earned, *expected, today.year])
        years = []
        for year in range(first, last + 1):
            value, until = expected.get(year, (0.0, None))
            full = until is None or (until.month, until.day) == (12, 31)
            years.append(
                {
                    "year": year,
                    "earned": earned.get(year, 0.0),
                    "expected": value,
                    "until": not full and fields.Date.to_string(until),
                }
            )
        return years

    # ----- CHIPS -----

    def _overview_chips(self):
        """Chips for the screen, in order; the tier has a line of its own, with its buttons.

        :return: list of dicts as :meth:`_chip` makes them
        """
        self.ensure_one()
        return sorted(filter(None, self._chips()), key=lambda chip: chip["sequence"])

    def _chips(self):
        """Chips in any order, and None in place of one that has nothing to say.

        Whatever else is worth knowing extends this, and adds its own.
        """
        return [
            self._chip_complaints(),
            self._chip_missing(),
            self._chip_satisfaction(),
            self._chip_tastes(),
            self._chip_potential(),
        ]

    def _chip(self, name, label, value, why=(), tone="secondary", sequence=200, **more):
        """A chip: a word and a value, and what a click on it shows.

        :param why: sentences that a click shows
        :param tone: a Bootstrap colour
        :param sequence: where it stands, the lowest first
        :param more: ``html`` of what to do; ``actions``: buttons that a click shows (``label``,
            ``model``, ``method``, ``ids``, ``confirm``)
        """
        return {
            "name": name,
            "label": label,
            "value": value,
            "why": [sentence for sentence in why if sentence],
            "tone": tone,
            "sequence": sequence,
            **more,
        }

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
            sequence=40,
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
            sequence=50,
        )

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
            sequence=70,
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
            sequence=80,
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
            sequence=90,
        )

    # ----- ACTIONS -----

    def action_recompute(self):
        """Ask for a run of the current company; for the button above lists of customers."""
        return self.env["lifecycle.run"].action_recompute()
