"""What workflows begin with: one class for each trigger, which finds candidates and drops them.

In: a workflow, a company, enrolments. Out: SQL of who may enter and for which occasion, whether
that occasion is still there, and what the form says of it. Asked by whatever enters customers,
works off enrolments or previews a workflow. An add-on registers a trigger of its own here.
"""

from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from ..sources.source_mixin import DEFECTS

#: customers that a date has come for are looked for so often (minutes)
SCAN_MINUTES = 30
#: dates that were computed late, or while the server stood still, are caught up for so long
LATE_DAYS = 7
#: dates that move with every prediction: their occasion is the last order
FORECASTS = ("next_order_date", "next_order_from", "next_order_to")
#: dates of purchases: nobody is written to about one that came in late
PURCHASES = ("first_order_date", "last_order_date", "delivery_date")
#: begins the occasion of who was put in by hand
LAUNCH = "launch:"
EVER = fields.Date.to_date("1900-01-01")

TRIGGERS = {}


def register(trigger):
    """Let workflows begin with a trigger; the last one for its kind and date counts."""
    TRIGGERS[trigger.kind, trigger.date_field] = trigger
    return trigger


def trigger_of(workflow):
    """The trigger of a workflow: that of its very date, else that of its kind."""
    special = TRIGGERS.get((workflow.trigger, workflow.date_field))
    return (special or TRIGGERS.get((workflow.trigger, None), Trigger))(workflow)


class Trigger:
    """What customers enter for, seen from one workflow.

    An occasion is a text: nobody enters twice for one. ``candidates`` and ``still_holds`` say
    when it begins and whether it lasts; the rest is for triggers that know more.
    """

    #: value of the workflow's field ``trigger``, and of its date where only one is meant
    kind = date_field = None
    #: customers enter only when somebody says so
    is_by_hand = False
    #: there is nothing to write about without it: nobody is put in by hand
    needs_occasion = False
    #: waits for the workflow's date
    has_date = False

    def __init__(self, workflow):
        self.workflow, self.env = workflow, workflow.env

    # ----- WHO ENTERS -----

    def look(self):
        """What is kept once candidates have entered; None where it is too early to look."""
        return None

    def looked(self, progress):
        """Keep how far candidates have been looked for."""
        self.workflow._record_progress(**progress)

    def candidates(self, company):
        """SQL (id, episode): profiles for whom the trigger has come true since the last look."""
        raise NotImplementedError

    def present(self, company):
        """SQL (id, episode): profiles for whom it is true now, whenever it became so."""
        raise NotImplementedError

    def past(self, company, since):
        """SQL (id): profiles that would have entered since a day; None: nobody knows."""
        return None

    # ----- WHILE ON THE WAY -----

    def holding(self, enrollments, company):
        """Those whose occasion is still there; whoever was put in by hand stays anyway."""
        by_hand = enrollments.filtered(lambda one: one.episode.startswith(LAUNCH))
        return by_hand | self.still_holds(enrollments - by_hand, company)

    def still_holds(self, enrollments, company):
        """Those of some enrolments whose occasion is still there."""
        return enrollments

    def has_ordered(self, enrollments):
        """Those known to have ordered even before their figures are fresh."""
        return enrollments.browse()

    @property
    def is_of_goods(self):
        """Whether each occasion is about goods of its own."""
        return self.needs_occasion

    def _among(self, enrollments, occasions):
        """Those whose (profile id, occasion) an SQL query gives."""
        self.env.flush_all()
        self.env.cr.execute(occasions)
        found = set(self.env.cr.fetchall())
        return enrollments.filtered(lambda one: (one.profile_id.id, one.episode) in found)

    # ----- WHOM AND WHAT -----

    def people(self, enrollments):
        """Who alone gets messages: dict commercial partner id → contact ids; None: as usual."""
        return None

    def present_people(self, profiles, company):
        """The same for customers who might enter now."""
        return None

    def context(self, enrollments):
        """Context by which e-mails know what they are about."""
        return {}

    def mailed(self, enrollments):
        """Called when e-mails of some enrolments are queued."""

    # ----- ON THE FORM -----

    def text(self):
        """Short sentence: when customers enter."""
        kinds = self.workflow._fields["trigger"]._description_selection(self.env)
        return dict(kinds).get(self.workflow.trigger)

    def missing_text(self):
        """Sentence on what must be chosen before anybody can enter, or None."""
        return None

    def asleep_text(self):
        """Sentence on why nobody can enter as an app is missing, or False."""
        return False

    def warnings(self):
        """Sentences for the preview."""
        return []


class StateTrigger(Trigger):
    """Entering or leaving a stage, a tier or a segment, read from the transitions."""

    is_entering = True

    @property
    def is_of_goods(self):
        return False

    def look(self):
        here = self.workflow._bookmark()
        return here if here["newest_transition"] > self.workflow.seen_transition else None

    def looked(self, progress):
        """Whatever could still have had a lower id has ended and was looked at just now."""
        self.env.cr.execute(
            SQL(
                "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::numeric >= %s::numeric",
                self.workflow.newest_xid or "0",
            )
        )
        if self.env.cr.fetchone()[0]:
            seen = self.workflow.newest_transition
            self.workflow._record_progress(seen_transition=seen, **progress)

    def candidates(self, company):
        """Only news, made by rules or persons."""
        return SQL(
            """SELECT DISTINCT ON (profile.id) profile.id, 'change:' || change.id AS episode
                 FROM lifecycle_transition change
                 JOIN lifecycle_profile profile ON profile.id = change.profile_id
                WHERE change.id > %(seen)s AND change.cause IN ('rule', 'person')
                  AND %(change)s AND %(holds)s
                ORDER BY profile.id, change.id DESC""",
            seen=self.workflow.seen_transition,
            change=self._change_sql(),
            holds=self._holds_sql(),
        )

    def present(self, company):
        came = (
            SQL("")
            if self.is_entering
            else SQL(
                "WHERE EXISTS (SELECT FROM lifecycle_transition change "
                "WHERE change.profile_id = profile.id AND %s)",
                self._change_sql(),
            )
        )
        return SQL(
            """SELECT profile.id, 'change:' || COALESCE(
                          (SELECT MAX(change.id) FROM lifecycle_transition change
                            WHERE change.profile_id = profile.id AND %(change)s), 0) AS episode
                 FROM (SELECT * FROM lifecycle_profile profile %(came)s) profile
                WHERE %(holds)s""",
            change=self._change_sql(),
            came=came,
            holds=self._holds_sql(),
        )

    def past(self, company, since):
        return SQL(
            """SELECT profile.id FROM lifecycle_transition change
                 JOIN lifecycle_profile profile ON profile.id = change.profile_id
                WHERE change.cause IN ('rule', 'person', 'reconstructed')
                  AND change.date > %s AND %s""",
            since,
            self._change_sql(),
        )

    def still_holds(self, enrollments, company):
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "SELECT id FROM lifecycle_profile profile WHERE id = ANY(%s) AND %s",
                enrollments.profile_id.ids,
                self._holds_sql(),
            )
        )
        found = {row[0] for row in self.env.cr.fetchall()}
        return enrollments.filtered(lambda one: one.profile_id.id in found)

    def _is_in_sql(self):
        """SQL over ``profile``: is in one of the states now."""
        kind, ids = self.workflow.trigger_kind, self.workflow._states().ids
        if kind == "stage":
            return SQL("COALESCE(profile.stage_id = ANY(%s), FALSE)", ids)
        if kind == "tier":
            return SQL("COALESCE(profile.vip_tier_id = ANY(%s), FALSE)", ids)
        return SQL(
            """EXISTS (SELECT FROM unnest(%s) segment(id)
                        WHERE (SELECT last.joined FROM lifecycle_transition last
                                WHERE last.profile_id = profile.id AND last.kind = 'segment'
                                  AND last.segment_id = segment.id
                                ORDER BY last.number DESC LIMIT 1))""",
            ids,
        )

    def _holds_sql(self):
        """SQL over ``profile``: the state that the workflow was entered for still holds."""
        inside = self._is_in_sql()
        return inside if self.is_entering else SQL("NOT (%s)", inside)

    def _change_sql(self):
        """SQL over ``change``: a transition of the kind that the workflow waits for."""
        kind, ids = self.workflow.trigger_kind, self.workflow._states().ids
        if kind == "segment":
            return SQL(
                "change.kind = 'segment' AND change.segment_id = ANY(%s) "
                "AND COALESCE(change.joined, FALSE) = %s",
                ids,
                self.is_entering,
            )
        before, after = {
            "stage": ("from_stage_id", "to_stage_id"),
            "tier": ("from_tier_id", "to_tier_id"),
        }[kind]
        if not self.is_entering:
            before, after = after, before
        return SQL(
            "change.kind = %s AND %s = ANY(%s) AND COALESCE(%s <> ALL(%s), TRUE)",
            kind,
            SQL.identifier("change", after),
            ids,
            SQL.identifier("change", before),
            ids,
        )

    def _names(self):
        workflow = self.workflow
        chosen = workflow[f"{workflow.trigger_kind or 'stage'}_ids"]
        nothing = self.env._("any VIP tier") if workflow.trigger_kind == "tier" else "…"
        return ", ".join(chosen.mapped("name")) or nothing

    def missing_text(self):
        if self.workflow._states():
            return None
        return self.env._(
            "Choose the stage, tier or segment that “%s” waits for.", self.workflow.name
        )


@register
class EnterTrigger(StateTrigger):
    kind = "enter"

    def text(self):
        return self.env._("Enters %s", self._names())


@register
class LeaveTrigger(StateTrigger):
    kind = "leave"
    is_entering = False

    def text(self):
        return self.env._("Leaves %s", self._names())


class DayTrigger(Trigger):
    """A day that comes: looked for every now and then, also for days that were missed."""

    def look(self):
        now, before = fields.Datetime.now(), self.workflow.date_scanned
        if before and now < fields.Datetime.add(before, minutes=SCAN_MINUTES):
            return None
        return {"date_scanned": now}

    def candidates(self, company):
        return self.come(company, self.since(company))

    def present(self, company):
        return self.come(company, EVER)

    def come(self, company, since):
        """SQL (id, episode): profiles whose day lies between a day and today."""
        raise NotImplementedError

    def since(self, company):
        """The first day that is still looked at."""
        workflow = self.workflow
        since = fields.Datetime.context_timestamp(
            company.with_context(tz=company._lifecycle_timezone()),
            workflow.date_since or fields.Datetime.now(),
        ).date()
        if workflow.date_scanned:
            late = fields.Date.subtract(workflow.date_scanned.date(), days=LATE_DAYS)
            since = max(since, late)
        return since


@register
class DateTrigger(DayTrigger):
    """Some days before or after a date of the customer."""

    kind = "date"
    has_date = True

    @property
    def is_of_goods(self):
        return self.workflow.date_field == "delivery_date"

    @property
    def is_forecast(self):
        return self.workflow.date_field in FORECASTS

    def come(self, company, since):
        date = self._date_sql()
        episode = self._occasion_sql()
        is_news = SQL("TRUE")
        if self.is_forecast or self.workflow.date_field in PURCHASES:
            is_news = SQL("%s > COALESCE(profile.history_day, '-infinity')", episode)
        return SQL(
            """SELECT profile.id, 'date:' || COALESCE(%(episode)s::text, '') AS episode
                 FROM lifecycle_profile profile
                WHERE %(date)s + %(offset)s BETWEEN %(since)s AND %(today)s AND %(is_news)s""",
            is_news=is_news,
            episode=episode,
            date=date,
            offset=self.workflow.offset_days,
            since=since,
            today=company._lifecycle_today(),
        )

    def past(self, company, since):
        return SQL(
            "SELECT profile.id FROM lifecycle_profile profile WHERE %s + %s BETWEEN %s AND %s",
            self._date_sql(),
            self.workflow.offset_days,
            since,
            company._lifecycle_today(),
        )

    def still_holds(self, enrollments, company):
        return self._among(
            enrollments,
            SQL(
                "SELECT id, 'date:' || COALESCE(%s::text, '') FROM lifecycle_profile profile "
                "WHERE id = ANY(%s)",
                self._occasion_sql(),
                enrollments.profile_id.ids,
            ),
        )

    def _occasion_sql(self):
        """SQL over ``profile``: the day by which occasions are told apart."""
        return self._date_sql("last_order_date" if self.is_forecast else None)

    def _date_sql(self, name=None):
        """SQL over ``profile`` of the date that the workflow waits for."""
        name = name or self.workflow.date_field
        if name.startswith("partner_id."):
            return SQL(
                "(SELECT customer.%s FROM res_partner customer "
                "WHERE customer.id = profile.partner_id)",
                SQL.identifier(name.removeprefix("partner_id.")),
            )
        return SQL.identifier("profile", name)

    def _date_text(self):
        return dict(self.workflow._selection_date_field()).get(self.workflow.date_field, "…")

    def text(self):
        days, date = self.workflow.offset_days, self._date_text()
        if days > 0:
            return self.env._("%(days)s days after: %(date)s", days=days, date=date)
        if days < 0:
            return self.env._("%(days)s days before: %(date)s", days=-days, date=date)
        return self.env._("On: %s", date)


@register
class DeliveryTrigger(DateTrigger):
    """Days after a delivery, also for who gets the next one before they are over.

    The profile knows the last delivery only: for who gets one every week, the day two weeks
    after it never comes.
    """

    date_field = "delivery_date"

    def come(self, company, since):
        usual = super().come(company, since)
        if self.workflow.offset_days <= 0:
            return usual
        wait = timedelta(days=self.workflow.offset_days)
        last = company._lifecycle_today() - wait
        selects = []
        for signal in self.env["lifecycle.signal"].sudo()._available():
            if signal.target == "delivery_date":
                try:
                    selects.append(signal._compile(company.sudo(), days=(since - wait, last)))
                except DEFECTS:
                    # the nightly run tells of it
                    continue
        if not selects:
            return usual
        return SQL(
            """%(usual)s UNION ALL
               SELECT profile.id, 'date:' || MAX(delivered.value)::text AS episode
                 FROM (%(deliveries)s) delivered
                 JOIN lifecycle_profile profile ON profile.partner_id = delivered.partner_id
                  AND profile.company_id = %(company)s AND profile.active
                WHERE profile.delivery_date > %(last)s
                GROUP BY profile.id""",
            usual=usual,
            deliveries=SQL(" UNION ALL ").join(selects),
            company=company.id,
            last=last,
        )

    def still_holds(self, enrollments, company):
        """A delivery stays true when the next one comes."""
        return super().still_holds(enrollments, company) | enrollments.filtered(
            lambda one: self.workflow.offset_days > 0
            and one.profile_id.delivery_date
            and one.episode <= f"date:{one.profile_id.delivery_date}"
        )


@register
class AnniversaryTrigger(DateTrigger):
    """The same day in later years: 29 February is kept on the 28th."""

    kind = "anniversary"

    def present(self, company):
        return self.come(company, company._lifecycle_today())

    def come(self, company, since):
        date, years, come = self._day_sql(company)
        return SQL(
            """SELECT profile.id, 'year:' || %(years)s AS episode
                 FROM lifecycle_profile profile
                WHERE %(date)s IS NOT NULL AND %(years)s >= 1
                  AND %(come)s BETWEEN %(since)s AND %(today)s""",
            date=date,
            years=years,
            come=come,
            since=since,
            today=company._lifecycle_today(),
        )

    def past(self, company, since):
        _date, years, come = self._day_sql(company)
        return SQL(
            "SELECT profile.id FROM lifecycle_profile profile WHERE %s >= 1 AND %s > %s",
            years,
            come,
            since,
        )

    def still_holds(self, enrollments, company):
        return enrollments

    def _day_sql(self, company):
        """SQL of the date, which anniversary was the last to come, and when that is due."""
        date, offset = self._date_sql(), self.workflow.offset_days
        years = self._years_sql(
            date, fields.Date.subtract(company._lifecycle_today(), days=offset)
        )
        return date, years, SQL("%s + %s", self._anniversary_sql(date, years), offset)

    def _anniversary_sql(self, date, years):
        return SQL("(%s + make_interval(years => %s))::date", date, years)

    def _years_sql(self, date, day):
        """Which anniversary of a date was the last to come until a day.

        ``age`` would let the year of 29 February end on 1 March, a day late.
        """
        calendar = SQL("(%s - EXTRACT(YEAR FROM %s)::integer)", day.year, date)
        return SQL(
            "(%(calendar)s - (%(come)s > %(day)s)::integer)",
            calendar=calendar,
            come=self._anniversary_sql(date, calendar),
            day=day,
        )

    def _date_text(self):
        return self.env._("anniversary of %s", super()._date_text())


@register
class UsualItemTrigger(DayTrigger):
    """What the customer buys time and again is overdue."""

    kind = "missing"
    needs_occasion = True

    def come(self, company, since):
        return SQL(
            """SELECT DISTINCT ON (profile.id) profile.id,
                      'item:' || usual.product_id || ':' || usual.last_date AS episode
                 FROM lifecycle_usual_product usual
                 JOIN lifecycle_profile profile ON profile.id = usual.profile_id
                WHERE usual.missing_from BETWEEN %(since)s AND %(today)s
                  AND usual.last_date > COALESCE(profile.history_day, '-infinity')
                  AND usual.missing_until >= %(today)s
                ORDER BY profile.id, usual.amount DESC, usual.id""",
            since=since,
            today=company._lifecycle_today(),
        )

    def past(self, company, since):
        return SQL(
            """SELECT usual.profile_id AS id FROM lifecycle_usual_product usual
                WHERE usual.missing_from BETWEEN %s AND %s""",
            since,
            company._lifecycle_today(),
        )

    def still_holds(self, enrollments, company):
        return self._among(
            enrollments,
            SQL(
                """SELECT profile_id, 'item:' || product_id || ':' || last_date
                     FROM lifecycle_usual_product
                    WHERE profile_id = ANY(%s) AND %s BETWEEN missing_from AND missing_until""",
                enrollments.profile_id.ids,
                company._lifecycle_today(),
            ),
        )


@register
class SilentCategoryTrigger(DayTrigger):
    """A category has gone silent, while the customer still buys others."""

    kind = "silent"
    needs_occasion = True

    def come(self, company, since):
        return SQL(
            """SELECT DISTINCT ON (profile.id) profile.id,
                      'category:' || silent.category_id || ':' || silent.last_date AS episode
                 FROM lifecycle_silent_category silent
                 JOIN lifecycle_profile profile ON profile.id = silent.profile_id
                WHERE silent.found_on BETWEEN %s AND %s
                  AND silent.last_date > COALESCE(profile.history_day, '-infinity')
                ORDER BY profile.id, silent.yearly_amount DESC, silent.id""",
            since,
            company._lifecycle_today(),
        )

    def past(self, company, since):
        return SQL(
            "SELECT silent.profile_id AS id FROM lifecycle_silent_category silent "
            "WHERE silent.found_on > %s",
            since,
        )

    def still_holds(self, enrollments, company):
        return self._among(
            enrollments,
            SQL(
                """SELECT profile_id, 'category:' || category_id || ':' || last_date
                     FROM lifecycle_silent_category WHERE profile_id = ANY(%s)""",
                enrollments.profile_id.ids,
            ),
        )


@register
class NextNeedTrigger(DayTrigger):
    """Some days before or after the customer probably needs what he buys again."""

    kind = "need"
    needs_occasion = True

    def come(self, company, since):
        return SQL(
            """SELECT DISTINCT ON (profile.id) profile.id, %(episode)s AS episode
                 FROM lifecycle_next_product next
                 JOIN lifecycle_profile profile ON profile.partner_id = next.partner_id
                  AND profile.company_id = next.company_id
                WHERE next.company_id = %(company)s AND next.kind = 'again'
                  AND next.due_on + %(offset)s BETWEEN %(since)s AND %(today)s
                  AND profile.last_order_date > COALESCE(profile.history_day, '-infinity')
                ORDER BY profile.id, next.rank""",
            episode=self._episode_sql(),
            company=company.id,
            offset=self.workflow.offset_days,
            since=since,
            today=company._lifecycle_today(),
        )

    def still_holds(self, enrollments, company):
        """An order since has changed what is needed; another forecast has not."""
        return enrollments.filtered(
            lambda one: one.episode.rpartition(":")[2] == str(one.profile_id.last_order_date)
        )

    def _episode_sql(self):
        """One for each product and last order: the day that is expected moves with every run."""
        return SQL("'need:' || next.product_id || ':' || profile.last_order_date")

    def text(self):
        days = self.workflow.offset_days
        if days < 0:
            return self.env._("%s days before something is probably needed again", -days)
        if days > 0:
            return self.env._("%s days after something was probably needed again", days)
        return self.env._("On the day when something is probably needed again")


@register
class ManualTrigger(Trigger):
    """Everybody who meets the filter, when somebody says so."""

    kind = "manual"
    is_by_hand = True

    def present(self, company):
        return SQL(
            "SELECT profile.id, %s AS episode FROM lifecycle_profile profile",
            f"{LAUNCH}{self.workflow.launch_count}",
        )
