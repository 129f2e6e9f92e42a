"""The step “Add to mailing list”, for the app Email Marketing.

In: customers whose step is due. Out: contacts of the list for those who may be written to, and
values of their deliveries; whoever has left a list is not put on it again. One of the actions;
where the app is missing, the step is skipped.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

from ...tools.messages import SUBSCRIPTION
from .actions import Action, register


class LifecycleWorkflowStep(models.Model):
    """Adding to a mailing list of the app Email Marketing; asleep where that is not installed."""

    # a file for each subject of this large model
    _inherit = "lifecycle.workflow.step"  # pylint: disable=consider-merging-classes-inherited

    kind = fields.Selection(
        selection_add=[("mailing_list", "Add to mailing list"), ("action",)],
        ondelete={"mailing_list": "cascade"},
    )
    mailing_list_model = fields.Char(compute="_compute_mailing_list_model")
    mailing_list_id = fields.Many2oneReference(model_field="mailing_list_model")
    asleep_text = fields.Char(compute="_compute_mailing_list_model")

    @api.depends("kind")
    @api.depends_context("lang")
    def _compute_mailing_list_model(self):
        installed = "mailing.list" in self.env
        for step in self:
            step.mailing_list_model = installed and "mailing.list"
            step.asleep_text = (
                step.kind == "mailing_list"
                and not installed
                and self.env._(
                    "Mailing lists come with the app Email Marketing. Until it is installed, this "
                    "step is skipped."
                )
            )

    @api.constrains("kind", "mailing_list_id")
    def _check_mailing_list(self):
        for step in self:
            if step.kind == "mailing_list" and step.mailing_list_model and not step._mailing_list():
                raise ValidationError(
                    self.env._("Step “%s”: choose a mailing list.", step.title)
                )

    def _mailing_list(self):
        """The step's list, empty where it is gone."""
        # sudo: whoever sees the workflow may know which list it fills
        lists = self.env["mailing.list"].sudo()
        return lists.search([("id", "=", self.mailing_list_id)])


@register
class MailingListAction(Action):
    """Subscribe who may be written to; whoever has left a list is never put on one again."""

    kind = "mailing_list"
    detail_field = "mailing_list_id"
    rights = (
        ("mailing.list", "read"), ("mailing.contact", "create"), ("mailing.contact", "write"),
    )

    def detail(self):
        return self.step.mailing_list_model and self.step._mailing_list().name

    def perform(self, enrollments, decisions=None):
        if not self.step.mailing_list_model:
            return [{"state": "skipped", "reason": "asleep"} for _one in enrollments]
        mailing_list = self.step._mailing_list()
        if not mailing_list:
            raise UserError(
                self.env._("The mailing list of “%s” is gone; choose another.", self.step.title)
            )
        decisions = self.env["lifecycle.consent"]._decide_customers(
            enrollments._message(SUBSCRIPTION), enrollments.profile_id
        )
        made = []
        for one in enrollments:
            decision = decisions[one.profile_id.id]
            values = {"recipient_id": decision.person.id}
            if decision.is_refused:
                values.update(state="skipped", reason=decision.reason)
            else:
                subscribers = [
                    self._subscribe(mailing_list, decision.person, email)
                    for email in decision.addresses
                ]
                values.update(res_model=subscribers[0]._name, res_id=subscribers[0].id)
            made.append(values)
        return made

    def _subscribe(self, mailing_list, person, email):
        """Put a person on a list by one address, once; return the list's contact."""
        # sudo: that the responsible person may do so is checked before, see _check_may_act
        contacts = self.env["mailing.contact"].sudo().search(
            [("email_normalized", "=", email)], order="id"
        )
        on_it = contacts.filtered(lambda contact: mailing_list in contact.subscription_ids.list_id)
        if on_it:
            return on_it[0]
        subscription = [Command.create({"list_id": mailing_list.id})]
        if contacts:
            contacts[0].write({"subscription_ids": subscription})
            return contacts[0]
        return contacts.create(
            {
                "name": person.name,
                "email": email,
                "country_id": person.country_id.id,
                "subscription_ids": subscription,
            }
        )
