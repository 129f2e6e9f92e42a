"""Opens, clicks and failures of sent e-mails, noted on their deliveries.

In: e-mails that leave, and the requests for their picture and links. Out: a body with signed
links where the recipient may be measured, and when it was first opened and clicked. Called by
Odoo's sending of e-mails and by the pages behind those links; steps show the numbers.
"""

import html
import logging
import re
from urllib.parse import quote, urlsplit

import psycopg2
from markupsafe import Markup

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import mail as mail_tools
from odoo.tools.misc import consteq, hmac

_logger = logging.getLogger(__name__)

#: purpose of the signatures in the addresses of the picture and of links
SCOPE = "customer_lifecycle-tracking"
#: links that are left as they are: unsubscribing works without us, a link for friends is passed on
UNTOUCHED = ("/lifecycle/", "/invite/")
LINK = re.compile(r"""(<a\b[^<>]*?\shref=)(["'])(.*?)\2""", re.IGNORECASE | re.DOTALL)
#: how often a note is tried, and how long it waits for the row (PostgreSQL's notation)
TRIES, PATIENCE = 3, "1s"


class LifecycleWorkflowDelivery(models.Model):
    """Whether an e-mail was opened and clicked, as far as the company may know it.

    Only the e-mail that leaves carries the picture and the signed links; the message in the
    chatter has neither, so that a colleague who reads it is not taken for the customer.
    """

    # a file for each subject of this model
    _inherit = "lifecycle.workflow.delivery"  # pylint: disable=consider-merging-classes-inherited

    is_measured = fields.Boolean(
        string="Measured",
        readonly=True,
        help="The e-mail went out with what tells of opening and clicking.",
    )
    date_opened = fields.Datetime(string="Opened", readonly=True, copy=False)
    date_clicked = fields.Datetime(string="Clicked", readonly=True, copy=False)

    @api.model
    def _tracking_token(self, delivery_id, url=""):
        """Signature of a delivery's picture, or of one of its links.

        The link's target is signed too: nobody can have this server lead anywhere else.
        """
        return hmac(self.env(su=True), SCOPE, (int(delivery_id), url))

    @api.model
    def _is_genuine(self, delivery_id, token, url=""):
        # comparing refuses other letters
        return token.isascii() and consteq(self._tracking_token(delivery_id, url), token)

    def _picture_url(self):
        return f"{self.get_base_url()}/lifecycle/open/{self.id}/{self._tracking_token(self.id)}.gif"

    def _link_url(self, url):
        token = self._tracking_token(self.id, url)
        return f"{self.get_base_url()}/lifecycle/link/{self.id}/{token}?url={quote(url, safe='')}"

    def _is_followed(self, url):
        """Whether a link of an e-mail is replaced by one that is counted."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        followed = parts.scheme in ("http", "https") and not parts.path.startswith(UNTOUCHED)
        # what a browser would repair cannot be handed on
        return followed and not re.search(r"\s", url)

    def _track_body(self, body):
        """The outgoing body with links that are counted, and a picture that is too."""
        self.ensure_one()

        def follow(match):
            url = html.unescape(match[3]).strip()
            if not self._is_followed(url):
                return match[0]
            return f'{match[1]}"{html.escape(self._link_url(url))}"'

        body = Markup(LINK.sub(follow, str(body)))
        picture = Markup('<img src="{}" width="1" height="1" alt="" />').format(
            self._picture_url()
        )
        return mail_tools.append_content_to_html(body, picture, plaintext=False)

    @api.model
    def _record_seen(self, delivery_id, clicked=False):
        """Keep when an e-mail was first opened, or clicked, which nobody does unopened.

        In a transaction of its own: whoever follows a link gets there, come what may.
        """
        for _try in range(TRIES):
            try:
                with self.env.registry.cursor() as cr:
                    cr.execute("SELECT set_config('lock_timeout', %s, TRUE)", (PATIENCE,))
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    env[self._name].browse(delivery_id).exists()._set_seen(clicked)
                return
            except psycopg2.Error as error:
                _logger.info("Delivery %s cannot be noted as seen: %s", delivery_id, error)
            except Exception:
                _logger.warning("Delivery %s cannot be noted as seen", delivery_id, exc_info=True)
                return

    def _may_be_seen(self):
        """Whether the recipient may be measured now."""
        return self.env["lifecycle.consent"]._may_measure(self.recipient_id, self.company_id)

    def _set_seen(self, clicked):
        for delivery in self.filtered("is_measured"):
            if not delivery._may_be_seen():
                continue
            now = fields.Datetime.now()
            values = {} if delivery.date_opened else {"date_opened": now}
            if clicked and not delivery.date_clicked:
                values["date_clicked"] = now
            if values:
                delivery.write(values)
                delivery.flush_recordset()


class LifecycleWorkflowStep(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.workflow.step"  # pylint: disable=consider-merging-classes-inherited

    measured_count = fields.Integer(compute="_compute_seen_counts")
    opened_count = fields.Integer(compute="_compute_seen_counts")
    clicked_count = fields.Integer(compute="_compute_seen_counts")

    def _compute_seen_counts(self):
        counts = {
            step: numbers
            for step, *numbers in self.env["lifecycle.workflow.delivery"]._read_group(
                [
                    ("step_id", "in", self.ids),
                    ("state", "=", "done"),
                    ("is_measured", "=", True),
                ],
                ["step_id"],
                ["__count", "date_opened:count", "date_clicked:count"],
            )
        }
        for step in self:
            step.measured_count, step.opened_count, step.clicked_count = counts.get(
                step._origin, (0, 0, 0)
            )

    def action_view_opened(self):
        return self._open_done(self.env._("Opened"), [("date_opened", "!=", False)])

    def action_view_clicked(self):
        return self._open_done(self.env._("Clicked"), [("date_clicked", "!=", False)])
