"""Fit anew: stored fits forecast orders near the median, present ones their mean.

Comes in: companies with a stored fit, which this version cannot read. Goes out: a run for each, as
after a change of the settings, so that what moves by it is no news. Until it is through, the last
figures stay. Called by Odoo's update; where all fits are readable nothing is asked for.
"""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    models = env["lifecycle.clv.model"]
    companies = models.search([]).company_id.filtered(
        lambda company: not models._current(company)._is_readable()
    )
    if companies:
        env["lifecycle.run"]._request(companies, kind="settings", refit=True)
