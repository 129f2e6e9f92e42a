"""An employee who changes firm leaves the firm's purchases with the firm.

Comes in: a contact whose firm changes. Goes out: for each of its documents, the firm that it was
bought for, which the revenue sources then count it for. Called by contacts before they change and
by the revenue sources, preferences and ways to orders. Managers correct it in a list that the
contact opens.

Odoo's invoices remember their commercial partner; orders, imported purchases and tills do not,
and would move along with the contact. What a person bought before he came to a firm is his own.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

from ..sources.paths import path_sql
from ..sources.source_mixin import DEFECTS

MANAGER = "sales_team.group_sale_manager"


class LifecycleFormerFirm(models.Model):
    _name = "lifecycle.former.firm"
    _description = "Purchase Left with a Former Firm"
    _log_access = False
    _order = "id desc"
    _rec_name = "document_name"

    model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Document Id", model_field="model", required=True, readonly=True
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
        help="Given to another contact, the document no longer belongs to the firm.",
    )
    firm_id = fields.Many2one(
        "res.partner",
        string="Bought For",
        required=True,
        ondelete="cascade",
        index=True,
        help="The company that the purchase counts for, whatever company the contact belongs to "
        "by now.",
    )
    document_name = fields.Char(
        string="Document", compute="_compute_document", compute_sudo=False
    )
    day = fields.Date(string="Date", compute="_compute_document", compute_sudo=False)

    _document_unique = models.UniqueIndex("(model, res_id)")

    # ----- THE LIST OF MANAGERS -----

    @api.model
    def _source(self, name):
        """The first revenue source that reads a model; none where its app is missing."""
        # sudo: what is bought where is no secret
        sources = self.env["lifecycle.revenue.source"].sudo().search([("model", "=", name)])
        return sources[:1] if name in self.env else sources.browse()

    def _documents(self):
        """Documents that the present user may open.

        :return: dict row → (document, day)
        """
        found = {}
        for name, rows in self.grouped("model").items():
            source = self._source(name)
            try:
                model = self.env[source._document_model()].with_context(active_test=False)
                # sudo: which document a line belongs to; the document is read as the user
                lines = self.env[name].sudo().browse(rows.mapped("res_id")).exists()
                documents = {
                    line.id: line.mapped(source.document_path)[:1] if source.document_path else line
                    for line in lines
                }
                days = {line.id: line.mapped(source.date_path)[:1] for line in lines}
            except DEFECTS:
                # no source any more, or one that does not fit its model: a run tells
                continue
            if not model.has_access("read"):
                continue
            readable = model.search(
                [("id", "in", [document.id for document in documents.values()])]
            )
            for row in rows:
                document = readable & readable.browse(documents.get(row.res_id, model).id)
                if document:
                    day = days[row.res_id]
                    found[row] = document, fields.Date.to_date(day and day[0])
        return found

    def _whole_documents(self):
        """These rows and those of the other lines of the same documents."""
        whole = self
        for name, rows in self.grouped("model").items():
            source = self._source(name)
            if not source.document_path:
                continue
            lines = self.env[name].sudo().with_context(active_test=False)
            documents = lines.browse(rows.mapped("res_id")).exists().mapped(source.document_path)
            same = lines.search([(source.document_path, "in", documents.ids)])
            whole |= self.search(
                [
                    ("model", "=", name),
                    ("res_id", "in", same.ids),
                    ("partner_id", "in", rows.partner_id.ids),
                ]
            )
        return whole

    @api.depends("model", "res_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_document(self):
        documents = self._documents()
        for row in self:
            document, day = documents.get(row, (None, False))
            row.day = day
            row.document_name = (
                document.display_name
                if document
                else self.env._("A document that you may not open")
            )

    def _check_correct(self):
        """Refuse whoever is no manager, and documents that he may not open."""
        self.check_access("write")
        if self.env.su:
            return
        if not self.env.user.has_group(MANAGER):
            raise AccessError(
                self.env._("Only sales administrators can say whom a purchase was for.")
            )
        if len(self._documents()) < len(self):
            raise AccessError(
                self.env._("You can only correct purchases whose documents you may open.")
            )

    def write(self, vals):
        if not self or not vals:
            return super().write(vals)
        self._check_correct()
        if vals.keys() != {"firm_id"}:
            raise AccessError(self.env._("Only the company can be changed here."))
        firm = self.env["res.partner"].browse(vals["firm_id"]).exists()
        firm.check_access("read")
        # purchases count for whole firms: an address of one is the firm
        vals = {**vals, "firm_id": firm.sudo().commercial_partner_id.id}
        rows = self._whole_documents()
        before = rows.firm_id
        result = super(LifecycleFormerFirm, rows).write(vals)
        self.env["lifecycle.queue"].sudo()._append_partners((before | rows.firm_id).ids)
        return result

    def action_with_contact(self):
        """Let purchases go along with their contact, as if they had not been left behind."""
        if not self:
            return
        self._check_correct()
        # sudo: checked above; rows are made and unmade by what people do with contacts
        rows = self._whole_documents().sudo()
        people = rows.firm_id | rows.partner_id
        rows.unlink()
        self.env["lifecycle.queue"].sudo()._append_partners(people.ids)

    def action_open_document(self):
        self.ensure_one()
        document = self._documents().get(self)
        if not document:
            raise AccessError(self.env._("You may not open this document."))
        return {
            "type": "ir.actions.act_window",
            "res_model": document[0]._name,
            "res_id": document[0].id,
            "views": [(False, "form")],
        }

    # ----- WHAT IS LEFT -----

    @api.model
    @ormcache()
    def _any(self):
        """Whether anything was ever left: who has no such contact pays nothing for them."""
        self.env.cr.execute("SELECT EXISTS (SELECT FROM lifecycle_former_firm)")
        return self.env.cr.fetchone()[0]

    @api.model
    def _keep(self, partner, firm, since):
        """Write down that what a contact has bought until now was bought for a firm.

        :param since: moment from which he belonged to it; None for always
        """
        sources = self.env["lifecycle.revenue.source"].sudo().search(Domain.TRUE)
        count = 0
        for source in sources.filtered(lambda source: source.model in self.env):
            model = self.env[source.model].sudo().with_context(active_test=False)
            try:
                model.flush_model()
                query = model._search(
                    source._domain() & Domain(source.partner_path, "=", partner.id)
                )
                moment = path_sql(model, query, source.date_path)
            except (ValueError, KeyError):
                # a source that does not fit its model is told by the run
                continue
            if since:
                query.add_where(
                    SQL("%s >= date_trunc('second', %s::timestamp)", moment, since)
                )
            self.env.cr.execute(
                SQL(
                    """INSERT INTO lifecycle_former_firm (model, res_id, partner_id, firm_id)
                       SELECT %s, found.id, %s, %s FROM (%s) found ON CONFLICT DO NOTHING""",
                    source.model,
                    partner.id,
                    firm.id,
                    query.select(),
                )
            )
            count += self.env.cr.rowcount
        if count and not self._any():
            self.env.registry.clear_cache()
        return count

    @api.model
    def _customer_sql(self, query, model_name, table, partner, commercial):
        """The customer that a record counts for.

        :param partner: SQL of the record's contact; :param commercial: of its firm of today
        """
        if not self._any():
            return commercial
        alias = query.make_alias(table, "former_firm")
        query.add_join(
            "LEFT JOIN",
            alias,
            "lifecycle_former_firm",
            SQL(
                "%s = %s AND %s = %s AND %s = %s",
                SQL.identifier(alias, "model"),
                model_name,
                SQL.identifier(alias, "res_id"),
                SQL.identifier(table, "id"),
                SQL.identifier(alias, "partner_id"),
                partner,
            ),
        )
        return SQL("COALESCE(%s, %s)", SQL.identifier(alias, "firm_id"), commercial)

    @api.model
    def _wanted_sql(self, partner, commercial, wanted):
        """Condition by which a few customers' contacts are found, former ones too."""
        if not self._any():
            return SQL("%s = ANY(%s)", commercial, wanted)
        return SQL(
            "(%s = ANY(%s) OR %s = ANY(ARRAY(SELECT partner_id FROM lifecycle_former_firm "
            "WHERE firm_id = ANY(%s))))",
            commercial,
            wanted,
            partner,
            wanted,
        )


class ResPartner(models.Model):
    # a file for each subject of this large model
    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_firm_since = fields.Datetime(
        string="With This Firm Since",
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="When the contact last changed to another firm; what it bought before is not the "
        "firm's.",
    )

    lifecycle_former_firm_count = fields.Integer(
        string="Purchases Left with Former Companies",
        compute="_compute_lifecycle_former_firm_count",
        groups=MANAGER,
    )

    def _compute_lifecycle_former_firm_count(self):
        rows = self.env["lifecycle.former.firm"]
        counts = {}
        if rows.sudo()._any():
            for name in ("partner_id", "firm_id"):
                grouped = rows._read_group([(name, "in", self.ids)], [name], ["__count"])
                for partner, count in grouped:
                    counts[partner.id] = counts.get(partner.id, 0) + count
        for partner in self:
            partner.lifecycle_former_firm_count = counts.get(partner._origin.id, 0)

    def action_lifecycle_former_firms(self):
        """Open the purchases that this contact left with a firm, or left with this firm."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_former_firm_action"
        )
        return {
            **action,
            "domain": ["|", ("partner_id", "=", self.id), ("firm_id", "=", self.id)],
            "context": {},
        }

    def write(self, vals):
        moving = self._lifecycle_moving() if self and "parent_id" in vals else self.browse()
        before = {partner: partner.commercial_partner_id for partner in moving}
        result = super().write(vals)
        if before:
            self._lifecycle_leave_firms(before)
        return result

    def _lifecycle_moving(self):
        """The contacts whose firm may change with these contacts' parent."""
        # sudo: whoever may move a contact moves those under it, seen or not
        everybody = self.sudo().with_context(active_test=False)
        return everybody.search(Domain("id", "child_of", self.ids))

    @api.model
    def _lifecycle_leave_firms(self, before):
        """Leave with each firm what was bought for it.

        :param before: dict contact → commercial partner before the change
        """
        changed = {
            partner: firm
            for partner, firm in before.items()
            if partner.exists() and firm and partner.commercial_partner_id != firm
        }
        for partner, firm in changed.items():
            # whose firm became part of another one goes with it; a person is no firm
            if firm != partner and firm.exists().commercial_partner_id == firm:
                self.env["lifecycle.former.firm"].sudo()._keep(
                    partner, firm, partner.lifecycle_firm_since
                )
        moved = self.browse().union(*changed).sudo()
        if moved:
            moved.lifecycle_firm_since = fields.Datetime.now()
