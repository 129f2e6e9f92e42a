"""Codes and links by which customers recommend us: drawn, found and shown.

In: commercial partners, or a code that somebody typed or followed. Out: the code's record, made
when it is first asked for. Called by the invitation link, quotations, the portal, the contact
form and texts of e-mails.
"""

from odoo import api, fields, models
from odoo.tools import SQL

SALES = "sales_team.group_sale_salesman"
#: letters and digits that nobody mistakes for another, without vowels: no code is a word
ALPHABET = "BCDFGHJKLMNPRSTVWXZ23456789"
LENGTH = 7
#: codes that are taken are drawn again; even the second time is rare
ATTEMPTS = 10


class LifecycleReferralCode(models.Model):
    """The short code by which a customer is told from others when he recommends us.

    Codes of customers that were merged go on working; one of them is shown.
    """

    _name = "lifecycle.referral.code"
    _description = "Referral Code"
    _order = "current desc, id"

    name = fields.Char(string="Code", required=True, readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    current = fields.Boolean(default=True, readonly=True)
    link = fields.Char(compute="_compute_link")

    _name_unique = models.Constraint("UNIQUE (name)", "This code is taken.")
    _current_unique = models.UniqueIndex("(partner_id) WHERE current")

    @api.depends("name", "partner_id")
    def _compute_link(self):
        for code in self:
            code.link = f"{code.partner_id.get_base_url()}/invite/{code.name}"

    @api.model
    def _normalize(self, text):
        """A code as people type it, in the way it is stored."""
        return "".join(sign for sign in (text or "").upper() if sign.isalnum())

    @api.model
    def _find(self, text):
        """The code that somebody has typed or followed, or empty."""
        name = self._normalize(text)
        if len(name) != LENGTH:
            return self.sudo().browse()
        return self.sudo().search([("name", "=", name)])

    @api.model
    def _of(self, partners, create=True):
        """The codes of some customers, made where there is none.

        :param partners: commercial partners
        """
        codes = self.sudo()
        domain = [("partner_id", "in", partners.ids), ("current", "=", True)]
        found = codes.search(domain)
        if create:
            for _attempt in range(ATTEMPTS):
                if len(found) == len(partners):
                    break
                self._draw(partners - found.partner_id)
                found = codes.search(domain)
        return found

    @api.model
    def _draw(self, partners):
        """Draw a code for each customer, in one statement; what is taken is left out."""
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """INSERT INTO lifecycle_referral_code
                          (partner_id, name, current, create_uid, write_uid, create_date,
                           write_date)
                   SELECT partner.id, drawn.name, TRUE, %(user)s, %(user)s, %(now)s, %(now)s
                     FROM res_partner partner
                    CROSS JOIN LATERAL (
                        SELECT STRING_AGG(
                                   SUBSTR(%(alphabet)s,
                                          1 + FLOOR(RANDOM() * %(letters)s)::integer, 1), '')
                                   AS name
                          FROM GENERATE_SERIES(1, %(length)s)
                         WHERE partner.id IS NOT NULL
                    ) drawn
                    WHERE partner.id = ANY(%(partners)s)
                       ON CONFLICT DO NOTHING""",
                user=self.env.uid,
                now=self.env.cr.now(),
                alphabet=ALPHABET,
                letters=len(ALPHABET),
                length=LENGTH,
                partners=partners.ids,
            )
        )
        self.invalidate_model()


class ResPartner(models.Model):
    """A customer's own code and link, for templates and people."""

    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_referral_code = fields.Char(
        string="Referral Code",
        compute="_compute_lifecycle_referral_code",
        compute_sudo=True,
        groups=SALES,
        help="The customer's own code for recommending us; empty where there is no referral "
        "program or the customer may not take part.",
    )
    lifecycle_referral_link = fields.Char(
        string="Referral Link",
        compute="_compute_lifecycle_referral_code",
        compute_sudo=True,
        groups=SALES,
    )
    lifecycle_referral_count = fields.Integer(
        string="Recommendations", compute="_compute_lifecycle_referral_count", groups=SALES
    )

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_lifecycle_referral_code(self):
        customers = self.commercial_partner_id._origin
        allowed = self.env["lifecycle.referral.program"]._may_recommend(customers)
        # made when it is first asked for; where nothing may be written there is none yet
        codes = self.env["lifecycle.referral.code"]._of(
            allowed, create=not self.env.cr.readonly
        )
        by_customer = {code.partner_id: code for code in codes}
        for partner in self:
            code = by_customer.get(partner.commercial_partner_id._origin)
            partner.lifecycle_referral_code = code.name if code else False
            partner.lifecycle_referral_link = code.link if code else False

    def _compute_lifecycle_referral_count(self):
        counts = dict(
            self.env["lifecycle.referral"]._read_group(
                [
                    ("advocate_id", "in", self.commercial_partner_id._origin.ids),
                    ("company_id", "=", self.env.company.id),
                ],
                ["advocate_id"],
                ["__count"],
            )
        )
        for partner in self:
            partner.lifecycle_referral_count = counts.get(
                partner.commercial_partner_id._origin, 0
            )

    def action_view_lifecycle_referrals(self):
        """Open whom the customer has recommended us to, and who recommended us to him."""
        self.ensure_one()
        customer = self.commercial_partner_id
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "customer_lifecycle.lifecycle_referral_action"
            ),
            "display_name": self.env._("Recommendations of %s", customer.display_name),
            "domain": [
                "|", ("advocate_id", "=", customer.id), ("friend_id", "=", customer.id)
            ],
            "context": {},
        }

    def action_show_lifecycle_referral_code(self):
        """Show the customer's own code and link, to be copied."""
        self.ensure_one()
        customer = self.commercial_partner_id
        programs = self.env["lifecycle.referral.program"]
        if not programs._current(self.env.company):
            message = self.env._("There is no referral program yet. Ask a sales manager for one.")
        elif not programs._may_recommend(customer):
            message = self.env._("The referral program does not allow this customer to recommend.")
        else:
            code = self.env["lifecycle.referral.code"]._of(customer)
            return {
                "type": "ir.actions.act_window",
                "name": self.env._("Link for %s", customer.display_name),
                "res_model": "lifecycle.referral.code",
                "res_id": code.id,
                "views": [(False, "form")],
                "target": "new",
            }
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "warning", "message": message},
        }
