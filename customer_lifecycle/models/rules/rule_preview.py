"""Who would move if a proposal came into force, kept for two days.

In: a proposal; it is written to its rule, today's moves are found, and all is rolled back.
Out: numbers, and lines with the customers and their value. Called by the button on a proposal;
the preview's own buttons apply it, go back to it or list the customers.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .rule import QUIET

#: days that a preview is kept
KEEP_DAYS = 2


class LifecycleRulePreview(models.Model):
    """What applying a proposal would change, found by trying it out and taking it back."""

    _name = "lifecycle.rule.preview"
    _description = "Preview of a Changed Rule"
    _order = "id desc"

    rule_model = fields.Char(required=True, readonly=True)
    rule_id = fields.Many2oneReference(
        string="Proposal", model_field="rule_model", readonly=True
    )
    name = fields.Char(string="Rule", readonly=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    as_of = fields.Date(readonly=True)
    line_ids = fields.One2many("lifecycle.rule.preview.line", "preview_id", readonly=True)
    is_unknown = fields.Boolean(
        readonly=True, help="The rule needs figures that are computed when it is applied."
    )
    move_count = fields.Integer(string="Customers Who Move", readonly=True)
    enter_count = fields.Integer(string="Enter", readonly=True)
    leave_count = fields.Integer(string="Leave", readonly=True)
    announce = fields.Boolean(
        string="Treat as News",
        help="Start the automations, workflows and benefits that follow such a change. Off: a "
        "correction of labels that nobody is told of.",
    )
    benefit_cost = fields.Monetary(
        string="Discount of the Last 12 Months",
        readonly=True,
        help="What the discount of the tier would have cost on the purchases of those who "
        "enter.",
    )

    @api.depends("name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for preview in self:
            preview.display_name = self.env._("What Would Change: %s", preview.name)

    # ----- MAKING -----

    @api.model
    def _make(self, proposal):
        """Find out what a proposal would change in its company, or else the present one.

        The moves that would happen today anyway are left out.
        """
        rule = proposal.proposal_of_id
        company = ("company_id" in rule._fields and rule.company_id) or self.env.company
        self, proposal = self.with_company(company), proposal.with_company(company)
        today = company._lifecycle_today()
        if proposal._needs_new_figures():
            return self.create({**self._named(proposal, company, today), "is_unknown": True})
        before = self._moves(proposal, company, today)
        cr = self.env.cr
        self.env.flush_all()
        cr.execute("SAVEPOINT lifecycle_preview")
        try:
            rule = proposal.proposal_of_id.sudo().with_context(**{QUIET: True})
            rule.write(proposal._proposed_values())
            after = self._moves(proposal, company, today)
        finally:
            # what was tried out must not be written by a later flush
            self.env.transaction.clear()
            cr.execute("ROLLBACK TO SAVEPOINT lifecycle_preview")
            cr.execute("RELEASE SAVEPOINT lifecycle_preview")
        preview = self.create(self._named(proposal, company, today))
        preview._store(proposal.proposal_of_id.id, before, after)
        return preview

    @api.model
    def _named(self, proposal, company, today):
        return {
            "rule_model": proposal._name,
            "rule_id": proposal.id,
            "name": proposal.name,
            "company_id": company.id,
            "as_of": today,
        }

    @api.model
    def _moves(self, proposal, company, today):
        """Dict (profile id, segment id or None) → (from, to) of today's moves."""
        self.env.flush_all()
        proposal.proposal_of_id._find_rule_moves(company, today)
        cr = self.env.cr
        cr.execute("SELECT id, from_id, to_id FROM lifecycle_moves")
        moves = cr.fetchall()
        cr.execute("DROP TABLE pg_temp.lifecycle_moves")
        several = proposal._rule_kind == "segment"
        return {
            (profile_id, (from_id or to_id) if several else None): (from_id, to_id)
            for profile_id, from_id, to_id in moves
        }

    def _store(self, rule_id, before, after):
        """Keep the difference between two sets of moves, summed up and customer by customer."""
        self.ensure_one()
        changes = []
        for key in before.keys() | after.keys():
            start = (before.get(key) or after[key])[0]
            old = before[key][1] if key in before else start
            new = after[key][1] if key in after else start
            if old != new:
                changes.append((key[0], old, new))
        cr = self.env.cr
        cr.execute(
            SQL(
                """WITH moved AS (
                       SELECT * FROM unnest(%(profiles)s::integer[], %(old)s::integer[],
                                            %(new)s::integer[]) moved (profile_id, from_id, to_id)
                   ), lines AS (
                       INSERT INTO lifecycle_rule_preview_line
                              (preview_id, from_res_id, to_res_id, count, clv_total,
                               clv_predicted, revenue_year)
                       SELECT %(preview)s, from_id, to_id, COUNT(*), SUM(profile.clv_total),
                              SUM(profile.clv_predicted), SUM(profile.revenue_year)
                         FROM moved JOIN lifecycle_profile profile
                           ON profile.id = moved.profile_id
                        GROUP BY from_id, to_id
                       RETURNING id, from_res_id, to_res_id
                   )
                   INSERT INTO lifecycle_rule_preview_profile_rel (line_id, profile_id)
                   SELECT lines.id, moved.profile_id
                     FROM moved JOIN lines
                       ON lines.from_res_id IS NOT DISTINCT FROM moved.from_id
                      AND lines.to_res_id IS NOT DISTINCT FROM moved.to_id""",
                profiles=[change[0] for change in changes],
                old=[change[1] for change in changes],
                new=[change[2] for change in changes],
                preview=self.id,
            )
        )
        self.env.invalidate_all()
        rule = self.env[self.rule_model].browse(rule_id)
        entering = [change[0] for change in changes if change[2] == rule_id]
        self.write(
            {
                "move_count": len(changes),
                "enter_count": len(entering),
                "leave_count": sum(change[1] == rule_id for change in changes),
                "benefit_cost": rule._benefit_cost(self.company_id, entering),
            }
        )

    @api.autovacuum
    def _gc_previews(self):
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=KEEP_DAYS)
        self.search([("create_date", "<", limit)]).unlink()

    # ----- ACTIONS -----

    def _proposal(self):
        self.ensure_one()
        proposal = self.env[self.rule_model].browse(self.rule_id).exists()
        if not proposal:
            raise UserError(
                self.env._("This proposal has been applied or discarded already.")
            )
        return proposal

    def action_apply(self):
        """Put the proposal in force."""
        rule, runs = self._proposal()._apply_proposal(announce=self.announce)
        if self.is_unknown:
            message = self.env._("The rule is in force; everybody is computed anew.")
        elif self.move_count:
            message = self.env._(
                "The rule is in force. %(enter)s customers come in, %(leave)s leave, "
                "%(all)s move in all.",
                enter=self.enter_count,
                leave=self.leave_count,
                all=self.move_count,
            )
        else:
            message = self.env._("The rule is in force. Nobody moves today.")
        description = "description" in rule._fields and rule.description
        if description and any(letter.isdigit() for letter in description):
            reminder = self.env._("Does its description still hold? “%s”", description)
            message = f"{message} {reminder}"
        # a computation of everybody takes too long to wait for
        return rule._back_to_form(
            left=2, message=message, runs=runs if not self.is_unknown else None
        )

    def action_back(self):
        return self._proposal()._open_form()

    def action_view_moves(self):
        """All customers who would move."""
        self.ensure_one()
        return self.line_ids.action_view_profiles()


class LifecycleRulePreviewLine(models.Model):
    """Customers who would move from one state to another."""

    _name = "lifecycle.rule.preview.line"
    _description = "Line of a Preview"
    _order = "count desc, id"
    _log_access = False

    preview_id = fields.Many2one(
        "lifecycle.rule.preview", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="preview_id.company_id")
    currency_id = fields.Many2one(related="preview_id.currency_id")
    from_res_id = fields.Integer(readonly=True)
    to_res_id = fields.Integer(readonly=True)
    from_name = fields.Char(string="Before", compute="_compute_names")
    to_name = fields.Char(string="After", compute="_compute_names")
    count = fields.Integer(string="Customers", readonly=True)
    clv_total = fields.Monetary(string="Lifetime Value", readonly=True)
    clv_predicted = fields.Monetary(string="Expected", readonly=True)
    revenue_year = fields.Monetary(string="Revenue in 365 Days", readonly=True)
    profile_ids = fields.Many2many(
        "lifecycle.profile",
        "lifecycle_rule_preview_profile_rel",
        "line_id",
        "profile_id",
        string="Customers Who Move",
    )

    @api.depends("from_res_id", "to_res_id")
    def _compute_names(self):
        for line in self:
            rules = self.env[line.preview_id.rule_model].with_context(active_test=False)
            line.from_name = rules.browse(line.from_res_id).name if line.from_res_id else "–"
            line.to_name = rules.browse(line.to_res_id).name if line.to_res_id else "–"

    def action_view_profiles(self):
        """The customers of some lines."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_profile_action"
        )
        action["domain"] = [("preview_line_ids", "in", self.ids)]
        action["context"] = {}
        action["display_name"] = self.env._("Customers Who Would Move")
        return action
