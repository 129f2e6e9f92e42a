"""Tells customers that points are about to expire, by e-mail or through a colleague.

In: cards that are due for a notice. Out: messages among those of the workflows, and activities
for salespeople where no e-mail is wanted or allowed. Called by the expiry of points; the
workflows ask here whether a waiting reminder still makes sense when it is sent.
"""

from markupsafe import Markup

from odoo import api, fields, models

from ...tools.messages import Message


class LifecycleLoyaltyMember(models.Model):
    """Reminders before points expire, by the workflows' e-mails or an activity."""

    # reminders are a subject of their own
    _inherit = "lifecycle.loyalty.member"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _send_reminders(self, program, today, cards):
        """Ask for an e-mail, or make an activity, for each customer of some cards.

        :return: dict customer → delivery of his e-mail
        """
        customers = cards.partner_id.commercial_partner_id
        profiles = self._reminder_profiles(program, customers)
        if program.lifecycle_reminder == "activity":
            self._plan_calls(program, customers, profiles, {})
            return {}
        refused, mails = {}, {}
        for company, some in profiles.grouped("company_id").items():
            asked, made = self._ask_for_mails(program, company, some)
            mails.update({mail.partner_id: mail for mail in asked | made})
            refused.update({mail.partner_id: mail.reason for mail in made if mail.reason})
        # also who has no profile, and so nothing that consent could be judged by
        calls = customers - profiles.partner_id
        calls |= calls.union(*refused)
        self._plan_calls(program, calls, profiles, refused)
        return mails

    @api.model
    def _reminder_profiles(self, program, customers):
        """One profile of each customer: of the company where he bought last."""
        profiles = self.env["lifecycle.profile"].sudo().search(
            [
                ("partner_id", "in", customers.ids),
                ("company_id", "in", program._lifecycle_companies().ids),
            ],
            order="last_order_date desc nulls last, id",
        )
        return self.env["lifecycle.profile"].sudo().union(
            *(some[:1] for some in profiles.grouped("partner_id").values())
        )

    @api.model
    def _ask_for_mails(self, program, company, profiles):
        """Put the reminders among the workflows' e-mails, which are judged when they are sent.

        :return: the deliveries that were asked for just before, those that are made now
        """
        deliveries = self.env["lifecycle.workflow.delivery"].sudo()
        now = fields.Datetime.now()
        asked = deliveries.search(
            [
                ("loyalty_program_id", "=", program.id),
                ("profile_id", "in", profiles.ids),
                ("date_asked", ">", fields.Datetime.subtract(now, hours=20)),
            ]
        )
        fresh = profiles - asked.profile_id
        # that it must wait today says nothing of the day on which it is sent
        decisions = self.env["lifecycle.consent"]._decide_customers(Message(company), fresh)
        values = []
        for profile in fresh:
            decision = decisions[profile.id]
            refused = decision.is_refused
            values.append(
                {
                    "profile_id": profile.id,
                    "partner_id": profile.partner_id.id,
                    "company_id": company.id,
                    "kind": "email",
                    "template_id": program.lifecycle_reminder_template_id.id,
                    "loyalty_program_id": program.id,
                    "date": now,
                    "date_asked": now,
                    "state": "skipped" if refused else "waiting",
                    "reason": refused and decision.reason,
                    "recipient_id": decision.person.id,
                    "date_next": not refused and now,
                }
            )
        made = deliveries.create(values)
        if "waiting" in made.mapped("state"):
            self.env["lifecycle.workflow"]._wake()
        return asked, made

    @api.model
    def _plan_calls(self, program, customers, profiles, reasons):
        """An activity for the salesperson of each customer who has one."""
        labels = dict(
            self.env["lifecycle.workflow.delivery"]._fields["reason"]._description_selection(
                self.env
            )
        )
        for customer in customers:
            if not customer.user_id:
                continue
            profile = profiles.filtered(lambda one, customer=customer: one.partner_id == customer)
            company = profile.company_id or program.company_id or self.env.company
            user = customer._lifecycle_colleague(company, program.write_uid)
            if not user:
                continue
            spoken = customer.with_context(lang=user.lang)
            # every colleague who may open the contact reads this: how many is on the card
            note = spoken.env._("How many, and when, is told on the customer's loyalty card.")
            if reasons.get(customer):
                note += "\n" + spoken.env._(
                    "No reminder was sent: %s.", labels[reasons[customer]]
                )
            spoken.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=spoken.env._("Points of %s are about to expire", program.name),
                note=Markup("<br/>").join(note.split("\n")),
                user_id=user.id,
            )


class LifecycleWorkflowDelivery(models.Model):
    """Reminders among the other messages."""

    # a file for each subject of this model
    _inherit = "lifecycle.workflow.delivery"  # pylint: disable=consider-merging-classes-inherited

    loyalty_program_id = fields.Many2one(
        "loyalty.program", ondelete="set null", readonly=True, index="btree_not_null"
    )

    def _is_obsolete(self):
        """Reminders wait for days: the points may have been spent, or an order kept them."""
        if not self.loyalty_program_id:
            return super()._is_obsolete()
        cards = self.env["loyalty.card"].sudo().search(
            [
                ("program_id", "=", self.loyalty_program_id.id),
                ("partner_id", "child_of", self.partner_id.id),
                ("points", ">", 0),
                ("lifecycle_points_base", "!=", False),
            ]
        )
        return not any(card.lifecycle_notice_base == card.lifecycle_points_base for card in cards)

    def _asked_by(self):
        return self.loyalty_program_id.write_uid or super()._asked_by()
