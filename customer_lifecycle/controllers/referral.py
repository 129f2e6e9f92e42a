from odoo import http
from odoo.http import request

from ..models.referral.referral_code import COOKIE


class ReferralController(http.Controller):
    """Where a customer's link leads: the visit is remembered, and goes on in the site."""

    @http.route(
        "/invite/<string:code>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def invite(self, code, **_query):
        program = request.env["lifecycle.referral.program"]._current(request.env.company)
        response = request.redirect(self._landing_page(program))
        codes = request.env["lifecycle.referral.code"]
        found = codes._find(code)
        # a wrong, old or foreign link leads to the site like any other
        if (
            found
            and not request.env.user._is_internal()
            and request.env["lifecycle.referral.program"]._may_recommend(found.partner_id)
        ):
            codes._remember(found, "link")
            if program.link_days:
                response.set_cookie(
                    COOKIE,
                    found.name,
                    max_age=program.link_days * 24 * 3600,
                    httponly=True,
                    samesite="Lax",
                    cookie_type="optional",
                )
        return response

    def _landing_page(self, program):
        if program.landing_page:
            return program.landing_page
        if "website" in request.env:
            return "/"
        scope = request.env["res.users"].sudo()._get_signup_invitation_scope()
        return "/web/signup" if scope == "b2c" else "/web/login"
