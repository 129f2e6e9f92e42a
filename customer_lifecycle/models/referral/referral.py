"""A recommendation from its beginning to its reward or refusal.

In: contacts whose recommending contact was set, by a person, a link or a code. Out: a record for
each friend, a welcome coupon, refusals with their reason. Called when contacts are made or
changed; managers accept and refuse by buttons.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.context import own
from ..vip.vip_benefit import QUIET

STATES = [
    ("joined", "Came through"),
    ("ordered", "Has ordered"),
    ("waiting", "Paid, reward waits"),
    ("rewarded", "Rewarded"),
    ("refused", "No reward"),
]
OPEN = ("joined", "ordered", "waiting")
HOWS = [
    ("link", "Followed the link"),
    ("code", "Gave the code"),
    ("lead", "Through an opportunity"),
    ("contact", "Chosen by a person"),
]
REASONS = [
    ("self", "The same customer"),
    ("email", "Same e-mail address"),
    ("phone", "Same phone number"),
    ("vat", "Same tax number"),
    ("address", "Same address"),
    ("bank", "Same bank account"),
    ("excluded", "A colleague or excluded contact"),
    ("bought", "Was a customer before"),
    ("not_allowed", "May not take part"),
    ("replaced", "Somebody else was named"),
    ("removed", "Taken out by hand"),
    ("merged", "Contacts were merged"),
    ("manual", "Refused by a manager"),
]
#: reasons that no manager can overrule
FINAL = ("self", "replaced", "removed", "merged")


class LifecycleReferral(models.Model):
    """One customer brought by another; never deleted, at most one under way for each friend."""

    _name = "lifecycle.referral"
    _description = "Recommendation"
    _order = "date desc, id desc"

    program_id = fields.Many2one(
        "lifecycle.referral.program", required=True, readonly=True, ondelete="restrict",
        index=True,
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    advocate_id = fields.Many2one(
        "res.partner",
        string="Recommended By",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    contact_id = fields.Many2one(
        "res.partner",
        string="Person",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="Who of the recommending customer it was.",
    )
    friend_id = fields.Many2one(
        "res.partner",
        string="New Customer",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    how = fields.Selection(HOWS, required=True, readonly=True)
    date = fields.Datetime(
        string="Came On", required=True, readonly=True, default=fields.Datetime.now
    )
    state = fields.Selection(STATES, required=True, readonly=True, default="joined")
    reason = fields.Selection(REASONS, string="Why No Reward", readonly=True)
    accepted_id = fields.Many2one(
        "res.users", string="Accepted By", readonly=True, index="btree_not_null"
    )
    order_model = fields.Char(readonly=True)
    order_id = fields.Many2oneReference(
        model_field="order_model", readonly=True, aggregator=None
    )
    order_name = fields.Char(
        string="First Order", compute="_compute_order_name", compute_sudo=False
    )
    date_order = fields.Datetime(string="Ordered On", readonly=True)
    date_paid = fields.Date(
        string="Paid On", readonly=True, help="Day on which the payment was noticed."
    )
    date_due = fields.Date(
        string="Reward Due", compute="_compute_date_due", help="Payment plus the waiting days."
    )
    date_rewarded = fields.Datetime(string="Rewarded On", readonly=True)
    card_id = fields.Many2one(
        "loyalty.card", string="Reward Card", readonly=True, index="btree_not_null"
    )
    points = fields.Float(readonly=True)
    recipient_id = fields.Many2one(
        "res.partner", string="Given To", readonly=True, index="btree_not_null"
    )
    friend_card_id = fields.Many2one(
        "loyalty.card", string="Welcome Coupon", readonly=True, index="btree_not_null"
    )
    problem = fields.Char(readonly=True, help="Why the reward could not be given; tried again.")

    # one under way or rewarded: nobody is brought twice
    _friend_unique = models.UniqueIndex("(friend_id, company_id) WHERE state <> 'refused'")
    _open_idx = models.Index(
        "(company_id, state) WHERE state IN ('joined', 'ordered', 'waiting')"
    )

    # ----- COMPUTE -----

    @api.depends("advocate_id", "friend_id")
    def _compute_display_name(self):
        for referral in self:
            referral.display_name = self.env._(
                "%(friend)s, recommended by %(advocate)s",
                friend=referral.friend_id.display_name,
                advocate=referral.advocate_id.display_name,
            )

    @api.depends("date_paid", "state", "program_id.waiting_days")
    def _compute_date_due(self):
        for referral in self:
            referral.date_due = referral.state == "waiting" and fields.Date.add(
                referral.date_paid, days=referral.program_id.waiting_days
            )

    @api.depends("order_model", "order_id")
    def _compute_order_name(self):
        for referral in self:
            model = self.env.get(referral.order_model or "")
            order = model is not None and model.browse(referral.order_id).exists()
            referral.order_name = bool(order) and (
                order.display_name
                if order.has_access("read")
                else self.env._("An order that you may not open")
            )

    def _mail_get_partner_fields(self, introspect_fields=False):
        """Templates of recommendations are for whoever gets the reward."""
        return ["recipient_id"]

    # ----- JOINING -----

    @api.model
    def _join(self, friends, how="contact"):
        """Note who was brought by whom, as their contacts say now.

        :param friends: contacts whose recommending contact has been set or changed
        """
        self = self.sudo().with_context(**QUIET)
        brought, programs = {}, self.env["lifecycle.referral.program"]
        for friend in friends.sudo():
            customer = friend.commercial_partner_id
            company = customer.company_id or self.env.company
            # in a branch the programme of its head office holds
            company = programs._current(company).company_id or company
            brought.setdefault(company, {})[customer] = (
                customer.lifecycle_referred_by_id or friend.lifecycle_referred_by_id
            )
        for company, pairs in brought.items():
            self.with_company(company)._join_company(company, pairs, how)

    @api.model
    def _join_company(self, company, pairs, how):
        """Note the recommendations of some customers.

        :param pairs: dict customer → recommending contact, or empty where it was taken out
        """
        friends = self.env["res.partner"].union(*pairs)
        known = self.search([("friend_id", "in", friends.ids), ("company_id", "=", company.id)])
        known = known.grouped("friend_id")
        program = self.env["lifecycle.referral.program"]._current(company)
        values = []
        for friend, contact in pairs.items():
            before = known.get(friend, self.browse())
            advocate = contact.commercial_partner_id
            present = before.filtered(lambda one: one.state in OPEN)
            if (
                any(one.state == "rewarded" for one in before)
                or (advocate and present.advocate_id == advocate)
                or (not present and self._was_judged(before, advocate))
            ):
                continue
            coupon = present.friend_card_id
            if coupon and advocate:
                present.friend_card_id = False
            present._refuse("replaced" if advocate else "removed")
            if advocate and program:
                values.append(
                    {
                        "program_id": program.id,
                        "company_id": company.id,
                        "advocate_id": advocate.id,
                        "contact_id": contact.id,
                        "friend_id": friend.id,
                        "friend_card_id": coupon.id,
                        "how": how,
                    }
                )
        made = self.create(values)
        made._check_allowed()
        made._judge()
        made.filtered(lambda one: one.state == "joined")._welcome()

    @api.model
    def _was_judged(self, before, advocate):
        """Whether the same two have been refused before, for what still holds."""
        return any(
            one.advocate_id == advocate and one.reason not in ("replaced", "removed")
            for one in before
        )

    def _check_allowed(self):
        """Refuse those whom the programme does not let recommend."""
        allowed = self.env["lifecycle.referral.program"]._may_recommend(self.advocate_id)
        self.filtered(
            lambda one: one.advocate_id not in allowed and not one.advocate_id.lifecycle_exclude
        )._refuse("not_allowed")

    def _welcome(self):
        """Give each new customer the coupon for the first order."""
        cards = self.env["loyalty.card"].sudo().with_context(
            loyalty_no_mail=True, action_no_send_mail=True
        )
        for referral in self.filtered(
            lambda one: not one.friend_card_id and one.program_id.friend_program_id.active
        ):
            program = referral.program_id
            referral.friend_card_id = cards.create(
                {
                    "program_id": program.friend_program_id.id,
                    "partner_id": referral.friend_id.id,
                    "points": program.friend_points,
                    "history_ids": [
                        fields.Command.create(
                            {
                                "description": self.env._("Welcome"),
                                "issued": program.friend_points,
                            }
                        )
                    ],
                }
            )

    def _refuse(self, reason):
        """End some recommendations without a reward; unused welcome coupons are withdrawn."""
        if not self:
            return
        self.write({"state": "refused", "reason": reason, "problem": False})
        # the place of these is free for others, also in the database
        self.flush_recordset()
        coupons = self.friend_card_id
        used = self.env["sale.order.line"].sudo().search([("coupon_id", "in", coupons.ids)])
        (coupons - used.coupon_id).action_archive()
        # what the link says was wrong; what a person has chosen is left to people
        for referral in self.filtered(lambda one: one.how != "contact"):
            friend = referral.friend_id
            if friend.lifecycle_referred_by_id.commercial_partner_id == referral.advocate_id:
                friend.with_context(lifecycle_referral_settled=own()).write(
                    {"lifecycle_referred_by_id": False}
                )

    # ----- ACTIONS -----

    def action_refuse(self):
        """Take a reward that has not been given yet away."""
        self._check_manager()
        self.check_access("read")
        if any(referral.state not in OPEN for referral in self):
            raise UserError(self.env._("Only recommendations under way can be refused."))
        self.sudo()._refuse("manual")

    def action_accept(self):
        """Let a refused recommendation count, on the responsibility of whoever does it."""
        self._check_manager()
        # those of another company are not his
        self.check_access("read")
        for referral in self.sudo():
            if referral.state != "refused":
                continue
            if referral.reason in FINAL:
                raise UserError(
                    self.env._(
                        "This cannot be accepted: %s.",
                        dict(self._fields["reason"]._description_selection(self.env))[
                            referral.reason
                        ],
                    )
                )
            if self.sudo().search_count(
                [
                    ("friend_id", "=", referral.friend_id.id),
                    ("company_id", "=", referral.company_id.id),
                    ("state", "!=", "refused"),
                ]
            ):
                raise UserError(
                    self.env._(
                        "Another recommendation of %s counts already.",
                        referral.friend_id.display_name,
                    )
                )
            referral.write(
                {"state": "joined", "reason": False, "accepted_id": self.env.uid}
            )
            referral.friend_card_id.filtered(lambda card: not card.active).action_unarchive()
            if not referral.friend_id.lifecycle_referred_by_id:
                referral.friend_id.with_context(lifecycle_referral_settled=own()).write(
                    {
                        "lifecycle_referred_by_id": (
                            referral.contact_id or referral.advocate_id
                        ).id
                    }
                )

    @api.model
    def _check_manager(self):
        self.env["lifecycle.referral.program"].check_access("write")

    def action_open_order(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.order_model,
            "res_id": self.order_id,
            "views": [(False, "form")],
        }
