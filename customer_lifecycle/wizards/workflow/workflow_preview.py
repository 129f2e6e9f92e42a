from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

from ...models.workflow.actions import action_of
from ...models.workflow.triggers import trigger_of
from ...tools.batches import wake
from ...tools.messages import Message

#: customers that are looked at for warnings, and weeks that are looked back
SAMPLE, WEEKS = 1_000, 12


class LifecycleWorkflowPreview(models.TransientModel):
    """Who would enter, and what one customer would get and when; nothing is sent."""

    _name = "lifecycle.workflow.preview"
    _description = "Preview of a Customer Workflow"

    workflow_id = fields.Many2one(
        "lifecycle.workflow", required=True, ondelete="cascade", readonly=True
    )
    name = fields.Char(related="workflow_id.name")
    now_count = fields.Integer(string="Would Enter Now", readonly=True)
    week_count = fields.Float(string="In a Normal Week", readonly=True, digits=(12, 1))
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.company.currency_id
    )
    value = fields.Monetary(
        string="Their Value", readonly=True, help="Lifetime value of those who would enter now."
    )
    profile_ids = fields.Many2many(
        "lifecycle.profile", string="For Example", readonly=True
    )
    warnings = fields.Html(readonly=True)
    profile_id = fields.Many2one(
        "lifecycle.profile",
        string="Shown for",
        required=True,
        help="The whole sequence as this customer would get it today.",
    )
    sequence_html = fields.Html(compute="_compute_sequence_html", sanitize=False)

    @api.depends_context("lang")
    def _compute_display_name(self):
        self.display_name = self.env._("Preview")

    # ----- WHO -----

    @api.model
    def _make(self, workflow):
        """Look at the present customers of a workflow, in one's own companies."""
        workflow = workflow._for_mine()
        companies = workflow._companies() or workflow._mine()
        # whoever looks learns no more than he may see himself, whoever is responsible
        looked_at = workflow._looked_at()
        ids = looked_at._present_ids()
        profiles = self.env["lifecycle.profile"].browse(ids)
        shown = profiles.search([("id", "in", ids)], order="clv_total desc, id", limit=10)
        example = shown[:1] or profiles.search(
            [("company_id", "in", companies.ids), ("order_count", ">", 0)],
            limit=1,
        ) or profiles.search([], limit=1)
        if not example:
            raise UserError(self.env._("There are no customers yet to show the workflow with."))
        value = sum(profiles.mapped("clv_total")) if ids else 0
        return self.create(
            {
                "workflow_id": workflow.id,
                "now_count": len(ids),
                "week_count": looked_at._weekly_count(),
                "value": value,
                "profile_ids": [(6, 0, shown.ids)],
                "profile_id": example.id,
                "warnings": self._warnings_html(workflow, profiles),
            }
        )

    @api.model
    def _warnings_html(self, workflow, profiles):
        warnings = workflow._looked_at()._preview_warnings(profiles.sudo()[:SAMPLE])
        return warnings and self._filled("workflow_preview_warnings", {"sentences": warnings})

    @api.model
    def _filled(self, template, values):
        return self.env["ir.qweb"]._render(
            f"customer_lifecycle.{template}",
            values,
            minimal_qcontext=True,
            raise_if_not_found=True,
        )

    # ----- WHAT ONE CUSTOMER WOULD GET -----

    @api.depends("profile_id", "workflow_id")
    def _compute_sequence_html(self):
        for preview in self:
            preview.sequence_html = preview._render_sequence()

    def _render_sequence(self):
        self.ensure_one()
        profile, workflow = self.profile_id, self.workflow_id
        company = profile.company_id or self.env.company
        decision = workflow._decide(profile, company)[profile.id]
        steps = [
            {
                "when": format_datetime(
                    self.env,
                    moment,
                    tz=company._lifecycle_timezone(),
                    dt_format="EEE d MMM, HH:mm",
                ),
                "title": step.title,
                "skipped": not meets and self.env._("skipped today: the filter is not met"),
                "mail": step.kind == "email" and self._mail(step, profile, decision, company),
            }
            for moment, step, meets in workflow._timeline(profile, company)
        ]
        return self._filled("workflow_preview_sequence", {"steps": steps})

    def _mail(self, step, profile, decision, company):
        """The e-mail of a step as the template shows it, or why there is none."""
        person = decision.person
        if not person:
            return {
                "nobody": self.env._(
                    "There is no person to write to: the salesperson gets an activity."
                )
            }
        writer = self.env["lifecycle.workflow.mail"]
        try:
            with self.env.cr.savepoint():
                values = writer._render(
                    step.template_id, [(profile, person)], company, self.env.user, preview=True
                )[person.id]
        except Exception as error:
            return {"error": writer._readable(error)}
        reasons = self.env["lifecycle.workflow.delivery"]._fields["reason"]
        labels = dict(reasons._description_selection(self.env))
        return {
            "refused": decision.is_refused
            and self.env._("Would not be sent: %s", labels[decision.reason]),
            "to": self.env._("To:"),
            "recipient": person.email_formatted or person.name,
            "subject": values["subject"],
            # a colleague looks at it, who must not unsubscribe the customer
            "body": Markup(values["body"]),
        }

    def action_test(self):
        """Send every e-mail of the workflow, as the shown customer would get it, to oneself."""
        self.ensure_one()
        user = self.env.user
        if not user.email:
            raise UserError(self.env._("Enter your own e-mail address first, in your preferences."))
        company = self.profile_id.company_id or self.env.company
        mails = self.env["lifecycle.workflow.mail"]
        decisions = self.workflow_id._decide(self.profile_id, company)
        person = decisions[self.profile_id.id].person or self.profile_id.partner_id
        steps = self.workflow_id.step_ids.filtered(lambda step: step.kind == "email")
        for step in steps:
            values = mails._render(
                step.template_id, [(self.profile_id, person)], company, user, preview=True
            )[person.id]
            values.pop("attachments")
            # nobody but oneself, and no link that would unsubscribe the customer
            values.update(
                recipient_ids=[],
                email_to=user.email_formatted,
                subject=self.env._("[Test] %s", values["subject"]),
                body_html=mails._without_link(values["body_html"], person, company),
                headers="{}",
                model=False,
                res_id=False,
                is_notification=False,
            )
            values["body"] = values["body_html"]
            # sudo: like every e-mail it is queued by the system
            self.env["mail.mail"].sudo().create(values)
        wake(self.env, "mail.ir_cron_mail_scheduler_action")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("%(count)s e-mails are on their way to %(email)s.",
                                      count=len(steps), email=user.email),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }


class LifecycleWorkflow(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    def action_preview(self):
        self.ensure_one()
        self.check_access("write")
        preview = self.env["lifecycle.workflow.preview"]._make(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Preview of “%s”", self.name),
            "res_model": preview._name,
            "res_id": preview.id,
            "views": [(False, "form")],
            "target": "current",
        }

    def _timeline(self, profile, company):
        """Steps that a customer would take today: list of (moment, step, meets the filter)."""
        now = moment = fields.Datetime.now()
        timeline, step = [], self.step_ids._first()
        while step:
            moment = max(moment, step._due(company, moment, now))
            if action_of(step).channel:
                moment = self._next_open(company, moment)
            meets = bool(
                self._looked_at()._matching(company, step.domain, profile.ids).get_result_ids()
            )
            branch = None
            if step.kind == "branch":
                branch = "then" if meets else "else"
                meets = True
            timeline.append((moment, step, meets))
            step = step._next(branch)
        return timeline

    def _decide(self, profiles, company):
        """Whom it would write to at all, or why not: dict profile id → ``Decision``."""
        people = trigger_of(self).present_people(profiles, company)
        message = Message(company, is_leaving=True, people=people)
        return self.env["lifecycle.consent"]._decide_customers(message, profiles)

    def _weekly_count(self):
        """How many would have entered in a week, on average over the last twelve."""
        self.ensure_one()
        self.env.flush_all()
        count, trigger = 0, trigger_of(self)
        for company in self._companies():
            today = company._lifecycle_today()
            since = fields.Date.subtract(today, weeks=WEEKS)
            candidates = trigger.past(company, since)
            if candidates is None:
                continue
            self.env.cr.execute(
                SQL(
                    "SELECT COUNT(*) FROM (%s) candidate WHERE candidate.id IN %s",
                    candidates,
                    self._matching(company, self.domain).subselect(),
                )
            )
            count += self.env.cr.fetchone()[0]
        return count / WEEKS

    def _preview_warnings(self, profiles):
        """Sentences on what may go wrong with the customers who would enter."""
        self.ensure_one()
        warnings = []
        mailing = self.step_ids.filtered(lambda step: step.kind == "email")
        if not self.step_ids:
            warnings.append(self.env._("There is no step yet."))
        warnings += filter(None, [self.asleep_text, *self.step_ids.mapped("asleep_text")])
        warnings += trigger_of(self).warnings()
        if mailing and profiles:
            warnings += self._address_warnings(profiles)
        languages = {code for code, _name in self.env["res.lang"].get_installed()}
        used = set(profiles.partner_id.mapped("lang")) & languages
        for step in mailing:
            missing = [
                code for code in sorted(used)
                if code != "en_US" and not step.template_id._has_translation(code)
            ]
            if missing:
                warnings.append(
                    self.env._("“%(template)s” is not translated into: %(languages)s",
                      template=step.template_id.name, languages=", ".join(missing))
                )
        if profiles and mailing:
            rivals = self.env["lifecycle.workflow.enrollment"]._read_group(
                [
                    ("state", "=", "active"),
                    ("workflow_id.state", "=", "running"),
                    ("workflow_id", "!=", self.id),
                    ("profile_id", "in", profiles.ids),
                ],
                ["workflow_id"],
                ["__count"],
            )
            for workflow, count in rivals:
                if (workflow.sequence, workflow.id) < (self.sequence, self.id):
                    text = self.env._(
                        "%(count)s of them are on their way through “%(workflow)s”, which goes "
                        "first where both want to write."
                    )
                else:
                    text = self.env._(
                        "%(count)s of them are on their way through “%(workflow)s”, which comes "
                        "second where both want to write."
                    )
                warnings.append(text % {"count": count, "workflow": workflow.name})
        return warnings

    def _address_warnings(self, profiles):
        counts = {}
        for company, some in profiles.grouped("company_id").items():
            for decision in self._decide(some, company).values():
                if decision.is_refused:
                    counts[decision.reason] = counts.get(decision.reason, 0) + 1
        labels = dict(
            self.env["lifecycle.workflow.delivery"]._fields["reason"]._description_selection(
                self.env
            )
        )
        return [
            self.env._("%(percent)s %% get nothing: %(reason)s",
                       percent=round(100 * count / len(profiles)), reason=labels[reason])
            for reason, count in sorted(counts.items(), key=lambda item: -item[1])
        ]
