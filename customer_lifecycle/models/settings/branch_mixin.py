"""Lists and sums of what companies and their branches both have.

In: what somebody looks at in the web client, who has chosen several companies. Out: the same, with
each customer once: a head office's profile contains what its branches sold. Inherited by the
models of which there is a record for each company.
"""

from odoo import api, models
from odoo.fields import Domain


class LifecycleBranchMixin(models.AbstractModel):
    """Shows a head office in place of its branches where both are looked at.

    Only lists and sums of the web client are concerned, and only where nobody asks for a company:
    whatever is computed, opened or linked to is found as ever.
    """

    _name = "lifecycle.branch.mixin"
    _description = "Record of Each Company"

    _company_path = "company_id"

    @api.model
    def _without_branches(self, domain):
        """The domain, without the branches of companies that are looked at as well."""
        companies = self.env.companies
        # sudo: which companies belong together is no secret
        branches = companies.filtered(
            lambda one: (one.sudo().parent_ids - one.sudo()) & companies.sudo()
        )
        if not branches:
            return domain
        domain = Domain(domain)
        if any(
            condition.field_expr.split(".")[-1] == "company_id"
            or "company_id." in condition.field_expr
            for condition in domain.iter_conditions()
        ):
            return domain
        return domain & Domain(self._company_path, "not in", branches.ids)

    @api.model
    @api.readonly
    def web_search_read(self, domain, *args, **kwargs):
        return super().web_search_read(list(self._without_branches(domain)), *args, **kwargs)

    @api.model
    @api.readonly
    def web_read_group(self, domain, *args, **kwargs):
        return super().web_read_group(list(self._without_branches(domain)), *args, **kwargs)

    @api.model
    @api.readonly
    def formatted_read_group(self, domain, *args, **kwargs):
        return super().formatted_read_group(self._without_branches(domain), *args, **kwargs)

    @api.model
    @api.readonly
    def formatted_read_grouping_sets(self, domain, *args, **kwargs):
        return super().formatted_read_grouping_sets(
            self._without_branches(domain), *args, **kwargs
        )

    @api.model
    @api.readonly
    def read_progress_bar(self, domain, *args, **kwargs):
        return super().read_progress_bar(self._without_branches(domain), *args, **kwargs)
