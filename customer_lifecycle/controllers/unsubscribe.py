from odoo import http, tools
from odoo.http import request
from odoo.tools.misc import consteq


class UnsubscribeController(http.Controller):
    """The page behind the link for unsubscribing, and one-click unsubscribing (RFC 8058).

    Looking at the page changes nothing, as mail programs and virus scanners follow links; only
    posting does. Mail programs post without a session, hence without its token: the signature of
    the link stands for it.
    """

    @http.route(
        "/lifecycle/unsubscribe",
        type="http",
        auth="public",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
        sitemap=False,
    )
    def unsubscribe(self, email="", company="", token="", action="unsubscribe", **_post):
        email = tools.email_normalize(email) or ""
        # sudo: the signature says that the address was written to by this company
        env = request.env(user=http.request.env.ref("base.user_root").id, su=True)
        valid = (
            company.isdecimal()
            # comparing refuses other letters
            and token.isascii()
            and consteq(env["lifecycle.workflow.mail"]._token(email, company), token)
            and env["res.company"].browse(int(company)).exists()
        )
        if not valid:
            return request.render(
                "customer_lifecycle.unsubscribe_page", {"state": "invalid"}, status=404
            )
        partner = env["lifecycle.opt.out"]._owners([email]).filtered("active")[:1]
        language = env["lifecycle.workflow.mail"]._language(partner)
        env = env(context={**env.context, "lang": language})
        said = env["lifecycle.opt.out"]
        blacklisted = env["mail.blacklist"].search_count([("email", "=", email)], limit=1)
        state = "done" if blacklisted else "ask"
        if request.httprequest.method == "POST":
            if action == "subscribe":
                state = "back" if said._subscribe_again(email) else "blocked"
            else:
                said._unsubscribe(email)
                state = "done"
        request.update_env(context=env.context)
        return request.render(
            "customer_lifecycle.unsubscribe_page",
            {
                "state": state,
                "may_return": bool(said._unsubscribed(email)),
                "email": email,
                "company": env["res.company"].browse(int(company)),
                "query": request.httprequest.query_string.decode(),
            },
        )
