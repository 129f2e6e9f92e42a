"""A delivery is late when the day that it was promised for is over.

Comes in: the delivered touchpoint source that compared moments. Goes out: it compares days,
where nobody has changed it. Called by Odoo's update; running it twice changes nothing more.
"""

FORMER = (
    "[('state', 'not in', ['done', 'cancel']), ('picking_type_id.code', '=', 'outgoing'), "
    "('date_deadline', '<', 'now')]"
)


def migrate(cr, version):
    cr.execute(
        """UPDATE lifecycle_touchpoint_source source SET domain = %s
             FROM ir_model_data known
            WHERE known.module = 'customer_lifecycle'
              AND known.name = 'touchpoint_source_delivery_late'
              AND known.res_id = source.id AND source.domain = %s""",
        [FORMER.replace("'now'", "'today'"), FORMER],
    )
