"""Merged opportunities keep the earliest touch.

Comes in: opportunities that are merged. Goes out: the one that stays remembers when the first of
them came in and through which campaign. Called by CRM's merge; read by the first touches
(``attribution_store``).
"""

from odoo import fields, models

CAMPAIGN = ("source_id", "medium_id", "campaign_id")


class CrmLead(models.Model):
    # a file for each subject of this large model
    _inherit = "crm.lead"  # pylint: disable=consider-merging-classes-inherited

    lifecycle_first_date = fields.Datetime(
        string="First Came in",
        readonly=True,
        copy=False,
        help="Where opportunities were merged: when the earliest of them was made.",
    )
    lifecycle_first_source_id = fields.Many2one("utm.source", readonly=True, copy=False)
    lifecycle_first_medium_id = fields.Many2one("utm.medium", readonly=True, copy=False)
    lifecycle_first_campaign_id = fields.Many2one("utm.campaign", readonly=True, copy=False)

    def _merge_dependences(self, opportunities):
        """Keep when and whence the earliest came, before the others are deleted."""
        # the common values are written after this: each still has its own
        everybody = (self | opportunities).sudo()

        def came(lead):
            return lead.lifecycle_first_date or lead.create_date or fields.Datetime.now()

        first = min(everybody, key=lambda lead: (came(lead), lead.id))
        named = [
            lead
            for lead in everybody.sorted(lambda lead: (came(lead), lead.id))
            if any(lead._lifecycle_first_touch().values())
        ]
        touch = named[0]._lifecycle_first_touch() if named else {}
        if first != self or (named and named[0] != self):
            self.write(
                {
                    "lifecycle_first_date": came(first),
                    **{f"lifecycle_first_{name}": touch.get(name) for name in CAMPAIGN},
                }
            )
        return super()._merge_dependences(opportunities)

    def _lifecycle_first_touch(self):
        """Ids of source, medium and campaign that the opportunity came in through."""
        self.ensure_one()
        own = self.lifecycle_first_date and any(
            self[f"lifecycle_first_{name}"] for name in CAMPAIGN
        )
        prefix = "lifecycle_first_" if own else ""
        return {name: self[f"{prefix}{name}"].id for name in CAMPAIGN}
