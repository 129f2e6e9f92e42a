"""The button that opens the comparison of a tier, segment, stage or workflow.

In: the record whose form shows the button. Out: the action that opens its comparison, a list of
them where there are several, or a form for a new one. Inherited by what members can be compared
of before and after they joined.
"""

from odoo import models


class LifecycleComparedMixin(models.AbstractModel):
    _name = "lifecycle.compared.mixin"
    _description = "Before and After"

    def action_compare(self):
        return self.env["lifecycle.comparison"]._open_for(self)
