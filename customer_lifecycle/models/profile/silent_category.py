"""Categories that customers used to buy and have stopped buying, while they still buy others.

In: products on purchases, by the category that they are in today. Out: one row for each category
that fell silent, with what it was worth a year. A reader: everybody is looked at once a week, and
who buys the category again is taken off at once. Read by the contact, the list of calls, a list of
its own and the workflows' trigger “Category has gone silent”.
"""

import numpy as np

from odoo import api, fields, models
from odoo.tools import SQL

from ...kernel.silence import EVENTS, SINCE, fell_silent
from ...tools.copy import copy_in, copy_out
from ..prediction.prediction_columns import EPOCH
from .reader import Reader

#: days after which everybody is looked at again
EVERY_DAYS = 7


class SilenceReader(Reader):
    """Finds who has stopped buying a category.

    - ``lifecycle_silent``: what was found: partner, category, last day, purchases, days between
      in tenths, orders since, yearly amount in hundredths, whether it is sure
    """

    TABLES = ("lifecycle_silent",)
    SEEN = "silence_seen"
    OPTIONAL = True
    looks = False

    def name(self):
        return self.env._("Categories Gone Silent")

    def find_changes(self, seen, complete):
        last = seen and fields.Date.to_date(seen["day"])
        self.looks = complete or not last or last <= fields.Date.subtract(self.day, days=EVERY_DAYS)
        return {"day": fields.Date.to_string(self.day)} if self.looks else seen

    def update(self):
        if self.scope.is_few or not self.looks:
            changed = self._forget_who_buys_again()
        else:
            changed = self._look_at_all()
        self.env["lifecycle.silent.category"].invalidate_model()
        return changed, []

    # ----- EVERYBODY -----

    def _look_at_all(self):
        """Write what is silent now; return the number of customers for whom that is different."""
        # what the first look finds is history
        known = self._was_looked_at()
        self._find()
        self.cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_silent_now ON COMMIT DROP AS
                   SELECT profile.id AS profile_id, found.category_id,
                          DATE '1970-01-01' + found.last_day::integer AS last_date,
                          found.events::integer AS day_count, found.gap::float / 10 AS gap,
                          found.since::integer AS order_count,
                          found.yearly::numeric / 100 AS yearly_amount,
                          found.sure = 1 AS is_sure
                     FROM lifecycle_silent found
                     JOIN lifecycle_profile profile ON profile.partner_id = found.partner_id
                      AND profile.company_id = %s AND profile.active
                     -- a category may go while we count
                     JOIN product_category category ON category.id = found.category_id
                      FOR KEY SHARE OF profile, category""",
                self.company.id,
            )
        )
        self.cr.execute(
            SQL(
                """DELETE FROM lifecycle_silent_category old USING lifecycle_profile profile
                    WHERE profile.id = old.profile_id AND profile.company_id = %s
                      AND NOT EXISTS (SELECT FROM lifecycle_silent_now now
                                       WHERE now.profile_id = old.profile_id
                                         AND now.category_id = old.category_id
                                         AND now.last_date = old.last_date)
                RETURNING old.profile_id""",
                self.company.id,
            )
        )
        changed = {row[0] for row in self.cr.fetchall()}
        self.cr.execute(
            SQL(
                """INSERT INTO lifecycle_silent_category AS old
                          (profile_id, category_id, last_date, day_count, gap, order_count,
                           yearly_amount, is_sure, found_on)
                   SELECT now.*, %s::date FROM lifecycle_silent_now now
                    ORDER BY profile_id, yearly_amount DESC
                       ON CONFLICT (profile_id, category_id) DO UPDATE
                      SET day_count = EXCLUDED.day_count, gap = EXCLUDED.gap,
                          order_count = EXCLUDED.order_count,
                          yearly_amount = EXCLUDED.yearly_amount, is_sure = EXCLUDED.is_sure
                    WHERE (old.day_count, old.gap, old.order_count, old.yearly_amount, old.is_sure)
                          IS DISTINCT FROM (EXCLUDED.day_count, EXCLUDED.gap,
                                            EXCLUDED.order_count, EXCLUDED.yearly_amount,
                                            EXCLUDED.is_sure)
                RETURNING old.profile_id""",
                self.day if known else None,
            )
        )
        changed.update(row[0] for row in self.cr.fetchall())
        self.cr.execute("DROP TABLE pg_temp.lifecycle_silent_now")
        return len(changed)

    def _was_looked_at(self):
        runs = self.env["lifecycle.run"].sudo()
        return runs.search_count(
            [("company_id", "=", self.company.id), (self.SEEN, "!=", False)], limit=1
        )

    def _find(self):
        """Ask the kernel about everybody who has bought often enough."""
        frame = copy_out(
            self.cr,
            SQL(
                """SELECT item.partner_id, template.categ_id AS category_id,
                          item.day - DATE '1970-01-01' AS day, SUM(item.amount) AS amount
                     FROM lifecycle_purchase_item item
                     JOIN lifecycle_profile profile ON profile.partner_id = item.partner_id
                      AND profile.company_id = item.company_id AND profile.active
                      AND profile.order_count >= %(fewest)s
                     JOIN product_product product ON product.id = item.product_id
                     JOIN product_template template ON template.id = product.product_tmpl_id
                    WHERE item.company_id = %(company)s AND template.categ_id IS NOT NULL
                      AND item.day <= %(today)s
                    GROUP BY 1, 2, 3""",
                fewest=EVENTS + SINCE,
                company=self.company.id,
                today=self.day,
            ),
            {"partner_id": "int64", "category_id": "int64", "day": "int64", "amount": "float64"},
        )
        found = fell_silent(
            *(frame[name].to_numpy() for name in ("partner_id", "category_id", "day", "amount")),
            self.day.toordinal() - EPOCH,
        )
        self.cr.execute(
            """CREATE TEMPORARY TABLE lifecycle_silent (
                   partner_id bigint, category_id bigint, last_day bigint, events bigint,
                   gap bigint, since bigint, yearly bigint, sure bigint)"""
        )
        columns = (
            *(found.customer, found.group, found.last_day, found.events),
            *(np.rint(found.gap * 10), found.since, np.rint(found.yearly * 100), found.sure),
        )
        copy_in(self.cr, "lifecycle_silent", [column.astype(np.int64) for column in columns])

    # ----- WHO BUYS AGAIN -----

    def _forget_who_buys_again(self):
        self.cr.execute(
            SQL(
                """DELETE FROM lifecycle_silent_category old USING lifecycle_profile profile
                    WHERE profile.id = old.profile_id AND profile.company_id = %(company)s
                      AND %(among)s
                      AND EXISTS (SELECT FROM lifecycle_purchase_item item
                                    JOIN product_product product ON product.id = item.product_id
                                    JOIN product_template template
                                      ON template.id = product.product_tmpl_id
                                   WHERE item.company_id = profile.company_id
                                     AND item.partner_id = profile.partner_id
                                     AND item.day > old.last_date AND item.day <= %(today)s
                                     AND template.categ_id = old.category_id
                                   GROUP BY item.day HAVING SUM(item.amount) > 0)""",
                company=self.company.id,
                among=self.scope.where(SQL("profile.partner_id")),
                today=self.day,
            )
        )
        return self.cr.rowcount


class LifecycleSilentCategory(models.Model):
    """A category that a customer has bought for long, and not any more, although he still buys.

    At most one customer in ten would be named if nobody had changed; of those that are named as
    sure, at most one in ten is wrong.
    """

    _name = "lifecycle.silent.category"
    _description = "Category Gone Silent"
    _order = "yearly_amount desc, id"
    _rec_name = "category_id"
    _log_access = False

    profile_id = fields.Many2one(
        "lifecycle.profile", required=True, ondelete="cascade", index=True, readonly=True
    )
    partner_id = fields.Many2one(related="profile_id.partner_id", string="Customer")
    company_id = fields.Many2one(related="profile_id.company_id")
    user_id = fields.Many2one(related="profile_id.partner_id.user_id", string="Salesperson")
    category_id = fields.Many2one(
        "product.category",
        string="Product Category",
        required=True,
        ondelete="cascade",
        index=True,
        readonly=True,
    )
    currency_id = fields.Many2one(related="profile_id.currency_id")
    yearly_amount = fields.Monetary(
        string="Amount a Year", readonly=True, help="Net, while the category was bought."
    )
    last_date = fields.Date(string="Last Time", readonly=True)
    day_count = fields.Integer(string="Bought On (days)", readonly=True, aggregator=None)
    gap = fields.Float(
        string="Days Between",
        readonly=True,
        aggregator="avg",
        digits=(12, 1),
        help="Usual number of days from one purchase of the category to the next.",
    )
    order_count = fields.Integer(
        string="Orders Since",
        readonly=True,
        aggregator=None,
        help="Days with purchases of anything else since.",
    )
    is_sure = fields.Boolean(
        string="Sure",
        readonly=True,
        help="So long a silence is no chance. Of all that are marked, at most one in ten is; of "
        "the others it may be more.",
    )
    found_on = fields.Date(
        string="Noticed On", readonly=True, help="Empty: before silence was looked for."
    )

    _category_unique = models.UniqueIndex("(profile_id, category_id)")

    def action_view_partner(self):
        return self.profile_id.action_view_partner()

    def action_contact_call(self):
        return self.profile_id.action_contact_call()

    def _sentence(self):
        """What has happened, in the reader's words."""
        self.ensure_one()
        profile = self.profile_id
        return self.env._(
            "“%(category)s”: %(amount)s a year, every %(gap)s days; last on %(date)s, %(count)s "
            "orders without it since.",
            category=self.category_id.name,
            amount=profile._money(self.yearly_amount),
            gap=max(1, round(self.gap)),
            date=profile._date(self.last_date),
            count=self.order_count,
        )


class LifecycleProfile(models.Model):
    """The customer's categories that have gone silent."""

    # a file for each subject of this large model
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    silent_category_ids = fields.One2many(
        "lifecycle.silent.category",
        "profile_id",
        string="Categories Gone Silent",
        readonly=True,
        help="Product categories that the customer used to buy and has stopped buying, while "
        "still buying others.",
    )

    @api.model
    def _readers(self):
        return [*super()._readers(), SilenceReader]

    def _chips(self):
        return [*super()._chips(), self._chip_silent()]

    def _chip_silent(self):
        silent = self.silent_category_ids
        if not silent:
            return None
        return self._chip(
            "silent",
            self.env._("No longer buys"),
            " · ".join(silent[:2].mapped("category_id.name")),
            why=[each._sentence() for each in silent[:5]],
            tone="warning",
            sequence=55,
        )
