"""Server actions: the one that sends a lifecycle e-mail, and those that a step refuses.

In: records that an automation rule runs on. Out: deliveries that wait, which the workflows'
scheduled action works off (``asked_mail``). Steps and the start of a workflow ask here whether an
action writes to people.
"""

from odoo import api, fields, models
from odoo.exceptions import ValidationError

#: kinds of server actions that write to people: Odoo's own, and those of apps that bring others
WRITERS = ("mail_post", "sms", "whatsapp", "social_post")
#: models whose new records are messages that leave
MESSAGES = ("mail.mail", "mail.message", "mail.compose.message", "mailing.mailing", "sms.sms")


class IrActionsServer(models.Model):
    """Lets automation rules send marketing e-mails with the checks of workflows."""

    _inherit = "ir.actions.server"

    state = fields.Selection(
        selection_add=[("lifecycle_email", "Send Lifecycle E-mail"), ("code",)],
        ondelete={"lifecycle_email": "cascade"},
    )
    lifecycle_template_id = fields.Many2one(
        "mail.template",
        string="Lifecycle E-mail",
        domain="[('model', 'in', ('res.partner', 'lifecycle.profile'))]",
        ondelete="restrict",
        help="Sent to the person who ordered last, if consent and the number of messages allow "
        "it; otherwise the reason is kept.",
    )

    @api.onchange("lifecycle_template_id")
    def _onchange_lifecycle_template_id(self):
        # not in _warning_depends: uninstalling would take along ir.cron's inherited warning, a
        # field of core, because it hangs on a field of ours by it
        self._compute_warning()

    def _get_warning_messages(self):
        warnings = super()._get_warning_messages()
        if self.state == "lifecycle_email":
            if not self.lifecycle_template_id:
                warnings.append(self.env._("Choose the e-mail to send."))
            if self.model_id and not self._lifecycle_profile_path():
                warnings.append(
                    self.env._("A lifecycle e-mail needs a model with a customer (partner_id).")
                )
        return warnings

    @api.constrains("state", "lifecycle_template_id", "model_id")
    def _check_lifecycle_email(self):
        for action in self:
            if action.state == "lifecycle_email" and not (
                action.lifecycle_template_id and action._lifecycle_profile_path()
            ):
                raise ValidationError(
                    self.env._(
                        "“%s”: choose an e-mail, and a model that has a customer.", action.name
                    )
                )

    # ----- AS A STEP OF A WORKFLOW -----

    def _lifecycle_writers(self):
        """Those of these actions, and of the actions inside them, that write to people.

        They would go past consent, the number of messages and the link for unsubscribing. What
        Python code or a webhook does cannot be told by looking at it.
        """
        # sudo: what an action consists of decides whether it may run at all
        inside = found = self.sudo()
        while found := found.filtered(lambda one: one.state == "multi").child_ids - inside:
            inside |= found
        return inside.filtered(
            lambda action: action.state in WRITERS
            or (
                action.state in ("object_create", "object_copy")
                # a copy of a message that was sent leaves as well
                and {action.crud_model_id.model, action.resource_ref and action.resource_ref._name}
                & set(MESSAGES)
            )
        )

    def _lifecycle_refuse_writers(self, title):
        """Refuse a workflow's step that would write to people by a server action."""
        for action in self._lifecycle_writers():
            values = {"step": title, "action": action.name}
            if action.state == "mail_post" and action.mail_post_method == "note":
                message = self.env._(
                    "Step “%(step)s”: the action “%(action)s” would tell people without asking "
                    "whether they may be written to. Use a step of the kind “Note in the "
                    "chatter”.",
                    **values,
                )
            elif action.state == "mail_post":
                message = self.env._(
                    "Step “%(step)s”: the action “%(action)s” would write to people who have "
                    "unsubscribed, more often than the settings allow, and without a link for "
                    "unsubscribing. Use a step of the kind “E-mail” with its template.",
                    **values,
                )
            else:
                message = self.env._(
                    "Step “%(step)s”: the action “%(action)s” would write to people who do not "
                    "want it, and more often than the settings allow. Use a step of the kind "
                    "“E-mail”, or “Activity for the salesperson” to have a colleague do it.",
                    **values,
                )
            raise ValidationError(message)

    def _lifecycle_profile_path(self):
        """Field of the action's model that leads to the customer."""
        self.ensure_one()
        model = self.env.get(self.model_id.model)
        if model is None:
            return None
        if model._name in ("lifecycle.profile", "res.partner"):
            return "id"
        return next((name for name in ("profile_id", "partner_id") if name in model._fields), None)

    def _run_action_lifecycle_email_multi(self, eval_context=None):
        """Ask for the e-mail; it is judged and queued by the workflows' scheduled action."""
        ids = self.env.context.get("active_ids") or [self.env.context.get("active_id")]
        # sudo: whoever sets off the automation need not be allowed to see the customer's figures
        records = self.env[self.model_name].sudo().browse(filter(None, ids)).exists()
        profiles = self._lifecycle_profiles(records)
        now = fields.Datetime.now()
        self.env["lifecycle.workflow.delivery"].sudo().create(
            [
                {
                    "profile_id": profile.id,
                    "partner_id": profile.partner_id.id,
                    "company_id": profile.company_id.id,
                    "kind": "email",
                    "state": "waiting",
                    "template_id": self.lifecycle_template_id.id,
                    "action_id": self.id,
                    "date": now,
                    "date_asked": now,
                    "date_next": now,
                }
                for profile in profiles
            ]
        )
        if profiles:
            self.env["lifecycle.workflow"]._wake()
        return False

    def _lifecycle_profiles(self, records):
        profiles = self.env["lifecycle.profile"].sudo()
        if records._name == "lifecycle.profile":
            return records
        if "profile_id" in records._fields:
            return records.profile_id
        for record in records:
            partner = record if record._name == "res.partner" else record.partner_id
            company = self.env.company
            if "company_id" in record._fields and record._name != "res.partner":
                company = record.company_id or company
            profiles |= profiles.search(
                [
                    ("partner_id", "=", partner.commercial_partner_id.id),
                    ("company_id", "=", company.id),
                ]
            )
        return profiles
