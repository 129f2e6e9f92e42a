"""Which documents count as spending on customers, and whether they can be read.

In: a model, a filter, paths, and accounts or categories that are picked. Out: a source with its
state, refused where it does not work or its author may not see all that it sums up. The spending
lines read the sources that are awake.
"""

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...tools.probe import check_size
from .spending import PURPOSES

#: fields of a source that hold a path from its model
PATHS = (
    "company_path",
    "date_path",
    "amount_path",
    "rate_path",
    "currency_path",
    "source_path",
    "medium_path",
    "campaign_path",
)


class LifecycleSpendingSource(models.Model):
    """Documents that say what getting or keeping customers costs, described by data.

    Like a revenue source it names a model and the paths to what is needed, and sleeps while the
    model is not installed. A document that several sources take counts for the first only.
    """

    _name = "lifecycle.spending.source"
    _inherit = "lifecycle.sleeping.mixin"
    _description = "Spending Source"
    _order = "sequence, id"
    _path_fields = PATHS

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(
        default=10, help="A document counts for the first source that takes it."
    )
    active = fields.Boolean(default=True)
    model = fields.Char(
        help="Technical name, for example account.move.line. The app that brings it may be "
        "installed later."
    )
    waits_for = fields.Char(
        string="Also Needs",
        help="Model, or field of a model, without which the source sleeps.",
    )
    domain = fields.Char(default="[]", required=True, help="Which records are spending.")
    only_picked = fields.Boolean(
        string="Only What Is Picked",
        help="Counts nothing until an account, analytic account or product category is picked.",
    )
    account_ids = fields.Many2many(
        "account.account", string="Accounts", help="Whatever is booked on these accounts."
    )
    analytic_account_ids = fields.Many2many(
        "account.analytic.account",
        string="Analytic Accounts",
        help="Whatever is booked on these analytic accounts; of a line that is split between "
        "several, the part that is theirs.",
    )
    category_ids = fields.Many2many(
        "product.category",
        string="Product Categories",
        help="Purchases of products in these categories or below.",
    )
    purpose = fields.Selection(PURPOSES, required=True, default="getting")
    getting_percent = fields.Float(
        string="Share for Getting (%)",
        default=50.0,
        help="How much of it was for getting customers; the rest was for keeping them.",
    )
    company_path = fields.Char(string="Company Field", default="company_id", required=True)
    date_path = fields.Char(string="Date Field", default="date", required=True)
    amount_path = fields.Char(string="Untaxed Amount Field", default="amount", required=True)
    negate = fields.Boolean(
        string="Reverse Sign", help="For fields that count spending as negative."
    )
    rate_path = fields.Char(
        string="Currency Rate Field",
        help="Stored rate by which the amount is divided to get company currency. Empty: the "
        "amount already is in company currency, or a currency field says which it is in.",
    )
    currency_path = fields.Char(
        string="Currency Field",
        help="For amounts in a foreign currency without a stored rate: converted with the rate "
        "of the day.",
    )
    source_path = fields.Char(string="Path to the Source", help="Path to a UTM source.")
    medium_path = fields.Char(string="Path to the Medium", help="Path to a UTM medium.")
    campaign_path = fields.Char(string="Path to the Campaign", help="Path to a UTM campaign.")
    source_id = fields.Many2one(
        "utm.source", help="For documents that name none themselves."
    )
    medium_id = fields.Many2one(
        "utm.medium", help="For documents that name none themselves."
    )
    campaign_id = fields.Many2one(
        "utm.campaign", help="For documents that name none themselves."
    )

    _share_range = models.Constraint(
        "CHECK (getting_percent BETWEEN 0 AND 100)", "Choose a share between 0 and 100 %."
    )

    state = fields.Selection(selection_add=[("unpicked", "Nothing picked")])

    # ----- STATE -----

    @api.depends(
        *("waits_for", "domain", "company_path", "date_path", "amount_path"),
        *("only_picked", "account_ids", "analytic_account_ids", "category_ids"),
    )
    def _compute_state(self):
        return super()._compute_state()

    def _inspect(self):
        state, message = super()._inspect()
        if state == "ready" and self._is_unpicked():
            return "unpicked", self.env._(
                "Counts nothing until you pick accounts, analytic accounts or product categories."
            )
        return state, message

    def _asleep_message(self, model):
        return self.env._("Counts nothing until an app brings “%s”.", model)

    def _inspect_parts(self):
        self._compile(self.env.company.sudo())
        # what only the database finds fault with, like a number compared with a word
        problem = isinstance(self.id, int) and self._problem(self.env.company)
        if problem:
            raise ValueError(problem)

    def _is_unpicked(self):
        # sudo: accounts of companies that the reader may not see are picked all the same
        source = self.sudo()
        picked = source.account_ids or source.analytic_account_ids or source.category_ids
        return self.only_picked and not picked

    @api.constrains(
        *("model", "waits_for", "domain", "only_picked"),
        *("account_ids", "analytic_account_ids", "category_ids"),
        *PATHS,
    )
    def _check_compiles(self):
        for source in self:
            source._checked_state()
            if source._missing_model() is not None:
                continue
            source._check_author_may_read()
            check_size(self.env, source.name, source._domain())
            source._check_runs(source._compile(self.env.company.sudo()))

    def _check_author_may_read(self):
        """Refuse sources of documents that the present user may not see.

        Sums are read as superuser: whoever says what is summed up must be able to see all of it.
        """
        self.ensure_one()
        self._check_author_reads()
        # constraints run as superuser, also those of a user's own changes
        model = self.env[self.model].sudo(False)
        if model.env.su:
            return
        rules = self.env["ir.rule"].with_env(model.env)._compute_domain(self.model, "read")
        hidden = any(
            condition.field_expr.rpartition(".")[2] != "company_id"
            for condition in Domain(rules).optimize(model.sudo()).iter_conditions()
        )
        if hidden:
            raise ValidationError(
                self.env._(
                    "You may not see all documents that “%s” would sum up. Ask somebody who may, "
                    "for example in accounting, to change this source.",
                    self.name,
                )
            )

    def action_view_lines(self):
        """Open what the source has counted."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_spending_line_action"
        )
        return {
            **action,
            "domain": [("spending_source_id", "=", self.id)],
            "context": {},
            "display_name": self.name,
        }
