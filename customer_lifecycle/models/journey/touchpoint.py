"""Whether customers were in touch, and how often: touchpoints as something that rules ask for.

In: conditions on the kind of touchpoint, its day, its words and how many there were. Out: a domain
of profiles, in SQL over the records of the sources that are meant, of all customers at once or of
few by their contacts. Searched with the rights of who asks; rules, which decide for everybody, ask
what their author may read and all salespeople may.
"""

import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.orm.domains import DomainAnd, DomainCondition, DomainNot, DomainOr
from odoo.tools import SQL

from ...tools import rights
from ...tools.fields import AskedOne2many, CountedInteger, is_counted
from ..profile.asked_words import asked_words
from ..profile.bought import alternatives, compared
from ..sources.source_mixin import DEFECTS
from .contacts import ContactScope
from .touchpoint_source import GUARDED_BY_DOCUMENT, LANES

_logger = logging.getLogger(__name__)

#: conditions on the kind of touchpoint
KINDS = frozenset({"source_id", "lane", "sentiment"})
COMPARISONS = ("in", "not in", "<", "<=", ">", ">=")
#: name of another condition → operators
ASKED = {"day": COMPARISONS, "days_ago": COMPARISONS, "what": ("ilike", "not ilike")}
#: how many there are
COUNT = {"times": SQL("COUNT(DISTINCT (touchpoint_id, res_id))")}


class LifecycleTouchpoint(models.AbstractModel):
    """What conditions on touchpoints may look at; a journey shows the touchpoints themselves."""

    _name = "lifecycle.touchpoint"
    _description = "Touchpoint"

    company_id = fields.Many2one("res.company")
    source_id = fields.Many2one("lifecycle.touchpoint.source", string="Touchpoint")
    lane = fields.Selection(LANES, string="Kind")
    sentiment = fields.Selection(
        [("good", "Good"), ("neutral", "Neutral"), ("bad", "Needs attention")],
    )
    what = fields.Char(
        string="Words", help="Words in its line on the journey: a page, a subject, a product."
    )
    day = fields.Date(string="Happened On")
    days_ago = fields.Integer(string="Happened")
    times = CountedInteger(help="How many there were, beside the other conditions.")

    @api.model
    def _check_author_asks(self, name, domain):
        """Refuse to ask sources whose records the author may not read.

        :param name: what to call the rule or filter
        """
        for part in alternatives(self, domain.optimize(self)):
            sources, named = self._meant(part)
            if not named:
                # those are asked that every salesperson may read
                continue
            for source in sources - sources._open_to_all():
                source.with_env(rights.author_env(self.env))._check_author_reads()
                rights.check_sees_records(
                    self.env,
                    name,
                    source.model,
                    source._domain() & rights.ours(self.env, self.env[source.model]),
                )

    # ----- WHICH SOURCES -----

    @api.model
    def _meant(self, domain):
        """Sources that a domain may be about, and whether it names them.

        Without a word on the kind those are meant that count as a touch: what we have noted of a
        customer ourselves, like his stage, is nothing that he was in touch by.
        """
        names = {condition.field_expr for condition in domain.iter_conditions()}
        counted = [] if names & KINDS else [("counts_as_touch", "=", True)]
        # sudo: which kinds of touchpoints there are is no secret
        sources = self.env["lifecycle.touchpoint.source"].sudo()._available(counted)
        meant = sources.filtered(lambda source: not _Wanted(self, source, domain).domain.is_false())
        children = domain.children if isinstance(domain, DomainAnd) else [domain]
        named = any(
            isinstance(child, DomainCondition)
            and child.field_expr == "source_id"
            and child.operator in ("in", "any", "any!")
            for child in children
        )
        return meant, named

    @api.model
    def _asked(self, domain):
        """Sources to ask, with the rights that they are asked with.

        :return: the sources, and the names of the models among those they look at that count
        """
        sources, named = self._meant(domain)
        sources = sources.filtered(lambda source: not source.defect)
        if not self.env.su:
            sources = sources.sudo(False).filtered(lambda source: source._may_be_read())
        elif not named:
            sources = sources._open_to_all()
            return sources, sources._salesperson_models()
        return sources, sources._readable_models()

    # ----- PROFILES -----

    @api.model
    def _profiles_in_touch(self, domain, today):
        """Domain of the profiles whose customers have touchpoints that meet a domain.

        :param today: the day that is looked at, or SQL of it
        """
        return Domain.OR(
            self._of_one_way(part, today) for part in alternatives(self, domain.optimize(self))
        )

    def _of_one_way(self, domain, today):
        children = domain.children if isinstance(domain, DomainAnd) else [domain]
        counted = [
            child
            for child in children
            if isinstance(child, DomainCondition) and is_counted(self, child)
        ]
        having = [compared(self, child, COUNT) for child in counted]
        domain = Domain.AND(child for child in children if child not in counted)
        self._check_can_be_asked(domain)
        companies = self._companies(domain)

        def to_sql(_model, alias, _query):
            # each company has its own days and people
            ways = [
                SQL("(%s = %s AND %s)", SQL.identifier(alias, "company_id"), company.id, found)
                for company in companies
                if (found := self._found_sql(domain, having, company, today, alias))
            ]
            return SQL("(%s)", SQL(" OR ").join(ways)) if ways else SQL("FALSE")

        return Domain.custom(to_sql=to_sql)

    def _check_can_be_asked(self, domain):
        for condition in domain.iter_conditions():
            name, operator, value = condition.field_expr, condition.operator, condition.value
            right = operator in ASKED.get(name, (operator,)) and not is_counted(self, condition)
            if not right or (name == "what" and not isinstance(value, str)):
                raise UserError(
                    self.env._("Touchpoints cannot be asked this way: %s.", repr(condition))
                )

    def _companies(self, domain):
        """Companies that a domain names, or those of who asks."""
        companies = self.env.companies
        for condition in domain.iter_conditions():
            if condition.field_expr == "company_id" and condition.operator == "in":
                companies = companies.browse([id_ for id_ in condition.value if id_])
        return companies

    def _found_sql(self, domain, having, company, today, alias):
        """Whether a profile has such touchpoints; None where there is nothing to ask."""
        contacts = self._contacts_sql(company)
        parts = []
        sources, readable = self._asked(domain)
        for source in sources:
            wanted = _Wanted(self, source, domain, company, today)
            try:
                parts += source._touch_parts(company, contacts, readable, wanted.sql)
            except DEFECTS as error:
                _logger.info("Touchpoints of source %s are not asked: %s", source.id, error)
        if not parts:
            return None
        touches = SQL(" UNION ALL ").join(SQL("SELECT * FROM (%s) part", part) for part in parts)
        if having:
            touches = SQL(
                "SELECT profile_id FROM (%s) touch GROUP BY profile_id HAVING %s",
                touches,
                SQL(" AND ").join(having),
            )
        # what is no plain EXISTS is not made a join, for which everybody's would be looked up
        return SQL(
            "(EXISTS (SELECT FROM (%s) touched WHERE touched.profile_id = %s) IS TRUE)",
            touches,
            SQL.identifier(alias, "id"),
        )

    def _contacts_sql(self, company):
        """Contacts that the reader may see, with the profile that they belong to."""
        query = self.env["res.partner"].with_context(active_test=False)._search(Domain.TRUE)
        return SQL(
            """(SELECT person.id, person.email_normalized, person.company_id,
                       profile.id AS profile_id
                  FROM (%s) person
                  JOIN lifecycle_profile profile
                    ON profile.partner_id = person.customer_id AND profile.company_id = %s)""",
            query.select(
                SQL.identifier(query.table, "id"),
                SQL.identifier(query.table, "email_normalized"),
                SQL.identifier(query.table, "company_id"),
                SQL("%s AS customer_id", SQL.identifier(query.table, "commercial_partner_id")),
            ),
            company.id,
        )


class _Wanted:
    """What a domain asks of the touchpoints of one source.

    :param today: the day that is looked at, or SQL of it
    """

    def __init__(self, touchpoints, source, domain, company=None, today=None):
        self.touchpoints, self.source = touchpoints, source
        self.company, self.today = company, today
        #: without what the source itself answers
        self.domain = domain.map_conditions(self._told)

    def _told(self, condition):
        name, operator, value = condition.field_expr, condition.operator, condition.value
        if name == "company_id" or is_counted(self.touchpoints, condition):
            return Domain.TRUE
        if name in ("lane", "sentiment"):
            return Domain(bool(self.source.filtered_domain(Domain(name, operator, value))))
        if name != "source_id":
            return condition
        if "any" in operator:
            inner = Domain(value)
        elif operator in ("in", "not in"):
            inner = Domain("id", "in", value)
        else:
            inner = Domain("display_name", operator.removeprefix("not "), value)
        return Domain(bool(self.source.filtered_domain(inner)) != operator.startswith("not"))

    def sql(self, model, table, moment):
        """Condition on the records of the source."""
        zone = self.company._lifecycle_timezone()
        day = SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date", moment, zone)
        # a day of its own for each customer when the past is replayed
        return SQL(
            "%s <= %s AND %s", day, self.today, self._compiled(self.domain, model, table, day)
        )

    def _compiled(self, domain, model, table, day):
        if isinstance(domain, DomainAnd | DomainOr):
            return SQL(
                "(%s)",
                domain.OPERATOR_SQL.join(
                    self._compiled(child, model, table, day) for child in domain.children
                ),
            )
        if isinstance(domain, DomainNot):
            return SQL("NOT %s", self._compiled(domain.child, model, table, day))
        if not isinstance(domain, DomainCondition):
            return SQL("TRUE") if domain.is_true() else SQL("FALSE")
        name, operator, value = domain.field_expr, domain.operator, domain.value
        if name == "what":
            # no contact's name: it would be looked for in all
            nobody = ContactScope(
                self.source.env["res.partner"], self.company._lifecycle_timezone(), self.today
            )
            found = model._search(self.source._text_domain(model, nobody, value))
            word = SQL("IN") if operator == "ilike" else SQL("NOT IN")
            return SQL("%s %s %s", SQL.identifier(table, "id"), word, found.subselect())
        left = day if name == "day" else SQL("(%s - %s)", self.today, day)
        if operator in ("in", "not in"):
            value = tuple(value) or (None,)
        return SQL("%s %s %s", left, SQL(operator.upper()), value)


class LifecycleTouchpointSource(models.Model):
    # a file for each subject of this model
    _inherit = "lifecycle.touchpoint.source"  # pylint: disable=consider-merging-classes-inherited

    def _open_to_all(self):
        """Those whose records every salesperson may read."""
        readable = self._salesperson_models() if self else set()
        return self.filtered(lambda source: source._every_salesperson_may_read(readable))

    def _may_be_read(self):
        """Whether the reader may read the model and every path that the source follows."""
        guarded = self.model in GUARDED_BY_DOCUMENT and self.documents
        model = self.env[self.model]
        return (guarded or model.has_access("read")) and all(
            rights.may_read(model, path) for path in self._all_paths()
        )

    def _readable_models(self):
        """Names of the models, among those that sources look at, that the reader may read."""
        names = {
            name for source in self for name, *_rest in (*source._documents(), *source._unless())
        }
        return {name for name in names if name in self.env and self.env[name].has_access("read")}


class LifecycleProfile(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    touchpoint_ids = AskedOne2many(
        "lifecycle.touchpoint",
        string="Touchpoints",
        store=False,
        exportable=False,
        search="_search_touchpoint_ids",
        help="What happened between us: for rules like “opened no mailing for 90 days” or “two "
        "tickets in the last 30 days”.",
    )

    def _search_touchpoint_ids(self, operator, value):
        touchpoints, today = self.env["lifecycle.touchpoint"], self._lifecycle_today()
        if operator == "in" and set(value) == {False}:
            return ~touchpoints._profiles_in_touch(Domain.TRUE, today)
        if operator == "any!":
            return touchpoints.sudo()._profiles_in_touch(Domain(value), today)
        if operator == "any":
            return touchpoints._profiles_in_touch(Domain(value), today)
        return NotImplemented

    def _asked_words(self, condition):
        name, operator, value = condition.field_expr, condition.operator, condition.value
        if name != "touchpoint_ids" or operator not in ("any", "not any"):
            return super()._asked_words(condition)
        words = asked_words(self.env["lifecycle.touchpoint"], value)
        if operator == "any":
            return self.env._("Was in touch: %s", words)
        return self.env._("Was not in touch: %s", words)
