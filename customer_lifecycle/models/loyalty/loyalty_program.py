"""Settings of loyalty programs: conditions, automatic cards, bonus, expiry, points by tier; cost.

In: stages, tiers, segments and terms that are chosen on the program. Out: programs that a
customer is refused, who is still to get a card, and by how much his points are multiplied. Called
by quotations, the till, and the scheduled action that looks after members of programs.
"""

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ...tools import rights
from ...tools.fields import preset_in_database
from .loyalty_cost import MANAGER

#: relation tables of the conditions
STAGES, TIERS, SEGMENTS = (
    "lifecycle_loyalty_stage_rel",
    "lifecycle_loyalty_tier_rel",
    "lifecycle_loyalty_segment_rel",
)
ALL_DOCUMENTS = "sales_team.group_sale_salesman_all_leads"
CONDITIONS = ("lifecycle_stage_ids", "lifecycle_tier_ids", "lifecycle_segment_ids")


class LoyaltyProgram(models.Model):
    """Whom a program is for, and what it gives by itself."""

    # what the till asks for is a subject of its own
    _inherit = "loyalty.program"  # pylint: disable=consider-merging-classes-inherited

    # Odoo lets the programs of a company hold in its branches, and not in theirs
    _check_company_domain = models.check_company_domain_parent_of

    # what is archived still counts: forgetting it would open the program to everybody
    lifecycle_stage_ids = fields.Many2many(
        "lifecycle.stage", STAGES, "program_id", "stage_id",
        string="Stages",
        ondelete="restrict",
        context={"active_test": False},
        help="Only customers in one of these stages. Empty: all stages.",
    )
    lifecycle_tier_ids = fields.Many2many(
        "lifecycle.vip.tier", TIERS, "program_id", "tier_id",
        string="VIP Tiers",
        ondelete="restrict",
        context={"active_test": False},
        help="Only customers with one of these VIP tiers. Empty: with or without a tier.",
    )
    lifecycle_segment_ids = fields.Many2many(
        "lifecycle.segment", SEGMENTS, "program_id", "segment_id",
        string="Segments",
        ondelete="restrict",
        context={"active_test": False},
        help="Only customers in one of these segments. Empty: in any or none.",
    )
    lifecycle_multiplier_ids = fields.One2many(
        "lifecycle.loyalty.multiplier", "program_id", string="Points by VIP Tier", copy=True
    )
    lifecycle_auto_card = fields.Boolean(
        string="Automatic Cards",
        help="Every customer who meets the conditions gets one card, within the hour and without "
        "a mail. Who leaves the conditions keeps card and points.",
    )
    lifecycle_welcome_points = fields.Float(
        string="Welcome Bonus",
        help="Points for a customer's first card of this program, once. A card that comes with "
        "an order gets them when the order is confirmed. Cards that are there already get none.",
    )
    lifecycle_expiry_months = fields.Integer(
        string="Points Expire After",
        help="Months without an order and without new points. 0: never.",
    )
    lifecycle_notice_days = fields.Integer(
        string="Notice",
        default=30,
        help="So many days before, the customer is reminded. No points expire earlier after the "
        "reminder, nor after this rule is switched on.",
    )
    lifecycle_reminder = fields.Selection(
        [
            ("email", "E-mail to the customer"),
            ("activity", "Activity for the salesperson"),
            ("none", "No reminder"),
        ],
        string="Reminder",
        default="email",
        required=True,
        help="E-mails keep to consent and to the number of messages of the settings. Who may not "
        "be written to becomes an activity for his salesperson.",
    )
    lifecycle_reminder_template_id = fields.Many2one(
        "mail.template",
        string="Reminder E-mail",
        domain="[('model', 'in', ('lifecycle.profile', 'res.partner'))]",
        default=lambda self: self._default_lifecycle_reminder_template(),
        ondelete="restrict",
    )
    lifecycle_expiry_day = fields.Date(readonly=True, copy=False)
    lifecycle_has_foreign_conditions = fields.Boolean(
        compute="_compute_lifecycle_has_foreign_conditions"
    )
    lifecycle_waiting_count = fields.Integer(
        compute="_compute_lifecycle_counts", compute_sudo=True
    )
    lifecycle_member_count = fields.Integer(
        compute="_compute_lifecycle_counts", compute_sudo=True
    )
    lifecycle_problem_count = fields.Integer(
        compute="_compute_lifecycle_counts", compute_sudo=True
    )
    lifecycle_cost = fields.Monetary(
        string="Cost", compute="_compute_lifecycle_cost", currency_field="lifecycle_currency_id",
        groups=MANAGER,
    )
    lifecycle_currency_id = fields.Many2one("res.currency", compute="_compute_lifecycle_cost")

    _lifecycle_expiry_months_positive = models.Constraint(
        "CHECK (lifecycle_expiry_months >= 0 AND lifecycle_notice_days >= 0)",
        "Months and days must not be negative.",
    )
    _lifecycle_welcome_positive = models.Constraint(
        "CHECK (lifecycle_welcome_points >= 0)", "The welcome bonus must not be negative."
    )

    def init(self):
        preset_in_database(self)
        return super().init()

    @api.model
    def _default_lifecycle_reminder_template(self):
        return self.env.ref(
            "customer_lifecycle.mail_template_points_expiry", raise_if_not_found=False
        )

    @api.constrains("lifecycle_auto_card", "program_type", *CONDITIONS)
    def _check_lifecycle_auto_card(self):
        for program in self.filtered("lifecycle_auto_card"):
            if program.program_type != "loyalty":
                raise ValidationError(
                    self.env._(
                        "“%s” is no loyalty card program: only their cards can be given "
                        "automatically.",
                        program.name,
                    )
                )
            if not any(program[name] for name in CONDITIONS):
                raise ValidationError(
                    self.env._(
                        "“%s”: choose a stage, VIP tier or segment whose customers get a card "
                        "automatically.",
                        program.name,
                    )
                )

    @api.constrains("lifecycle_expiry_months", "lifecycle_reminder",
                    "lifecycle_reminder_template_id")
    def _check_lifecycle_reminder(self):
        for program in self:
            if program.lifecycle_expiry_months and program.lifecycle_reminder == "email" and (
                program.lifecycle_reminder_template_id.model
                not in ("lifecycle.profile", "res.partner")
            ):
                raise ValidationError(
                    self.env._(
                        "“%s”: choose the e-mail that reminds customers of expiring points.",
                        program.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        programs = super().create(vals_list)
        programs._lifecycle_wake()
        return programs

    def write(self, vals):
        result = super().write(vals)
        if {"lifecycle_expiry_months", "lifecycle_notice_days"} & vals.keys():
            # looked at today already, with the former rule
            super().write({"lifecycle_expiry_day": False})
            self._lifecycle_wake()
        elif {"active", "lifecycle_auto_card", *CONDITIONS} & vals.keys():
            self._lifecycle_wake()
        return result

    def _lifecycle_wake(self):
        if self.filtered(lambda one: one.lifecycle_auto_card or one.lifecycle_expiry_months):
            self.env["lifecycle.loyalty.member"]._wake()

    # ----- CONDITIONS -----

    @api.model
    def _lifecycle_refused(self, customer, company):
        """Ids of the programs whose conditions a customer does not meet.

        Asked of the tables, whoever asks: a stage or tier that he may not see is a condition
        all the same.

        :param customer: commercial partner, may be empty or the shop's visitor
        """
        self.env["lifecycle.profile"].flush_model(
            ["partner_id", "company_id", "stage_id", "vip_tier_id", "active"]
        )
        self.flush_model(["company_id"])
        # what the head office says of a customer holds in its branches: a tier or segment of its
        # own, and a stage or segment of everybody for the programs that are its own
        self.env.cr.execute(
            SQL(
                """WITH profile AS MATERIALIZED (
                       SELECT id, company_id, stage_id, vip_tier_id FROM lifecycle_profile
                        WHERE partner_id = %(customer)s AND company_id = ANY(%(above)s) AND active
                   ), program AS NOT MATERIALIZED (
                       SELECT id, CASE WHEN company_id = ANY(%(above)s) THEN company_id
                                       ELSE %(company)s END AS company_id
                         FROM loyalty_program
                   )
                   SELECT rel.program_id FROM %(stages)s rel
                     JOIN program ON program.id = rel.program_id
                     LEFT JOIN profile ON profile.company_id = program.company_id
                    GROUP BY rel.program_id
                   HAVING NOT COALESCE(BOOL_OR(rel.stage_id = profile.stage_id), FALSE)
                   UNION
                   SELECT program_id FROM %(tiers)s GROUP BY program_id
                   HAVING NOT COALESCE(BOOL_OR(tier_id IN (
                       SELECT vip_tier_id FROM profile)), FALSE)
                   UNION
                   SELECT rel.program_id FROM %(segments)s rel
                     JOIN program ON program.id = rel.program_id
                     JOIN lifecycle_segment segment ON segment.id = rel.segment_id
                     LEFT JOIN profile
                       ON profile.company_id = COALESCE(segment.company_id, program.company_id)
                     LEFT JOIN lifecycle_segment_member member
                       ON member.profile_id = profile.id AND member.segment_id = rel.segment_id
                    GROUP BY rel.program_id
                   HAVING NOT BOOL_OR(member.profile_id IS NOT NULL)""",
                customer=customer.id or 0,
                company=company.id,
                above=company._lifecycle_above().ids if company else [],
                stages=SQL.identifier(STAGES),
                tiers=SQL.identifier(TIERS),
                segments=SQL.identifier(SEGMENTS),
            )
        )
        return {row[0] for row in self.env.cr.fetchall()}

    def _lifecycle_condition_text(self):
        """The program's conditions, for colleagues."""
        self.ensure_one()
        program = self.sudo()
        parts = [
            (self.env._("stage"), program.lifecycle_stage_ids),
            (self.env._("VIP tier"), program.lifecycle_tier_ids),
            (self.env._("segment"), program.lifecycle_segment_ids),
        ]
        return "; ".join(
            f"{label}: {', '.join(records.mapped('display_name'))}"
            for label, records in parts
            if records
        )

    def _lifecycle_companies(self):
        """Companies whose customers may have the program's cards."""
        self.ensure_one()
        companies = self.env["res.company"]._lifecycle_companies()
        if not self.company_id:
            return companies
        return companies.filtered_domain([("id", "child_of", self.company_id.id)])

    def _lifecycle_waiting_sql(self):
        """From and where of the profiles of customers who are to get a card and have none.

        A customer whose card was deleted does not get another one.
        """
        self.ensure_one()
        program = self.sudo()
        conditions = [SQL("TRUE")]
        if program.lifecycle_stage_ids:
            conditions.append(SQL("profile.stage_id = ANY(%s)", program.lifecycle_stage_ids.ids))
            if program.company_id:
                # whoever is new in a branch may be an old customer of its head office
                conditions.append(SQL("profile.company_id = %s", program.company_id.id))
        if program.lifecycle_tier_ids:
            conditions.append(SQL("profile.vip_tier_id = ANY(%s)", program.lifecycle_tier_ids.ids))
        if program.lifecycle_segment_ids:
            conditions.append(
                SQL(
                    "profile.id IN (SELECT profile_id FROM lifecycle_segment_member "
                    "WHERE segment_id = ANY(%s))",
                    program.lifecycle_segment_ids.ids,
                )
            )
        return SQL(
            """FROM lifecycle_profile profile
               JOIN res_partner customer ON customer.id = profile.partner_id
              WHERE profile.active AND customer.active
                AND customer.lifecycle_exclude IS NOT TRUE
                AND profile.company_id = ANY(%(companies)s) AND %(conditions)s
                AND NOT EXISTS (SELECT FROM lifecycle_loyalty_member member
                                 WHERE member.program_id = %(program)s
                                   AND member.partner_id = profile.partner_id)
                AND NOT EXISTS (SELECT FROM loyalty_card card
                                  JOIN res_partner holder ON holder.id = card.partner_id
                                 WHERE card.program_id = %(program)s
                                   AND holder.commercial_partner_id = profile.partner_id)""",
            companies=program._lifecycle_companies().ids,
            conditions=SQL(" AND ").join(conditions),
            program=program.id,
        )

    def _lifecycle_gives_cards(self):
        """Those that give cards today."""
        today = fields.Date.context_today(self)
        return self.filtered(
            lambda one: one.active
            and one.lifecycle_auto_card
            and one.program_type == "loyalty"
            and (not one.date_from or one.date_from <= today)
            and (not one.date_to or one.date_to >= today)
        )

    @api.depends_context("uid", "allowed_company_ids")
    @api.depends(*CONDITIONS)
    def _compute_lifecycle_has_foreign_conditions(self):
        """Whether there are conditions that the reader does not see."""
        for program in self:
            chosen = program._origin
            program.lifecycle_has_foreign_conditions = any(
                # sudo: only whether there are more
                len(chosen.sudo()[name]) > len(chosen[name]._filtered_access("read"))
                for name in CONDITIONS
            )

    @api.depends_context("uid")
    @api.depends("lifecycle_auto_card", "active", "date_from", "date_to", *CONDITIONS)
    def _compute_lifecycle_counts(self):
        self.lifecycle_waiting_count = 0
        if not self.env.user._is_superuser() and not self.env.user.has_group(ALL_DOCUMENTS):
            # how many customers there are is not for who sees his own only
            self.lifecycle_member_count = self.lifecycle_problem_count = 0
            return
        members = self.env["lifecycle.loyalty.member"]
        counts = dict(
            members._read_group([("program_id", "in", self.ids)], ["program_id"], ["__count"])
        )
        problems = dict(
            members._read_group(
                [("program_id", "in", self.ids), ("problem", "!=", False)],
                ["program_id"],
                ["__count"],
            )
        )
        for program in self:
            program.lifecycle_member_count = counts.get(program._origin, 0)
            program.lifecycle_problem_count = problems.get(program._origin, 0)
        for program in self._origin._lifecycle_gives_cards():
            self.env["lifecycle.profile"].flush_model()
            self.env.cr.execute(
                SQL(
                    "SELECT COUNT(DISTINCT profile.partner_id) %s",
                    program._lifecycle_waiting_sql(),
                )
            )
            program.lifecycle_waiting_count = self.env.cr.fetchone()[0]

    def action_lifecycle_members(self):
        """Open who has joined."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "customer_lifecycle.lifecycle_loyalty_member_action"
            ),
            "domain": [("program_id", "=", self.id)],
            "display_name": self.env._("Joined %s", self.name),
            "context": {"search_default_problem": self.env.context.get("problem", False)},
        }

    # ----- POINTS -----

    def _lifecycle_multiplier(self, customer, company):
        """The record that multiplies a customer's points, or empty."""
        self.ensure_one()
        # sudo: whoever sells need not see the tier that the customer's points come from
        multipliers = self.sudo().lifecycle_multiplier_ids.filtered(lambda one: one.factor != 1)
        if self.program_type != "loyalty" or not multipliers:
            return multipliers.browse()
        profile = self.env["lifecycle.profile"].sudo().search(
            [
                ("partner_id", "=", customer.id),
                ("company_id", "=", company._lifecycle_tier_company().id),
            ]
        )
        return multipliers.filtered(lambda one: one.tier_id == profile.vip_tier_id)

    # ----- COST -----

    @api.depends_context("company")
    def _compute_lifecycle_cost(self):
        self.lifecycle_currency_id = self.env.company.currency_id
        costs = {}
        if self._origin and self.env["lifecycle.loyalty.cost"].has_access("read"):
            self.env.flush_all()
            costs = dict(
                self.env["lifecycle.loyalty.cost"]._read_group(
                    [("program_id", "in", self._origin.ids)], ["program_id"], ["cost:sum"]
                )
            )
        for program in self:
            program.lifecycle_cost = costs.get(program._origin, 0)

    def action_view_lifecycle_cost(self):
        """Open the orders behind the cost of this programme."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_loyalty_cost_action"
        )
        return {
            **action,
            "display_name": self.env._("Cost of %s", self.display_name),
            "domain": [("program_id", "=", self.id)],
        }


class LifecycleLoyaltyMultiplier(models.Model):
    """How many times the points customers of one VIP tier get."""

    _name = "lifecycle.loyalty.multiplier"
    _description = "Points of a VIP Tier"
    _order = "program_id, tier_id"
    _rec_name = "tier_id"

    program_id = fields.Many2one("loyalty.program", required=True, ondelete="cascade", index=True)
    tier_id = fields.Many2one(
        "lifecycle.vip.tier", string="VIP Tier", required=True, ondelete="cascade", index=True
    )
    factor = fields.Float(
        string="Times the Points", required=True, default=1.5, digits=(6, 2),
        help="1.5: an order that gives 100 points gives 150.",
    )

    _tier_unique = models.UniqueIndex(
        "(program_id, tier_id)", "Each VIP tier can be there once only."
    )
    _factor_positive = models.Constraint(
        "CHECK (factor > 0)", "Points can be multiplied by more than 0 only."
    )

    @api.constrains("tier_id", "program_id")
    def _check_stays_his(self):
        rights.check_stays_his(self)
