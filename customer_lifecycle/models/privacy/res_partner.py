"""Anonymising and deleting a contact, and asking for his file.

In comes a contact that a person wants to be forgotten; out goes the same contact without anything
that tells who it was, so that orders, sums and counts stay what they were. Or the way to all that
is known of him, for who may export it.
"""

import re

from odoo import models
from odoo.exceptions import AccessError, UserError

from ...tools.context import own
from ..workflow.opt_out import OURS

MANAGER = "sales_team.group_sale_manager"
#: fields of a contact that tell who he is, where they exist
TELLING = (
    *("email", "phone", "street", "street2", "zip", "city", "website", "comment", "function"),
    *("vat", "ref", "barcode", "company_registry", "company_name", "image_1920"),
    *("partner_latitude", "partner_longitude"),
)
#: the same of an opportunity
TELLING_LEAD = (
    *("contact_name", "partner_name", "email_from", "email_cc", "phone", "street", "street2"),
    *("zip", "city", "website", "function", "description"),
)


class ResPartner(models.Model):
    # a file for each subject of this large model
    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    def action_lifecycle_anonymise(self):
        """Open the question whether to anonymise these contacts."""
        self._lifecycle_check_anonymise()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Anonymise"),
            "res_model": "lifecycle.anonymise",
            "view_mode": "form",
            "target": "new",
            "context": {"default_partner_ids": self.ids},
        }

    def _lifecycle_check_anonymise(self):
        """Refuse whom the present user may not change, and who cannot be anonymised.

        :raise AccessError: no sales administrator, or no right to change the contact
        :raise UserError: colleagues, portal users, the database's own companies
        """
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only sales administrators can anonymise contacts."))
        self.check_access("write")
        # sudo: that somebody logs in with the contact matters, not who he is
        for partner in self.sudo().with_context(active_test=False):
            if partner.user_ids:
                raise UserError(
                    self.env._(
                        "%s can log in: delete the user first, then anonymise the contact.",
                        partner.display_name,
                    )
                )
            if self.env["res.company"].sudo().search_count(
                [("partner_id", "=", partner.id)], limit=1
            ):
                raise UserError(
                    self.env._("%s is a company of this database.", partner.display_name)
                )

    def _lifecycle_anonymise(self):
        """Take away everything that tells who these contacts are.

        :return: exports that tell advertising platforms to forget them too
        """
        self._lifecycle_check_anonymise()
        # sudo: checked above; the traces of a person lie where his salesperson cannot write.
        # What he has said is kept by the blacklist: nothing is to follow from the empty address
        partners = self.sudo().with_context(
            active_test=False, tracking_disable=True, mail_notrack=True, **{OURS: own()}
        )
        removals = self.env["lifecycle.privacy"]._forget_people(partners)
        partners._lifecycle_leave_workflows()
        for partner in partners:
            partner._lifecycle_rename(
                self.env._("Anonymised customer %s", partner.id)
            )
        # last: the new name would be a trace of the old one in the chatter
        partners._lifecycle_clear_chatter()
        return removals

    def _lifecycle_leave_workflows(self):
        enrollments = self.env["lifecycle.workflow.enrollment"].sudo().search(
            [("partner_id", "in", self.ids), ("state", "=", "active")]
        )
        enrollments._exit("excluded")

    def _lifecycle_rename(self, name):
        """Give a contact and its opportunities a name that tells nothing."""
        self.ensure_one()
        former = self.name
        leads = self.env["crm.lead"].sudo().with_context(
            active_test=False, tracking_disable=True
        ).search([("partner_id", "=", self.id)])
        self.write(
            {"name": name, "lifecycle_marketing_consent": False}
            | {field: False for field in TELLING if field in self._fields}
        )
        self.bank_ids.unlink()
        # also by his first name alone
        words = [former or name, *re.findall(r"\w{3,}", former or "")]
        telling = re.compile(rf"\b({'|'.join(map(re.escape, words))})", re.IGNORECASE)
        for lead in leads:
            lead.write(
                {field: False for field in TELLING_LEAD if field in lead._fields}
                | {"name": telling.sub(lambda _found: name, lead.name or "")}
            )

    def _lifecycle_clear_chatter(self):
        """Delete what was written on these contacts, and forget from where they wrote."""
        messages = self.env["mail.message"].sudo().search(
            [("model", "=", "res.partner"), ("res_id", "in", self.ids)]
        )
        messages.unlink()
        self.activity_ids.unlink()
        self.env["mail.message"].flush_model()
        self.env.cr.execute(
            "UPDATE mail_message SET email_from = NULL, reply_to = NULL WHERE author_id = ANY(%s)",
            [self.ids],
        )
        self.env["mail.message"].invalidate_model(["email_from", "reply_to"])

    def unlink(self):
        """A deleted contact leaves no address behind in what its company's figures need."""
        if not self:
            return super().unlink()
        self.check_access("unlink")
        privacy = self.env["lifecycle.privacy"].sudo()
        left = privacy._left_behind(self)
        # audiences hold hashes alone, and the next export takes out who is no longer there
        result = super().unlink()
        for name, ids in left.items():
            privacy._forget(name, ids)
        return result

    def action_lifecycle_person_file(self):
        """Download everything that is known of this person as JSON."""
        self.ensure_one()
        if not self.env.user.has_group(MANAGER):
            raise AccessError(
                self.env._("Only sales administrators can export a person's data.")
            )
        self.check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": f"/lifecycle/person/{self.id}",
            "target": "download",
        }
