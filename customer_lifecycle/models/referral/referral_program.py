"""The terms of a company's referral program, and which customers may recommend.

In: what a sales manager enters. Out: the program that holds in a company or its head office, and
those of some customers whom it admits. Asked by the invitation link, codes, the portal, orders
and new recommendations.
"""

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...tools import rights

#: programmes that keep points on one card, and those that make a card for each reward
POINT_PROGRAMS = ("loyalty", "ewallet")
COUPON_PROGRAMS = ("coupons", "next_order_coupons", "gift_card")
FRIEND_PROGRAMS = ("coupons",)


class LifecycleReferralProgram(models.Model):
    """What a company gives for bringing a new customer, to whom, and when."""

    _name = "lifecycle.referral.program"
    _description = "Referral Program"
    _order = "company_id, id desc"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(
        default=True,
        help="Archived: no new recommendations. Those under way still get their reward.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    advocate_program_id = fields.Many2one(
        "loyalty.program",
        string="Reward Program",
        required=True,
        ondelete="restrict",
        domain="[('program_type', 'in', ['loyalty', 'ewallet', 'coupons', 'next_order_coupons', "
        "'gift_card']), ('company_id', 'in', [company_id, False])]",
        help="A loyalty card or an eWallet gets points, a coupon or gift card program makes a "
        "new coupon.",
    )
    advocate_points = fields.Float(
        string="Points",
        default=1,
        required=True,
        help="Points on the card. For coupons: what the coupon is worth, usually 1.",
    )
    friend_program_id = fields.Many2one(
        "loyalty.program",
        string="Welcome Coupon",
        ondelete="restrict",
        domain="[('program_type', '=', 'coupons'), ('company_id', 'in', [company_id, False])]",
        help="Whoever comes through a recommendation gets a coupon of this program for the first "
        "order. Leave empty to give nothing.",
    )
    friend_points = fields.Float(string="Coupon Points", default=1, required=True)
    waiting_days = fields.Integer(
        default=14,
        required=True,
        help="Days between payment and reward. If the order is credited in full in the meantime, "
        "nothing is given; a later paid order counts instead. What was given is not taken back.",
    )
    link_days = fields.Integer(
        string="Link Remembered (days)",
        default=30,
        required=True,
        help="How long a visitor who followed a link still counts as recommended.",
    )
    landing_page = fields.Char(
        help="Page of your site that the link leads to, for example /shop. Empty: the home page "
        "of your site, or the page to sign up or log in where there is no site.",
    )
    stage_ids = fields.Many2many(
        "lifecycle.stage",
        "lifecycle_referral_program_stage_rel",
        "program_id",
        "stage_id",
        string="Only These Stages",
        help="Which customers may recommend. Empty: all.",
    )
    tier_ids = fields.Many2many(
        "lifecycle.vip.tier",
        "lifecycle_referral_program_tier_rel",
        "program_id",
        "tier_id",
        string="Only These VIP Tiers",
        domain="[('company_id', '=', company_id)]",
        help="Which customers may recommend. Empty: all.",
    )
    mail_template_id = fields.Many2one(
        "mail.template",
        string="E-mail about the Reward",
        domain="[('model', '=', 'lifecycle.referral')]",
        default=lambda self: self.env.ref(
            "customer_lifecycle.mail_template_referral_reward", raise_if_not_found=False
        ),
        help="Tells the customer of the reward. Nobody who has unsubscribed gets it. Leave empty "
        "to send nothing.",
    )
    referral_ids = fields.One2many("lifecycle.referral", "program_id")
    referral_count = fields.Integer(compute="_compute_referral_counts")
    rewarded_count = fields.Integer(compute="_compute_referral_counts")

    _company_active_unique = models.UniqueIndex(
        "(company_id) WHERE active",
        "A company has one referral program at a time: archive the other one first.",
    )
    _amounts_positive = models.Constraint(
        "CHECK (advocate_points > 0 AND friend_points > 0)",
        "Enter points above 0.",
    )
    _days_range = models.Constraint(
        "CHECK (waiting_days BETWEEN 0 AND 365 AND link_days BETWEEN 0 AND 365)",
        "Choose between 0 and 365 days.",
    )

    @api.constrains("advocate_program_id", "friend_program_id", "company_id")
    def _check_programs(self):
        for program in self:
            for chosen, types in (
                (program.advocate_program_id, POINT_PROGRAMS + COUPON_PROGRAMS),
                (program.friend_program_id, FRIEND_PROGRAMS),
            ):
                if not chosen:
                    continue
                if chosen.program_type not in types:
                    raise ValidationError(
                        self.env._(
                            "“%s” cannot be given as a reward here: choose a program with cards "
                            "or coupons.",
                            chosen.name,
                        )
                    )
                if chosen.company_id and chosen.company_id != program.company_id:
                    raise ValidationError(
                        self.env._("“%s” belongs to another company.", chosen.name)
                    )

    @api.constrains("company_id")
    def _check_stays_his(self):
        rights.check_stays_his(self)

    @api.constrains("landing_page")
    def _check_landing_page(self):
        for program in self:
            page = program.landing_page
            if page and (not page.startswith("/") or page.startswith(("//", "/\\"))):
                raise ValidationError(
                    self.env._("Enter a page of your own site, beginning with one “/”.")
                )

    def _compute_referral_counts(self):
        counts = {}
        for program, state, count in self.env["lifecycle.referral"]._read_group(
            [("program_id", "in", self.ids)], ["program_id", "state"], ["__count"]
        ):
            counts.setdefault(program, {})[state] = count
        for program in self:
            states = counts.get(program, {})
            program.referral_count = sum(states.values())
            program.rewarded_count = states.get("rewarded", 0)

    def action_view_referrals(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "customer_lifecycle.lifecycle_referral_action"
            ),
            "domain": [("program_id", "=", self.id)],
        }

    # ----- WHO MAY RECOMMEND -----

    @api.model
    def _current(self, company):
        """The programme that new recommendations in a company belong to, or empty."""
        # that of the head office holds in branches without one of their own
        above = company._lifecycle_above() if company else company
        programs = self.sudo().search([("company_id", "in", above.ids)]).grouped("company_id")
        return next((programs[one][:1] for one in above if one in programs), self.browse())

    @api.model
    def _may_recommend(self, partners):
        """Those of some customers (commercial partners) who may recommend us in this company."""
        program = self._current(self.env.company)
        if not program:
            return partners.browse()
        family = {False, *program.company_id._lifecycle_family().ids}
        partners = partners.sudo().filtered(
            lambda partner: partner.active
            and not partner.lifecycle_exclude
            and partner.company_id.id in family
        )
        if not program.stage_ids and not program.tier_ids:
            return partners
        domain = Domain("partner_id", "in", partners.ids)
        domain &= Domain("company_id", "=", program.company_id.id)
        if program.stage_ids:
            domain &= Domain("stage_id", "in", program.stage_ids.ids)
        if program.tier_ids:
            domain &= Domain("vip_tier_id", "in", program.tier_ids.ids)
        return self.env["lifecycle.profile"].sudo().search(domain).partner_id
