"""The customer workflow: its settings, who may edit it, and with whose rights it looks.

In: what authors enter on the form: trigger, filters, goal, hours for sending. Out: a checked
workflow, and the profiles that meet a filter, as its responsible person sees them. Used by the
triggers, the work on enrolments and the preview; starting and pausing have a file of their own.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import rights
from ...tools.batches import wake
from ...tools.context import own_value
from ...tools.domains import read_domain
from .triggers import trigger_of

CRON = "customer_lifecycle.ir_cron_lifecycle_workflow"
#: who may start a workflow
STARTER = "customer_lifecycle.group_workflow_starter"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: changes of these are logged on the workflow
LOGGED = {"tracking": True}
#: what the workflow itself writes down about where it stands and what it has brought
BOOKKEEPING = frozenset(
    {
        *("error", "date_start", "date_since", "launch_count", "seen_transition"),
        *("newest_transition", "newest_xid", "date_scanned", "effect", "effect_date"),
        "started_company_ids",
    }
)
#: what may be edited while a workflow runs without the right to start it: words, and nothing
#: that decides who gets what, when, and with whose rights
WORDS = frozenset({"name", "description"})

#: what a customer did not get although he was meant to
NOT_SENT = (
    Domain("state", "=", "skipped") & Domain("reason", "!=", "condition")
    | Domain("state", "=", "failed") & Domain("kind", "=", "email")
)


class LifecycleWorkflow(models.Model):
    """Steps that run for customers who enter a state, or whose date has come."""

    _name = "lifecycle.workflow"
    _inherit = ["mail.thread", "lifecycle.compared.mixin"]
    _description = "Customer Workflow"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True, **LOGGED)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(
        string="Priority",
        default=10,
        help="Where two workflows want to write to one customer, the lower number goes first.",
        **LOGGED,
    )
    description = fields.Text(translate=True, help="What the workflow is for, in plain words.")
    company_id = fields.Many2one(
        "res.company", help="Empty: customers of every company.", **LOGGED
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        copy=False,
        help="Who started the workflow. Filters and e-mails are read with this person's rights; "
        "activities for customers without a salesperson go to this person.",
        **LOGGED,
    )
    state = fields.Selection(
        [("draft", "Draft"), ("running", "Running"), ("paused", "Paused"), ("ended", "Ended")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        **LOGGED,
    )
    error = fields.Char(readonly=True, copy=False)

    # ----- WHO ENTERS -----

    trigger = fields.Selection(
        [
            ("enter", "Enters"),
            ("leave", "Leaves"),
            ("date", "A date has come"),
            ("anniversary", "Anniversary of a date"),
            ("missing", "Usual item is missing"),
            ("silent", "Stops buying a category"),
            ("need", "Probably needs something again"),
            ("cart", "Leaves a cart behind"),
            ("manual", "Started by hand"),
        ],
        string="Begins When a Customer",
        default="enter",
        required=True,
        **LOGGED,
    )
    trigger_kind = fields.Selection(
        [("stage", "Stage"), ("tier", "VIP tier"), ("segment", "Segment")],
        string="Kind of State",
        default="stage",
    )
    stage_ids = fields.Many2many("lifecycle.stage", string="Stages", **LOGGED)
    tier_ids = fields.Many2many(
        "lifecycle.vip.tier", string="VIP Tiers", help="Empty: any tier.", **LOGGED
    )
    segment_ids = fields.Many2many("lifecycle.segment", string="Segments", **LOGGED)
    date_field = fields.Selection(
        selection="_selection_date_field", string="Date", default="last_order_date", **LOGGED
    )
    offset_days = fields.Integer(
        string="Days After", help="Negative: so many days before the date.", **LOGGED
    )
    domain = fields.Char(
        string="Only If", default="[]", help="Further filter over the customer.", **LOGGED
    )
    reentry = fields.Selection(
        [
            ("never", "Never"),
            ("days", "After some days"),
            ("episode", "At each new occasion"),
        ],
        string="Enters Again",
        default="episode",
        required=True,
        help="A new occasion: the customer has left the stage and comes back, a new order, a new "
        "year.",
        **LOGGED,
    )
    reentry_days = fields.Integer(string="Not Within (days)", default=180, **LOGGED)

    # ----- WHEN IT ENDS -----

    goal = fields.Selection(
        [
            ("order", "Has ordered since entering"),
            ("domain", "Meets a filter"),
            ("none", "None"),
        ],
        default="order",
        required=True,
        **LOGGED,
    )
    goal_domain = fields.Char(string="Goal Filter", default="[]", **LOGGED)
    exit_on_goal = fields.Boolean(string="Stop at the Goal", default=True, **LOGGED)
    exit_on_leave = fields.Boolean(
        string="Stop When No Longer True",
        default=True,
        help="For example when the customer has left the stage again.",
        **LOGGED,
    )
    exit_on_opt_out = fields.Boolean(string="Stop After Unsubscribing", default=True, **LOGGED)
    effect_days = fields.Integer(
        string="Measured Over (days)",
        default=60,
        help="Orders so many days after entering count as effect.",
    )
    control_percent = fields.Float(
        string="Control Group (%)",
        digits=(5, 2),
        help="Share of customers, drawn at random once for all, for whom nothing is done: only "
        "they tell what would have happened anyway.",
        **LOGGED,
    )

    # ----- SEND WINDOW -----

    window_from = fields.Float(string="Send From", default=9.0, **LOGGED)
    window_to = fields.Float(string="Send Until", default=17.0, **LOGGED)
    window_monday = fields.Boolean(string="Mon", default=True, **LOGGED)
    window_tuesday = fields.Boolean(string="Tue", default=True, **LOGGED)
    window_wednesday = fields.Boolean(string="Wed", default=True, **LOGGED)
    window_thursday = fields.Boolean(string="Thu", default=True, **LOGGED)
    window_friday = fields.Boolean(string="Fri", default=True, **LOGGED)
    window_saturday = fields.Boolean(string="Sat", **LOGGED)
    window_sunday = fields.Boolean(string="Sun", **LOGGED)

    step_ids = fields.One2many("lifecycle.workflow.step", "workflow_id", string="Steps", copy=True)
    enrollment_ids = fields.One2many("lifecycle.workflow.enrollment", "workflow_id")

    next_sequence = fields.Integer(compute="_compute_next_sequence")
    entry_text = fields.Char(compute="_compute_entry_text")
    asleep_text = fields.Char(compute="_compute_asleep_text")
    entered_count = fields.Integer(compute="_compute_enrollment_counts")
    control_count = fields.Integer(compute="_compute_enrollment_counts")
    active_count = fields.Integer(compute="_compute_enrollment_counts")
    goal_count = fields.Integer(compute="_compute_enrollment_counts")
    failed_count = fields.Integer(compute="_compute_enrollment_counts")
    skipped_count = fields.Integer(compute="_compute_skipped_count")

    # ----- WHERE ENTERING STANDS -----

    date_start = fields.Datetime(string="Started", readonly=True, copy=False)
    date_since = fields.Datetime(
        readonly=True, copy=False, help="Started or resumed: earlier dates are history."
    )
    launch_count = fields.Integer(readonly=True, copy=False, help="Times entered by hand.")
    seen_transition = fields.Integer(
        readonly=True, copy=False, help="Changes up to this id have been looked at for good."
    )
    newest_transition = fields.Integer(readonly=True, copy=False)
    newest_xid = fields.Char(readonly=True, copy=False)
    date_scanned = fields.Datetime(readonly=True, copy=False)

    _control_range = models.Constraint(
        "CHECK (control_percent BETWEEN 0 AND 90)",
        "Choose a control group between 0 and 90 % of the customers.",
    )
    _window_range = models.Constraint(
        "CHECK (window_from >= 0 AND window_to <= 24 AND window_from < window_to)",
        "The hours for sending must lie within a day, the first before the last.",
    )
    _days_range = models.Constraint(
        "CHECK (reentry_days >= 0 AND effect_days > 0)",
        "Enter numbers of days that are not negative.",
    )

    # ----- CHECKS -----

    @api.model
    def _selection_date_field(self):
        """Dates of the customer that a workflow can wait for."""
        choices = []
        for prefix, model in (("", "lifecycle.profile"), ("partner_id.", "res.partner")):
            for name, field in self.env[model]._fields.items():
                if field.type == "date" and field.store and not field.company_dependent:
                    label = field.get_description(self.env, ["string"])["string"]
                    choices.append((prefix + name, label))
        return sorted(choices, key=lambda choice: choice[1])

    @api.constrains("domain", "goal_domain", "trigger", "trigger_kind", "date_field")
    def _check_domains(self):
        for workflow in self:
            for label, text in (
                (self.env._("Only If"), workflow.domain),
                (self.env._("Goal Filter"), workflow.goal_domain),
            ):
                self._check_domain(label, text)
            path = workflow.date_field or ""
            model = "res.partner" if path.startswith("partner_id.") else "lifecycle.profile"
            if trigger_of(workflow).has_date and path:
                rights.check_may_read(self.env, model, [path.removeprefix("partner_id.")])

    @api.model
    def _check_domain(self, label, text):
        """Refuse what is no filter, and one over what its author may not see.

        It is evaluated with the rights of the responsible person, who may see more.
        """
        try:
            profiles = self.env["lifecycle.profile"].sudo()
            profiles._probe_rule(self._parse(text))
            with self.env.cr.savepoint():
                profiles._search(self._parse(text), limit=1).get_result_ids()
        except Exception as error:
            raise ValidationError(
                self.env._("“%(label)s” is not a filter: %(error)s", label=label, error=error)
            ) from error
        rights.check_domain(self.env, label, "lifecycle.profile", self._parse(text))

    @api.constrains("company_id")
    def _check_stays_his(self):
        rights.check_stays_his(self)

    @api.constrains(*[f"window_{day}" for day in WEEKDAYS])
    def _check_window(self):
        for workflow in self:
            if not any(workflow[f"window_{day}"] for day in WEEKDAYS):
                raise ValidationError(self.env._("Choose at least one day for sending."))

    @api.constrains("state", "trigger", "trigger_kind", "stage_ids", "tier_ids", "segment_ids")
    def _check_trigger(self):
        for workflow in self:
            missing = workflow.state == "running" and trigger_of(workflow).missing_text()
            if missing:
                raise ValidationError(missing)

    @api.model
    def _parse(self, text):
        return read_domain(self.env, text)

    def _states(self):
        """Stages, tiers or segments that the workflow waits for; no tier chosen: any."""
        self.ensure_one()
        states = self[f"{self.trigger_kind or 'stage'}_ids"]
        if self.trigger_kind == "tier" and not states:
            states = states.search(Domain.TRUE)
        return states

    # ----- EDITING -----

    def write(self, vals):
        if not self:
            return super().write(vals)
        rights.refuse_written(self, BOOKKEEPING & vals.keys())
        if not self.env.su and not vals.keys() <= WORDS:
            self.check_access("write")
            self._check_may_edit()
            if {"state", "user_id"} & vals.keys():
                self._check_may_start()
        before = {workflow.id: workflow.state for workflow in self}
        result = super().write(vals)
        if {"state", "user_id"} & vals.keys():
            self._check_taken_over(before, "user_id" in vals)
        return result

    def _check_taken_over(self, before, is_given):
        """Nobody starts anything in somebody else's name.

        :param before: dict workflow id → state until now
        :param is_given: whether the responsible person has just been written
        """
        if self.env.su:
            return
        for workflow in self:
            begins = workflow.state == "running" and before.get(workflow.id) != "running"
            resumed = begins and before.get(workflow.id) == "paused"
            if begins:
                # written past the buttons: no further than by them
                workflow._reach(workflow._companies_to_resume())
            if workflow.user_id == self.env.user:
                continue
            if is_given:
                raise AccessError(
                    self.env._(
                        "“%(workflow)s” acts with the rights of whoever is responsible for it: "
                        "only %(user)s can take that over.",
                        workflow=workflow.name,
                        user=workflow.user_id.sudo().name or self.env._("that person"),
                    )
                )
            if begins and not (resumed and workflow._has_responsible()):
                workflow.user_id = self.env.user

    @api.model_create_multi
    def create(self, vals_list):
        if any(vals.get("state", "draft") != "draft" for vals in vals_list):
            self._check_may_start()
        workflows = super().create(vals_list)
        if not self.env.su:
            # the records, not the values: defaults come from the context as well
            rights.refuse_created(workflows, BOOKKEEPING)
            if workflows.filtered(lambda workflow: workflow.state != "draft"):
                workflows._check_may_start()
            workflows._check_taken_over({}, is_given=True)
        return workflows

    def unlink(self):
        """Keep what has a history: archive it instead."""
        self.check_access("unlink")
        self._check_may_edit()
        # sudo: whether there is a history, whoever may see the customers in it
        used = self.filtered(lambda workflow: workflow.sudo().enrollment_ids)
        if used:
            used.sudo().write({"active": False, "state": "ended"})
            used.sudo().enrollment_ids.filtered(
                lambda one: one.state == "active"
            )._exit("ended")
            used._drop_mails()
        return super(LifecycleWorkflow, self - used).unlink()

    def _log_edit(self, text, tracking=()):
        """Tell on the workflow what somebody changed in its steps.

        :param tracking: commands for the old and new values, as Odoo's log shows them
        """
        self.ensure_one()
        if not own_value(self.env, "lifecycle_quiet"):
            self.message_post(
                body=text, subtype_xmlid="mail.mt_note", tracking_value_ids=list(tracking)
            )

    def copy_data(self, default=None):
        return [
            {**values, "name": self.env._("%s (copy)", workflow.name)}
            for workflow, values in zip(self, super().copy_data(default), strict=True)
        ]

    def copy(self, default=None):
        copies = super().copy(default)
        for workflow, twin in zip(self, copies, strict=True):
            twins = dict(zip(workflow.step_ids._in_order(), twin.step_ids._in_order(),
                             strict=True))
            for step, copied in twins.items():
                if step.parent_id:
                    copied.write({"parent_id": twins[step.parent_id].id, "branch": step.branch})
        return copies

    # ----- WITH WHOSE RIGHTS -----

    def _has_responsible(self):
        """Whether the person is still there, and may start it, with whose rights it acts.

        The superuser, who is archived by nature, answers for what programs have started.
        """
        self.ensure_one()
        user = self.user_id.sudo()
        return bool(user) and (
            user._is_superuser()
            or bool(user.active and user.has_group(STARTER) and self._acts_in())
        )

    def _reader(self):
        """With whose rights the workflow is looked at: the responsible person's when it acts.

        Whoever looks at it before, or tries it out, learns no more than he may see himself: he
        is the one who would start it.
        """
        self.ensure_one()
        # whoever sets the key himself sees with no more than his own rights
        is_looked_at = self.env.context.get("lifecycle_workflow_looked_at")
        return self.env.user if is_looked_at else self.user_id

    def _looked_at(self):
        """The workflow with the rights of whoever looks at it, for previews and counts."""
        return self.sudo().with_context(lifecycle_workflow_looked_at=True)

    def _profiles(self, company):
        """Profiles as the workflow's responsible sees them in one company."""
        self.ensure_one()
        user = self._reader()
        if not user:
            raise UserError(
                self.env._(
                    "Nobody is responsible for “%s” any more. Resume it to take it over.", self.name
                )
            )
        profiles = self.env["lifecycle.profile"]
        if not user._is_superuser():
            profiles = profiles.with_user(user).sudo(False)
        return profiles.with_context(allowed_company_ids=company.ids).with_company(company)

    def _matching(self, company, text, ids=None):
        """Query of the company's profiles that meet a filter.

        :param ids: only among these profiles
        """
        profiles = self._profiles(company)
        domain = rights.within_company(self._parse(text), profiles, company)
        domain &= Domain("company_id", "=", company.id)
        if ids is not None:
            domain &= Domain("id", "in", list(ids))
        return profiles._search(domain)

    # ----- START, PAUSE AND END -----

    def _check_may_start(self):
        if not self.env.su and not self.env.user.has_group(STARTER):
            raise AccessError(
                self.env._(
                    "Only people who may start customer workflows can do this; ask a sales "
                    "administrator for that right."
                )
            )

    def action_start(self):
        """Ask who is to enter, then start."""
        self.ensure_one()
        self._refuse_asleep()
        self._check_may_start()
        if not self.step_ids:
            raise UserError(self.env._("Add a step before starting “%s”.", self.name))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Start “%s”", self.name),
            "res_model": "lifecycle.workflow.start",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_workflow_id": self.id},
        }

    def _start(self, everybody=False):
        """Start, or enter customers of a running workflow by hand.

        :param everybody: also those enter for whom the trigger is true already
        """
        self._refuse_asleep()
        self._check_steps()
        for workflow in self:
            workflow._check_may_start()
            workflow.check_access("write")
            mine = workflow._check_mine()
            was = workflow.state
            values = {"state": "running", "error": False}
            if was != "running":
                now = fields.Datetime.now()
                workflow._reach(mine)
                values.update(user_id=self.env.uid, date_start=now, **workflow._from_now_on())
                # sudo: checked above; from when on changes are news is not written by hand
                workflow.sudo().write(values)
            else:
                workflow._reach_more(mine)
            if everybody or trigger_of(workflow).is_by_hand:
                workflow.sudo().launch_count += 1
                workflow._for_mine().sudo()._enter_present()
        self._wake()

    @api.depends("trigger")
    @api.depends_context("lang")
    def _compute_asleep_text(self):
        for workflow in self:
            workflow.asleep_text = trigger_of(workflow).asleep_text()

    def _check_steps(self):
        """Refuse actions that have become others since the step was saved."""
        self.step_ids._check_actions()

    def _refuse_asleep(self):
        for workflow in self:
            if workflow.asleep_text:
                raise UserError(workflow.asleep_text)

    @api.model
    def _wake(self):
        wake(self.env, CRON)

    def action_pause(self):
        """Stop at once: nothing is sent, queued or not, and nobody enters until it is resumed.

        Who works in some of the companies stops it there; in the others it goes on.
        """
        self._check_may_start()
        for workflow in self.filtered(lambda workflow: workflow.state == "running"):
            if not workflow._reach_less(workflow._check_mine()):
                workflow.write({"state": "paused"})

    def action_resume(self):
        """Go on; who came into the state while it was paused does not enter."""
        self._check_may_start()
        self.filtered(lambda workflow: workflow.state == "paused")._check_steps()
        self.check_access("write")
        for workflow in self.filtered(lambda workflow: workflow.state in ("paused", "running")):
            if workflow.state == "running":
                workflow._reach_more(workflow._check_mine())
            else:
                workflow._reach(workflow._companies_to_resume())
                values = {"state": "running", "error": False, **workflow._from_now_on()}
                if not workflow._has_responsible():
                    values["user_id"] = self.env.uid
                # sudo: checked above, see _start
                workflow.sudo().write(values)
            workflow._for_mine()._release_mails()
        self._wake()

    def action_end(self):
        """End for good: customers on their way leave it.

        Who works in some of the companies ends it there; in the others it goes on.
        """
        self._check_may_start()
        for workflow in self:
            mine = workflow._check_mine()
            if workflow.state not in ("running", "paused") or not workflow._reach_less(mine):
                workflow.write({"state": "ended"})
            workflow._active_here(mine)._exit("ended")
            workflow._for_mine()._drop_mails()

    def action_draft(self):
        self._check_may_start()
        for workflow in self.filtered(lambda workflow: workflow.state == "ended"):
            workflow._check_mine()
            workflow.write({"state": "draft"})
            workflow._reach(workflow._every_company())

    # ----- WHOSE PERSON IS GONE -----

    @api.model
    def _pause_orphans(self):
        """Pause what acts with the rights of somebody who is not there any more, and say so."""
        for workflow in self.sudo().search([("state", "=", "running")]):
            if workflow._has_responsible():
                continue
            user = workflow.user_id
            if user.active:
                text = self.env._(
                    "Paused: %s, who is responsible, may no longer start workflows. Whoever "
                    "resumes it takes it over.",
                    user.name,
                )
            elif user:
                text = self.env._(
                    "Paused: %s, who was responsible, works here no longer. Whoever resumes it "
                    "takes it over.",
                    user.name,
                )
            else:
                text = self.env._(
                    "Paused: nobody is responsible any more. Whoever resumes it takes it over."
                )
            workflow._pause_with(text)

    @api.model
    def _pause_writers(self):
        """Pause what would write to people by a server action that was changed into such a one.

        Otherwise it would fail customer by customer.
        """
        # sudo: what an action consists of decides whether it may run at all
        steps = self.env["lifecycle.workflow.step"].sudo().search(
            [("kind", "=", "action"), ("workflow_id.state", "=", "running")]
        )
        for workflow, some in steps.grouped("workflow_id").items():
            try:
                some._check_actions()
            except ValidationError as error:
                workflow._pause_with(self.env._("Paused: %s", error.args[0]))

    def _pause_with(self, text):
        """Pause, say why on the workflow, and tell those who may resume it."""
        self.ensure_one()
        self.write({"state": "paused", "error": text})
        self.message_post(
            body=text,
            subtype_xmlid="mail.mt_note",
            partner_ids=self._starters().partner_id.ids,
        )

    def _starters(self):
        """Colleagues who may start the workflow."""
        self.ensure_one()
        users = self.env.ref(STARTER).sudo().all_user_ids
        if self.company_id:
            users = users.filtered(lambda user: self.company_id in user.company_ids)
        return users.filtered(lambda user: user.active and not user._is_superuser())

    # ----- NEWS -----

    def _from_now_on(self):
        """Values that make everything up to now history."""
        here = self._bookmark()
        return {
            **here,
            "seen_transition": here["newest_transition"],
            "date_since": fields.Datetime.now(),
            "date_scanned": False,
        }

    def _bookmark(self):
        """Newest change that is visible, and the transaction that comes next.

        Ids are given before they are committed: a change with a lower id may still be on its way.
        It is not missed, because changes count as looked at for good only once every transaction
        that had begun by then has ended.
        """
        self.env.cr.execute(
            SQL(
                "SELECT COALESCE(MAX(id), 0), pg_snapshot_xmax(pg_current_snapshot())::text "
                "FROM lifecycle_transition"
            )
        )
        newest, xid = self.env.cr.fetchone()
        return {"newest_transition": newest, "newest_xid": xid}

    # ----- ON THE FORM -----

    @api.depends("step_ids.sequence")
    def _compute_next_sequence(self):
        for workflow in self:
            workflow.next_sequence = max(workflow.step_ids.mapped("sequence"), default=0) + 10

    @api.depends("trigger", "trigger_kind", "stage_ids", "tier_ids", "segment_ids", "date_field",
                 "offset_days", "cart_hours")
    @api.depends_context("lang")
    def _compute_entry_text(self):
        for workflow in self:
            workflow.entry_text = trigger_of(workflow).text()

    def _compute_enrollment_counts(self):
        rows = self.env["lifecycle.workflow.enrollment"]._read_group(
            [("workflow_id", "in", self.ids)], ["workflow_id", "state", "exit_reason"], ["__count"]
        )
        for workflow in self:
            mine = [row[1:] for row in rows if row[0] == workflow._origin]
            workflow.active_count = sum(row[2] for row in mine if row[0] == "active")
            workflow.failed_count = sum(row[2] for row in mine if row[0] == "failed")
            workflow.goal_count = sum(row[2] for row in mine if row[1] == "goal")
            workflow.entered_count = sum(row[2] for row in mine)
            workflow.control_count = sum(row[2] for row in mine if row[0] == "control")

    def _compute_skipped_count(self):
        counts = dict(
            self.env["lifecycle.workflow.delivery"]._read_group(
                NOT_SENT & Domain("workflow_id", "in", self.ids),
                ["workflow_id"],
                ["__count"],
            )
        )
        for workflow in self:
            workflow.skipped_count = counts.get(workflow._origin, 0)

    def _open_list(self, xml_id, domain, name):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(f"customer_lifecycle.{xml_id}")
        return {
            **action,
            "display_name": f"{self.name}: {name}",
            "domain": list(Domain("workflow_id", "=", self.id) & Domain(domain)),
            "context": {"lifecycle_one_workflow": True},
        }

    def action_view_active(self):
        return self._open_list(
            "lifecycle_workflow_enrollment_action",
            [("state", "=", "active")],
            self.env._("On the Way"),
        )

    def action_view_entered(self):
        return self._open_list(
            "lifecycle_workflow_enrollment_action", [], self.env._("Entered")
        )

    def action_view_control(self):
        return self._open_list(
            "lifecycle_workflow_enrollment_action",
            [("state", "=", "control")],
            self.env._("Control Group"),
        )

    def action_view_goal(self):
        return self._open_list(
            "lifecycle_workflow_enrollment_action",
            [("exit_reason", "=", "goal")],
            self.env._("Goal Reached"),
        )

    def action_view_failed(self):
        return self._open_list(
            "lifecycle_workflow_enrollment_action",
            [("state", "=", "failed")],
            self.env._("Errors"),
        )

    def action_view_skipped(self):
        return self._open_list(
            "lifecycle_workflow_delivery_action",
            NOT_SENT,
            self.env._("Not Sent"),
        )
