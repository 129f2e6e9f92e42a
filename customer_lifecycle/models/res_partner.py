from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from .lifecycle_fields import (
    BudgetMonetary,
    CountInteger,
    OptionalFloat,
    OptionalInteger,
    OptionalMonetary,
    ProfileMany2one,
    SumMonetary,
    as_reader,
    stored_names,
)

SALES = "sales_team.group_sale_salesman"
MANAGER = "sales_team.group_sale_manager"
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
    lifecycle_profile_id = ProfileMany2one(
        "lifecycle.profile",
        string="Customer Profile",
        compute="_compute_lifecycle_profile_id",
        # the reader's rights decide in either case: superuser or not, one look is enough
        compute_sudo=True,
        search="_search_lifecycle_profile_id",
        groups=SALES,
    )
    lifecycle_currency_id = fields.Many2one(
        related="lifecycle_profile_id.currency_id",
        string="Life Cycle Currency",
        groups=SALES,
    )
    lifecycle_headline = fields.Char(related="lifecycle_profile_id.headline", groups=SALES)
    lifecycle_order_count = CountInteger(
        related="lifecycle_profile_id.order_count", string="Number of Orders", groups=SALES
    )
    lifecycle_first_order_date = fields.Date(
        related="lifecycle_profile_id.first_order_date", groups=SALES
    )
    lifecycle_last_order_date = fields.Date(
        related="lifecycle_profile_id.last_order_date", groups=SALES
    )
    lifecycle_days_since_last_order = OptionalInteger(
        related="lifecycle_profile_id.days_since_last_order", groups=SALES
    )
    lifecycle_average_order_value = OptionalMonetary(
        related="lifecycle_profile_id.average_order_value",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    lifecycle_order_interval = OptionalFloat(
        related="lifecycle_profile_id.order_interval", groups=SALES
    )
    lifecycle_revenue = SumMonetary(
        related="lifecycle_profile_id.revenue",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    lifecycle_revenue_year = SumMonetary(
        related="lifecycle_profile_id.revenue_year",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    clv_historical = SumMonetary(
        related="lifecycle_profile_id.clv_historical",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    clv_predicted = OptionalMonetary(
        related="lifecycle_profile_id.clv_predicted",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    clv_total = SumMonetary(
        related="lifecycle_profile_id.clv_total",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    clv_p_alive = OptionalFloat(related="lifecycle_profile_id.p_alive", groups=MANAGER)
    clv_p_order = OptionalFloat(related="lifecycle_profile_id.p_order", groups=SALES)
    clv_p_order_30 = OptionalFloat(related="lifecycle_profile_id.p_order_30", groups=SALES)
    clv_expected_orders = OptionalFloat(
        related="lifecycle_profile_id.expected_orders", groups=SALES
    )
    clv_next_order_date = fields.Date(
        related="lifecycle_profile_id.next_order_date", groups=SALES
    )
    clv_next_order_from = fields.Date(
        related="lifecycle_profile_id.next_order_from", groups=SALES
    )
    clv_next_order_to = fields.Date(related="lifecycle_profile_id.next_order_to", groups=SALES)
    clv_predicted_known = fields.Boolean(
        related="lifecycle_profile_id.predicted", string="Has a Prediction", groups=SALES
    )
    clv_top_decile = fields.Boolean(
        related="lifecycle_profile_id.top_decile", groups=SALES
    )
    lifecycle_stage_id = fields.Many2one(
        related="lifecycle_profile_id.stage_id",
        string="Life-Cycle Stage",
        # written by hand through the profile, which checks who may and holds the stage
        readonly=False,
        groups=SALES,
    )
    lifecycle_stage_manual = fields.Boolean(
        related="lifecycle_profile_id.stage_manual", groups=SALES
    )
    lifecycle_stage_reason = fields.Char(
        related="lifecycle_profile_id.stage_reason", readonly=False, groups=SALES
    )
    lifecycle_stage_hold_until = fields.Date(
        related="lifecycle_profile_id.stage_hold_until", readonly=False, groups=SALES
    )
    lifecycle_stage_date = fields.Date(
        related="lifecycle_profile_id.stage_date", groups=SALES
    )
    lifecycle_days_in_stage = OptionalInteger(
        related="lifecycle_profile_id.days_in_stage", string="Days in Stage", groups=SALES
    )
    lifecycle_stage_tone = fields.Selection(
        related="lifecycle_profile_id.stage_id.tone", groups=SALES
    )
    lifecycle_potential = BudgetMonetary(
        related="lifecycle_profile_id.potential",
        currency_field="lifecycle_currency_id",
        # entered by people or imported, through the profile, which checks who may
        readonly=False,
        groups=SALES,
    )
    lifecycle_potential_share = OptionalFloat(
        related="lifecycle_profile_id.potential_share", groups=SALES
    )
    lifecycle_potential_gap = OptionalMonetary(
        related="lifecycle_profile_id.potential_gap",
        currency_field="lifecycle_currency_id",
        groups=SALES,
    )
    lifecycle_satisfaction = OptionalFloat(
        related="lifecycle_profile_id.satisfaction_average", groups=SALES
    )
    lifecycle_last_contact_date = fields.Date(
        related="lifecycle_profile_id.last_contact_date", groups=SALES
    )
    lifecycle_first_touch_date = fields.Date(
        related="lifecycle_profile_id.first_touch_date", groups=SALES
    )
    lifecycle_first_source_id = fields.Many2one(
        related="lifecycle_profile_id.first_source_id", groups=SALES
    )
    lifecycle_first_medium_id = fields.Many2one(
        related="lifecycle_profile_id.first_medium_id", groups=SALES
    )
    lifecycle_first_campaign_id = fields.Many2one(
        related="lifecycle_profile_id.first_campaign_id", groups=SALES
    )
    lifecycle_touch_count = CountInteger(
        related="lifecycle_profile_id.touch_count", groups=SALES
    )
    lifecycle_touches_to_first_order = OptionalInteger(
        related="lifecycle_profile_id.touches_to_first_order", groups=SALES
    )
    lifecycle_days_to_first_order = OptionalInteger(
        related="lifecycle_profile_id.days_to_first_order", groups=SALES
    )
    lifecycle_first_order_touch_id = fields.Many2one(
        related="lifecycle_profile_id.first_order_touch_id", groups=SALES
    )
    lifecycle_last_order_touch_id = fields.Many2one(
        related="lifecycle_profile_id.last_order_touch_id", groups=SALES
    )
    lifecycle_last_order_source_id = fields.Many2one(
        related="lifecycle_profile_id.last_order_source_id", groups=SALES
    )
    lifecycle_rfm_score = fields.Char(
        related="lifecycle_profile_id.rfm_score", string="RFM Score", groups=SALES
    )
    lifecycle_rfm_segment = fields.Many2one(
        related="lifecycle_profile_id.rfm_group_id", string="RFM Group", groups=SALES
    )
    lifecycle_segment_ids = fields.Many2many(
        related="lifecycle_profile_id.segment_ids", string="Segments", groups=SALES
    )
    lifecycle_rfm_note = fields.Char(related="lifecycle_profile_id.rfm_note", groups=SALES)
    vip_tier_id = fields.Many2one(related="lifecycle_profile_id.vip_tier_id", groups=SALES)
    # for display only: what is searched and grouped is the tier
    vip_color = fields.Integer(compute="_compute_vip_color", groups=SALES)
    vip_why = fields.Char(compute="_compute_vip_why", groups=SALES)
    vip_since = fields.Date(related="lifecycle_profile_id.vip_since", groups=SALES)
    vip_review_date = fields.Date(related="lifecycle_profile_id.vip_review_date", groups=SALES)
    vip_manual = fields.Boolean(related="lifecycle_profile_id.vip_manual", groups=SALES)
    is_vip = fields.Boolean(related="lifecycle_profile_id.is_vip", string="VIP", groups=SALES)
    lifecycle_shares_email = fields.Boolean(
        string="Shares Its E-mail with Another Customer",
        compute="_compute_lifecycle_shares_email",
        search="_search_lifecycle_shares_email",
        groups=SALES,
        help="Guest checkouts may have made several contacts of one person.",
    )

    # who is left out is few: every computation looks them up
    _lifecycle_excluded_idx = models.Index("(id) WHERE lifecycle_exclude")

    # ----- PROFILE LINK -----

    @api.depends("commercial_partner_id")
    @api.depends_context("company", "uid")
    def _compute_lifecycle_profile_id(self):
        # the reader's own rights decide, also when a related field is read as superuser
        profiles = as_reader(self.env["lifecycle.profile"])
        by_partner = {}
        if profiles.has_access("read"):
            found = profiles.search_fetch(
                [
                    ("partner_id", "in", self.commercial_partner_id._origin.ids),
                    ("company_id", "=", self.env.company.id),
                ],
                # whoever asks for the profile is about to read it
                stored_names(profiles),
                order="id",
            )
            by_partner = {profile.partner_id.id: profile.id for profile in found}
        for partner in self:
            partner.lifecycle_profile_id = by_partner.get(
                partner.commercial_partner_id._origin.id
            )

    def _search_lifecycle_profile_id(self, operator, value):
        field = self._fields["lifecycle_profile_id"]
        # searching must not tell what reading hides
        self._check_field_access(field, "read")
        if operator in ("any", "any!", "not any", "not any!"):
            if isinstance(value, Domain):
                value = value.optimize_full(self.env["lifecycle.profile"])
                # the join carries the record rules
                operator = "any!" if operator.startswith("any") else "not any!"
            return Domain.custom(
                to_sql=lambda model, alias, query: field.condition_to_sql(
                    field.name, operator, value, model, alias, query
                )
            )
        if operator == "in":
            ids = [profile_id for profile_id in value if profile_id]

            def to_sql(model, alias, query):
                profile = model._field_to_sql(alias, field.name, query)
                given = SQL("%s = ANY(%s)", profile, ids)
                return SQL("(%s OR %s IS NULL)", given, profile) if False in value else given

            return Domain.custom(to_sql=to_sql)
        return NotImplemented

    def _field_to_sql(self, alias, field_expr, query=None):
        field = self._fields.get(field_expr.split(".")[0])
        if field is not None and self._is_profile_field(field):
            # core checks the groups of the last field of the path only
            self._check_field_access(field, "read")
        if field_expr == "lifecycle_profile_id":
            self._check_field_access(field, "read")
            _profiles, coalias = field.join(self, alias, query)
            return SQL.identifier(coalias, "id")
        return super()._field_to_sql(alias, field_expr, query)

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        field = self._fields.get(field_name)
        if not nulls and field is not None and self._is_profile_field(field):
            # descending order would begin with everybody who has no value
            nulls = SQL("NULLS LAST")
        return super()._order_field_to_sql(alias, field_name, direction, nulls, query)

    def _read_group_groupby(self, alias, groupby_spec, query):
        expression = super()._read_group_groupby(alias, groupby_spec, query)
        if isinstance(self._fields.get(groupby_spec), CountInteger | SumMonetary):
            # one group of zeros, as a search for 0 finds those without profile too
            return SQL("COALESCE(%s, 0)", expression)
        return expression

    @api.model
    def _is_profile_field(self, field):
        return (field.related or "").startswith("lifecycle_profile_id.")

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Name the company's own horizon where it is not the usual year."""
        result = super().fields_get(allfields, attributes)
        label = result.get("clv_predicted", {})
        if "string" in label and self.env.company.lifecycle_horizon != 365:
            label["string"] = self.env["lifecycle.profile"]._expected_label(self.env.company)
        return result

    @api.depends("lifecycle_profile_id.vip_tier_id")
    @api.depends_context("company", "uid")
    def _compute_vip_color(self):
        for partner in self:
            partner.vip_color = partner.lifecycle_profile_id.vip_color

    @api.depends("lifecycle_profile_id.vip_tier_id")
    @api.depends_context("company", "uid", "lang")
    def _compute_vip_why(self):
        for partner in self:
            partner.vip_why = partner.lifecycle_profile_id.vip_why

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
        return Domain(
            "id",
            "in",
            SQL(
                """(SELECT one.id FROM res_partner one
                     WHERE one.active AND one.parent_id IS NULL
                       AND one.lifecycle_exclude IS NOT TRUE
                       AND one.email_normalized IN (
                            SELECT email_normalized FROM res_partner
                             WHERE active AND parent_id IS NULL
                               AND lifecycle_exclude IS NOT TRUE
                               AND NULLIF(email_normalized, '') IS NOT NULL
                             GROUP BY email_normalized
                            HAVING COUNT(DISTINCT commercial_partner_id) > 1))"""
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
