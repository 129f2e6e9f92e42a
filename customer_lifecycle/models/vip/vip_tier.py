"""VIP tiers as managers define them: measure, thresholds, period, and how a drop goes.

In: what is entered on the tier's form, or proposed by the wizard that suggests tiers. Out: SQL
that tells who reaches and who keeps a tier, and the words for both. Called by the classifier, the
profile's tier and its texts, the portal, and the run that sums up calendar years for tiers.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import rights
from ..rules.rule import QUIET
from ..sources.money import unrated_order_sql
from .measures import MEASURES, Unknown

#: buyers and days of history below which no tier is active: thresholds would be chance
MINIMUM_BUYERS = 50
MINIMUM_DAYS = 365
FEATURE = "product.group_product_pricelist"


class LifecycleVipTier(models.Model):
    """A VIP tier of one company: what it takes to reach and to keep it, and what it gives."""

    _name = "lifecycle.vip.tier"
    _inherit = "lifecycle.rule"
    _description = "VIP Tier"
    _order = "company_id, rank desc, id"

    _rule_kind = "tier"
    _rule_names = frozenset(
        {
            "active",
            "category_ids",
            "company_id",
            "drop_to",
            "entry",
            "entry_orders",
            "grace_days",
            "keep_percent",
            "measure",
            "min_orders",
            "product_ids",
            "rank",
            "term",
        }
    )

    name = fields.Char(required=True, translate=True)
    public_name = fields.Char(
        translate=True, help="What customers read in the portal. Empty: the name."
    )
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    rank = fields.Integer(default=1, help="The higher, the better.")
    color = fields.Integer(default=3)
    badge = fields.Selection(
        [
            ("fa-star-o", "Star, outlined"),
            ("fa-star", "Star"),
            ("fa-diamond", "Diamond"),
            ("fa-trophy", "Trophy"),
            ("fa-heart", "Heart"),
        ],
        default="fa-star",
        required=True,
    )
    measure = fields.Selection(
        "_selection_measure",
        default="revenue",
        required=True,
        help="What counts. Margin is what the company's settings say value is.",
    )
    term = fields.Selection(
        [
            ("rolling", "Last 12 months, from day to day"),
            ("calendar", "Calendar year, valid to the end of the next"),
        ],
        default="rolling",
        required=True,
    )
    product_ids = fields.Many2many(
        "product.product",
        "lifecycle_vip_tier_product_rel",
        "tier_id",
        "product_id",
        string="Only Products",
        # without the last one it would count all
        ondelete="restrict",
        help="Counts these products and those of the categories. None of either: all.",
    )
    category_ids = fields.Many2many(
        "product.category",
        "lifecycle_vip_tier_category_rel",
        "tier_id",
        "category_id",
        string="Only Categories",
        ondelete="restrict",
        help="Counts what is in them or below.",
    )
    # kept: forms that people have open all day ask for it, and for nothing more
    some_products = fields.Boolean(compute="_compute_some_products", store=True)
    in_window = fields.Boolean(compute="_compute_measure")
    by_product = fields.Boolean(compute="_compute_measure")
    counts_orders = fields.Boolean(string="Number of Orders", compute="_compute_measure")
    entry = fields.Monetary(string="From", help="Who reaches this amount enters at once.")
    entry_orders = fields.Integer(string="From Orders", default=10)
    min_orders = fields.Integer(
        string="Minimum Orders",
        default=2,
        help="So many orders it takes to enter, so that one lucky order makes nobody a VIP.",
    )
    keep_percent = fields.Float(
        string="Keep (%)",
        default=80,
        digits=(5, 1),
        help="Who falls below this share of the entry threshold is about to lose the tier.",
    )
    keep = fields.Monetary(compute="_compute_keep", string="Kept Above")
    grace_days = fields.Integer(
        default=60, help="Days between the announcement of a drop and the drop."
    )
    drop_to = fields.Selection(
        [("down", "One tier down"), ("met", "To the tier whose threshold is still kept")],
        string="A Drop Leads",
        default="down",
        required=True,
    )
    threshold_text = fields.Char(compute="_compute_threshold_text", string="Threshold")
    inactive_reason = fields.Char(compute="_compute_inactive_reason")
    member_count = fields.Integer(string="Members", compute="_compute_counts")
    review_count = fields.Integer(string="Under Review", compute="_compute_counts")
    problem_count = fields.Integer(string="Benefits Missing", compute="_compute_counts")
    proposal_of_id = fields.Many2one(
        "lifecycle.vip.tier", ondelete="cascade", index="btree_not_null", readonly=True
    )

    _rank_unique = models.UniqueIndex(
        "(company_id, rank) WHERE active AND proposal_of_id IS NULL",
        "Two tiers of a company cannot have the same rank.",
    )
    _numbers_range = models.Constraint(
        "CHECK (keep_percent BETWEEN 0 AND 100 AND grace_days >= 0 AND min_orders >= 0)",
        "Keep between 0 and 100 %, and give no negative number of days or orders.",
    )

    # ----- COMPUTE -----

    @api.model
    def _selection_measure(self):
        return [(name, self.env._(measure.label)) for name, measure in MEASURES.items()]

    @api.depends("product_ids", "category_ids")
    def _compute_some_products(self):
        for tier in self:
            tier.some_products = bool(tier.product_ids or tier.category_ids)

    @api.depends("measure", "some_products")
    def _compute_measure(self):
        for tier in self:
            measure = tier._measure()
            tier.by_product = bool(measure.of_products)
            tier.in_window = measure.in_window
            tier.counts_orders = measure.counts_orders

    @api.depends("entry", "entry_orders", "measure", "keep_percent")
    def _compute_keep(self):
        for tier in self:
            keep = tier._entry() * tier.keep_percent / 100
            tier.keep = tier.currency_id.round(keep) if tier.currency_id else keep

    @api.depends_context("lang")
    @api.depends(
        *("entry", "entry_orders", "measure", "keep_percent", "term", "min_orders"),
        *("product_ids", "category_ids"),
    )
    def _compute_threshold_text(self):
        measures = dict(self._selection_measure())
        for tier in self:
            measure = measures.get(tier.measure, "")
            if tier._counts_some_products():
                names = [*tier.category_ids.mapped("name"), *tier.product_ids.mapped("name")]
                measure = self.env._(
                    "%(measure)s of %(products)s", measure=measure, products=", ".join(names)
                )
            period = ""
            if tier.in_window:
                period = (
                    self.env._("in the last 12 months")
                    if tier.term == "rolling"
                    else self.env._("in a calendar year")
                )
            tier.threshold_text = self.env._(
                "%(measure)s %(period)s: from %(entry)s, kept above %(keep)s",
                measure=measure,
                period=period,
                entry=tier._shown(tier._entry()),
                keep=tier._shown(tier.keep),
            ).replace("  ", " ").replace(" :", ":")

    def _compute_inactive_reason(self):
        for company, tiers in self.grouped("company_id").items():
            tiers.inactive_reason = tiers._why_inactive(company)

    def _compute_counts(self):
        profiles = self.env["lifecycle.profile"]
        names = {
            "member_count": [],
            "review_count": [("vip_review_date", "!=", False)],
            "problem_count": [("vip_problem", "!=", False)],
        }
        for name, domain in names.items():
            counts = dict(
                profiles._read_group(
                    # a branch's customers have the tier from here, and are counted here
                    [
                        ("vip_tier_id", "in", self.ids),
                        ("company_id", "in", self.company_id.ids),
                        *domain,
                    ],
                    ["vip_tier_id"],
                    ["__count"],
                )
            )
            for tier in self:
                tier[name] = counts.get(tier, 0)

    # ----- RULE -----

    @api.constrains("company_id")
    def _check_stays_his(self):
        rights.check_stays_his(self)

    @api.constrains(
        "entry", "entry_orders", "measure", "active", "product_ids", "category_ids"
    )
    def _check_entry(self):
        for tier in self:
            if tier._entry() <= 0:
                raise ValidationError(
                    self.env._(
                        "Give “%s” a threshold above 0: with none, everybody would be a VIP.",
                        tier.name,
                    )
                )
        self._check_rule()

    def _try_rule(self):
        self.ensure_one()
        for window in self._windows():
            window.check(self.env)

    def _find_rule_moves(self, company, today):
        self.env["lifecycle.classifier"].sudo()._find_tier_moves(company, today)

    def _measure(self):
        """What is counted: :class:`~.measures.Measure`."""
        self.ensure_one()
        measure = MEASURES.get(self.measure) or Unknown()
        return measure.of_products if self._counts_some_products() else measure

    def _counts_some_products(self):
        """Whether what is counted is told by product, and only some are."""
        measure = MEASURES.get(self.measure)
        return bool(self.some_products and measure and measure.of_products)

    def _products_sql(self):
        """SQL of the ids of the products that count, or None for all."""
        if not self._counts_some_products():
            return None
        named = Domain("id", "in", self.product_ids.ids)
        below = Domain("categ_id", "child_of", self.category_ids.ids)
        # sudo, archived too: what was sold once counts for everybody
        products = self.env["product.product"].sudo().with_context(active_test=False)
        return products._search(named | below if self.category_ids else named).subselect()

    def _windows(self):
        """The windows of what is counted; any of them may meet a threshold."""
        return self._measure().windows(self)

    def _entry(self):
        self.ensure_one()
        return self.entry_orders if self.counts_orders else self.entry

    def _enters_sql(self):
        """Condition on lifecycle_profile: the customer reaches the tier."""
        return self._any_window(
            lambda value, orders: SQL(
                "(COALESCE(%s, 0) >= %s AND COALESCE(%s, 0) >= %s)",
                value,
                self._entry(),
                orders,
                self.min_orders,
            )
        )

    def _keeps_sql(self):
        """Condition on lifecycle_profile: the customer keeps the tier, once he has it."""
        return self._any_window(
            lambda value, orders: SQL("COALESCE(%s, 0) >= %s", value, self.keep)
        )

    def _any_window(self, condition):
        return SQL(
            "(%s)",
            SQL(" OR ").join(
                condition(window.value_sql(), window.orders_sql()) for window in self._windows()
            ),
        )

    @api.model
    def _of_company(self, company):
        """Tiers in force of a company, the lowest first."""
        return self._in_force(Domain("company_id", "=", company.id), order="rank, id")

    @api.model
    def _why_inactive(self, company, today=None):
        """Sentence why no tier of the company is active yet, or False."""
        today = today or company._lifecycle_today()
        buyers = SQL(
            "FROM lifecycle_profile WHERE company_id = %s AND active AND order_count > 0",
            company.id,
        )
        self.env["lifecycle.profile"].flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT (SELECT COUNT(*) FROM (SELECT 1 %(buyers)s LIMIT %(least)s) enough),
                          EXISTS (SELECT %(buyers)s
                                     AND first_order_date <= %(today)s::date - %(days)s)""",
                buyers=buyers,
                least=MINIMUM_BUYERS,
                today=today,
                days=MINIMUM_DAYS,
            )
        )
        count, old = self.env.cr.fetchone()
        if count < MINIMUM_BUYERS and not self.env["lifecycle.profile"]._sees_whole_company():
            return self.env._(
                "No tier is active yet: %s customers must have bought for a threshold to mean "
                "something.",
                MINIMUM_BUYERS,
            )
        if count < MINIMUM_BUYERS:
            return self.env._(
                "No tier is active yet: %(count)s customers have bought, %(least)s it takes "
                "for a threshold to mean something.",
                count=count,
                least=MINIMUM_BUYERS,
            )
        if not old:
            return self.env._(
                "No tier is active yet: it takes 12 months of history to tell regular from "
                "chance."
            )
        return False

    @api.model
    def _rules_changed(self):
        """Tiers by calendar year need sums that only a complete run computes."""
        calendar = self._in_force(self._by_year())
        if calendar and self.env.registry.ready and not self.env.context.get(QUIET):
            # sudo: who may edit tiers may have them computed
            self.env["lifecycle.run"].sudo()._request(calendar.company_id, kind="settings")
        return super()._rules_changed()

    def _needs_new_figures(self):
        """The sums of calendar years are kept only while a tier in force asks for them."""
        return bool(
            self.filtered_domain(self._by_year())
            and not self._in_force(
                self._by_year() & Domain("company_id", "=", self.company_id.id)
            )
        )

    @api.model
    def _by_year(self):
        """Domain of the tiers that count in calendar years."""
        names = [name for name, measure in MEASURES.items() if measure.in_window]
        return Domain("term", "=", "calendar") & Domain("measure", "in", names)

    # ----- WORDS -----

    def _shown(self, number):
        """A threshold or a measured value as people read it."""
        self.ensure_one()
        return self._measure().shown(self, number)

    def _measured_text(self, profile):
        """What the customer has of the tier's measure, with the period it was summed over."""
        self.ensure_one()
        shown = [self._shown(window.worth(profile)[0]) for window in self._windows()]
        if not self.in_window:
            return f"{shown[0]} {self.env._(self._measure().label).lower()}"
        if self.term == "rolling":
            return self.env._("%s in the last 12 months", shown[0])
        year = profile._lifecycle_today().year
        return self.env._(
            "%(this)s in %(year)s, %(last)s in %(before)s",
            this=shown[0],
            year=str(year),
            last=shown[1],
            before=str(year - 1),
        )

    # ----- ACTIONS -----

    def _action_profiles(self, domain, name):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_profile_action"
        )
        action.update(domain=domain, context={}, display_name=name)
        return action

    def _members(self):
        return [("vip_tier_id", "=", self.id), ("company_id", "=", self.company_id.id)]

    def action_view_members(self):
        self.ensure_one()
        return self._action_profiles(self._members(), self.name)

    def action_view_reviews(self):
        self.ensure_one()
        return self._action_profiles(
            [*self._members(), ("vip_review_date", "!=", False)],
            self.env._("About to lose %s", self.name),
        )

    def action_view_problems(self):
        self.ensure_one()
        return self._action_profiles(
            [*self._members(), ("vip_problem", "!=", False)],
            self.env._("Benefits missing: %s", self.name),
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_used(self):
        if self.env["lifecycle.transition"].sudo().search_count(
            ["|", ("from_tier_id", "in", self.ids), ("to_tier_id", "in", self.ids)], limit=1
        ):
            raise UserError(self.env._("Customers have had this tier; archive it instead."))

    # ----- BENEFITS -----

    pricelist_ids = fields.Many2many(
        "product.pricelist",
        "lifecycle_vip_tier_pricelist_rel",
        "tier_id",
        "pricelist_id",
        string="Pricelists",
        domain="[('company_id', 'in', [company_id, False])]",
        help="One for each currency. Given to members who have no pricelist of their own, and "
        "taken back when they leave.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="For members who have none; taken back when they leave.",
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Sales Team",
        domain="[('company_id', 'in', [company_id, False])]",
        help="New quotations and opportunities of members who have no salesperson of their own "
        "start with this team.",
    )
    loyalty_program_id = fields.Many2one(
        "loyalty.program",
        domain="[('company_id', 'in', [company_id, False])]",
        help="Members get a card of it, and keep it when they leave. No mail is sent.",
    )
    benefit_warning = fields.Char(compute="_compute_benefit_warning")
    pricelists_off = fields.Boolean(compute="_compute_benefit_warning")

    def _in_charge(self):
        """Who looks after members: the salesperson, where he has left the leader of the team."""
        user = self.user_id
        if not user:
            return user
        there = user._lifecycle_in_charge(self.company_id)
        leader = self.team_id.user_id._lifecycle_works_in(self.company_id)
        return there or leader or user._lifecycle_robot()

    def _salesperson_warning(self):
        """Sentence on a salesperson who cannot look after anybody here."""
        user = self.sudo().user_id
        if not user or user._lifecycle_works_in(self.company_id) or user._lifecycle_robot():
            return False
        instead = self.sudo()._in_charge()
        if instead:
            return self.env._(
                "%(name)s has left: members go to %(leader)s, who leads the team. Choose another "
                "salesperson.",
                name=user.name,
                leader=instead.name,
            )
        return self.env._(
            "%s has left: new members get no salesperson. Choose another one.", user.name
        )

    @api.depends("pricelist_ids", "company_id", "user_id.active", "team_id.user_id")
    def _compute_benefit_warning(self):
        enabled = self.env["res.groups"]._is_feature_enabled(FEATURE)
        for tier in self:
            tier.pricelists_off = bool(tier.pricelist_ids) and not enabled
            hidden = tier._offline_pricelists()
            price = False
            if tier.pricelists_off:
                price = self.env._(
                    "Pricelists are switched off in the settings: until they are on, nobody "
                    "gets a price of this tier."
                )
            elif hidden:
                price = self.env._(
                    "The web shop does not use %s: set its website on the pricelist.",
                    ", ".join(hidden.mapped("name")),
                )
            tier.benefit_warning = " ".join(
                filter(None, (price, tier._salesperson_warning()))
            ) or False

    def _offline_pricelists(self):
        """The tier's pricelists that the company's web shop, if there is one, would not use."""
        nothing = self.env["product.pricelist"]
        if "website_id" not in nothing._fields:
            return nothing
        # sudo: websites are no secret of those who edit tiers
        shops = self.env["website"].sudo().search_count(
            [("company_id", "=", self.company_id.id)], limit=1
        )
        if not shops:
            return nothing
        return self.pricelist_ids.filtered(
            lambda one: not (one["website_id"] or one["selectable"] or one["code"])
        )

    @api.constrains("pricelist_ids", "company_id")
    def _check_pricelists(self):
        for tier in self:
            if len(tier.pricelist_ids.currency_id) < len(tier.pricelist_ids):
                raise ValidationError(
                    self.env._(
                        "“%s” has two pricelists in one currency; leave one of them.", tier.name
                    )
                )
            if tier.pricelist_ids.company_id - tier.company_id:
                raise ValidationError(
                    self.env._("Give “%s” pricelists of its own company.", tier.name)
                )

    @api.model_create_multi
    def create(self, vals_list):
        tiers = super().create(vals_list)
        tiers._keep_default_pricelist()
        return tiers

    def write(self, vals):
        result = super().write(vals)
        if {"pricelist_ids", "active"} & vals.keys():
            self._keep_default_pricelist()
        return result

    def _keep_default_pricelist(self):
        """See to it that no tier's pricelist is the one of everybody who has none.

        Odoo takes the first pricelist without countries for that. Where that is a tier's, one
        without rules is put before it, so that everybody else pays what he paid.
        """
        pricelists = self.env["product.pricelist"].sudo()
        for company in self.filtered("pricelist_ids").company_id:
            tiers = self.sudo().search([("company_id", "=", company.id)])
            first = pricelists.search(
                [
                    *pricelists._get_partner_pricelist_multi_search_domain_hook(company.id),
                    ("country_group_ids", "=", False),
                ],
                limit=1,
            )
            if first and first in tiers.pricelist_ids:
                pricelists.create(
                    {
                        "name": self.env._("Standard Prices"),
                        "company_id": company.id,
                        "currency_id": company.currency_id.id,
                        "sequence": first.sequence - 1,
                    }
                )

    def _benefit_cost(self, company, profile_ids):
        """What the tier's prices would have taken off the customers' last 12 months of orders.

        By product, at today's list prices; imported history and invoices without an order have
        no products and are not counted.
        """
        pricelist = self.pricelist_ids.filtered(
            lambda one: one.currency_id == company.currency_id
        )[:1]
        if not pricelist or not profile_ids:
            return 0.0
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """SELECT line.product_id,
                          SUM(line.price_subtotal / ordering.currency_rate)
                     FROM lifecycle_profile profile
                     JOIN res_partner contact
                       ON contact.commercial_partner_id = profile.partner_id
                     JOIN sale_order ordering ON ordering.partner_id = contact.id
                     JOIN sale_order_line line ON line.order_id = ordering.id
                    WHERE profile.id = ANY(%s) AND ordering.company_id = %s
                      AND ordering.state = 'sale' AND line.product_id IS NOT NULL
                      AND ordering.date_order > %s AND ordering.currency_rate > 0
                      AND NOT %s
                    GROUP BY line.product_id""",
                list(profile_ids),
                company.id,
                fields.Datetime.subtract(fields.Datetime.now(), days=365),
                unrated_order_sql(company),
            )
        )
        bought = dict(self.env.cr.fetchall())
        # sudo: the sum only
        products = self.env["product.product"].sudo().with_company(company).browse(bought)
        prices = pricelist.sudo()._get_products_price(products, 1)
        return sum(
            float(bought[product.id]) * max(0, 1 - prices[product.id] / product.lst_price)
            for product in products
            if product.lst_price > 0
        )

    # ----- ACTIONS -----

    def action_give_benefits(self):
        """Bring the benefits of all members up to date."""
        self.check_access("write")
        self.env["lifecycle.vip.benefit"].sudo()._request(self)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Members get their benefits within minutes; what is left over from former "
                    "tiers is taken back."
                ),
            },
        }

    def action_open_settings(self):
        """Open the settings where pricelists are switched on."""
        return self.env["ir.actions.act_window"]._for_xml_id("sale.action_sale_config_settings")

    def action_make_pricelist(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Pricelist of %s", self.name),
            "res_model": "lifecycle.vip.tier.pricelist",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_tier_id": self.id},
        }
