"""An employee who changes firm leaves the firm's purchases with the firm.

Comes in: a contact whose firm changes. Goes out: for each of its documents, the firm that it was
bought for, which the revenue sources then count it for. Called by contacts before they change and
by the revenue sources, preferences and ways to orders.

Odoo's invoices remember their commercial partner; orders, imported purchases and tills do not,
and would move along with the contact. What a person bought before he came to a firm is his own.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, ormcache


class LifecycleFormerFirm(models.Model):
    _name = "lifecycle.former.firm"
    _description = "Purchase Left with a Former Firm"
    _log_access = False

    model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Document", model_field="model", required=True, readonly=True
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
        "res.partner", required=True, readonly=True, ondelete="cascade", index=True
    )

    _document_unique = models.UniqueIndex("(model, res_id)")

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
                moment = source._path_sql(model, query.table, source.date_path, query)
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
