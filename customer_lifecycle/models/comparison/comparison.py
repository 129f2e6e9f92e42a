"""Before and after: the question that a manager asks, and when it is answered.

In: what happened (a program joined, a tier reached, a day for everybody …), the period and the
filter. Out: a stored answer with the customers behind it. Computed by a button on the form for
few customers, else by a scheduled action, always with the rights of whoever asked.
"""

import logging

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools.misc import format_date

from ...tools import rights
from ...tools.batches import CONFLICTS, attempt, hold_until_commit, wake
from ...tools.domains import read_domain

_logger = logging.getLogger(__name__)

CRON = "customer_lifecycle.ir_cron_lifecycle_comparison"
#: with more customers than these a comparison is computed in the background
AT_ONCE = 5_000
#: the record that each event is about
SUBJECTS = {
    "loyalty": "program_id",
    "tier": "tier_id",
    "segment": "segment_id",
    "stage": "stage_id",
    "workflow": "workflow_id",
}
#: what computing alone writes, with the state and the reader's rights
ANSWER = {"result", "outcome", "member_count", "date_computed", "error"}
#: what nobody writes by hand, above all with whose rights is computed
BY_ITSELF = ANSWER | {"state", "user_id"}


class LifecycleComparison(models.Model):
    """What a programme changed: its members before and after, against who did not join."""

    _name = "lifecycle.comparison"
    _description = "Before and After"
    _order = "date_computed desc, id desc"

    _rec_names_search = [
        "name", "program_id", "tier_id", "segment_id", "stage_id", "workflow_id"
    ]

    name = fields.Char(help="Empty: named after what happened.")
    usual_name = fields.Char(compute="_compute_usual_name")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    event = fields.Selection(
        [
            ("loyalty", "Joined a loyalty program"),
            ("tier", "Reached a VIP level"),
            ("segment", "Entered a segment"),
            ("stage", "Entered a stage"),
            ("workflow", "Entered a workflow"),
            ("referral", "Came by recommendation"),
            ("date", "Something began for everybody"),
        ],
        string="What Happened",
        default="loyalty",
        required=True,
        help="What happened to these customers, each on a day of his own. The time before ends "
        "with that day, the time after begins on the next.",
    )
    program_id = fields.Many2one("loyalty.program", string="Loyalty Program", ondelete="cascade")
    tier_id = fields.Many2one(
        "lifecycle.vip.tier",
        string="VIP Level",
        ondelete="cascade",
        domain="[('company_id', '=', company_id), ('proposal_of_id', '=', False)]",
        help="Customers count from the first day on which they had this level or a higher one.",
    )
    segment_id = fields.Many2one(
        "lifecycle.segment", ondelete="cascade", domain="[('proposal_of_id', '=', False)]"
    )
    stage_id = fields.Many2one(
        "lifecycle.stage", ondelete="cascade", domain="[('proposal_of_id', '=', False)]"
    )
    workflow_id = fields.Many2one("lifecycle.workflow", ondelete="cascade")
    event_date = fields.Date(
        string="First Day", help="The day on which it began; it belongs to the time after."
    )
    date_from = fields.Date(string="Joined From", help="Empty: since ever.")
    date_to = fields.Date(string="Joined Until", help="Empty: until now.")
    window_days = fields.Integer(
        string="Days Before and After",
        default=180,
        required=True,
        help="So many days before are compared with so many days after. Only customers for whom "
        "both are over are looked at.",
    )
    domain = fields.Char(
        string="Which Customers",
        default="[]",
        required=True,
        help="Members and the customers they are compared with are both taken from these.",
    )
    state = fields.Selection(
        [
            ("draft", "Not computed"),
            ("waiting", "Waiting"),
            ("done", "Computed"),
            ("failed", "Failed"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
    )
    user_id = fields.Many2one(
        "res.users", string="Computed By", readonly=True, copy=False, ondelete="set null"
    )
    date_computed = fields.Datetime(string="Computed On", readonly=True, copy=False)
    error = fields.Char(readonly=True, copy=False)
    result = fields.Json(readonly=True, copy=False)
    outcome = fields.Selection(
        [
            ("more", "More"),
            ("less", "Less"),
            ("none", "No effect shown"),
            ("few", "Too few customers"),
            ("open", "No comparison group"),
        ],
        readonly=True,
        copy=False,
        help="What joining did to the revenue of members, as far as it can be shown.",
    )
    member_count = fields.Integer(string="Members Compared", readonly=True, copy=False)
    customer_ids = fields.One2many("lifecycle.comparison.customer", "comparison_id")

    _window_range = models.Constraint(
        "CHECK (window_days BETWEEN 7 AND 1095)", "Choose between 7 and 1095 days."
    )

    @api.depends("event", "event_date", *SUBJECTS.values())
    @api.depends_context("lang")
    def _compute_usual_name(self):
        for comparison in self:
            subject = SUBJECTS.get(comparison.event)
            name = self.env._("Before and After")
            if subject:
                name = comparison[subject].display_name or name
            elif comparison.event == "referral":
                name = self.env._("Recommendations")
            elif comparison.event_date:
                name = self.env._("Since %s", format_date(self.env, comparison.event_date))
            comparison.usual_name = name

    @api.depends("name", "usual_name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for comparison in self:
            comparison.display_name = comparison.name or comparison.usual_name

    @api.constrains("event", "event_date", "date_from", "date_to", *SUBJECTS.values())
    def _check_event(self):
        for comparison in self:
            name = "event_date" if comparison.event == "date" else SUBJECTS.get(comparison.event)
            if name and not comparison[name]:
                raise ValidationError(
                    self.env._(
                        "Choose: %s.", comparison._fields[name]._description_string(self.env)
                    )
                )
            if (
                comparison.date_from
                and comparison.date_to
                and comparison.date_from > comparison.date_to
            ):
                raise ValidationError(self.env._("“Joined From” must be before “Joined Until”."))

    @api.constrains("company_id")
    def _check_stays_his(self):
        rights.check_stays_his(self)

    @api.constrains("company_id", *SUBJECTS.values())
    def _check_companies(self):
        for comparison in self:
            subject = comparison._subject()
            other = "company_id" in subject._fields and subject.company_id
            if other and other != comparison.company_id:
                raise ValidationError(
                    self.env._("“%s” belongs to another company.", subject.display_name)
                )

    @api.constrains("domain")
    def _check_domain(self):
        for comparison in self:
            try:
                with self.env.cr.savepoint():
                    # as whoever writes it: a filter must not tell what he may not read
                    profiles = self.env["lifecycle.profile"].sudo(False)
                    profiles._probe_rule(comparison._domain())
                    profiles._search(comparison._domain(), limit=1).get_result_ids()
            except Exception as error:
                raise ValidationError(
                    self.env._("“Which Customers” is not a filter: %s", error)
                ) from error

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            rights.refuse_written(self, BY_ITSELF & vals.keys())
        comparisons = super().create(vals_list)
        # the records, not the values: defaults come from the context as well
        rights.refuse_created(comparisons, BY_ITSELF, {"state": "draft"})
        return comparisons

    def write(self, vals):
        rights.refuse_written(self, BY_ITSELF & vals.keys())
        moved = self.browse()
        if "company_id" in vals:
            moved = self.filtered(lambda one: one.company_id.id != vals["company_id"])
        done = super().write(vals)
        if not self.env.su and vals.keys() - {"name", "active"}:
            # who changes the question of one that waits gets an answer to his own eyes
            others = self.filtered(
                lambda one: one.state == "waiting" and one.user_id != self.env.user
            )
            others.sudo().write({"user_id": self.env.uid})
        for comparison in moved.sudo():
            # another company's customers and money are no answer
            self.env["lifecycle.comparison.customer"]._replace(comparison, [])
            comparison.update(dict.fromkeys(ANSWER, False))
            if comparison.state != "waiting":
                comparison.state = "draft"
        return done

    def _domain(self):
        return read_domain(self.env, self.domain)

    def _subject(self):
        """The record that the event is about; an empty one of this model where it is none."""
        self.ensure_one()
        subject = SUBJECTS.get(self.event)
        return self[subject] if subject else self.browse()

    def _asked(self):
        """All that the result depends on, to see whether it still answers the question."""
        self.ensure_one()
        name = "event_date" if self.event == "date" else SUBJECTS.get(self.event)
        value = self[name] if name else False
        value = str(value) if name == "event_date" else bool(name) and value.id
        return [
            self.event, value, str(self.date_from or ""), str(self.date_to or ""),
            self.window_days, self.domain, self.company_id.id,
        ]

    # ----- COMPUTING -----

    def action_compute(self):
        """Compute now, or in the background where that takes longer than anybody waits."""
        self.check_access("write")
        # sudo: who asks, and that he waits, is written by this alone
        self.sudo().write({"state": "waiting", "error": False, "user_id": self.env.uid})
        for comparison in self:
            profiles = self.env["lifecycle.profile"].sudo()
            count = profiles.search_count(
                [("company_id", "=", comparison.company_id.id)], limit=AT_ONCE + 1
            )
            if count > AT_ONCE or not comparison.sudo()._compute_now():
                self._wake()

    @api.model
    def _wake(self, minutes=0):
        wake(self.env, CRON, minutes)

    @api.model
    def _cron_compute(self):
        """Compute what waits, each in a transaction of its own."""
        commit = self.env["ir.cron"]._commit_progress
        todo = self.search([("state", "=", "waiting")], order="id").ids
        left = commit(remaining=len(todo))
        later = False
        for number, comparison_id in enumerate(todo):
            if number and not left:
                self._wake()
                break
            comparison = self.browse(comparison_id).exists()
            if comparison.state == "waiting":
                try:
                    later |= not comparison._compute_now()
                except CONFLICTS:
                    # somebody has just changed the record: look again
                    self.env.cr.rollback()
                    later = True
            left = commit(1)
        if later:
            self._wake(minutes=10)

    def _compute_now(self):
        """Compute a comparison in this transaction; an error leaves the old result.

        :return: whether it was done; not while another process is at it, or before the first
            computation of all customers
        """
        self.ensure_one()
        # a result is written by one process, and the last one asked for stays
        if not hold_until_commit(self.env, "comparison", self.id) or not self._has_figures():
            return False
        company = self.company_id
        reader = self.user_id or self.env.ref("base.user_admin")
        self = self.with_company(company).with_context(lang=reader.lang)
        # sudo(False): the filter finds what its author may see
        mine = self.with_user(reader).sudo(False)
        error = attempt(self.env, lambda: self._store(self._measure(mine)))
        if error:
            if not isinstance(error, UserError):
                _logger.error("Comparison %s cannot be computed", self.id, exc_info=error)
            self.write(
                {
                    "state": "failed",
                    "error": self.env._("This could not be computed: %s", error),
                }
            )
        return True

    def _has_figures(self):
        """Whether all customers of the company have been computed once."""
        mine = Domain("company_id", "=", self.company_id.id)
        runs = self.env["lifecycle.run"].sudo()
        if runs.search_count(mine & Domain("state", "=", "done"), limit=1):
            return True
        profiles = self.env["lifecycle.profile"].sudo().with_context(active_test=False)
        unfinished = Domain("kind", "=", "first") & Domain("state", "in", ("pending", "running"))
        return bool(
            profiles.search_count(mine, limit=1)
            and not runs.search_count(mine & unfinished, limit=1)
        )

    def action_reset(self):
        """Do not wait any longer; what was computed before stays."""
        self.check_access("write")
        # sudo: the state is not written by hand
        for comparison in self.sudo().filtered(lambda one: one.state == "waiting"):
            comparison.state = "done" if comparison.result else "draft"

    # ----- CUSTOMERS BEHIND IT -----

    def action_view_members(self):
        return self._view_customers("member", self.env._("Members: %s", self.display_name))

    def action_view_compared(self):
        return self._view_customers("compared", self.env._("Compared With: %s", self.display_name))

    def action_view_left_out(self):
        return self._view_customers("left_out", self.env._("Left Out: %s", self.display_name))

    def action_view_waiting(self):
        return self._view_customers("waiting", self.env._("Still Waiting: %s", self.display_name))

    def _view_customers(self, role, name):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_comparison_customer_action"
        )
        return {
            **action,
            "display_name": name,
            "domain": [("comparison_id", "=", self.id), ("role", "=", role)],
        }

    def action_view_effect(self):
        """Open the workflow, whose control group is the better proof."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "lifecycle.workflow",
            "res_id": self.workflow_id.id,
            "views": [(False, "form")],
        }

    @api.model
    def _open_for(self, subject):
        """Open what was computed for a record, or a new comparison of it."""
        subject.ensure_one()
        event, name = next(
            (event, name)
            for event, name in SUBJECTS.items()
            if self._fields[name].comodel_name == subject._name
        )
        # records of another company can only be compared there
        company = ("company_id" in subject._fields and subject.company_id) or self.env.company
        known = self.search([(name, "=", subject.id), ("company_id", "=", company.id)])
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_comparison_action"
        )
        defaults = {
            "default_event": event,
            f"default_{name}": subject.id,
            "default_company_id": company.id,
        }
        if len(known) > 1:
            return {**action, "domain": [("id", "in", known.ids)], "context": defaults}
        return {
            **action,
            "view_mode": "form",
            "views": [(False, "form")],
            "res_id": known.id,
            "context": defaults,
        }
