from ast import literal_eval

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools.misc import formatLang

#: how far ahead the next change of stage is looked for
OUTLOOK_DAYS = 730
#: words for comparisons in rules
WORDS = {"=": "=", "!=": "≠", "<": "<", ">": ">", "<=": "≤", ">=": "≥"}


class LifecycleProfile(models.Model):
    """Why a customer has his labels, and what would change them."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    # ----- STAGE -----

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
        parts = [
            self.env._("%(stage)s %(days)s days", stage=name, days=days)
            for name, days in sorted(stays.items(), key=lambda stay: -stay[1])
        ]
        return self.env._("Before: %s.", ", ".join(parts))

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

    def _why_segments(self):
        """A sentence for each segment: since when, and what its rule asks for."""
        self.ensure_one()
        since = {member.segment_id: member.since for member in self.segment_member_ids}
        sentences = []
        for segment in self.segment_ids:
            parts = [self.env._("since %s", self._date(since[segment]))] if segment in since else []
            # sudo: what a rule asks for may be told to whoever sees the customer
            parts += self._rule_values(Domain(literal_eval(segment.sudo().domain or "[]")))
            sentences.append(f"{segment.name}: {'; '.join(parts)}")
        return sentences

    # ----- WHAT WOULD CHANGE IT -----

    def _stage_after_order(self):
        """Sentence about the stage that an order today would lead to."""
        today = self._lifecycle_today()
        span = (today - self.first_order_date).days if self.first_order_date else 0
        count = self.order_count + (self.last_order_date != today)
        rhythm = self.rhythm
        if count >= 4:
            rhythm = span / (count - 1)
        stage = self._stage_of(
            {
                "order_count": count,
                "first_order_date": self.first_order_date or today,
                "last_order_date": today,
                "rhythm": rhythm or 120,
            }
        )
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
        step = 16
        for days in range(step, OUTLOOK_DAYS + 1, step):
            if self._stage_after(days) != self.stage_id:
                break
        else:
            return None, None
        low, high = days - step, days
        while high - low > 1:
            middle = (low + high) // 2
            if self._stage_after(middle) != self.stage_id:
                high = middle
            else:
                low = middle
        return high, self._stage_after(high)

    def _stage_after(self, days):
        """The stage after so many days in which nothing happens.

        Moving every date back is the same as letting time pass.
        """
        dates = {
            name: fields.Date.subtract(self[name], days=days)
            for name, field in self._fields.items()
            if field.type == "date" and field.store and self[name]
        }
        return self._stage_of(dates)

    def _stage_of(self, values):
        """The stage that the rules choose if the profile had other values (see classifier)."""
        # sudo: rules may look at what the reader may not; he is told the stage only
        profile = self.sudo()
        # virtual records of one origin share their values in the cache
        profile.new(origin=profile).invalidate_recordset(flush=False)
        virtual = profile.new(values, origin=profile)
        days = virtual.days_in_stage or 0
        current = self.stage_id
        if current.min_days and days < current.min_days:
            return current
        stages = self.env["lifecycle.stage"]._in_priority()
        for stage in stages:
            stays = stage == current
            if stays and stage.max_days and days >= stage.max_days:
                continue
            if not stays and stage.enter_from_ids and current not in stage.enter_from_ids:
                continue
            if virtual.filtered_domain(stage._rule(keep=stays)):
                return stage.with_env(self.env)
        return stages[-1:].with_env(self.env)
