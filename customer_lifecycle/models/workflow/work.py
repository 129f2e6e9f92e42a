"""Works off enrolments: who leaves, who waits, who gets the step, and what comes next.

In: a batch of enrolments that are due in a company. Out: steps done or skipped, each with its
delivery, and the time of the next one. Called by the workflows' scheduled action; the mail queue
asks here once more whether a held e-mail is still wanted.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.batches import together
from ...tools.messages import MARKETING, WAIT, Message
from .actions import action_of, ask_salesperson
from .consent import MONTH, OPT_OUTS
from .run import ATTEMPTS
from .triggers import trigger_of


class LifecycleWorkflowEnrollment(models.Model):
    """Doing what is due: decide on fresh data, act, and record both in one transaction."""

    # a file for each subject of this large model
    _inherit = "lifecycle.workflow.enrollment"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _work(self, company, ids):
        """Do the next step of some enrolments; return how many were handled.

        Step by step, the most important workflow first: the others are judged by what it has done.
        """
        chosen = self._lock_due(company, ids)
        for (workflow, step), some in chosen.grouped(
            lambda one: (one.workflow_id, one.step_id)
        ).items():
            some._work_step(company, workflow, step)
        return len(chosen)

    def _work_step(self, company, workflow, step):
        """Do one step for those who wait for it."""
        # what the occasion is about, for e-mails
        context = trigger_of(workflow).context(self)
        self, step = self.with_context(**context), step.with_context(**context)
        stay = self._leave_early(company, workflow)
        if not step or not step.active:
            stay._finish()
            return
        matching = stay._meeting(company, workflow, step.domain)
        if step.kind == "branch":
            for branch, some in (("then", matching), ("else", stay - matching)):
                some._done(company, step, [{"branch": branch} for _one in some], branch)
            return
        (stay - matching)._skip(company, step, "condition")
        if action_of(step).channel:
            matching._send(company, workflow, step)
        else:
            matching._perform(company, step)

    # ----- LEAVING -----

    def _leave_early(self, company, workflow):
        """End the way of those who have reached the goal or left; return the others."""
        stay = self
        for reason, some in self._leavers(company, workflow).items():
            some._exit(reason)
            stay -= some
        return stay

    def _leavers(self, company, workflow):
        """Who has reached the goal or left, by reason."""
        gone = self.filtered(lambda one: not one.profile_id.active)
        leavers = {"excluded": gone}
        stay = self - gone
        if workflow.exit_on_goal and workflow.goal != "none":
            leavers["goal"] = stay._at_goal(company, workflow)
            stay -= leavers["goal"]
        if workflow.exit_on_leave:
            leavers["left"] = stay - trigger_of(workflow).holding(stay, company)
        return leavers

    def _at_goal(self, company, workflow):
        if workflow.goal == "order":
            return self.filtered(
                lambda one: one.profile_id.last_order_date
                and (
                    not one.last_order_date
                    or one.profile_id.last_order_date > one.last_order_date
                )
            ) | trigger_of(workflow).has_ordered(self)
        return self._meeting(company, workflow, workflow.goal_domain)

    def _meeting(self, company, workflow, text):
        """Those whose customer meets a filter now."""
        if (text or "[]").strip() in ("", "[]"):
            return self
        query = workflow._matching(company, text, self.profile_id.ids)
        ids = set(query.get_result_ids())
        return self.filtered(lambda one: one.profile_id.id in ids)

    def _message(self, purpose=MARKETING, channel="email"):
        """What is asked about a message to these customers of one workflow and company."""
        people = trigger_of(self.workflow_id).people(self)
        return Message(self.company_id, purpose, channel, people=people)

    # ----- MESSAGES -----

    def _send(self, company, workflow, step):
        """Send the step's message to those who may get it now."""
        if not self:
            return
        now = fields.Datetime.now()
        opening = workflow._next_open(company, now)
        if opening > now:
            self.write({"date_next": opening})
            return
        decisions = self.env["lifecycle.consent"]._decide_customers(
            self._message(channel=action_of(step).channel), self.profile_id
        )
        twins = self._twins(step, {
            profile_id: list(decision.addresses) for profile_id, decision in decisions.items()
        })
        ready, used = self.browse(), set()
        for one in self:
            decision = decisions[one.profile_id.id]
            if decision.is_refused:
                one._refuse(company, workflow, step, decision)
            elif one in twins:
                one._skip(company, step, "twin", {"recipient_id": decision.person.id})
            elif used.intersection(decision.addresses):
                # somebody with the same address comes first: judged anew in the next batch
                continue
            elif decision.verdict == WAIT:
                one._wait(company, workflow, step, decision)
            else:
                used.update(decision.addresses)
                ready |= one
        ready._perform(company, step, decisions)

    def _twins(self, step, addresses):
        """Those whose address has got this e-mail already, as another record of the person.

        One message for each person and occasion: the second record's must not follow once the
        number of messages allows it.

        :param addresses: dict profile id → list of addresses
        """
        emails = sorted(set().union(*addresses.values()))
        # each company writes in its own name
        sent = self.env["lifecycle.workflow.delivery"].sudo()._sent_to(
            emails,
            SQL("step_id = %s AND company_id = ANY(%s)", step.id, self.company_id.ids),
            action_of(step).channel,
        )
        by_email = {}
        for delivery in sent:
            for email in delivery._emails():
                by_email.setdefault(email, []).append(delivery)
        return self.filtered(
            lambda one: any(
                delivery.profile_id != one.profile_id
                and one._is_same_occasion(delivery)
                for email in addresses.get(one.profile_id.id, ())
                for delivery in by_email.get(email, ())
            )
        )

    def _is_same_occasion(self, delivery):
        """Whether another record's message was about what this one has entered for."""
        workflow, other = self.workflow_id, delivery.enrollment_id
        if workflow.reentry == "never" or other.episode == self.episode:
            return True
        apart = abs(self.date_entered - (other.date_entered or delivery.date))
        if workflow.reentry == "days" and apart < timedelta(days=workflow.reentry_days):
            return True
        if trigger_of(workflow).is_of_goods:
            return False
        return apart < MONTH

    def _refuse(self, company, workflow, step, decision):
        """Note that a message is not sent; where there is nobody, ask the salesperson instead."""
        values = {"recipient_id": decision.person.id}
        if decision.reason == "no_person":
            values.update(ask_salesperson(step, self))
        if decision.reason in OPT_OUTS and workflow.exit_on_opt_out:
            self._record(company, step, "skipped", [{"reason": decision.reason, **values}])
            self._exit("opt_out")
        else:
            self._skip(company, step, decision.reason, values)

    def _wait(self, company, workflow, step, decision):
        """Let a message wait for a reason that may pass, at most for the company's time."""
        now = fields.Datetime.now()
        since = self.waiting_since or now
        latest = since + timedelta(days=company.lifecycle_wait_days)
        if now >= latest:
            self._skip(company, step, decision.reason)
            return
        self.write(
            {
                "waiting_since": since,
                "waiting_reason": decision.reason,
                "date_next": workflow._next_open(company, min(decision.until, latest)),
            }
        )

    # ----- ACTING -----

    def _perform(self, company, step, decisions=None):
        """Do a step for these customers together; if that fails, for each on its own.

        :param decisions: dict profile id → ``Decision``, where it is a message
        """

        def act(some):
            # rights may have been taken away since the step was saved
            step._check_may_act(some.workflow_id.user_id)
            some._done(company, step, action_of(step).perform(some, decisions))

        together(self.env, self, act, lambda one, error: one._fail(error))

    def _fail(self, error):
        """Stop with an error that a person can read; the others go on."""
        self._stop(self.env["lifecycle.workflow.mail"]._readable(error))

    def _stop(self, text):
        """Stop what cannot be judged at all, such as by a filter on a field that is gone."""
        for one in self:
            one._record(one.company_id, one.step_id, "failed", [{"error": text}])
            one.write({"state": "failed", "error": text, "attempts": one.attempts + 1,
                       "date_next": False})

    def _done(self, company, step, values_list, branch=None):
        self._record(company, step, "done", values_list)
        self._go_on(company, step, branch)

    def _skip(self, company, step, reason, values=None):
        if not self:
            return
        self._record(company, step, "skipped", [{"reason": reason, **(values or {})}] * len(self))
        self._go_on(company, step)

    def _record(self, company, step, state, values_list):
        """Record what became of a step, in the place of a failed attempt where there is one."""
        now = fields.Datetime.now()
        deliveries = self.env["lifecycle.workflow.delivery"].sudo()
        failed = deliveries
        if any(self.mapped("attempts")):
            failed = deliveries.search(
                [("enrollment_id", "in", self.ids), ("step_id", "=", step.id)]
            )
        before = failed.grouped("enrollment_id")
        new = []
        for one, values in zip(self, values_list, strict=True):
            vals = {"state": state, "date": now, "error": False, "reason": False, **values}
            if one in before:
                before[one].write(vals)
                continue
            new.append(
                {
                    "enrollment_id": one.id,
                    "workflow_id": one.workflow_id.id,
                    "step_id": step.id,
                    "profile_id": one.profile_id.id,
                    "partner_id": one.partner_id.id,
                    "company_id": company.id,
                    "kind": step.kind,
                    **action_of(step).kept(),
                    **vals,
                }
            )
        deliveries.create(new)

    def _go_on(self, company, step, branch=None):
        """Wait for what follows a step."""
        following = step._next(branch)
        if not following:
            self._finish()
            return
        now = fields.Datetime.now()
        vals = {
            "step_id": following.id,
            "date_anchor": now,
            "waiting_since": False,
            "waiting_reason": False,
            "error": False,
        }
        if following.delay_from == "previous":
            self.write({**vals, "date_next": following._due(company, now, now)})
            return
        for entered, some in self.grouped("date_entered").items():
            some.write({**vals, "date_next": max(now, following._due(company, now, entered))})

    def _finish(self):
        self.write(
            {
                "state": "done",
                "step_id": False,
                "date_next": False,
                "date_end": fields.Datetime.now(),
                "waiting_since": False,
                "waiting_reason": False,
            }
        )

    @api.model
    def _record_conflict(self, ids):
        """Put off what met with somebody's change; stop what conflicts again and again."""
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_workflow_enrollment
                      SET attempts = attempts + 1, date_next = %(later)s,
                          state = CASE WHEN attempts + 1 >= %(most)s THEN 'failed'
                                       ELSE state END,
                          error = CASE WHEN attempts + 1 >= %(most)s THEN %(error)s
                                       ELSE error END
                    WHERE id IN (SELECT id FROM lifecycle_workflow_enrollment
                                  WHERE id = ANY(%(ids)s) AND state = 'active'
                                    AND date_next <= %(now)s
                                    FOR NO KEY UPDATE SKIP LOCKED)""",
                now=fields.Datetime.now(),
                later=fields.Datetime.add(fields.Datetime.now(), minutes=5),
                most=ATTEMPTS,
                error=self.env._("Changed by others each time it was tried."),
                ids=list(ids),
            )
        )
        self.invalidate_model()
