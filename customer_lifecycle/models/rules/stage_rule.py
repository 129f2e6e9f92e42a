"""The rule of a stage, described once; whoever asks about stages asks this.

Comes in: stages in force, as records. Goes out: the stage each profile belongs to, as SQL, which
today's classification and the look ahead share; for the replay of the past the same conditions as
bits, the days on which time alone may change them, and the limits on coming and going as the
kernel takes them; and the conditions by name, for sentences and for the reasons of transitions.
Nothing is decided here that is not in the record.
"""

from collections.abc import Iterable

from odoo.fields import Domain
from odoo.tools import SQL

from ... import kernel
from ..profile.complaints import COMPLAINTS, UNPAID
from .profiles_as_of import relative

#: dates of the last time that something happened: known from that day on
LATEST = (
    "advocacy_date",
    "last_contact_date",
    *(complaint.date for complaint in COMPLAINTS),
    UNPAID,
)
#: no stage: a door that is not in force lets nobody in
CLOSED = 1 << 62


class StageRule:
    """What lets customers into a stage, and what keeps who is there.

    :param stage: a record of ``lifecycle.stage``
    :raise ValueError: its text is not a domain
    """

    def __init__(self, stage):
        self.id = stage.id
        self.enter, self.keep = stage._rule(), stage._rule(keep=True)
        #: whether another rule keeps than lets in
        self.is_lax = self.keep != self.enter
        #: ids of the stages that it may be entered from; none: from anywhere
        self.doors = stage.enter_from_ids.ids
        self.after_order = stage.after_order
        self.min_days, self.max_days = stage.min_days, stage.max_days

    def conditions(self):
        """Each condition of both rules: a field, an operator, and what it is compared with."""
        yield from self.enter.iter_conditions()
        if self.is_lax:
            yield from self.keep.iter_conditions()

    @property
    def names(self):
        """Names of the fields that decide, sorted; for a stage without rule the orders."""
        return sorted({condition.field_expr for condition in self.conditions()}) or ["order_count"]

    # ----- TODAY, AND ANY OTHER DAY -----

    def target_sql(self, profiles):
        """WHEN branch of who belongs to the stage, if to none that is tried before.

        :param profiles: :class:`ProfilesAsOf`
        """
        current = profiles.column("stage_id")
        enter, keep = profiles.meets(self.enter), profiles.meets(self.keep)
        if self.doors:
            enter = SQL("%s AND %s = ANY(%s)", enter, current, self.doors)
        if self.after_order:
            enter = SQL("%s AND COALESCE(%s, FALSE)", enter, _has_ordered_sql(profiles))
        if self.max_days:
            keep = SQL("%s AND %s < %s", keep, _stay_sql(profiles), self.max_days)
        return SQL(
            "WHEN CASE WHEN %s IS NOT DISTINCT FROM %s THEN %s ELSE %s END THEN %s",
            current,
            self.id,
            keep,
            enter,
            self.id,
        )

    # ----- DAYS -----

    def turning_days(self):
        """Days on which time alone may change what the rules say, as SQL over what was known."""
        last = SQL.identifier("last_order_date")
        for condition in self.conditions():
            name, operator, value = condition.field_expr, condition.operator, condition.value
            if name in LATEST:
                yield SQL.identifier(name)
            if name in ("days_since_last_order", "lateness"):
                unit = SQL("1") if name == "days_since_last_order" else SQL.identifier("rhythm")
                values = [value] if isinstance(value, int | float) else value
                for number in values if isinstance(values, Iterable) else ():
                    if isinstance(number, bool) or not isinstance(number, int | float):
                        continue
                    # later than a date can be is never
                    days = SQL("LEAST(%s::numeric * %s, 1000000)", number, unit)
                    if operator not in ("<=", ">"):
                        yield SQL("%s + CEIL(%s)::integer", last, days)
                    if operator not in ("<", ">="):
                        yield SQL("%s + FLOOR(%s)::integer + 1", last, days)
            elif name in (*LATEST, "first_order_date", "last_order_date"):
                interval = relative(value)
                if interval is None:
                    continue
                # months differ in length: the day before the same date may be four days earlier
                for days in range(2 if "month" not in interval and "year" not in interval else 5):
                    yield SQL(
                        "(%s - %s::interval)::date + %s", SQL.identifier(name), interval, days
                    )


    def windows(self):
        """Numbers of days after a purchase on which time alone may change what the rules say."""
        for condition in self.conditions():
            if condition.field_expr == "bought_item_ids" and "any" in condition.operator:
                yield from _days_ago(Domain(condition.value))


def _days_ago(domain):
    for condition in domain.iter_conditions():
        if condition.field_expr != "days_ago":
            continue
        value = condition.value
        for days in value if isinstance(value, list | tuple | set | frozenset) else [value]:
            if isinstance(days, int | float):
                # earlier than a date can be is never
                yield from (min(int(days), 1_000_000) + later for later in (0, 1))


class StageRules:
    """The rules of all stages in force, in the order in which they are tried.

    The first stage wins whose rule matches and that may be entered from where the customer is;
    the last takes everybody else.

    :param stages: records in that order
    :param switched_off: stages whose rules cannot be evaluated: who is in one stays
    """

    def __init__(self, stages, switched_off):
        self.rules = [StageRule(stage) for stage in stages]
        self.switched_off = switched_off.ids

    def __iter__(self):
        return iter(self.rules)

    def __len__(self):
        return len(self.rules)

    @property
    def names(self):
        """Names of the fields that decide about any stage, sorted."""
        return sorted({name for rule in self for name in rule.names})

    def target_sql(self, profiles):
        """CASE expression of the stage each profile belongs to.

        A stage by hand holds until its date; a minimum stay holds; then the rules decide.

        :param profiles: :class:`ProfilesAsOf`
        """
        current = profiles.column("stage_id")
        stays = [
            SQL("%s >= %s", profiles.column("stage_hold_until"), profiles.day),
            *(
                SQL("%s = %s AND %s < %s", current, rule.id, _stay_sql(profiles), rule.min_days)
                for rule in self
                if rule.min_days
            ),
            # a rule that was switched off says nothing about its members: they stay
            SQL("%s = ANY(%s)", current, self.switched_off),
        ]
        return SQL(
            "CASE WHEN %s IS NOT NULL AND (%s) THEN %s %s ELSE %s END",
            current,
            SQL(" OR ").join(stays),
            current,
            SQL(" ").join(rule.target_sql(profiles) for rule in self),
            self.rules[-1].id if self.rules else None,
        )

    # ----- FOR THE REPLAY -----

    def bits_sql(self, profiles):
        """Bit i tells whether the rule of stage i matches.

        :param profiles: :class:`ProfilesAsOf`
        :return: (SQL of the rules that let in, of the laxer ones that keep; whole number with the
            bits of the stages where the rule that lets in also keeps)
        """

        def bits(conditions):
            return SQL(" | ").join(
                [
                    *(
                        SQL(
                            "CASE WHEN %s THEN %s::bigint ELSE 0 END",
                            profiles.meets(condition),
                            1 << number,
                        )
                        for number, condition in conditions
                    ),
                    SQL("0::bigint"),
                ]
            )

        numbered = list(enumerate(self))
        return (
            bits((number, rule.enter) for number, rule in numbered),
            bits((number, rule.keep) for number, rule in numbered if rule.is_lax),
            sum(1 << number for number, rule in numbered if not rule.is_lax),
        )

    def limits(self):
        """What limits coming and going, as the kernel wants it."""
        number_of = {rule.id: number for number, rule in enumerate(self)}
        return kernel.StageRules(
            [rule.min_days for rule in self],
            [rule.max_days for rule in self],
            [
                rule.doors
                and CLOSED | sum(1 << number_of[door] for door in rule.doors if door in number_of)
                or 0
                for rule in self
            ],
            [rule.after_order for rule in self],
        )


def _stay_sql(profiles):
    """Days in the present stage."""
    return SQL("(%s::date - %s)", profiles.day, profiles.column("stage_date"))


def _has_ordered_sql(profiles):
    """Whether a profile has an order since its stage began.

    An order of that very day counts where it was not known yet: who was at risk in the morning
    and orders at noon has come back.
    """
    last, known, since = (
        profiles.column(name) for name in ("last_order_date", "stage_order_date", "stage_date")
    )
    return SQL("%s >= %s AND %s > COALESCE(%s, '-infinity')", last, since, last, known)
