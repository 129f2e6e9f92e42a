import json

from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import content_disposition, request


class PersonFileController(http.Controller):
    """The download behind *Personal Data (JSON)* on a contact."""

    @http.route("/lifecycle/person/<int:partner_id>", type="http", auth="user", methods=["GET"])
    def person(self, partner_id):
        partner = request.env["res.partner"].browse(partner_id)
        try:
            # larger than any number that the database knows
            if partner_id >= 2**31 or not partner.exists():
                raise request.not_found()
            values = request.env["lifecycle.person.file"]._collect(partner)
        except (AccessError, MissingError):
            raise request.not_found() from None
        text = json.dumps(values, ensure_ascii=False, indent=2)
        return request.make_response(
            text.encode(),
            [
                ("Content-Type", "application/json; charset=utf-8"),
                ("Content-Disposition", content_disposition(f"person-{partner_id}.json")),
                ("Cache-Control", "no-store"),
            ],
        )
