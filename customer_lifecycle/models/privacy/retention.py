"""How long what was done for customers is kept, where a company wants an end to it.

In come the settings of the companies; Odoo's daily tidying calls each method, which deletes a
part, tells how much is left and is called again. What keeps a message from being sent twice is
never deleted: the row of a customer in a workflow that may still run, deliveries of somebody who
is on his way, and whatever the caps and the measured effects look back at.
"""

from odoo import api, fields, models
from odoo.tools import SQL

#: rows deleted between two commits
BATCH = 10_000
#: caps look back at a month, opens and clicks and effects at less than half a year
LEAST_MONTHS = 6
KEEP_HELP = "Older ones are deleted at night. 0: kept for ever; otherwise at least 6 months."


class ResCompany(models.Model):
    # a file for each subject of this model
    _inherit = "res.company"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_keep_deliveries = fields.Integer(
        string="Keep Messages (months)",
        help=f"What workflows sent, did or did not send. {KEEP_HELP}",
    )
    lifecycle_keep_enrollments = fields.Integer(
        string="Keep Customers in Ended Workflows (months)",
        help=f"Who was in workflows that have ended. {KEEP_HELP}",
    )
    lifecycle_keep_touches = fields.Integer(
        string="Keep What Led to Orders (months)",
        help=f"The last touch before each order. {KEEP_HELP}",
    )
    lifecycle_keep_audiences = fields.Integer(
        string="Keep Audience Files (months)",
        help="Files handed over to advertising platforms; when and how many stays known. "
        f"{KEEP_HELP}",
    )

    _lifecycle_keep_range = models.Constraint(
        "CHECK ("
        + " AND ".join(
            f"(COALESCE({name}, 0) = 0 OR {name} >= {LEAST_MONTHS})"
            for name in (
                *("lifecycle_keep_deliveries", "lifecycle_keep_enrollments"),
                *("lifecycle_keep_touches", "lifecycle_keep_audiences"),
            )
        )
        + ")",
        "Keep what was done for customers for at least 6 months, or for ever (0): limits on "
        "messages and measured effects look back at it.",
    )

    def _lifecycle_keep_since(self, name):
        """(company, first moment that is kept) of all companies that keep something for a time."""
        return [
            (company, fields.Datetime.subtract(fields.Datetime.now(), months=company[name]))
            for company in self.sudo().with_context(active_test=False).search([(name, ">", 0)])
        ]


class ResConfigSettings(models.TransientModel):
    # the settings of this file's fields
    _inherit = "res.config.settings"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_keep_deliveries = fields.Integer(
        related="company_id.lifecycle_keep_deliveries", readonly=False
    )
    lifecycle_keep_enrollments = fields.Integer(
        related="company_id.lifecycle_keep_enrollments", readonly=False
    )
    lifecycle_keep_touches = fields.Integer(
        related="company_id.lifecycle_keep_touches", readonly=False
    )
    lifecycle_keep_audiences = fields.Integer(
        related="company_id.lifecycle_keep_audiences", readonly=False
    )


class LifecycleRetention(models.AbstractModel):
    _name = "lifecycle.retention"
    _description = "End of What Is Kept of Customers"

    @api.model
    def _delete(self, table, setting, condition):
        """Delete a part of a table's rows that are older than their company keeps them.

        :param table: name
        :param setting: field of the company
        :param condition: function of a company's id and the first moment kept → SQL about ``old``
        :return: (rows deleted, 1 where there are more)
        """
        self.env.flush_all()
        done = 0
        for company, since in self.env["res.company"]._lifecycle_keep_since(setting):
            self.env.cr.execute(
                SQL(
                    """DELETE FROM %(table)s WHERE id IN (
                         SELECT old.id FROM %(table)s old WHERE %(condition)s LIMIT %(batch)s
                            FOR UPDATE SKIP LOCKED)""",
                    table=SQL.identifier(table),
                    condition=condition(company.id, since),
                    batch=BATCH - done,
                )
            )
            done += self.env.cr.rowcount
            if done >= BATCH:
                break
        if done:
            self.env.invalidate_all()
        return done, int(done >= BATCH)

    @api.autovacuum
    def _gc_deliveries(self):
        return self._delete(
            "lifecycle_workflow_delivery",
            "lifecycle_keep_deliveries",
            lambda company, since: SQL(
                """old.company_id = %s AND old.date < %s AND old.state <> 'waiting'
                   AND NOT EXISTS (SELECT FROM lifecycle_workflow_enrollment enrollment
                                    WHERE enrollment.id = old.enrollment_id
                                      AND enrollment.state IN ('active', 'failed'))""",
                company,
                since,
            ),
        )

    @api.autovacuum
    def _gc_enrollments(self):
        # a workflow that may still run knows by these rows who has been in it
        return self._delete(
            "lifecycle_workflow_enrollment",
            "lifecycle_keep_enrollments",
            lambda company, since: SQL(
                """old.company_id = %s AND COALESCE(old.date_end, old.date_entered) < %s
                   AND old.state NOT IN ('active', 'failed')
                   AND EXISTS (SELECT FROM lifecycle_workflow workflow
                                WHERE workflow.id = old.workflow_id
                                  AND workflow.state = 'ended')
                   AND NOT EXISTS (SELECT FROM lifecycle_workflow_delivery delivery
                                    WHERE delivery.enrollment_id = old.id)""",
                company,
                since,
            ),
        )

    @api.autovacuum
    def _gc_order_touches(self):
        return self._delete(
            "lifecycle_order_touch",
            "lifecycle_keep_touches",
            lambda company, since: SQL(
                """old.date < %s AND old.profile_id IN (
                     SELECT id FROM lifecycle_profile WHERE company_id = %s)""",
                since.date(),
                company,
            ),
        )

    @api.autovacuum
    def _gc_audience_files(self):
        """Delete the files alone: that something was handed over, and how much, stays known."""
        done = 0
        for company, since in self.env["res.company"]._lifecycle_keep_since(
            "lifecycle_keep_audiences"
        ):
            old = self.env["lifecycle.audience.export"].sudo().search(
                [("company_id", "=", company.id), ("date", "<", since)]
            )
            files = self.env["ir.attachment"].sudo().search(
                [
                    ("res_model", "=", old._name),
                    ("res_id", "in", old.ids),
                    ("res_field", "in", ("addition_file", "removal_file")),
                ]
            )
            done += len(files)
            files.unlink()
        return done, 0
