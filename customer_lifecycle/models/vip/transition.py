"""The reason of a change of VIP tier in words: the amount, and the threshold met or missed.

In: the values that the classifier kept with the change. Out: the text in the column “Why” of the
history of tiers; changes that somebody gave a reason for, and all other kinds, are left alone.
"""

from odoo import api, models
from odoo.tools.misc import format_date


class LifecycleTransition(models.Model):
    """Why somebody entered or left a tier, in words."""

    # a file for each subject of this large model
    _inherit = "lifecycle.transition"  # pylint: disable=consider-merging-classes-inherited

    @api.depends("from_tier_id", "to_tier_id")
    def _compute_why_text(self):
        tiers = self.filtered(
            lambda change: change.kind == "tier" and change.sudo().why and not change.reason
        )
        for change in tiers:
            change.why_text = change._tier_why_text()
        return super(LifecycleTransition, self - tiers)._compute_why_text()

    def _tier_why_text(self):
        self.ensure_one()
        # sudo: the amounts of the tier's measure, which whoever sees the customer may see
        why = self.sudo().why
        tier = self.env["lifecycle.vip.tier"].browse(why.get("tier", 0)).sudo().exists()
        if why.get("archived"):
            return self.env._("No longer a customer.")
        if not tier or not why.get("values"):
            return self.env._("The tier is no longer in force.")
        entered = tier == self.to_tier_id
        value = tier._shown(why["values"][0])
        if len(why["values"]) > 1:
            value = self.env._(
                "%(this)s this year, %(last)s the year before",
                this=value,
                last=tier._shown(why["values"][1]),
            )
        elif why["term"]:
            value = self.env._("%s in the last 12 months", value)
        if entered:
            return self.env._(
                "%(value)s; %(tier)s from %(entry)s",
                value=value,
                tier=tier.name,
                entry=tier._shown(why["entry"]),
            )
        if not why.get("review"):
            return self.env._(
                "%(value)s; %(tier)s is kept above %(keep)s",
                value=value,
                tier=tier.name,
                keep=tier._shown(why["keep"]),
            )
        return self.env._(
            "%(value)s; %(tier)s is kept above %(keep)s, announced for %(date)s",
            value=value,
            tier=tier.name,
            keep=tier._shown(why["keep"]),
            date=format_date(self.env, why["review"], date_format="medium"),
        )
