"""Head offices know what their branches sold, and their VIP tiers hold there.

Figures of companies with branches are out of date: a run is asked for as after a change of the
settings, so that whatever moves is no news. The tiers' rule lets people of branches read them.
"""

from odoo import SUPERUSER_ID, api

RULE = "customer_lifecycle.lifecycle_vip_tier_rule_company"
FORMER = "[('company_id', 'in', company_ids)]"
PRESENT = "['|', ('company_id', 'in', company_ids), ('company_id', 'parent_of', company_ids)]"


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    rule = env.ref(RULE, raise_if_not_found=False)
    if rule and rule.domain_force == FORMER:
        rule.domain_force = PRESENT
    parents = env["res.company"].search([("child_ids", "!=", False)])
    if parents:
        env["lifecycle.run"]._request(parents, kind="settings", refit=True)
        # until then nobody is judged by figures that are new to the rules only
        env["lifecycle.run"]._request(parents, kind="rules")
