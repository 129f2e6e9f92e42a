"""What counts as a contact between company and customer, as managers describe it by data.

In: a model, paths, a filter and a title that somebody enters. Out: a source that was tried out
and that its author may read himself, taken apart for whoever uses it: the query, the texts, the
touches. Read by journeys and the journey map; the form's button shows the latest ten touchpoints.
"""

import re

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ...tools import rights
from ...tools.domains import read_domain
from ...tools.probe import first_line, limited
from ..sources.paths import check_kinds, fields_along

#: fields of a source that hold a path from its model
PATHS = ("partner_path", "email_path", "date_path", "amount_path", "currency_path", "open_path")
#: those that must end with a certain kind of field
KINDS = ("partner_path", "date_path", "amount_path", "currency_path")
#: columns that name the record which another record is attached to
ATTACHED_BY = (("model", "res_id"), ("res_model", "res_id"))
#: models whose own access rules ask for the document that a record is attached to
GUARDED_BY_DOCUMENT = ("mail.message", "mail.activity")
LANES = [
    ("marketing", "Marketing"),
    ("sales", "Sales"),
    ("purchase", "Purchase"),
    ("delivery", "Delivery"),
    ("payment", "Payment"),
    ("service", "Service"),
    ("loyalty", "Loyalty"),
    ("lifecycle", "Life cycle"),
]


class LifecycleTouchpointSource(models.Model):
    """A kind of dated contact between company and customer, described by data.

    A source names a model, the paths from it to customer and date, and what its touchpoints are
    called. It is read with the rights of whoever looks at a journey. A source whose model is not
    installed sleeps; it wakes up by itself once that model appears.
    """

    _name = "lifecycle.touchpoint.source"
    _inherit = "lifecycle.sleeping.mixin"
    _description = "Touchpoint Source"
    _order = "sequence, id"
    _path_fields = PATHS

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    lane = fields.Selection(LANES, required=True, default="sales")
    sentiment = fields.Selection(
        [("good", "Good"), ("neutral", "Neutral"), ("bad", "Needs attention")],
        required=True,
        default="neutral",
    )
    icon = fields.Char(
        default="fa-circle-o", help="Name of a Font Awesome 4 icon, for example fa-phone."
    )
    model = fields.Char(
        required=True,
        help="Technical name, for example sale.order. The app that brings it may be installed "
        "later.",
    )
    waits_for = fields.Char(
        help="Another model that must be there, where fields come from an app that extends this "
        "one.",
    )
    domain = fields.Char(default="[]", required=True, help="Which records are touchpoints.")
    partner_path = fields.Char(
        string="Customer Field",
        default="partner_id",
        help="Path to the contact or contacts, for example order_id.partner_id.",
    )
    email_path = fields.Char(
        string="E-mail Field",
        help="Normalised e-mail address by which records without a contact find their customer.",
    )
    documents = fields.Text(
        string="Attached To",
        help="For messages, activities and the like, which belong to a document: one model a "
        "line, followed by the path from it to the contact and, where wanted, its normalised "
        "e-mail field and a domain. Example: crm.lead partner_id email_normalized",
    )
    unless_in = fields.Char(
        string="Unless Also In",
        help="Leaves out what other models show already: that model, its field, and the field "
        "here that holds the same; several with commas between them. "
        "Example: mailing.trace message_id message_id",
    )
    date_path = fields.Char(string="Date Field", default="create_date", required=True)
    title = fields.Char(
        translate=True,
        default="{display_name}",
        required=True,
        help="Text with fields in braces, for example “Order {name}”, or just a field. "
        "{subject|preview} takes the first that is not empty.",
    )
    amount_path = fields.Char(string="Amount Field")
    currency_path = fields.Char(
        string="Currency Field", help="Empty: the amount is in company currency."
    )
    open_path = fields.Char(
        string="Opens",
        help="Path to the record that a click opens. Empty: the touchpoint itself, or the "
        "document that it is attached to.",
    )
    # ----- STATE -----

    @api.depends("waits_for", "domain", "documents", "unless_in", "title", *PATHS)
    def _compute_state(self):
        return super()._compute_state()

    def _asleep_message(self, model):
        return self.env._("Shows nothing until an app brings the model “%s”.", model)

    def _defect_message(self, error):
        return self.env._("Correct the source: %s", error)

    def _inspect_parts(self):
        self.sudo()._check_parts()
        try:
            with limited(self.env):
                # the database has its say, but reads nothing: tables may be huge
                self.sudo()._find(self.env(su=True)["lifecycle.journey"]._nobody())
        except psycopg2.Error as error:
            raise ValueError(first_line(error)) from error

    def _check_parts(self):
        """Try every part of the source.

        :raise ValueError: a path, the domain or the documents do not fit
        """
        model = self.env[self.model]
        if not self.documents and not self.partner_path and not self.email_path:
            raise ValueError(
                self.env._("Name the field of the contact, or of its e-mail address.")
            )
        for path in self._all_paths():
            self._check_leads_somewhere(self.model, path)
        check_kinds(
            self,
            model,
            [name for name in KINDS if name != "partner_path" or not self.documents],
            partner_path=(("many2one", "many2many"), self.env._("a contact")),
        )
        for name, path, email_path, _domain in self._documents():
            if name in self.env:
                for part in filter(None, (path, email_path)):
                    self._check_leads_somewhere(name, part)
        # compiling finds what is wrong with the domain
        self._statement(self.env["lifecycle.journey"]._nobody())

    def _check_leads_somewhere(self, name, path):
        """Refuse a path on which a model has no fields.

        :raise ValueError: says which
        """
        if not fields_along(self.env[name], path):
            raise ValueError(self.env._("%(model)s has no “%(path)s”.", model=name, path=path))

    @api.constrains("model", "waits_for", "domain", "documents", "unless_in", "title", *PATHS)
    def _check_usable(self):
        for source in self:
            source._checked_state()
            source._check_author_may_read()

    def _check_author_may_read(self):
        """Refuse what the present user may not read.

        Journeys are read with the reader's own rights, but the text of messages and activities
        is found as superuser once the document behind it may be read.
        """
        self.ensure_one()
        if self._missing_model() is not None:
            return
        self._check_author_reads()
        for name, path, email_path, domain in self._documents():
            if name in self.env:
                rights.check_may_read(self.env, name, filter(None, (path, email_path)))
                rights.check_domain(self.env, self.name, name, read_domain(self.env, domain))

    @api.constrains("model", "waits_for", "unless_in")
    def _check_unless_author(self):
        """Refuse to leave out what stands elsewhere, where its author may not look.

        Touchpoints that count on the way to an order are left out for everybody.
        """
        for source in self:
            if source._missing_model() is not None:
                continue
            for other, field, own in source._unless():
                if other in self.env:
                    rights.check_may_read(self.env, other, [field])
                    rights.check_may_read(self.env, source.model, [own])
                    if other in GUARDED_BY_DOCUMENT:
                        # only what is attached to the same document leaves anything out
                        continue
                    rights.check_domain(self.env, source.name, other, Domain(field, "!=", False))
                    rights.check_sees_records(
                        self.env, source.name, other, rights.ours(self.env, self.env[other])
                    )

    # ----- PARTS -----

    def _documents(self):
        """What records belong to: list of (model, path to the contact, e-mail path, domain)."""
        self.ensure_one()
        rows = []
        for line in (self.documents or "").splitlines():
            text, bracket, domain = line.partition("[")
            words = text.split()
            if len(words) in (2, 3):
                email_path = words[2] if len(words) == 3 else False
                rows.append((words[0], words[1], email_path, bracket + domain or "[]"))
            elif words:
                raise ValueError(
                    self.env._("Write “%s” as: model, path to the contact.", line.strip())
                )
        return rows

    def _unless(self):
        """List of (other model, its field, own field) of what other models show."""
        self.ensure_one()
        found = []
        for text in filter(str.strip, (self.unless_in or "").split(",")):
            words = text.split()
            if len(words) != 3:
                raise ValueError(
                    self.env._("Write “%s” as: model, its field, own field.", text.strip())
                )
            other, field, own = words
            for model, name in ((other, field), (self.model, own)):
                if model in self.env:
                    self._check_leads_somewhere(model, name)
            found.append(words)
        return found

    def _title_parts(self):
        """Split the title into texts and lists of alternative paths, in turn."""
        self.ensure_one()
        title = self.title or "{display_name}"
        if "{" not in title and fields_along(self.env[self.model], title):
            title = f"{{{title}}}"
        return [
            [path.strip() for path in part.split("|")] if index % 2 else part
            for index, part in enumerate(re.split(r"\{([^{}]+)\}", title))
        ]

    def _title_paths(self):
        return [path for paths in self._title_parts()[1::2] for path in paths]

    def _all_paths(self):
        paths = super()._all_paths()
        if self.documents:
            # what records are attached to says who they are about
            paths = [path for path in paths if path not in (self.partner_path, self.email_path)]
        return [*paths, *self._title_paths()]

    # ----- LATEST -----

    def _latest(self, limit=10):
        """The latest touchpoints of this source, whoever they are about, as journey items."""
        self.ensure_one()
        everybody = self.env["lifecycle.journey"]._everybody()
        return self._items(everybody, self._find(everybody, limit=limit))

    def action_view_latest(self):
        """Show the latest ten touchpoints that this source finds, to see whether it is right."""
        self.ensure_one()
        if self.state != "ready":
            raise UserError(self.state_message)
        try:
            items = self._latest()
        except AccessError as error:
            raise UserError(
                self.env._("You may not read what this source finds: %s", error)
            ) from error
        return {
            "type": "ir.actions.client",
            "tag": "customer_lifecycle.latest_touchpoints",
            "name": self.env._("Latest touchpoints: %s", self.name),
            "target": "new",
            "params": {"items": items, "source": self._shown_as()},
        }

    def _shown_as(self):
        """What the screen must know of a source."""
        return {
            "id": self.id,
            "name": self.name,
            "lane": self.lane,
            "icon": self.icon if re.fullmatch(r"fa-[a-z0-9-]+", self.icon or "") else "fa-circle-o",
            "sentiment": self.sentiment,
        }
