"""The VIP badge and rank on contacts, which every colleague may read and search by; tiers' teams.

In: the tier on the profile of the company that the reader works in, or of its head office. Out:
two fields without a column, which SQL reaches by a join; and the sales team that a customer's new
documents start with. Used by the documents with a badge, by the lists of quotations and
opportunities that are sorted by rank, and by new quotations and opportunities.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

INSIDE = "base.group_user"
#: what all colleagues may know of a tier
LABEL = ("id", "name", "display_name", "rank", "color", "badge", "active", "sequence")


class ResPartner(models.Model):
    """A customer's VIP tier for all colleagues, and none of the figures behind it.

    Who packs a parcel or repairs a device has no right to a customer's figures, but has to know
    whom to serve first. The tier is that of the company that the reader works in, or of its head
    office.
    """

    # a file for each subject of this large model
    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    vip_label_id = fields.Many2one(
        "lifecycle.vip.tier",
        string="VIP Label",
        compute="_compute_vip_label",
        compute_sudo=True,
        search="_search_vip_label_id",
        groups=INSIDE,
    )
    vip_rank = fields.Integer(
        string="VIP Rank",
        compute="_compute_vip_label",
        compute_sudo=True,
        aggregator=None,
        groups=INSIDE,
        help="Rank of the customer's VIP tier, 0 without one: what lists are sorted by.",
    )

    @api.depends("commercial_partner_id", "lifecycle_profile_id.vip_tier_id")
    @api.depends_context("company", "uid")
    def _compute_vip_label(self):
        tiers = {}
        if self.env.user._is_internal():
            # sudo: the label only, see above
            profiles = self.env["lifecycle.profile"].sudo().search_fetch(
                [
                    ("partner_id", "in", self.commercial_partner_id._origin.ids),
                    ("company_id", "=", self.env.company._lifecycle_tier_company().id),
                    ("vip_tier_id", "!=", False),
                ],
                ["partner_id", "vip_tier_id"],
            )
            tiers = {profile.partner_id.id: profile.vip_tier_id for profile in profiles}
        for partner in self:
            tier = tiers.get(partner.commercial_partner_id._origin.id)
            partner.vip_label_id = tier
            partner.vip_rank = tier.rank if tier else 0

    def _search_vip_label_id(self, operator, value):
        self._check_field_access(self._fields["vip_label_id"], "read")
        if operator == "any":
            operator, value = "in", self._labels(Domain(value)).ids
        if operator != "in":
            return NotImplemented
        ids = [tier_id for tier_id in value if tier_id]

        def to_sql(model, alias, query):
            tier = model._field_to_sql(alias, "vip_label_id", query)
            given = SQL("COALESCE(%s = ANY(%s), FALSE)", tier, ids)
            return SQL("(%s OR %s IS NULL)", given, tier) if False in value else given

        return Domain.custom(to_sql=to_sql)

    @api.model
    def _labels(self, domain):
        """Tiers that a domain finds, with the rights of whoever wrote it.

        The labels themselves are no secret to colleagues. What lies behind them is: members,
        thresholds, and whatever a path leads to from there.
        """
        tiers = self.env["lifecycle.vip.tier"]
        plain = all(
            condition.field_expr in LABEL and "any" not in condition.operator
            for condition in domain.iter_conditions()
        )
        # also where the search itself runs as superuser, as it does for related fields
        return (tiers.sudo() if plain else tiers.sudo(False)).search(domain)

    def _field_to_sql(self, alias, field_expr, query=None):
        if field_expr in ("vip_label_id", "vip_rank"):
            self._check_field_access(self._fields[field_expr], "read")
            tier = SQL.identifier(self._join_vip_profile(alias, query), "vip_tier_id")
            if field_expr == "vip_label_id":
                return tier
            coalias = query.make_alias(alias, "vip_rank")
            query.add_join(
                "LEFT JOIN",
                coalias,
                "lifecycle_vip_tier",
                SQL("%s = %s", SQL.identifier(coalias, "id"), tier),
            )
            return SQL("COALESCE(%s, 0)", SQL.identifier(coalias, "rank"))
        return super()._field_to_sql(alias, field_expr, query)

    @api.model
    def _join_vip_profile(self, alias, query):
        """Join the profile in the reader's company for the label alone; return its alias."""
        self.env["lifecycle.profile"].flush_model(["partner_id", "company_id", "vip_tier_id"])
        coalias = query.make_alias(alias, "vip_label")
        query.add_join(
            "LEFT JOIN",
            coalias,
            "lifecycle_profile",
            SQL(
                "%s = %s AND %s = %s AND %s AND %s",
                SQL.identifier(coalias, "partner_id"),
                SQL.identifier(alias, "commercial_partner_id"),
                SQL.identifier(coalias, "company_id"),
                self.env.company._lifecycle_tier_company().id,
                SQL.identifier(coalias, "active"),
                self.env.user._is_internal(),
            ),
        )
        return coalias

    # ----- SALES TEAM -----

    # contacts have no team in Odoo, their documents have: a tier's team is where new ones start

    def _lifecycle_tier_teams(self, company):
        """Teams of the tiers of those customers who have no salesperson of their own.

        :return: dict of crm.team records by id of the contact
        """
        nobodys = self.filtered(
            # whoever has left looks after nobody
            lambda contact: not (
                contact.user_id | contact.commercial_partner_id.user_id
            )._lifecycle_present()
        )
        if not nobodys:
            return {}
        # sudo: the tier decides, whether or not the author may see the customer's figures
        profiles = self.env["lifecycle.profile"].sudo().search(
            [
                ("partner_id", "in", nobodys.commercial_partner_id.ids),
                ("company_id", "=", company._lifecycle_tier_company().id),
                ("vip_tier_id.team_id.active", "=", True),
            ]
        )
        teams = {profile.partner_id.id: profile.vip_tier_id.team_id.id for profile in profiles}
        return {
            contact.id: self.env["crm.team"].browse(teams[contact.commercial_partner_id.id])
            for contact in nobodys
            if contact.commercial_partner_id.id in teams
        }
