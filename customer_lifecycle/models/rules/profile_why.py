"""The chip of a customer's stage: why he is in it, and what would change it, in sentences.

In: the stage's rule, the profile's own values, the history of stages; the rules tell what an order
today and silence would lead to. Out: a chip with sentences, without those on the future where a
rule cannot be evaluated. Called by the overview of one customer.
"""

import logging

import psycopg2

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import formatLang

from .coming import Coming

_logger = logging.getLogger(__name__)

#: how far ahead the next change of stage is looked for
MAX_DAYS_AHEAD = 730
#: words for comparisons in rules
WORDS = {"=": "=", "!=": "≠", "<": "<", ">": ">", "<=": "≤", ">=": "≥"}


class LifecycleProfile(models.Model):
    """Why a customer is in his stage, and what would change it."""

    # a feature of its own: what the contact is told of the stage
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    # ----- CHIPS -----

    def _chips(self):
        return [*super()._chips(), self._chip_stage(), self._chip_open()]

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
            sequence=10,
        )

    def _chip_open(self):
        pieces = []
        if self.open_opportunity_count:
            pieces.append(
                self.env._("1 opportunity")
                if self.open_opportunity_count == 1
                else self.env._("%s opportunities", self.open_opportunity_count)
            )
        if self.open_quotation_count:
            pieces.append(
                self.env._("1 quotation")
                if self.open_quotation_count == 1
                else self.env._("%s quotations", self.open_quotation_count)
            )
        if not pieces:
            return None
        return self._chip(
            "open", self.env._("Open"), ", ".join(pieces), tone="info", sequence=60
        )

    # ----- WHY -----

    def _why_stage(self):
        """Sentences: since when and by whom, the rule with its values, what would change it."""
        self.ensure_one()
        if not self.stage_id:
            return []
        # sudo: what a rule asks for may be told to whoever sees the customer
        rule = self.stage_id.sudo()._rule(keep=True)
        sentences = [self._stage_origin(), *self._rule_values(rule), self._stage_hold()]
        if not self._is_stage_held():
            sentences += [self._stage_after_order(), self._stage_after_silence()]
        sentences.append(self._former_stages())
        return [sentence for sentence in sentences if sentence]

    def _stage_origin(self):
        last = self.transition_ids.filtered(
            lambda transition: transition.kind == "stage"
            and transition.to_stage_id == self.stage_id
        )[:1]
        if not last:
            return False
        if last.cause == "person":
            return self.env._(
                "Set by %(person)s on %(date)s: %(reason)s.",
                person=last.user_id.name,
                date=self._date(last.date),
                reason=last.reason,
            )
        return self.env._(
            "Since %(date)s, by the rule of “%(stage)s”.",
            date=self._date(last.date),
            stage=self.stage_id.name,
        )

    def _former_stages(self):
        """How long the customer was in each stage that he has left, stays added up."""
        stays = {}
        for transition in self.transition_ids:
            if transition.kind == "stage" and transition.from_stage_id and transition.days_before:
                name = transition.from_stage_id.name
                stays[name] = stays.get(name, 0) + transition.days_before
        if not stays:
            return False
        pieces = [
            self.env._("%(stage)s %(days)s days", stage=name, days=days)
            for name, days in sorted(stays.items(), key=lambda stay: -stay[1])
        ]
        return self.env._("Before: %s.", ", ".join(pieces))

    def _is_stage_held(self):
        return bool(self.stage_hold_until and self.stage_hold_until >= self._lifecycle_today())

    def _stage_hold(self):
        return self._is_stage_held() and self.env._(
            "Held by hand until %s; no rule changes it before.", self._date(self.stage_hold_until)
        )

    def _rule_values(self, rule):
        """What a rule asks for, each with the customer's own value."""
        labels = self.fields_get(attributes=["string", "type"])
        sentences = []
        for condition in rule.iter_conditions():
            name = condition.field_expr
            if asked := self._asked_words(condition):
                sentences.append(asked)
            if name not in labels or condition.operator not in WORDS:
                continue
            sentences.append(
                self.env._(
                    "%(field)s: %(value)s (rule: %(operator)s %(threshold)s)",
                    field=labels[name]["string"],
                    value=self._shown_value(name, labels[name]["type"]),
                    operator=WORDS[condition.operator],
                    threshold=self._shown_threshold(condition.value, labels[name]["type"]),
                )
            )
        return sentences

    def _shown_value(self, name, kind):
        value = self[name]
        if kind in ("many2one", "many2many", "one2many"):
            return ", ".join(value.mapped("display_name")) or "–"
        if value is False and kind != "boolean":
            return "–"
        if kind == "date":
            return self._date(value)
        if kind == "monetary":
            return self._money(value)
        if kind == "float":
            return formatLang(self.env, value, digits=1)
        if kind == "boolean":
            return self.env._("yes") if value else self.env._("no")
        return value

    def _shown_threshold(self, value, kind):
        """What a rule compares with, as the reader's language writes it."""
        if kind == "boolean":
            return self.env._("yes") if value else self.env._("no")
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if kind == "monetary":
                return self._money(value)
            if kind == "float":
                return formatLang(self.env, value, digits=0 if value == int(value) else 1)
        return value

    # ----- WHAT WOULD CHANGE IT -----

    def _stage_after_order(self):
        """Sentence about the stage that an order today would lead to."""
        stage = self._ask_rules(lambda coming: coming.after_order())
        if not stage:
            return False
        if stage == self.stage_id:
            return self.env._("An order today: stays “%s”.", stage.name)
        return self.env._("An order today: becomes “%s”.", stage.name)

    def _stage_after_silence(self):
        """Sentence about when the stage changes if nothing happens."""
        days, stage = self._next_silent_change()
        if not days:
            return False
        return self.env._(
            "Without an order: becomes “%(stage)s” on %(date)s.",
            stage=stage.name,
            date=self._date(fields.Date.add(self._lifecycle_today(), days=days)),
        )

    def _next_silent_change(self):
        """Days until the stage changes if nothing happens, and the stage; (None, None): never."""
        found = self._ask_rules(lambda coming: coming.after_silence(MAX_DAYS_AHEAD))
        days, stage = found or (None, None)
        return days, stage and stage.sudo(False).with_env(self.env)

    def _ask_rules(self, ask):
        """Ask what is coming; nothing where a rule cannot be evaluated, as the run will say.

        :param ask: function of :class:`Coming`
        """
        self.ensure_one()
        # sudo: rules may look at what the reader may not; he is told the stage only
        profile = self.sudo().with_company(self.company_id)
        try:
            with self.env.cr.savepoint():
                return ask(Coming(profile, self._lifecycle_today()))
        except (ValueError, KeyError, TypeError, UserError, psycopg2.Error) as error:
            _logger.info("The stage of profile %s cannot be foreseen: %s", self.id, error)
            return None
