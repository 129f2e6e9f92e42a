"""Templates of marketing e-mails: who may change one in use, and rendering one for many at once.

In: what somebody writes into a template, and the customers that a workflow's e-mail is for. Out:
a refusal, or the bodies. Called by Odoo's editing and rendering of templates.
"""

import uuid

from lxml import html

from odoo import api, models


class MailTemplate(models.Model):
    _inherit = "mail.template"

    # ----- WHO MAY CHANGE WHAT IS BEING SENT -----

    def _check_may_edit_running(self):
        """Refuse to change what started workflows send, to who may not start them.

        They are rendered with the rights of the responsible person, which may be more.
        """
        if self.env.su or not self:
            return
        # sudo: whoever edits a template need not see the workflows that send it
        steps = self.env["lifecycle.workflow.step"].sudo().search(
            [
                ("template_id", "in", self.ids),
                ("kind", "=", "email"),
                ("workflow_id.state", "in", ("running", "paused")),
            ]
        )
        steps.workflow_id.sudo(False)._check_may_edit()
        for model, domain in (
            ("loyalty.program", [
                ("lifecycle_reminder_template_id", "in", self.ids),
                ("lifecycle_reminder", "=", "email"),
                ("lifecycle_expiry_months", ">", 0),
            ]),
            ("lifecycle.referral.program", [("mail_template_id", "in", self.ids)]),
            ("ir.actions.server", [("lifecycle_template_id", "in", self.ids)]),
        ):
            # all of them: one may be of a company that he works in, another not
            if sending := self.env[model].sudo().search(domain):
                sending.sudo(False).check_access("write")

    def write(self, vals):
        if vals.keys() - {"name", "description"}:
            self._check_may_edit_running()
        return super().write(vals)

    def _update_field_translations(self, field_name, translations, digest=None, source_lang=""):
        if field_name not in ("name", "description"):
            self._check_may_edit_running()
        return super()._update_field_translations(
            field_name, translations, digest=digest, source_lang=source_lang
        )

    # ----- RENDERING -----

    @api.model
    def _render_template_qweb(
        self, template_src, model, res_ids, add_context=None, options=None
    ):
        """Compile a workflow's e-mail once for all its customers, not once for each.

        Odoo compiles such sources anew for every record, which is most of the time that queueing
        many e-mails takes.
        """
        if (
            not self.env.context.get("lifecycle_together")
            or len(res_ids) < 2
            or not template_src
            or not self._has_unsafe_expression_template_qweb(template_src, model)
        ):
            return super()._render_template_qweb(
                template_src, model, res_ids, add_context=add_context, options=options
            )
        mark = f"lifecycle-{uuid.uuid4()}"
        source = html.fragment_fromstring(
            f'<t t-foreach="lifecycle_records" t-as="object">{template_src}{mark}</t>',
            create_parent="div",
        )
        variables = {
            **self._render_eval_context(),
            **(add_context or {}),
            "lifecycle_records": self.env[model].browse(res_ids),
        }
        rendered = self.env["ir.qweb"]._render(source, variables, **(options or {}))
        # without the div around everything
        texts = rendered[5:-6].split(mark)[:-1]
        return dict(zip(res_ids, texts, strict=True))

    def _has_translation(self, language):
        """Whether the body is written in a language of its own."""
        self.ensure_one()
        stored = self._fields["body_html"]._get_stored_translations(self) or {}
        return bool(stored.get(language)) and stored[language] != stored.get("en_US")
