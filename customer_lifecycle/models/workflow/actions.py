"""What steps do: one class for each kind of step, which says what it needs and does it.

In: the customers whose step is due, after filters and, where it writes to people, consent were
asked. Out: the thing done, and the values of a delivery for each. Used by the steps' checks and
by the work on enrolments. An add-on that brings a kind of step registers a class of its own here.
"""

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command

from ...tools.batches import wake
from ...tools.messages import REWARD
from .triggers import trigger_of

ACTIONS = {}


def register(action):
    """Let steps be of a kind; the last class for it counts."""
    ACTIONS[action.kind] = action
    return action


def action_of(step):
    """What a step does."""
    return ACTIONS.get(step.kind, Action)(step)


def fields_used(step, attribute):
    """Fields of steps that an attribute of the kinds names, as far as they are installed."""
    found = {getattr(action, attribute) for action in ACTIONS.values()}
    return sorted(name for name in found if name in step._fields)


class Action:
    """What a kind of step does, seen from one step."""

    #: value of the step's field ``kind``
    kind = None
    #: field of the step that must be filled in, and the one whose record the title names
    needed = detail_field = None
    #: (model, operation) that somebody must be allowed himself for it to be done in his name
    rights = ()
    #: name of the channel by which it writes to people; None: it does not
    channel = None

    def __init__(self, step):
        self.step, self.env = step, step.env

    def perform(self, enrollments, decisions=None):
        """Do the step for some customers.

        :param decisions: dict profile id → ``Decision`` to send, where the kind has a channel
        :return: list of values of their deliveries
        """
        raise NotImplementedError

    def kept(self):
        """Values of every delivery of the step, whatever becomes of it."""
        return {}

    def check(self):
        """Refuse what a step of the kind must not do.

        :raise ValidationError: it would
        """

    def check_may(self, user, companies):
        """Refuse what a person may not do himself.

        :param companies: ids of the companies that it is done in; None: the person's own
        :raise AccessError: he may not
        """
        env = self.step.with_user(user).sudo(False).env
        if companies:
            env = env(context={**env.context, "allowed_company_ids": companies})
        for model, operation in self.rights:
            if model in env:
                env[model].check_access(operation)
        if self.needed and self.step._fields[self.needed].relational:
            self._check_may_use(env, self.step[self.needed])

    def _check_may_use(self, env, record):
        env[record._name].browse(record.id).check_access("read")

    def detail(self):
        """What the title tells beside the kind."""
        # sudo: the name of what a readable step does is no secret
        return self.detail_field and self.step[self.detail_field].sudo().display_name

    def title(self):
        label = dict(self.step._fields["kind"]._description_selection(self.env)).get(self.kind)
        detail = self.detail()
        return f"{label}: {detail}" if detail else label


@register
class EmailAction(Action):
    """Queue an e-mail, for the mail queue to send."""

    kind = channel = "email"
    needed = detail_field = "template_id"

    def title(self):
        return self.detail() or super().title()

    def kept(self):
        return {"template_id": self.step.template_id.id}

    def perform(self, enrollments, decisions=None):
        decided = [decisions[one.profile_id.id] for one in enrollments]
        pairs = [
            (one.profile_id, decision.person)
            for one, decision in zip(enrollments, decided, strict=True)
        ]
        workflow, company = enrollments.workflow_id, enrollments.company_id
        writer = self.env["lifecycle.workflow.mail"]
        mails = writer._queue(self.step.template_id, pairs, company, workflow.user_id)
        trigger_of(workflow).mailed(enrollments)
        wake(self.env, "mail.ir_cron_mail_scheduler_action")
        return [
            writer._sent_values(mail, decision, company)
            for decision, mail in zip(decided, mails, strict=True)
        ]


@register
class BranchAction(Action):
    """Which way a customer takes: done by the work itself."""

    kind = "branch"


# ----- PEOPLE -----


def salesperson_of(enrollment):
    """Who looks after the customer, else whoever answers for the workflow."""
    env, company, partner = enrollment.env, enrollment.company_id, enrollment.partner_id
    found = partner._lifecycle_colleague(
        company, enrollment.workflow_id.user_id, env.ref("base.user_admin")
    )
    if not found:
        # somebody who may at least see what is to be done, and hand it on
        starters = env.ref("customer_lifecycle.group_workflow_starter").sudo()
        some = starters.all_user_ids._lifecycle_works_in(company).sorted("id")
        found = partner._lifecycle_colleague(company, *some)
    return found


def schedule_activity(step, enrollment, summary, note):
    """Have the salesperson do something; return values of the delivery."""
    kind = step.activity_type_id or step.env.ref("mail.mail_activity_data_todo")
    activity = enrollment.partner_id.activity_schedule(
        activity_type_id=kind.id,
        summary=summary,
        note=note,
        user_id=salesperson_of(enrollment).id,
        date_deadline=fields.Date.add(
            enrollment.company_id._lifecycle_today(), days=step.activity_days
        ),
    )
    return {"res_model": "mail.activity", "res_id": activity.id}


def ask_salesperson(step, enrollment):
    """Where nobody can be written to, a colleague gets in touch."""
    return schedule_activity(
        step,
        enrollment,
        step.env._("Get in touch: %s", enrollment.workflow_id.name),
        step.env._(
            "“%(step)s” could not be sent: no person with an e-mail address is known here. "
            "Call, and note whom to write to.",
            step=step.title,
        ),
    )


@register
class ActivityAction(Action):
    """An activity for the customer's salesperson."""

    kind = "activity"
    detail_field = "activity_type_id"
    rights = (("res.partner", "read"), ("mail.activity", "create"))

    def perform(self, enrollments, decisions=None):
        return [
            schedule_activity(
                self.step, one, self.step.name or one.workflow_id.name, self.step.note
            )
            for one in enrollments
        ]


@register
class SalespersonAction(Action):
    """A salesperson for who has none."""

    kind = "salesperson"
    needed = detail_field = "salesperson_id"
    rights = (("res.partner", "write"),)

    def perform(self, enrollments, decisions=None):
        alone = enrollments.filtered(lambda one: not one.partner_id.user_id)
        # whoever has left gets no new customers
        users = self.step.salesperson_id | enrollments.workflow_id.user_id
        user = users._lifecycle_in_charge(enrollments.company_id) or users._lifecycle_robot()
        alone.partner_id.write({"user_id": user.id})
        return [
            {"res_model": "res.users", "res_id": user.id if one in alone else False}
            for one in enrollments
        ]


# ----- RECORDS -----


@register
class TagAction(Action):
    """A tag on the customer."""

    kind = "tag"
    needed = detail_field = "category_id"
    rights = (("res.partner", "write"),)

    def perform(self, enrollments, decisions=None):
        tag = self.step.category_id
        enrollments.partner_id.write({"category_id": [Command.link(tag.id)]})
        return [{"res_model": tag._name, "res_id": tag.id}] * len(enrollments)


@register
class NoteAction(Action):
    """A note that colleagues read on the customer."""

    kind = needed = "note"
    rights = (("res.partner", "read"),)

    def perform(self, enrollments, decisions=None):
        made = []
        for one in enrollments:
            message = one.partner_id.message_post(
                body=self.step.note, subtype_xmlid="mail.mt_note"
            )
            made.append({"mail_message_id": message.id})
        return made


@register
class ServerAction(Action):
    """A server action, run for each customer; what it does outside happens at most once."""

    kind = "action"
    needed = detail_field = "action_id"

    def check(self):
        self.step.action_id._lifecycle_refuse_writers(self.step.title)

    def _check_may_use(self, env, record):
        """What Odoo asks before it runs an action, for the person and not for us."""
        action = record.with_user(env.user).sudo()
        documents = env[action.model_id.model]
        if not action.group_ids:
            documents.check_access("write")
        action._can_execute_action_on_records(documents)

    def perform(self, enrollments, decisions=None):
        """With the rights of the responsible person, and only if he may run it."""
        # it may have become another action since the step was saved
        self.check()
        made, action = [], self.step.action_id
        running = action.with_user(self.step.workflow_id.user_id).sudo(False)
        for one in enrollments:
            on_profile = action.model_name == "lifecycle.profile"
            record = one.profile_id if on_profile else one.partner_id
            running.with_context(
                allowed_company_ids=one.company_id.ids,
                active_model=record._name,
                active_id=record.id,
                active_ids=record.ids,
            ).run()
            made.append({"res_model": record._name, "res_id": record.id})
        return made


# ----- LOYALTY -----


@register
class PointsAction(Action):
    """Points on the customer's card, or a coupon; both with their history."""

    kind = "points"
    needed = detail_field = "program_id"
    rights = (("loyalty.card", "create"), ("loyalty.card", "write"))

    def perform(self, enrollments, decisions=None):
        program, points = self.step.program_id, self.step.points
        if not program.active:
            raise UserError(self.env._("The loyalty program “%s” is archived.", program.name))
        # they are given to whoever would be written to, who need not be
        owners = self.env["lifecycle.consent"]._decide_customers(
            enrollments._message(REWARD), enrollments.profile_id
        )
        cards = self.env["loyalty.card"].sudo().with_context(
            loyalty_no_mail=True, action_no_send_mail=True
        )
        made = []
        for one in enrollments:
            person = owners[one.profile_id.id].person or one.partner_id
            card, owner = cards, person
            if program.program_type == "loyalty":
                # a company's card serves its contacts as well
                card, owner = cards._lifecycle_find(program, person), one.partner_id
            elif program.program_type == "ewallet":
                card = cards.search(
                    [("program_id", "=", program.id), ("partner_id", "=", person.id)],
                    order="id",
                    limit=1,
                )
            if not card:
                card = cards.create(
                    {"program_id": program.id, "partner_id": owner.id, "points": 0}
                )
            card.points += points
            self.env["loyalty.history"].sudo().create(
                {"card_id": card.id, "description": one.workflow_id.name, "issued": points}
            )
            made.append(
                {"recipient_id": person.id, "res_model": "loyalty.card", "res_id": card.id}
            )
        return made
