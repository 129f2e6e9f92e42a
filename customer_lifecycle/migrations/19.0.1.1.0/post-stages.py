"""Won back asks for an order since the customer was at risk or lost.

Comes in: a database whose stages know recent orders only. Goes out: the delivered stage and
people's own ones of its kind ask for an order since, whatever their rule; profiles know the last
order of when their stage began. Called by Odoo's update; running it twice changes nothing more.
"""

import re

#: conditions that ask for a recent order
RECENT = re.compile(
    r"""['"](?:days_since_last_order|lateness)['"]\s*,\s*['"]<=?['"]"""
    r"""|['"]last_order_date['"]\s*,\s*['"]>=?['"]"""
)


def migrate(cr, version):
    cr.execute(
        """UPDATE lifecycle_profile
              SET stage_order_date = LEAST(last_order_date, stage_date)
            WHERE stage_order_date IS NULL AND stage_date IS NOT NULL
              AND last_order_date IS NOT NULL"""
    )
    # stages that are entered only from where customers have gone quiet
    cr.execute(
        """SELECT stage.id, stage.domain
             FROM lifecycle_stage stage
             JOIN lifecycle_stage_enter_from_rel door ON door.stage_id = stage.id
             JOIN lifecycle_stage former ON former.id = door.from_stage_id
             LEFT JOIN ir_model_data known
               ON known.model = 'lifecycle.stage' AND known.res_id = former.id
              AND known.module = 'customer_lifecycle'
            WHERE stage.after_order IS NOT TRUE
            GROUP BY stage.id
           HAVING BOOL_AND(COALESCE(former.is_lost, FALSE)
                           OR COALESCE(known.name, '') IN ('stage_at_risk', 'stage_lost')
                           OR former.tone IN ('warning', 'danger'))"""
    )
    returning = [stage_id for stage_id, domain in cr.fetchall() if RECENT.search(domain or "")]
    cr.execute("UPDATE lifecycle_stage SET after_order = TRUE WHERE id = ANY(%s)", [returning])
