import base64

from odoo import http
from odoo.http import request

#: one transparent pixel
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class TrackingController(http.Controller):
    """Behind the picture and the links of a workflow's e-mail.

    Neither asks for a login nor sets a cookie. Programs that only look at links, and say so, are
    not taken for the customer.
    """

    @http.route(
        "/lifecycle/open/<int:delivery_id>/<string:token>.gif",
        type="http",
        auth="public",
        methods=["GET"],
        save_session=False,
        sitemap=False,
    )
    def opened(self, delivery_id, token, **_query):
        deliveries = request.env["lifecycle.workflow.delivery"]
        if not deliveries._is_genuine(delivery_id, token):
            raise request.not_found()
        if self._is_person():
            deliveries._record_seen(delivery_id)
        return request.make_response(
            PICTURE, [("Content-Type", "image/gif"), ("Cache-Control", "no-store")]
        )

    @http.route(
        "/lifecycle/link/<int:delivery_id>/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        save_session=False,
        sitemap=False,
    )
    def clicked(self, delivery_id, token, url="", **_query):
        deliveries = request.env["lifecycle.workflow.delivery"]
        if not url or not deliveries._is_genuine(delivery_id, token, url):
            raise request.not_found()
        if self._is_person():
            deliveries._record_seen(delivery_id, clicked=True)
        # the signature says that the address stood in our own e-mail
        return request.redirect(url, code=302, local=False)

    def _is_person(self):
        return request.httprequest.method == "GET" and not request.env["ir.http"].is_a_bot()
