"""How PostgreSQL plans statements that pass over all purchases.

In: a cursor. Out: settings of its transaction. Called before reports and reconciliations are read.
"""

from odoo.tools import SQL

#: memory for each sorting or hashing of purchases
WORK_MEM = "128MB"


def plan_for_all(cr, few=False):
    """Plan the statements of this transaction for passes over all purchases.

    The days of purchases are computed, which the planner takes for a strict filter: it would
    look up customers one by one. Compiling large statements takes longer than running them.

    :param few: only those of a few customers are read
    """
    cr.execute(
        SQL(
            "SELECT set_config('jit', 'off', TRUE), set_config('work_mem', %s, TRUE), "
            "set_config('enable_nestloop', %s, TRUE)",
            WORK_MEM,
            "on" if few else "off",
        )
    )
