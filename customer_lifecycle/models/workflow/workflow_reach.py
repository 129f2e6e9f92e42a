"""In which companies a workflow without a company of its own runs, and who may say so.

Comes in: the company of a workflow, the companies it was started in, and the user's companies.
Goes out: the companies whose customers enter. Called by whatever enters, advances, previews,
starts, pauses or ends.
"""

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.context import own, own_value

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

    @api.depends("state", "company_id", "started_company_ids", "user_id")
    @api.depends_context("uid")
    def _compute_runs_here(self):
        for workflow in self:
            workflow.runs_here = workflow.state == "running" and bool(
                workflow._acts_in() & workflow._mine()
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
        narrow = own_value(self.env, NARROW)
        return every if narrow is None else every.filtered(lambda one: one.id in narrow)

    def _acts_in(self):
        """Companies that it runs in, as far as the responsible person works there.

        Companies are founded, and people change: others go on without them.
        """
        # sudo: where somebody works decides where he may act
        user = self.sudo().user_id
        companies = self._companies()
        return companies if user.id == SUPERUSER_ID else companies & user.company_ids

    def _mine(self):
        """Companies of the workflow that the present user may decide for."""
        every = self._every_company()
        if self.env.user._is_superuser():
            return every
        return every & self.env.user.sudo().company_ids

    def _check_mine(self):
        mine = self._mine()
        if not mine:
            self._refuse_stranger()
        return mine

    def _refuse_stranger(self):
        raise AccessError(
            self.env._("“%s” is for customers of companies that you do not work in.", self.name)
        )

    def _check_may_edit(self):
        """Refuse to let a started workflow be changed by who may not start it wherever it runs.

        It acts with the rights of the responsible person, also in companies that others do not
        see.
        """
        if self.env.su:
            return
        # sudo: whoever edits an e-mail need not see the workflows that send it
        for workflow in self.sudo().filtered(lambda one: one.state in ("running", "paused")):
            workflow.sudo(False)._check_may_start()
            if workflow.user_id != self.env.user and workflow._companies() - workflow._mine():
                workflow._refuse_stranger()

    def _companies_to_resume(self):
        """Companies of one's own in which a workflow that does not run would go on."""
        companies = self._companies() & self._check_mine()
        if not companies:
            # none would mean all
            self._refuse_stranger()
        return companies

    def _for_mine(self):
        """The workflow looking only at what the present user may decide for."""
        return self.with_context(**{NARROW: own(self._check_mine().ids)})

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
        running = self._acts_in()
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
        started, user = workflow.started_company_ids, workflow.user_id
        return (
            workflow.active
            and (bool(workflow.company_id) or not started or company in started)
            and (user.id == SUPERUSER_ID or company in user.company_ids)
        )

    @api.model
    def _runs_in_sql(self, company):
        """Condition on the table ``workflow``: it runs in a company."""
        return SQL(
            """(workflow.company_id IS NOT NULL
                OR NOT EXISTS (SELECT FROM %(rel)s started
                                WHERE started.workflow_id = workflow.id)
                OR EXISTS (SELECT FROM %(rel)s started
                            WHERE started.workflow_id = workflow.id
                              AND started.company_id = %(company)s))
               AND (workflow.user_id = %(robot)s
                OR EXISTS (SELECT FROM res_company_users_rel working
                            WHERE working.user_id = workflow.user_id
                              AND working.cid = %(company)s))""",
            rel=SQL.identifier(RELATION),
            company=company.id,
            robot=SUPERUSER_ID,
        )
