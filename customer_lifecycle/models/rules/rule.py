"""The life of a rule: proposed, previewed, applied, and switched off when it breaks.

In: what people enter on stages, VIP tiers and segments, which inherit this. Out: the rules in
force, and requests for a run where one has changed. The run switches broken rules off, the
health check names them, the preview applies a proposal.
"""

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ...tools import rights
from ...tools.context import own
from ...tools.fields import stored_names

#: context key of writes that apply a proposal or try it out: they ask for no run of their own
QUIET = "lifecycle_rule_quiet"
#: what nobody writes by hand
BY_ITSELF = frozenset({"rule_error"})


class LifecycleRule(models.AbstractModel):
    """What stages, VIP tiers and segments have in common: a rule that people own.

    A rule in force is not edited in place: a proposal, a copy that no computation looks at, is
    edited, previewed, and then applied or discarded. A rule that can no longer be evaluated is
    switched off, and the others go on.

    A model that inherits it defines ``active`` and ``proposal_of_id`` (a link to itself), sets
    ``_rule_kind`` and ``_rule_names``, and implements ``_try_rule`` and ``_find_rule_moves``.
    Proposals are archived, so that nothing that lists rules shows them.
    """

    _name = "lifecycle.rule"
    _inherit = "lifecycle.compared.mixin"
    _description = "Life-Cycle Rule"

    #: "stage", "tier" or "segment"
    _rule_kind = None
    #: names of the fields that decide who is a member
    _rule_names = frozenset()

    rule_error = fields.Char(
        string="Switched Off Because",
        readonly=True,
        copy=False,
        help="The rule cannot be evaluated any more. Correct it to switch it on again.",
    )

    has_proposal = fields.Boolean(compute="_compute_has_proposal")
    proposal_note = fields.Char(string="Proposal", compute="_compute_has_proposal")

    @api.model
    def _in_force(self, domain=Domain.TRUE, order=None):
        """Rules that computations look at: active, no proposal, not switched off."""
        # sudo: rules decide for everybody, whoever asks for the computation
        rules = self.sudo()
        return rules.search_fetch(
            Domain("proposal_of_id", "=", False) & Domain("rule_error", "=", False) & domain,
            stored_names(rules),
            order=order,
        )

    @api.model
    def _switched_off(self):
        """Rules in force but for an error."""
        # sudo: rules decide for everybody, whoever asks for the computation
        return self.sudo().search(
            Domain("proposal_of_id", "=", False) & Domain("rule_error", "!=", False)
        )

    def _try_rule(self):
        """Evaluate the rule on one customer.

        :raise ValueError, KeyError, UserError: the rule cannot be evaluated
        """
        raise NotImplementedError

    def _rule_problem(self):
        """Why the rule cannot be evaluated, or None."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self._try_rule()
        except (ValueError, KeyError, TypeError, UserError, psycopg2.Error) as error:
            return str(error)
        return None

    @api.model
    def _switch_off_broken(self):
        """Switch off the rules that cannot be evaluated any more, as after uninstalling an app.

        :return: warnings for the run
        """
        warnings = []
        # what was let in does not go because the server is busy at night
        for rule in self.with_context(lifecycle_patience=own(120))._in_force():
            problem = rule._rule_problem()
            if problem:
                rule.rule_error = problem
                warnings.append(
                    self.env._(
                        "The rule of “%(rule)s” is switched off: %(problem)s",
                        rule=rule.display_name,
                        problem=problem,
                    )
                )
        return warnings

    def _check_rule(self):
        """Refuse a rule that cannot be evaluated; for the constraints of each kind."""
        for rule in self:
            problem = rule._rule_problem()
            if problem:
                raise ValidationError(
                    self.env._(
                        "The rule of “%(rule)s” cannot be evaluated: %(error)s",
                        rule=rule.display_name,
                        error=problem,
                    )
                )

    # ----- PROPOSALS -----

    @api.depends("proposal_of_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        result = super()._compute_display_name()
        for rule in self.filtered("proposal_of_id"):
            # it is a copy: on the way to it the rule in force stands beside it
            rule.display_name = self.env._("%s (proposal)", rule.display_name)
        return result

    @api.depends("proposal_of_id")
    def _compute_has_proposal(self):
        proposals = self.with_context(active_test=False).search(
            [("proposal_of_id", "in", self.ids)]
        )
        for rule in self:
            rule.has_proposal = rule in proposals.proposal_of_id
            rule.proposal_note = rule.has_proposal and self.env._("Not applied yet")

    def _find_rule_moves(self, company, today):
        """Fill the temporary table ``lifecycle_moves`` with what the rules in force would move.

        All rules of the kind together, as one customer's stage depends on the other stages'
        rules; at least the columns ``id`` (profile), ``from_id`` and ``to_id``.
        """
        raise NotImplementedError

    def action_propose(self):
        """Open the proposal that is being prepared for a rule, or a new one."""
        self.ensure_one()
        if self.proposal_of_id:
            return self._open_form()
        proposal = self.with_context(active_test=False).search(
            [("proposal_of_id", "=", self.id)], limit=1
        )
        if not proposal:
            proposal = self.copy({"proposal_of_id": self.id, "active": False})
            # a copy's name may have been changed by Odoo
            proposal.name = self.name
        return proposal._open_form()

    def action_discard(self):
        """Delete a proposal and go back to the rule in force."""
        self.ensure_one()
        rule = self.proposal_of_id
        if not rule:
            raise UserError(self.env._("This is the rule in force; only proposals are discarded."))
        self.unlink()
        return rule._back_to_form(left=1, message=self.env._("The proposal was discarded."))

    def action_preview(self):
        """Show who would move if a proposal were applied; nothing of it is applied."""
        self.ensure_one()
        if not self.proposal_of_id:
            raise UserError(self.env._("Change the rule first; there is nothing to preview."))
        self.check_access("write")
        # sudo: previews are made by the computation and only read by people
        preview = self.env["lifecycle.rule.preview"].sudo()._make(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("What Would Change: %s", self.name),
            "res_model": preview._name,
            "res_id": preview.id,
            "views": [(False, "form")],
            "target": "current",
        }

    def _proposed_values(self):
        """Values of a proposal that decide who is a member, to be written to the rule."""
        values = self.copy_data()[0]
        return {
            name: value
            for name, value in values.items()
            if name in self._rule_names and name != "active"
        }

    def _apply_proposal(self, announce=False):
        """Put a proposal in force and have every customer classified by it.

        :param announce: whether what it moves is news, which automations and benefits follow
        :return: the rule, and the runs that move customers
        """
        self.ensure_one()
        rule = self.proposal_of_id
        # who leaves because the rule moves to another company leaves by this edit too
        companies = self._rule_companies(rule)
        kind = "settings" if self._needs_new_figures() else "rules"
        rule.with_context(**{QUIET: True}).write(self._proposed_values())
        companies |= self._rule_companies(rule)
        self.unlink()
        runs = self.env["lifecycle.run"].sudo()._request(
            companies, kind=kind, announce=announce
        )
        return rule, runs

    def _needs_new_figures(self):
        """Whether a proposal's rule needs figures that only a complete run computes."""
        return False

    @api.model
    def _rule_companies(self, rule):
        company = rule.company_id if "company_id" in rule._fields else None
        return company or self.env["res.company"]._lifecycle_companies()

    def _back_to_form(self, left, message, runs=None):
        """Go back to the rule, past screens of what is no more.

        :param left: how many screens are left: the proposal, and its preview where it was applied
        :param runs: after which the rule's members are counted anew
        """
        self.ensure_one()
        return {
            "type": "ir.actions.client",
            "tag": "customer_lifecycle.back_to_rule",
            "params": {
                "left": left,
                "message": message,
                "name": self.display_name,
                "rule": self._open_form(),
                "runs": runs.ids if runs else [],
            },
        }

    def _open_form(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "current",
        }

    def _benefit_cost(self, company, profile_ids):
        """What the rule's benefits would have cost some customers' last 12 months.

        :return: amount in the company's currency
        """
        return 0.0

    # ----- CHANGES -----

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rights.refuse_created(rules, BY_ITSELF)
        if rules.filtered(lambda rule: not rule.proposal_of_id):
            self._rules_changed()
        return rules

    def write(self, vals):
        rights.refuse_written(self, BY_ITSELF & vals.keys())
        changed = self._rule_names & vals.keys()
        if changed and "rule_error" not in vals:
            vals = {**vals, "rule_error": False}
        result = super().write(vals)
        if changed and self.filtered(lambda rule: not rule.proposal_of_id):
            self._rules_changed()
        return result

    @api.model
    def _rules_changed(self):
        """Let every customer be classified anew, as a correction and not as news."""
        if self.env.registry.ready and not self.env.context.get(QUIET):
            companies = self.env["res.company"]._lifecycle_companies()
            self.env["lifecycle.run"].sudo()._request(companies, kind="rules")
