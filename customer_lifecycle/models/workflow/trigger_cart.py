"""Carts left behind in the web shop, as an occasion for a workflow.

In: draft orders of a website that nobody has touched for some hours. Out: who enters and whether
the cart is still open, the person to be written to, and link and lines for the e-mail. One of
the triggers; without the shop's app it stays asleep.
"""

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from .triggers import DayTrigger, register

#: a cart that was begun longer ago is forgotten, not left behind
CART_DAYS = 60


def has_carts(env):
    """Whether there is a web shop: its orders say through which website they came."""
    return "website_id" in env["sale.order"]._fields


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


@register
class CartTrigger(DayTrigger):
    """A cart that somebody has filled in the web shop and not touched for some hours."""

    kind = "cart"
    needs_occasion = True

    # ----- WHO ENTERS -----

    def candidates(self, company):
        """What the server slept through is caught up for a day, not longer."""
        now, workflow = fields.Datetime.now(), self.workflow
        since = workflow.date_since or now
        if workflow.date_scanned:
            since = max(since, fields.Datetime.subtract(workflow.date_scanned, days=1))
        return self.come(company, since)

    def present(self, company):
        return self.come(
            company, fields.Datetime.subtract(fields.Datetime.now(), days=CART_DAYS)
        )

    def come(self, company, since):
        # where the shop itself has sent a reminder there is no second one
        reminded = (
            SQL(
                "(SELECT cart.cart_recovery_email_sent FROM sale_order cart "
                "WHERE cart.id = left_cart.id)"
            )
            if has_carts(self.env)
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
            hours=SQL("make_interval(hours => %s)", self.workflow.cart_hours),
            since=since,
            now=fields.Datetime.now(),
            reminded=reminded,
        )

    def past(self, company, since):
        days = (company._lifecycle_today() - since).days
        return SQL(
            """SELECT profile.id FROM (%s) left_cart
                 JOIN lifecycle_profile profile ON profile.partner_id = left_cart.partner_id
                  AND profile.company_id = %s""",
            self._left_carts_sql(company, days=days),
            company.id,
        )

    def _left_carts_sql(self, company, days=CART_DAYS):
        """SQL of open carts with something in them: id, customer, person, last touched."""
        if not has_carts(self.env):
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

    # ----- WHILE ON THE WAY -----

    def still_holds(self, enrollments, company):
        """Carts that are still open, and of which nobody else has reminded the customer."""
        if not has_carts(self.env):
            return enrollments.browse()
        return self._among(
            enrollments,
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
                profiles=enrollments.profile_id.ids,
                workflow=self.workflow.id,
            ),
        )

    def has_ordered(self, enrollments):
        ordered = {key for key, cart in self._carts(enrollments).items() if cart.state == "sale"}
        return enrollments.filtered(lambda one: one.id in ordered)

    def _carts(self, enrollments):
        """Dict enrolment id → cart that the customer entered for, deleted ones left out."""
        ids = {
            one.id: int(one.episode.split(":")[1])
            for one in enrollments
            if one.episode.startswith("cart:")
        }
        carts = self.env["sale.order"].sudo().browse(ids.values()).exists()
        return {key: carts.browse(cart_id) for key, cart_id in ids.items() if cart_id in carts.ids}

    # ----- WHOM AND WHAT -----

    def people(self, enrollments):
        """Who filled the carts, nobody else."""
        people = {}
        for cart in self._carts(enrollments).values():
            people[cart.partner_id.commercial_partner_id.id] = cart.partner_id.ids
        return people

    def present_people(self, profiles, company):
        """Who left the newest cart."""
        self.env.cr.execute(
            SQL(
                """SELECT DISTINCT ON (partner_id) partner_id, person_id FROM (%s) left_cart
                    WHERE partner_id = ANY(%s) ORDER BY partner_id, touched DESC, id DESC""",
                self._left_carts_sql(company),
                profiles.sudo().partner_id.ids,
            )
        )
        return {customer: [person] for customer, person in self.env.cr.fetchall()}

    def context(self, enrollments):
        """A cart begun since is another occasion, of which the message says nothing yet."""
        return {"lifecycle_cart_ids": tuple(c.id for c in self._carts(enrollments).values())}

    def mailed(self, enrollments):
        """Tell the web shop that the customer has been reminded, so that it does not do so too."""
        if has_carts(self.env):
            for cart in self._carts(enrollments).values():
                cart.cart_recovery_email_sent = True

    # ----- ON THE FORM -----

    def text(self):
        return self.env._("Leaves a cart behind for %s hours", self.workflow.cart_hours)

    def asleep_text(self):
        return not has_carts(self.env) and self.env._(
            "Nobody can enter: carts come with the app eCommerce. Install it, or choose "
            "another beginning."
        )

    def warnings(self):
        """Web shops that remind of carts by themselves."""
        if not has_carts(self.env):
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
        if not has_carts(self.env):
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
