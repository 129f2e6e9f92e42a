"""First steps that were put away stay away, now that they go on after the figures.

Comes in: a database whose companies know only that they were taken. Goes out: companies that had
put them away find the longer list in the menu. Called by Odoo's update; running it twice changes
nothing more.
"""


def migrate(cr, version):
    cr.execute(
        """UPDATE res_company
              SET lifecycle_first_steps_closed = TRUE
            WHERE lifecycle_first_steps_done
              AND lifecycle_first_steps_closed IS NULL"""
    )
