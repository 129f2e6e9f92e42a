"""What steps do: queue an e-mail, plan an activity, set a tag, add points, run an action.

In: the customers whose step is due, after consent and filters were asked. Out: the thing done,
and the values of a delivery for each. Called by the work on enrolments.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...tools.batches import wake
from ...tools.messages import REWARD
from .triggers import trigger_of


class LifecycleWorkflowStep(models.Model):
    """What each kind of step does, in the database; one list of deliveries' values for each."""

    # a file for each subject of this large model
    _inherit = "lifecycle.workflow.step"  # pylint: disable=consider-merging-classes-inherited

    def _effects(self, enrollments):
        """Do the step for some customers.

        :return: list of values of their deliveries
        """
        self.ensure_one()
        # rights may have been taken away since the step was saved
        self._check_may_act(self.workflow_id.user_id)
        return getattr(self, f"_do_{self.kind}")(enrollments)

    def _mail_effects(self, enrollments, decisions, company, workflow):
        """Queue the step's e-mail.

        :param decisions: dict profile id → ``Decision``
        """
        decided = [decisions[one.profile_id.id] for one in enrollments]
        pairs = [
            (one.profile_id, decision.person)
            for one, decision in zip(enrollments, decided, strict=True)
        ]
        writer = self.env["lifecycle.workflow.mail"]
        mails = writer._queue(self.template_id, pairs, company, workflow.user_id)
        trigger_of(workflow).mailed(enrollments)
        wake(self.env, "mail.ir_cron_mail_scheduler_action")
        return [
            writer._sent_values(mail, decision, company)
            for decision, mail in zip(decided, mails, strict=True)
        ]

    # ----- PEOPLE -----

    @api.model
    def _salesperson(self, enrollment):
        """Who looks after the customer, else whoever answers for the workflow."""
        company, partner = enrollment.company_id, enrollment.partner_id
        found = partner._lifecycle_colleague(
            company, enrollment.workflow_id.user_id, self.env.ref("base.user_admin")
        )
        if not found:
            # somebody who may at least see what is to be done, and hand it on
            starters = self.env.ref("customer_lifecycle.group_workflow_starter").sudo()
            some = starters.all_user_ids._lifecycle_works_in(company).sorted("id")
            found = partner._lifecycle_colleague(company, *some)
        return found

    def _schedule(self, enrollment, summary, note):
        activity = enrollment.partner_id.activity_schedule(
            activity_type_id=(self.activity_type_id or self.env.ref("mail.mail_activity_data_todo"))
            .id,
            summary=summary,
            note=note,
            user_id=self._salesperson(enrollment).id,
            date_deadline=fields.Date.add(
                enrollment.company_id._lifecycle_today(), days=self.activity_days
            ),
        )
        return {"res_model": "mail.activity", "res_id": activity.id}

    def _do_activity(self, enrollments):
        return [
            self._schedule(one, self.name or one.workflow_id.name, self.note)
            for one in enrollments
        ]

    def _ask_salesperson(self, enrollment):
        """Where nobody can be written to, a colleague gets in touch."""
        return self._schedule(
            enrollment,
            self.env._("Get in touch: %s", enrollment.workflow_id.name),
            self.env._(
                "“%(step)s” could not be sent: no person with an e-mail address is known here. "
                "Call, and note whom to write to.",
                step=self.title,
            ),
        )

    def _do_salesperson(self, enrollments):
        alone = enrollments.filtered(lambda one: not one.partner_id.user_id)
        # whoever has left gets no new customers
        users = self.salesperson_id | enrollments.workflow_id.user_id
        user = users._lifecycle_in_charge(enrollments.company_id) or users._lifecycle_robot()
        alone.partner_id.write({"user_id": user.id})
        return [
            {"res_model": "res.users", "res_id": user.id if one in alone else False}
            for one in enrollments
        ]

    # ----- RECORDS -----

    def _do_tag(self, enrollments):
        enrollments.partner_id.write({"category_id": [Command.link(self.category_id.id)]})
        return [{"res_model": "res.partner.category", "res_id": self.category_id.id}] * len(
            enrollments
        )

    def _do_note(self, enrollments):
        made = []
        for one in enrollments:
            message = one.partner_id.message_post(body=self.note, subtype_xmlid="mail.mt_note")
            made.append({"mail_message_id": message.id})
        return made

    def _do_action(self, enrollments):
        """Run the server action for each customer; what it does outside happens at most once.

        With the rights of the responsible person, and only if he may run it.
        """
        # it may have become another action since the step was saved
        self.action_id._lifecycle_refuse_writers(self.title)
        made = []
        action = self.action_id.with_user(self.workflow_id.user_id).sudo(False)
        for one in enrollments:
            record = one.profile_id if self.action_id.model_name == "lifecycle.profile" else (
                one.partner_id
            )
            action.with_context(
                allowed_company_ids=one.company_id.ids,
                active_model=record._name,
                active_id=record.id,
                active_ids=record.ids,
            ).run()
            made.append({"res_model": record._name, "res_id": record.id})
        return made

    # ----- LOYALTY -----

    def _do_points(self, enrollments):
        """Add points to the customer's card, or make a coupon; both with their history."""
        program = self.program_id
        if not program.active:
            raise UserError(self.env._("The loyalty program “%s” is archived.", program.name))
        # they are given to whoever would be written to, who need not be
        decisions = self.env["lifecycle.consent"]._decide_customers(
            enrollments._message(REWARD), enrollments.profile_id
        )
        cards = self.env["loyalty.card"].sudo().with_context(
            loyalty_no_mail=True, action_no_send_mail=True
        )
        made = []
        for one in enrollments:
            person = decisions[one.profile_id.id].person or one.partner_id
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
            card.points += self.points
            self.env["loyalty.history"].sudo().create(
                {
                    "card_id": card.id,
                    "description": one.workflow_id.name,
                    "issued": self.points,
                }
            )
            made.append(
                {"recipient_id": person.id, "res_model": "loyalty.card", "res_id": card.id}
            )
        return made
