"""Carts left behind in the web shop, as an occasion for a workflow.

In: draft orders of a website that nobody has touched for some hours. Out: who enters and whether
the cart is still open, the person to be written to, and link and lines for the e-mail. Extends
triggers, work and e-mails where the trigger is a cart; without the shop's app it stays asleep.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ...tools.context import own
from ...tools.messages import Message

#: a cart that was begun longer ago is forgotten, not left behind
CART_DAYS = 60


class LifecycleWorkflow(models.Model):
    """Beginning with a cart that a known customer has left in the web shop."""

    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    cart_hours = fields.Integer(
        string="Left For (hours)",
        default=10,
        tracking=True,
        help="So long nothing has been put into the cart, and it has not been ordered.",
    )
    asleep_text = fields.Char(compute="_compute_asleep_text")

    _cart_hours_range = models.Constraint(
        "CHECK (cart_hours >= 1)", "A cart must have been left for at least one hour."
    )

    @api.constrains("cart_hours", "trigger")
    def _check_cart_hours(self):
        for workflow in self:
            if workflow.trigger == "cart" and workflow.cart_hours > CART_DAYS * 24:
                raise ValidationError(
                    self.env._(
                        "“%(name)s”: a cart is forgotten after %(days)s days. Choose at most "
                        "%(hours)s hours.",
                        name=workflow.name,
                        days=CART_DAYS,
                        hours=CART_DAYS * 24,
                    )
                )

    @api.model
    def _has_carts(self):
        """Whether there is a web shop: its orders say through which website they came."""
        return "website_id" in self.env["sale.order"]._fields

    @api.depends("trigger")
    @api.depends_context("lang")
    def _compute_asleep_text(self):
        for workflow in self:
            workflow.asleep_text = (
                workflow.trigger == "cart"
                and not self._has_carts()
                and self.env._(
                    "Nobody can enter: carts come with the app eCommerce. Install it, or choose "
                    "another beginning."
                )
            )

    def action_start(self):
        if self.asleep_text:
            raise UserError(self.asleep_text)
        return super().action_start()

    def _start(self, everybody=False):
        for workflow in self:
            if workflow.asleep_text:
                raise UserError(workflow.asleep_text)
        return super()._start(everybody=everybody)

    # ----- WHO ENTERS -----

    def _left_carts_sql(self, company, days=CART_DAYS):
        """SQL of open carts with something in them: id, customer, person, last touched."""
        if not self._has_carts():
            return SQL(
                "SELECT 0 AS id, 0 AS partner_id, 0 AS person_id, NULL::timestamp AS touched "
                "WHERE FALSE"
            )
        return SQL(
            """SELECT cart.id, person.commercial_partner_id AS partner_id,
                      person.id AS person_id, filled.touched
                 FROM sale_order cart
                 JOIN res_partner person ON person.id = cart.partner_id
                 JOIN LATERAL (
                      SELECT GREATEST(cart.date_order, MAX(line.write_date)) AS touched
                        FROM sale_order_line line
                       WHERE line.order_id = cart.id AND line.display_type IS NULL
                         AND line.product_uom_qty > 0 AND line.is_delivery IS NOT TRUE
                      HAVING COUNT(*) > 0) filled ON TRUE
                WHERE cart.website_id IS NOT NULL AND cart.state = 'draft'
                  AND cart.company_id = %(company)s AND cart.date_order > %(begun)s
                  AND NOT EXISTS (
                      SELECT FROM sale_order bought
                       WHERE bought.partner_id = cart.partner_id AND bought.state = 'sale'
                         AND bought.date_order >= cart.date_order)""",
            company=company.id,
            begun=fields.Datetime.subtract(fields.Datetime.now(), days=days),
        )

    def _dated_sql(self, company, everybody=False):
        if self.trigger != "cart":
            return super()._dated_sql(company, everybody)
        now = fields.Datetime.now()
        since = self.date_since or now
        if self.date_scanned:
            # what the server slept through is caught up for a day, not longer
            since = max(since, fields.Datetime.subtract(self.date_scanned, days=1))
        if everybody:
            since = fields.Datetime.subtract(now, days=CART_DAYS)
        # where the shop itself has sent a reminder there is no second one
        reminded = (
            SQL(
                "(SELECT cart.cart_recovery_email_sent FROM sale_order cart "
                "WHERE cart.id = left_cart.id)"
            )
            if self._has_carts()
            else SQL("FALSE")
        )
        return SQL(
            """SELECT DISTINCT ON (profile.id) profile.id, 'cart:' || left_cart.id AS episode
                 FROM (%(carts)s) left_cart
                 JOIN lifecycle_profile profile ON profile.partner_id = left_cart.partner_id
                  AND profile.company_id = %(company)s
                WHERE left_cart.touched + %(hours)s BETWEEN %(since)s AND %(now)s
                  AND %(reminded)s IS NOT TRUE
                ORDER BY profile.id, left_cart.touched DESC, left_cart.id DESC""",
            carts=self._left_carts_sql(company),
            company=company.id,
            hours=SQL("make_interval(hours => %s)", self.cart_hours),
            since=since,
            now=now,
            reminded=reminded,
        )

    # ----- WHILE ON THE WAY -----

    def _still_holds(self, profiles, company):
        """Carts that are still open, and of which nobody else has reminded the customer."""
        if self.trigger != "cart":
            return super()._still_holds(profiles, company)
        if not self._has_carts():
            return set()
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """SELECT profile.id, 'cart:' || left_cart.id
                     FROM (%(carts)s) left_cart
                     JOIN sale_order cart ON cart.id = left_cart.id
                     JOIN lifecycle_profile profile ON profile.partner_id = left_cart.partner_id
                      AND profile.id = ANY(%(profiles)s)
                    WHERE cart.cart_recovery_email_sent IS NOT TRUE
                       OR EXISTS (
                          SELECT FROM lifecycle_workflow_enrollment enrollment
                            JOIN lifecycle_workflow_delivery delivery
                              ON delivery.enrollment_id = enrollment.id
                             AND delivery.kind = 'email' AND delivery.state = 'done'
                           WHERE enrollment.workflow_id = %(workflow)s
                             AND enrollment.profile_id = profile.id
                             AND enrollment.episode = 'cart:' || left_cart.id)""",
                carts=self._left_carts_sql(company, days=2 * CART_DAYS),
                profiles=profiles.ids,
                workflow=self.id,
            )
        )
        return set(self.env.cr.fetchall())

    def _decide(self, profiles, company):
        """Whom the workflow would write to at all, or why not: dict profile id → ``Decision``."""
        consent = self.env["lifecycle.consent"]
        if self.trigger == "cart":
            people = self._cart_people(profiles, company)
            consent = consent.with_context(**self._people_context(people))
        return consent._decide_customers(Message(company, is_leaving=True), profiles)

    def _cart_warnings(self):
        """Sentences on web shops that remind of carts by themselves."""
        if self.trigger != "cart" or not self._has_carts():
            return []
        # sudo: sales administrators need not see the settings of websites
        shops = self.env["website"].sudo().search([("send_abandoned_cart_email", "=", True)])
        return [
            self.env._(
                "The web shop “%s” sends a reminder of its own; whoever gets that first gets no "
                "second one. Switch it off in the website's settings.",
                shop.name,
            )
            for shop in shops
        ]

    def _people_context(self, people):
        """Context that makes messages go to the persons who filled the carts, nobody else.

        :param people: dict commercial partner id → list of contact ids
        """
        return {"lifecycle_people": own(people)} if self.trigger == "cart" else {}

    def _cart_people(self, profiles, company):
        """Dict commercial partner id → who left the newest cart, for the preview."""
        self.env.cr.execute(
            SQL(
                """SELECT DISTINCT ON (partner_id) partner_id, person_id FROM (%s) left_cart
                    WHERE partner_id = ANY(%s) ORDER BY partner_id, touched DESC, id DESC""",
                self._left_carts_sql(company),
                profiles.sudo().partner_id.ids,
            )
        )
        return {customer: [person] for customer, person in self.env.cr.fetchall()}


class LifecycleWorkflowEnrollment(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.workflow.enrollment"  # pylint: disable=consider-merging-classes-inherited

    def _carts(self):
        """Dict enrolment id → cart that the customer entered for, deleted ones left out."""
        ids = {one.id: int(one.episode.split(":")[1]) for one in self
               if one.episode.startswith("cart:")}
        carts = self.env["sale.order"].sudo().browse(ids.values()).exists()
        return {key: carts.browse(cart_id) for key, cart_id in ids.items() if cart_id in carts.ids}

    def _work_step(self, company, workflow, step):
        if workflow.trigger != "cart":
            return super()._work_step(company, workflow, step)
        people, carts = {}, self._carts().values()
        for cart in carts:
            person = cart.partner_id
            people[person.commercial_partner_id.id] = person.ids
        # a cart begun since is another occasion, of which the message says nothing yet
        context = {
            **workflow._people_context(people),
            "lifecycle_cart_ids": tuple(cart.id for cart in carts),
        }
        return super(LifecycleWorkflowEnrollment, self.with_context(**context))._work_step(
            company, workflow, step.with_context(**context)
        )

    def _at_goal(self, company, workflow):
        """Who has ordered the cart is there, even before the figures are fresh."""
        reached = super()._at_goal(company, workflow)
        if workflow.trigger == "cart" and workflow.goal == "order":
            ordered = {key for key, cart in self._carts().items() if cart.state == "sale"}
            reached |= self.filtered(lambda one: one.id in ordered)
        return reached

    def _still(self, workflow, holding):
        if workflow.trigger == "cart":
            return (self.profile_id.id, self.episode) in holding
        return super()._still(workflow, holding)


class LifecycleWorkflowStep(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.workflow.step"  # pylint: disable=consider-merging-classes-inherited

    def _mail_effects(self, enrollments, decisions, company, workflow):
        """Tell the web shop that the customer has been reminded, so that it does not do so too."""
        values = super()._mail_effects(enrollments, decisions, company, workflow)
        if workflow.trigger == "cart" and workflow._has_carts():
            for cart in enrollments._carts().values():
                cart.cart_recovery_email_sent = True
        return values


class ResPartner(models.Model):
    """What e-mails say about a cart."""

    # a file for each subject of this model
    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_cart_id = fields.Many2one(
        "sale.order",
        string="Cart Left Behind",
        compute="_compute_lifecycle_cart_id",
        groups="sales_team.group_sale_salesman",
        help="The newest cart of this person in the web shop that has not been ordered.",
    )

    @api.depends_context("company", "lifecycle_cart_ids")
    def _compute_lifecycle_cart_id(self):
        self.lifecycle_cart_id = False
        if not self.env["lifecycle.workflow"]._has_carts():
            return
        domain = [
            ("partner_id", "in", self.ids),
            ("company_id", "=", self.env.company.id),
            ("state", "=", "draft"),
            ("website_id", "!=", False),
            ("order_line", "!=", False),
        ]
        about = self.env.context.get("lifecycle_cart_ids")
        if about is not None:
            domain.append(("id", "in", about))
        carts = self.env["sale.order"].search(domain, order="date_order desc, id desc")
        by_person = carts.grouped("partner_id")
        for partner in self:
            partner.lifecycle_cart_id = by_person.get(partner, carts.browse())[:1]

    def _lifecycle_cart_lines(self):
        """Lines of the cart that name a product."""
        self.ensure_one()
        return self.lifecycle_cart_id.order_line.filtered(
            lambda line: line.product_id and line.product_uom_qty > 0 and not line.is_delivery
        )

    def _lifecycle_cart_url(self):
        """Link by which the person comes back to the cart; nothing for somebody else's eyes."""
        self.ensure_one()
        cart = self.lifecycle_cart_id
        if not cart or self.env.context.get("lifecycle_preview"):
            return "#"
        token = cart._portal_ensure_token()
        return f"{cart.get_base_url()}/shop/cart?id={cart.id}&access_token={token}"
