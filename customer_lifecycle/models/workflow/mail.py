"""Marketing e-mails: rendered with a person's rights, in the recipient's language, and queued.

In: a template, customers with their recipients, and whose rights count. Out: e-mails in Odoo's
queue with a link for unsubscribing. Called by e-mail steps, automation rules and the preview; the
page for unsubscribing checks its signature.
"""

from urllib.parse import urlencode

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import hmac

#: purpose of the signature in links for unsubscribing
SCOPE = "customer_lifecycle-unsubscribe"


class LifecycleWorkflowMail(models.AbstractModel):
    """Writes marketing e-mails from templates into Odoo's queue."""

    _name = "lifecycle.workflow.mail"
    _description = "Marketing E-mail of the Life Cycle"

    # ----- UNSUBSCRIBING -----

    @api.model
    def _token(self, email, company_id):
        return hmac(self.env(su=True), SCOPE, (email, int(company_id)))

    @api.model
    def _unsubscribe_url(self, partner, company, email=None):
        """Link by which a person unsubscribes: by the address that he is written to.

        :param email: empty: the contact's first address
        """
        email = email or partner.email_normalized or ""
        query = urlencode(
            {"email": email, "company": company.id, "token": self._token(email, company.id)}
        )
        return f"{partner.get_base_url()}/lifecycle/unsubscribe?{query}"

    @api.model
    def _without_link(self, body, partner, company):
        """The body for somebody else's eyes, who must not unsubscribe the customer."""
        return Markup(body).replace(
            Markup.escape(self._unsubscribe_url(partner, company)), Markup("#")
        )

    # ----- RENDERING -----

    @api.model
    def _render(self, template, pairs, company, user, preview=False):
        """Render a template for some customers, each in the recipient's language.

        It is read with the rights of a person, so that no template shows what its owner may not
        see.

        :param pairs: list of (profile, recipient)
        :param user: whose rights
        :param preview: for other eyes than the customer's: without links that act in his name
        :return: dict recipient id → values of mail.mail
        """
        if not user:
            raise UserError(
                self.env._("Nobody is responsible any more for sending “%s”.", template.name)
            )
        base_context = {
            "allowed_company_ids": company.ids,
            "mail_notify_force_send": False,
            "lifecycle_preview": preview,
            "lifecycle_together": True,
        }
        by_language = {}
        for profile, recipient in pairs:
            language = self._language(recipient, profile.partner_id)
            by_language.setdefault(language, []).append((profile, recipient))
        result = {}
        for language, some in by_language.items():
            reader = template.with_context(
                **base_context, lang=language, template_preview_lang=language
            ).with_company(company)
            if not user._is_superuser():
                reader = reader.with_user(user).sudo(False)
            by_id = {
                (profile.id if template.model == "lifecycle.profile" else recipient.id): recipient
                for profile, recipient in some
            }
            reader._send_check_access(list(by_id))
            customers = self.env["res.partner"].union(*by_id.values()).commercial_partner_id
            with customers._lifecycle_shown_in_charge(company):
                rendered = reader._generate_template(
                    list(by_id),
                    ("subject", "body_html", "email_from", "reply_to", "attachment_ids",
                     "mail_server_id", "report_template_ids"),
                )
            for res_id, recipient in by_id.items():
                result[recipient.id] = {
                    **self._mail_values(rendered[res_id], recipient, company, language),
                    # a colleague, so that the message is told from the customer's own
                    "author_id": self._author(recipient, company, user).id,
                }
        return result

    @api.model
    def _language(self, *partners):
        """The first of these people's languages that is in use here, else our own.

        One that was switched off stays on contacts that were archived then.
        """
        installed = {code for code, _name in self.env["res.lang"].get_installed()}
        languages = (partner.lang for partner in partners)
        found = next((code for code in languages if code in installed), None)
        return found or self.env.lang or "en_US"

    @api.model
    def _author(self, recipient, company, user):
        """Who the message is from: the customer's salesperson, else the workflow's owner."""
        # sudo: who looks after a customer is told in the message itself
        seller = recipient.sudo().commercial_partner_id.user_id._lifecycle_in_charge(company)
        return (seller or user or self.env.ref("base.user_root")).sudo().partner_id

    @api.model
    def _sender(self, email_from, recipient, company):
        """The template's sender; where that is a salesperson who has left, who stands in for him.

        Answers would reach nobody.
        """
        seller = recipient.sudo().commercial_partner_id.user_id
        if seller and email_from == seller.email_formatted:
            email_from = seller._lifecycle_in_charge(company).email_formatted
        return email_from or company.email_formatted

    @api.model
    def _mail_values(self, values, recipient, company, language):
        url = self._unsubscribe_url(recipient, company)
        body = self.env["ir.qweb"].with_context(lang=language)._render(
            "customer_lifecycle.workflow_mail_layout",
            {
                "body": Markup(values.get("body_html") or ""),
                "company": company.sudo(),
                "url": url,
            },
            minimal_qcontext=True,
            raise_if_not_found=True,
        )
        return {
            "subject": values.get("subject"),
            "body_html": body,
            # in the chatter colleagues read it, who must not unsubscribe the customer
            "body": self._without_link(body, recipient, company),
            "email_from": self._sender(values.get("email_from"), recipient, company),
            "reply_to": values.get("reply_to") or False,
            "mail_server_id": values.get("mail_server_id") or False,
            # bounces come back to the company that writes, by its own server
            "record_company_id": company.id,
            "record_alias_domain_id": company.sudo().alias_domain_id.id,
            "attachment_ids": [(4, id_) for id_ in values.get("attachment_ids") or []],
            "attachments": values.get("attachments") or [],
            "recipient_ids": [(4, recipient.id)],
            "model": "res.partner",
            "res_id": recipient.id,
            "message_type": "email_outgoing",
            "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_comment"),
            # the message stays in the chatter when the sent e-mail is cleaned up
            "is_notification": True,
            "auto_delete": True,
            "headers": repr(
                {
                    "List-Unsubscribe": f"<{url}>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                    "Precedence": "list",
                    "X-Auto-Response-Suppress": "OOF",
                }
            ),
        }

    @api.model
    def _queue(self, template, pairs, company, user):
        """Queue one e-mail for each customer; nothing leaves before this is committed.

        :return: list of mail.mail in the order of the pairs
        """
        rendered = self._render(template, pairs, company, user)
        values_list = [dict(rendered[recipient.id]) for _profile, recipient in pairs]
        made = [values.pop("attachments") for values in values_list]
        mails = self.env["mail.mail"].sudo().with_context(default_type=None).create(values_list)
        for mail, attachments in zip(mails, made, strict=True):
            if attachments:
                mail.attachment_ids = [
                    fields.Command.create(
                        {
                            "name": name,
                            "datas": datas,
                            "res_model": "mail.message",
                            "res_id": mail.mail_message_id.id,
                        }
                    )
                    for name, datas in attachments
                ]
        return mails

    @api.model
    def _sent_values(self, mail, decision, company):
        """Values of the delivery of a queued e-mail.

        :param decision: ``Decision`` to whom and to which addresses it goes
        """
        first, *others = decision.addresses
        return {
            "recipient_id": decision.person.id,
            "email": first,
            "other_emails": ", ".join(others),
            "mail_message_id": mail.mail_message_id.id,
            "subject": mail.subject,
            "is_measured": self.env["lifecycle.consent"]._may_measure(decision.person, company),
        }

    @api.model
    def _readable(self, error):
        """First sentence of an error, without the trace that templates add."""
        cause = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        text = str(cause).strip() or type(cause).__name__
        if isinstance(cause, AttributeError | KeyError | NameError):
            text = f"{type(cause).__name__}: {text}"
        return text.split("\n")[0][:300]
