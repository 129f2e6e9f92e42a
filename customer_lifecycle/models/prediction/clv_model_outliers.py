"""Orders that stand alone, for people.

In: what the kernel found when the model was fitted. Out: a text that names them on the model's
form and in the run's message, and the list of the purchases behind it.
"""

from datetime import date

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import format_date, formatLang

EPOCH = date(1970, 1, 1).toordinal()
#: customers that are named beside those of the sample
NAMED = 5


class LifecycleClvModel(models.Model):
    # a file for each subject of this model
    _inherit = "lifecycle.clv.model"  # pylint: disable=consider-merging-classes-inherited

    outlier_text = fields.Text(
        string="Orders That Stand Alone",
        compute="_compute_outlier_text",
        help="Orders so far beyond all others that the forecast of everybody would hang on them.",
    )

    @api.depends_context("lang")
    @api.depends("data", "company_id")
    def _compute_outlier_text(self):
        for model in self:
            model.outlier_text = model._outlier_text()

    def _outliers(self):
        """(limit, list of (customer id, day or None, amount)); nothing where none stands alone.

        A fit on a sample of very many customers has not seen all orders: whoever's average is
        beyond the limit has one of them.
        """
        self.ensure_one()
        found = (self.data or {}).get("outliers")
        if not found:
            return None, []
        rows = [
            (customer, date.fromordinal(EPOCH + day), amount)
            for customer, day, amount in found["days"]
        ]
        others = self.env.execute_query(
            SQL(
                """SELECT partner_id, average_order_value FROM lifecycle_profile
                    WHERE company_id = %s AND average_order_value > %s AND partner_id <> ALL(%s)
                    ORDER BY average_order_value DESC LIMIT %s""",
                self.company_id.id,
                found["limit"],
                [row[0] for row in rows],
                NAMED,
            )
        )
        return found["limit"], rows + [(customer, None, amount) for customer, amount in others]

    def _outlier_text(self):
        self.ensure_one()
        limit, rows = self._outliers()
        if not rows:
            return False

        def money(amount):
            return formatLang(self.env, amount, currency_obj=self.company_id.currency_id)

        partners = self.env["res.partner"].browse(row[0] for row in rows).exists()
        names = {partner.id: partner.display_name for partner in partners}
        lines = [
            self.env._(
                "%(customer)s, %(day)s: %(amount)s",
                customer=names.get(customer) or self.env._("a deleted customer"),
                day=format_date(self.env, day, date_format="medium")
                if day
                else self.env._("on average"),
                amount=money(amount),
            )
            for customer, day, amount in rows
        ]
        return "\n".join(
            [
                self.env._(
                    "These orders are far beyond all others. They count as what they are in what "
                    "was earned, but as %s, the next largest, in what is expected, which would "
                    "otherwise hang on them. If one is a slip, correct it:",
                    money(limit),
                ),
                *lines,
            ]
        )

    def action_view_outliers(self):
        """List the purchases that stand alone."""
        self.ensure_one()
        limit, rows = self._outliers()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_lifecycle.lifecycle_customer_revenue_action"
        )
        return {
            **action,
            "display_name": self.env._("Orders that stand alone"),
            "views": [(False, "list")],
            "view_mode": "list",
            "domain": [
                ("partner_id", "in", [row[0] for row in rows]),
                ("amount", ">", limit or 0),
            ],
            "context": {},
        }
