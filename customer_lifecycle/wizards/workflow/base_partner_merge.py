from odoo import api, models
from odoo.tools import SQL

from ...models.workflow.consent import MONTH


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    # what merging means for workflows
    _inherit = "base.partner.merge.automatic.wizard"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _merge_lifecycle_profiles(self, src_partners, dst_partner):
        """Keep the workflows' history of all merged customers; one goes on in each workflow.

        Core deletes all links of the merged ones when a single one breaks a unique index.
        """
        partners = (src_partners | dst_partner).ids
        self.env.flush_all()
        # who was written to as one record is not written to again as the other: of two ways
        # through a workflow the one goes on that has come further
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_workflow_enrollment enrollment
                      SET state = 'exited', exit_reason = 'again', step_id = NULL,
                          date_next = NULL, date_end = %(now)s
                    WHERE enrollment.partner_id = ANY(%(partners)s)
                      AND enrollment.state = 'active'
                      AND EXISTS (
                          SELECT FROM lifecycle_workflow_enrollment other
                           WHERE other.partner_id = ANY(%(partners)s)
                             AND other.partner_id <> enrollment.partner_id
                             AND other.company_id = enrollment.company_id
                             AND other.workflow_id = enrollment.workflow_id
                             AND other.date_entered BETWEEN enrollment.date_entered - %(apart)s
                                                        AND enrollment.date_entered + %(apart)s
                             AND EXISTS (
                                 SELECT FROM lifecycle_workflow_delivery sent
                                  WHERE sent.enrollment_id = other.id AND sent.kind = 'email'
                                    AND sent.state = 'done'
                                    AND NOT EXISTS (
                                        SELECT FROM lifecycle_workflow_delivery own
                                         WHERE own.enrollment_id = enrollment.id
                                           AND own.step_id = sent.step_id)))""",
                now=self.env.cr.now(),
                partners=partners,
                apart=MONTH,
            )
        )
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_workflow_enrollment enrollment
                      SET state = 'exited', exit_reason = 'again', step_id = NULL,
                          date_next = NULL, date_end = %(now)s
                    WHERE enrollment.partner_id = ANY(%(partners)s)
                      AND enrollment.state = 'active'
                      AND EXISTS (SELECT FROM lifecycle_workflow_enrollment other
                                   WHERE other.partner_id = ANY(%(partners)s)
                                     AND other.company_id = enrollment.company_id
                                     AND other.workflow_id = enrollment.workflow_id
                                     AND other.state = 'active' AND other.id > enrollment.id)""",
                now=self.env.cr.now(),
                partners=partners,
            )
        )
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_workflow_enrollment enrollment
                      SET episode = episode || ' (' || id || ')'
                    WHERE enrollment.partner_id = ANY(%(partners)s)
                      AND EXISTS (SELECT FROM lifecycle_workflow_enrollment other
                                   WHERE other.partner_id = ANY(%(partners)s)
                                     AND other.company_id = enrollment.company_id
                                     AND other.workflow_id = enrollment.workflow_id
                                     AND other.episode = enrollment.episode
                                     AND other.id > enrollment.id)""",
                partners=partners,
            )
        )
        self.env["lifecycle.workflow.enrollment"].invalidate_model()
        return super()._merge_lifecycle_profiles(src_partners, dst_partner)
