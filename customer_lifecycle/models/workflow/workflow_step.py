"""Steps of a workflow: what authors enter, their order and time, and editing while it runs.

In: kind, delay, filter and branch of a step. Out: a step that its author might do himself, which
one follows, and when it is due. Called by the triggers for the first step, the work on enrolments
and the preview; customers who wait for a step that is changed or removed are moved on here.
"""

from datetime import timedelta

import pytz
from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import rights
from ...tools.context import own
from .actions import action_of, fields_used

UNITS = [
    ("minutes", "Minutes"),
    ("hours", "Hours"),
    ("days", "Days"),
    ("weeks", "Weeks"),
    ("months", "Months"),
]
#: types of fields whose old and new values Odoo's log can show
SHOWN = ("char", "integer", "float", "boolean", "selection", "many2one")


class LifecycleWorkflowStep(models.Model):
    """One step of a workflow: after how long, for whom, and what."""

    _name = "lifecycle.workflow.step"
    _description = "Step of a Customer Workflow"
    _order = "workflow_id, sequence, id"

    workflow_id = fields.Many2one(
        "lifecycle.workflow", required=True, ondelete="cascade", index=True
    )
    name = fields.Char(translate=True, help="Empty: a name is made from what the step does.")
    title = fields.Char(compute="_compute_title")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [
            ("email", "E-mail"),
            ("activity", "Activity for the salesperson"),
            ("points", "Loyalty points or coupon"),
            ("tag", "Tag"),
            ("salesperson", "Salesperson where there is none"),
            ("action", "Server action"),
            ("note", "Note in the chatter"),
            ("branch", "Branch: if … then … else"),
        ],
        default="email",
        required=True,
    )
    delay = fields.Integer(string="Wait", default=1)
    delay_unit = fields.Selection(UNITS, string="Unit", default="days", required=True)
    delay_from = fields.Selection(
        [("previous", "after the former step"), ("entry", "after entering")],
        string="Counted",
        default="previous",
        required=True,
    )
    domain = fields.Char(
        string="Only If",
        default="[]",
        help="Checked at the moment of doing; others skip this step. In a branch: who takes the "
        "steps under “then”.",
    )
    # copied by the workflow, which knows the branch's copy
    parent_id = fields.Many2one(
        "lifecycle.workflow.step",
        string="Part of Branch",
        copy=False,
        ondelete="cascade",
        index="btree_not_null",
        domain="[('workflow_id', '=', workflow_id), ('kind', '=', 'branch'), ('id', '!=', id)]",
    )
    branch = fields.Selection(
        [("then", "then: filter is met"), ("else", "else: filter is not met")],
        string="Then or Else",
        copy=False,
    )
    depth = fields.Integer(compute="_compute_depth", recursive=True)

    template_id = fields.Many2one(
        "mail.template",
        string="E-mail Template",
        domain="[('model', 'in', ('res.partner', 'lifecycle.profile'))]",
        ondelete="restrict",
    )
    activity_type_id = fields.Many2one("mail.activity.type", ondelete="restrict")
    activity_days = fields.Integer(string="Due In (days)", default=2)
    note = fields.Html(translate=True, help="Text of the activity or note.")
    program_id = fields.Many2one("loyalty.program", string="Loyalty Program", ondelete="restrict")
    points = fields.Float(
        default=1.0, help="Points that are added; for coupons, the balance of a new coupon."
    )
    category_id = fields.Many2one("res.partner.category", string="Tag", ondelete="restrict")
    salesperson_id = fields.Many2one("res.users", ondelete="restrict")
    action_id = fields.Many2one(
        "ir.actions.server",
        string="Server Action",
        domain="[('model_name', 'in', ('res.partner', 'lifecycle.profile'))]",
        ondelete="restrict",
        help="Actions that send e-mails or text messages are refused: the step “E-mail” asks "
        "whether a person may be written to. What Python code sends is not judged.",
    )

    waiting_count = fields.Integer(compute="_compute_counts")
    done_count = fields.Integer(compute="_compute_counts")
    skipped_count = fields.Integer(compute="_compute_counts")
    failed_count = fields.Integer(compute="_compute_counts")

    _delay_not_negative = models.Constraint(
        "CHECK (delay >= 0)", "A step cannot happen before the one it follows."
    )

    # ----- COMPUTE -----

    @api.depends(lambda self: ("name", "kind", *fields_used(self, "detail_field")))
    @api.depends_context("lang")
    def _compute_title(self):
        for step in self:
            step.title = step.name or action_of(step).title()

    @api.depends("title")
    def _compute_display_name(self):
        for step in self:
            step.display_name = step.title

    @api.depends("parent_id.depth")
    def _compute_depth(self):
        for step in self:
            step.depth = step.parent_id.depth + 1 if step.parent_id else 0

    def _compute_counts(self):
        waiting = dict(
            self.env["lifecycle.workflow.enrollment"]._read_group(
                [("step_id", "in", self.ids), ("state", "=", "active")], ["step_id"], ["__count"]
            )
        )
        counts = {
            (step, state): count
            for step, state, count in self.env["lifecycle.workflow.delivery"]._read_group(
                [("step_id", "in", self.ids)], ["step_id", "state"], ["__count"]
            )
        }
        for step in self:
            step.waiting_count = waiting.get(step._origin, 0) + counts.get(
                (step._origin, "waiting"), 0
            )
            step.done_count = counts.get((step._origin, "done"), 0)
            step.skipped_count = counts.get((step._origin, "skipped"), 0)
            step.failed_count = counts.get((step._origin, "failed"), 0)

    # ----- CHECKS -----

    @api.constrains(lambda self: ("kind", *fields_used(self, "needed")))
    def _check_needed(self):
        for step in self:
            needed = action_of(step).needed
            if needed and not step[needed]:
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s”: fill in “%(field)s”.",
                        step=step.title,
                        field=step._fields[needed]._description_string(self.env),
                    )
                )
        self._check_actions()

    def _check_actions(self):
        for step in self:
            action_of(step).check()

    @api.constrains("workflow_id")
    def _check_stays_his(self):
        rights.check_stays_his(self)

    @api.constrains("domain")
    def _check_domain(self):
        for step in self:
            step.workflow_id._check_domain(step.title, step.domain)

    @api.constrains(
        lambda self: ("kind", "workflow_id", "activity_type_id", *fields_used(self, "needed"))
    )
    def _check_author_may_act(self):
        """Refuse what its author may not do himself: it is done with the rights of another."""
        # constraints run as superuser, also those of a user's own changes
        user = self.env.user
        for step in self:
            try:
                step._check_may_act(user)
            except AccessError as error:
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s” does something that you may not do yourself. Ask "
                        "somebody who may to add it. %(error)s",
                        step=step.title,
                        error=error,
                    )
                ) from error

    def _check_may_act(self, user):
        """Refuse what a person may not do himself.

        :param user: with whose rights the step is done
        :raise AccessError: he may not
        """
        self.ensure_one()
        if not user:
            raise AccessError(self.env._("Nobody is responsible for the workflow any more."))
        if user._is_superuser():
            return
        action_of(self).check_may(user, self.workflow_id.company_id.ids)

    @api.constrains("parent_id", "branch", "workflow_id", "kind")
    def _check_parent(self):
        if self._has_cycle():
            raise ValidationError(self.env._("A branch cannot be a part of itself."))
        for step in self:
            if bool(step.parent_id) != bool(step.branch):
                raise ValidationError(
                    self.env._("Step “%s”: choose both the branch and its way.", step.title)
                )
            if step.parent_id and (
                step.parent_id.workflow_id != step.workflow_id or step.parent_id.kind != "branch"
            ):
                raise ValidationError(
                    self.env._("Step “%s” can only be a part of a branch of the same workflow.",
                               step.title)
                )

    # ----- ORDER -----

    def _in_order(self):
        return self.sorted(lambda step: (step.sequence, step.id))

    def _first(self):
        """First step of the workflow whose steps these are."""
        return self.filtered(lambda step: not step.parent_id)._in_order()[:1]

    def _next(self, branch=None):
        """Step that follows; empty at the end.

        :param branch: way taken in a branch step, "then" or "else"
        """
        self.ensure_one()
        steps = self.workflow_id.step_ids
        if branch:
            inside = steps.filtered(
                lambda step: step.parent_id == self and step.branch == branch
            )._in_order()
            if inside:
                return inside[0]
        me = (self.sequence, self._origin.id)
        later = steps.filtered(
            lambda step: step.parent_id == self.parent_id
            and step.branch == self.branch
            and (step.sequence, step.id) > me
        )._in_order()
        if later:
            return later[0]
        return self.parent_id._next() if self.parent_id else self.browse()

    # ----- TIME -----

    def _due(self, company, anchor, entered):
        """Moment (UTC) when the step is due.

        Days, weeks and months keep the hour of the company's clock when that is changed.

        :param anchor: when the former step was done
        :param entered: when the customer entered
        """
        self.ensure_one()
        moment = entered if self.delay_from == "entry" else anchor
        return self._after(moment, company._lifecycle_timezone(), self.delay, self.delay_unit)

    @api.model
    def _after(self, moment, zone_name, number, unit):
        if unit in ("minutes", "hours"):
            return moment + timedelta(**{unit: number})
        zone = pytz.timezone(zone_name)
        local = pytz.utc.localize(moment).astimezone(zone).replace(tzinfo=None)
        local = local + relativedelta(**{unit: number})
        return zone.localize(local).astimezone(pytz.utc).replace(tzinfo=None)

    def _reschedule(self):
        """Let those who wait for these steps wait as long as the steps say now."""
        self.env.flush_all()
        for step in self:
            rows = self.env["lifecycle.workflow.enrollment"].sudo()._read_group(
                [("step_id", "=", step.id), ("state", "=", "active")], ["company_id"]
            )
            for (company,) in rows:
                moment = SQL.identifier(
                    "date_entered" if step.delay_from == "entry" else "date_anchor"
                )
                interval = SQL("make_interval(%s => %s)", SQL(
                    {"minutes": "mins", "hours": "hours"}.get(step.delay_unit, step.delay_unit)
                ), step.delay)
                due = SQL("%s + %s", moment, interval)
                if step.delay_unit not in ("minutes", "hours"):
                    zone = company._lifecycle_timezone()
                    due = SQL(
                        "((%s AT TIME ZONE 'UTC' AT TIME ZONE %s) + %s) "
                        "AT TIME ZONE %s AT TIME ZONE 'UTC'",
                        moment, zone, interval, zone,
                    )
                self.env.cr.execute(
                    SQL(
                        """UPDATE lifecycle_workflow_enrollment
                              SET date_next = %s
                            WHERE step_id = %s AND state = 'active' AND company_id = %s
                              AND waiting_since IS NULL""",
                        due,
                        step.id,
                        company.id,
                    )
                )
        self.env["lifecycle.workflow.enrollment"].invalidate_model(["date_next"])

    # ----- EDITING WHILE CUSTOMERS ARE ON THE WAY -----

    def _leave(self):
        """Send those who wait for these steps on to what follows."""
        enrollments = self.env["lifecycle.workflow.enrollment"].sudo()
        for step in self:
            waiting = enrollments.search([("step_id", "=", step.id), ("state", "=", "active")])
            if not waiting:
                continue
            following = step._next()
            while following in self:
                following = following._next()
            waiting.write(
                {
                    "step_id": following.id,
                    "waiting_since": False,
                    "waiting_reason": False,
                    # without a step left they are finished when their turn comes
                    "date_next": fields.Datetime.now(),
                }
            )
            following._reschedule()
        self.env.flush_all()

    def _check_may_edit(self):
        """Whoever changes what a started workflow does needs the right to start it."""
        self.workflow_id._check_may_edit()

    def write(self, vals):
        # before anybody is moved on as superuser
        self.check_access("write")
        self._check_may_edit()
        if vals.get("active") is False:
            self.filtered("active")._leave()
        before = self._remember(set(vals) - {"sequence"})
        result = super().write(vals)
        if "workflow_id" in vals:
            self._check_may_edit()
        if {"delay", "delay_unit", "delay_from"} & vals.keys():
            self._reschedule()
        self._log_changes(before)
        return result

    @api.model_create_multi
    def create(self, vals_list):
        steps = super().create(vals_list)
        # the records, not the values: the workflow may come from the context
        steps._check_may_edit()
        for step in steps:
            if step.workflow_id.state in ("running", "paused"):
                step.workflow_id._log_edit(self.env._("Step “%s” added", step.title))
        return steps

    def unlink(self):
        """Keep steps that something was done in: archive them instead."""
        # before anybody is moved on as superuser
        self.check_access("unlink")
        inside = self | self.search([("parent_id", "child_of", self.ids)])
        inside._check_may_edit()
        inside._leave()
        for step in inside:
            if step.workflow_id.state in ("running", "paused"):
                step.workflow_id._log_edit(self.env._("Step “%s” removed", step.title))
        used = self.env["lifecycle.workflow.step"].browse(
            step.id
            for step, in self.env["lifecycle.workflow.delivery"].sudo()._read_group(
                [("step_id", "in", inside.ids)], ["step_id"]
            )
        )
        # the branch around a kept step is kept too
        kept = inside.filtered(
            lambda step: step in used or (used & self.search([("parent_id", "child_of", step.id)]))
        )
        kept.with_context(lifecycle_quiet=own()).write({"active": False})
        return super(LifecycleWorkflowStep, self - kept).unlink()

    # ----- NUMBERS -----

    def _open(self, model, name, domain):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": f"{self.title}: {name}",
            "res_model": model,
            "views": [(False, "list"), (False, "form")],
            "domain": list(domain),
            "context": {"lifecycle_one_workflow": True},
        }

    def _open_done(self, name, state):
        """Open what was done in this step, or was not."""
        domain = Domain("step_id", "=", self.id) & Domain(state)
        return self._open("lifecycle.workflow.delivery", name, domain)

    def action_view_waiting(self):
        """Who waits for this step, or whose e-mail waits for the end of a pause."""
        here = Domain("step_id", "=", self.id)
        return self._open(
            "lifecycle.workflow.enrollment",
            self.env._("Waiting"),
            here & Domain("state", "=", "active")
            | Domain("delivery_ids", "any", here & Domain("state", "=", "waiting")),
        )

    def action_view_done(self):
        return self._open_done(self.env._("Done"), [("state", "=", "done")])

    def action_view_skipped(self):
        return self._open_done(self.env._("Skipped"), [("state", "=", "skipped")])

    def action_view_failed(self):
        return self._open_done(self.env._("Failed"), [("state", "=", "failed")])

    # ----- TEXT -----

    when_text = fields.Char(compute="_compute_when_text")

    @api.depends("delay", "delay_unit", "delay_from", "sequence", "parent_id",
                 "workflow_id.step_ids")
    @api.depends_context("lang")
    def _compute_when_text(self):
        for step in self:
            outside = step.workflow_id.step_ids.filtered(lambda one: not one.parent_id)
            first = outside.sorted("sequence")[:1]
            # in a form that is not saved yet one step may be there twice
            is_first = (first._origin or first) == (step._origin or step)
            if not step.delay:
                step.when_text = self.env._("at once")
                continue
            span = step._span_text()
            if is_first or step.delay_from == "entry":
                step.when_text = self.env._("%s after entering", span)
            else:
                step.when_text = self.env._("%s after the former step", span)

    def _span_text(self):
        words = {
            "minutes": (self.env._("1 minute"), self.env._("%s minutes", self.delay)),
            "hours": (self.env._("1 hour"), self.env._("%s hours", self.delay)),
            "days": (self.env._("1 day"), self.env._("%s days", self.delay)),
            "weeks": (self.env._("1 week"), self.env._("%s weeks", self.delay)),
            "months": (self.env._("1 month"), self.env._("%s months", self.delay)),
        }
        one, many = words[self.delay_unit]
        return one if self.delay == 1 else many

    # ----- LOG -----

    def _remember(self, names):
        """Titles and values of steps of started workflows, before some fields change."""
        names = sorted(names & self._fields.keys())
        return {
            step: (step.title, {name: step[name] for name in names})
            for step in self
            if names and step.workflow_id.state in ("running", "paused")
        }

    def _log_changes(self, before):
        """Tell on the workflow what has changed, with the old and the new values."""
        for step, (title, values) in before.items():
            changed = [name for name, value in values.items() if step[name] != value]
            if not changed:
                continue
            shown = [name for name in changed if self._fields[name].type in SHOWN]
            tracking = step._mail_track(self.fields_get(shown), values)[1] if shown else []
            labels = [self._fields[name]._description_string(self.env) for name in changed]
            step.workflow_id._log_edit(
                self.env._(
                    "Step “%(step)s” changed: %(fields)s", step=title, fields=", ".join(labels)
                ),
                tracking,
            )
