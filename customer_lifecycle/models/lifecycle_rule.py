import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

#: context key of writes that apply a proposal or try it out: they ask for no run of their own
QUIET = "lifecycle_rule_quiet"


class LifecycleRule(models.AbstractModel):
    """What stages, VIP tiers and segments have in common: a rule that people own.

    A rule in force is not edited in place: a proposal, a copy that no computation looks at, is
    edited, previewed, and then applied or discarded. A rule that can no longer be evaluated is
    switched off, and the others go on.

    A model that inherits it defines ``proposal_of_id`` (a link to itself), sets ``_rule_kind``
    and ``_rule_names``, and implements ``_try_rule``.
    """

    _name = "lifecycle.rule"
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

    @api.model
    def _in_force(self, domain=Domain.TRUE, order=None):
        """Rules that computations look at: active, no proposal, not switched off."""
        # sudo: rules decide for everybody, whoever asks for the computation
        return self.sudo().search(
            Domain("proposal_of_id", "=", False) & Domain("rule_error", "=", False) & domain,
            order=order,
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
        for rule in self._in_force():
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

    # ----- CHANGES -----

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        if rules.filtered(lambda rule: not rule.proposal_of_id):
            self._rules_changed()
        return rules

    def write(self, vals):
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
