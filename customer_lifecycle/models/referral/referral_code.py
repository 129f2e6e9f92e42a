"""Codes and links by which customers recommend us: drawn, found and shown.

In: commercial partners, or a code that somebody typed or followed. Out: the code's record, made
when it is first asked for; the session or cookie of a visit gives back the one that it came with.
Called by the invitation link, quotations, the portal, the contact form and texts of e-mails.
"""

from odoo import api, fields, models
from odoo.http import request
from odoo.tools import SQL

SALES = "sales_team.group_sale_salesman"
#: letters and digits that nobody mistakes for another, without vowels: no code is a word
ALPHABET = "BCDFGHJKLMNPRSTVWXZ23456789"
LENGTH = 7
#: codes that are taken are drawn again; even the second time is rare
ATTEMPTS = 10
#: cookie and key of the session under which a visitor's code is kept
COOKIE = "lifecycle_referral"


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

    # ----- THE VISITOR -----

    @api.model
    def _remember(self, code, how):
        """Keep a code for the rest of the visit; the cookie outlives it where it is allowed."""
        request.session[COOKIE] = [code.name, how]

    @api.model
    def _of_visitor(self):
        """(code, how) that the present visitor came with, or (empty, None)."""
        if not request or not getattr(request, "session", None):
            return self.sudo().browse(), None
        name, how = request.session.get(COOKIE) or (request.cookies.get(COOKIE), "link")
        code = self._find(name)
        if not code or not self.env["lifecycle.referral.program"]._may_recommend(
            code.partner_id
        ):
            return code.browse(), None
        return code, how
