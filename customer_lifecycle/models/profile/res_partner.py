"""Contacts: who is no customer, who shares an e-mail address, and when figures get stale.

In: contacts that are made, changed or deleted. Out: an entry in the queue for the hourly refresh,
the refusal to lose imported purchases, what contact cards show, and a profile where something is
entered for a contact without one. Called by Odoo's contacts and their form; installing excludes
colleagues and own companies by it.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import formatLang

SALES = "sales_team.group_sale_salesman"
#: colour of the stage's chip by its tone
STAGE_TAGS = {
    "info": "o_tag_color_4",
    "success": "o_tag_color_10",
    "warning": "o_tag_color_3",
    "danger": "o_tag_color_1",
}


class ResPartner(models.Model):
    _inherit = "res.partner"

    lifecycle_exclude = fields.Boolean(
        string="Exclude from Life Cycle",
        help="No customer: no figures, no stage, no messages. Preset for colleagues, own "
        "companies and anonymous visitors.",
    )
    lifecycle_referred_by_id = fields.Many2one(
        "res.partner",
        string="Recommended By",
        index="btree_not_null",
        copy=False,
        groups=SALES,
        help="Who recommended us to this customer.",
    )
    lifecycle_shares_email = fields.Boolean(
        string="Shares Its E-mail with Another Customer",
        compute="_compute_lifecycle_shares_email",
        search="_search_lifecycle_shares_email",
        groups=SALES,
        help="Guest checkouts may have made several contacts of one person.",
    )

    # who is left out is few: every computation looks them up
    _lifecycle_excluded_idx = models.Index("(id) WHERE lifecycle_exclude")

    # ----- DUPLICATES -----

    @api.depends("email_normalized", "active", "parent_id", "lifecycle_exclude")
    def _compute_lifecycle_shares_email(self):
        shared = self.with_context(active_test=False).search(
            [("id", "in", self._origin.ids), ("lifecycle_shares_email", "=", True)]
        )
        for partner in self:
            partner.lifecycle_shares_email = partner._origin in shared

    def _search_lifecycle_shares_email(self, operator, value):
        self._check_field_access(self._fields["lifecycle_shares_email"], "read")
        if operator != "in" or True not in value:
            return NotImplemented
        if False in value:
            return Domain.TRUE
        self.flush_model(
            [
                "active",
                "parent_id",
                "commercial_partner_id",
                "email_normalized",
                "lifecycle_exclude",
            ]
        )
        # a contact may have several addresses in its field
        more = self.env["lifecycle.opt.out"]._more_addresses()
        addresses = SQL(
            """(SELECT id, email_normalized AS email FROM res_partner
                 UNION ALL
                SELECT * FROM unnest(%s::integer[], %s::varchar[]))""",
            [partner_id for partner_id, _email in more],
            [email for _partner_id, email in more],
        )
        return Domain(
            "id",
            "in",
            SQL(
                """(SELECT address.id FROM %(addresses)s address(id, email)
                      JOIN res_partner one
                        ON one.id = address.id AND one.active AND one.parent_id IS NULL
                       AND one.lifecycle_exclude IS NOT TRUE
                     WHERE address.email IN (
                            SELECT other.email FROM %(addresses)s other(id, email)
                              JOIN res_partner owner
                                ON owner.id = other.id AND owner.active
                               AND owner.parent_id IS NULL
                               AND owner.lifecycle_exclude IS NOT TRUE
                             WHERE NULLIF(other.email, '') IS NOT NULL
                             GROUP BY other.email
                            HAVING COUNT(DISTINCT owner.commercial_partner_id) > 1))""",
                addresses=addresses,
            ),
        )

    # ----- FRESHNESS -----

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        self.env["lifecycle.queue"].sudo()._note_new_contacts(partners)
        return partners

    def _write_multi(self, vals_list):
        changed = set().union(*vals_list) if vals_list else set()
        watched = {"commercial_partner_id", "lifecycle_exclude", "active", "email", "phone"}
        if watched & changed:
            self.env["lifecycle.queue"].sudo()._note_contacts(
                self, moved="commercial_partner_id" in changed
            )
        return super()._write_multi(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_imported_history(self):
        # sudo: history of companies that the user does not see is kept as well
        history = self.env["lifecycle.external.purchase"].sudo()
        found = history.search([("partner_id", "in", self.ids)], limit=1)
        if found:
            raise UserError(
                self.env._(
                    "“%s” has imported purchases. Archive the contact, merge it into another, or "
                    "delete its imported purchases first.",
                    found.partner_id.display_name,
                )
            )

    @api.model
    def _lifecycle_preset_exclusion(self):
        """Exclude those who are no customers by nature."""
        everybody = self.env["res.users"].sudo().search(Domain("active", "in", (True, False)))
        insiders = everybody.filtered(lambda user: not user.share or user._is_public())
        companies = self.env["res.company"]._lifecycle_companies()
        (insiders.partner_id | companies.partner_id).write({"lifecycle_exclude": True})

    # ----- ACTIONS -----

    def action_view_lifecycle_purchases(self):
        """Open the documents that the customer's figures were summed from."""
        self.ensure_one()
        return self.lifecycle_profile_id.action_view_purchases()

    def action_set_lifecycle_stage(self, stage_id=False):
        """Ask for the reason and for how long before the customer is moved to a stage by hand."""
        self.ensure_one()
        return self.lifecycle_profile_id.action_set_stage(stage_id)

    def action_release_lifecycle_stage(self):
        """Let the rules decide at once, and say where they put the customer."""
        self.ensure_one()
        profile = self.lifecycle_profile_id
        profile.action_release_stage()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "The rules decide again: %(customer)s is in the stage “%(stage)s”.",
                    customer=profile.partner_id.display_name,
                    stage=profile.stage_id.name,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_set_vip_tier(self):
        """Ask for the customer's tier, the reason and how long it is to hold."""
        self.ensure_one()
        return self.lifecycle_profile_id.action_set_tier()

    def action_release_vip_tier(self):
        self.lifecycle_profile_id.action_release_tier()

    def _compute_application_statistics_hook(self):
        data_list = super()._compute_application_statistics_hook()
        if not self.env.user.has_group(SALES):
            return data_list
        for partner in self.filtered("lifecycle_order_count"):
            data_list[partner.id].append(
                {
                    "iconClass": "fa-heartbeat",
                    "value": formatLang(
                        self.env,
                        partner.clv_total,
                        rounding_unit="units",
                        currency_obj=partner.lifecycle_currency_id,
                    ),
                    "label": self.env._("Customer lifetime value"),
                    "tagClass": "o_tag_color_10",
                }
            )
        for partner in self.filtered("lifecycle_stage_id"):
            data_list[partner.id].append(
                {
                    "iconClass": "fa-flag-o",
                    "value": partner.lifecycle_stage_id.name,
                    "label": self.env._("Life-cycle stage"),
                    "tagClass": STAGE_TAGS.get(partner.lifecycle_stage_tone, "o_tag_color_0"),
                }
            )
        for partner in self.filtered("vip_tier_id"):
            tier = partner.vip_tier_id
            data_list[partner.id].append(
                {
                    "iconClass": tier.badge,
                    "value": tier.name,
                    "label": self.env._("VIP tier"),
                    "tagClass": f"o_tag_color_{tier.color}",
                }
            )
        return data_list

    # ----- PROFILE -----

    def _make_lifecycle_profile(self):
        """Give contacts without profile one in the present company, to keep what is entered.

        Who may write on profiles may; the figures follow within a minute.
        """
        profiles = self.env["lifecycle.profile"]
        profiles.check_access("write")
        company = self.env.company
        customers = self.filtered(
            lambda partner: not partner.lifecycle_profile_id
        ).commercial_partner_id
        if not customers:
            return
        customers.check_access("read")
        # sudo: people may not make profiles otherwise
        known = profiles.sudo().with_context(active_test=False).search(
            [("partner_id", "in", customers.ids), ("company_id", "=", company.id)]
        )
        known.active = True
        profiles.sudo().create(
            [
                {
                    "partner_id": customer.id,
                    "company_id": company.id,
                    "currency_id": company.currency_id.id,
                }
                for customer in customers - known.partner_id
            ]
        )
        self.env["lifecycle.queue"].sudo()._note_contacts(customers, moved=False)
        self.invalidate_recordset(["lifecycle_profile_id"], flush=False)
