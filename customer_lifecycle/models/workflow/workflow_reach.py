"""In which companies a workflow without a company of its own runs, and who may say so.

Comes in: the company of a workflow, the companies it was started in, and the user's companies.
Goes out: the companies whose customers enter. Called by whatever enters, advances, previews,
starts, pauses or ends.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

#: companies that somebody looks at, instead of all that the workflow runs in
NARROW = "lifecycle_workflow_companies"
RELATION = "lifecycle_workflow_started_rel"


class LifecycleWorkflow(models.Model):
    # a file for each subject of this large model
    _inherit = "lifecycle.workflow"  # pylint: disable=consider-merging-classes-inherited

    started_company_ids = fields.Many2many(
        "res.company",
        relation=RELATION,
        column1="workflow_id",
        column2="company_id",
        string="Runs In",
        readonly=True,
        copy=False,
        help="The companies whose managers have started a workflow of every company; empty: all.",
    )
    runs_here = fields.Boolean(
        compute="_compute_runs_here",
        help="Whether customers of one's own companies go through it.",
    )

    @api.depends("state", "company_id", "started_company_ids")
    @api.depends_context("uid")
    def _compute_runs_here(self):
        for workflow in self:
            workflow.runs_here = workflow.state == "running" and bool(
                workflow._companies() & workflow._mine()
            )

    def _every_company(self):
        """Companies that the workflow is for."""
        self.ensure_one()
        # sudo: a workflow is for companies, whoever looks at it; a branch's customers are its
        # head office's too: nobody is to be written to twice
        return self.sudo().company_id or self.env["res.company"]._lifecycle_uppermost()

    def _companies(self):
        """Companies that the workflow runs in, or would run in."""
        self.ensure_one()
        every = self._every_company()
        started = self.sudo().started_company_ids
        if started and not self.company_id:
            every &= started
        narrow = self.env.context.get(NARROW)
        return every if narrow is None else every.filtered(lambda one: one.id in narrow)

    def _mine(self):
        """Companies of the workflow that the present user may decide for."""
        every = self._every_company()
        if self.env.user._is_superuser():
            return every
        return every & self.env.user.sudo().company_ids

    def _check_mine(self):
        mine = self._mine()
        if not mine:
            raise AccessError(
                self.env._("“%s” is for customers of companies that you do not work in.",
                           self.name)
            )
        return mine

    def _for_mine(self):
        """The workflow looking only at what the present user may decide for."""
        return self.with_context(**{NARROW: self._check_mine().ids})

    # ----- CHANGING IT -----

    def _reach(self, companies):
        """Let the workflow run in these companies."""
        before = self._companies()
        whole = companies == self._every_company()
        # sudo: called by the buttons, which have checked who presses them
        self.sudo().started_company_ids = False if whole else companies
        if self._companies() != before and not self.company_id:
            self.sudo()._log_edit(
                self.env._("Runs in: %s", ", ".join(companies.sudo().mapped("name")))
            )

    def _reach_more(self, mine):
        """Start in one's own companies what runs in others."""
        running = self._companies()
        if mine <= running:
            return
        # filters and e-mails are read with one person's rights, who has to see all of them
        both = running | mine
        if both <= self.env.user.sudo().company_ids:
            self.user_id = self.env.user
        elif not both <= self.sudo().user_id.company_ids:
            raise UserError(
                self.env._(
                    "“%(name)s” runs in %(companies)s already, started by %(person)s, who does "
                    "not work in your company. Duplicate it and choose your company there.",
                    name=self.name,
                    companies=", ".join(running.sudo().mapped("name")),
                    person=self.sudo().user_id.name,
                )
            )
        self._reach(both)

    def _reach_less(self, mine):
        """Stop in one's own companies.

        :return: whether it goes on in others
        """
        left = self._companies() - mine
        if left:
            self._reach(left)
        return bool(left)

    def _active_here(self, companies):
        """Customers of some companies who are on their way."""
        # sudo: rules would hide customers of other salespeople, who must not be left behind
        return self.env["lifecycle.workflow.enrollment"].sudo().search(
            Domain("workflow_id", "=", self.id)
            & Domain("state", "=", "active")
            & Domain("company_id", "in", companies.ids)
        )

    def _runs_in(self, company):
        """Whether customers of a company go on, once they are on their way."""
        self.ensure_one()
        workflow = self.sudo()
        started = workflow.started_company_ids
        return bool(workflow.company_id) or not started or company in started

    @api.model
    def _runs_in_sql(self, company):
        """Condition on the table ``workflow``: it runs in a company."""
        return SQL(
            """(workflow.company_id IS NOT NULL
                OR NOT EXISTS (SELECT FROM %(rel)s started
                                WHERE started.workflow_id = workflow.id)
                OR EXISTS (SELECT FROM %(rel)s started
                            WHERE started.workflow_id = workflow.id
                              AND started.company_id = %(company)s))""",
            rel=SQL.identifier(RELATION),
            company=company.id,
        )
