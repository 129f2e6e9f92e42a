"""A person's whole file: everything this app knows of him, to hand over when he asks for it.

In comes a contact; out goes a dictionary of plain values (dates ISO 8601, amounts with their
currency), which the controller writes as JSON and the report as PDF. Read with the rights of the
one who asks, in every company that he works in.
"""

import re

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools.misc import format_date, format_datetime, formatLang

MANAGER = "sales_team.group_sale_manager"
#: fields of a profile, in the order of the file
FIGURES = (
    *("stage_id", "stage_date", "vip_tier_id", "vip_since", "segment_ids", "rfm_score"),
    *("order_count", "first_order_date", "last_order_date", "revenue", "revenue_year"),
    *("average_order_value", "order_interval", "clv_historical", "clv_predicted", "clv_total"),
    *("p_alive", "p_order", "p_order_30", "expected_orders", "next_order_date"),
)
PERSON = (
    *("name", "email", "phone", "street", "street2", "zip", "city", "state_id", "country_id"),
    *("vat", "function", "lang", "tz", "company_name", "create_date"),
    *("lifecycle_marketing_consent", "lifecycle_marketing_consent_date"),
    *("lifecycle_opt_out_text", "is_blacklisted", "lifecycle_referral_code"),
)
LABELS = ("date", "kind", "from_name", "to_name", "cause", "why_text")
MESSAGES = ("date", "kind", "state", "email", "other_emails", "subject", "what", "why")
#: how the file of a person is read on paper
DAY = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(rf"{DAY.pattern}[T ]\d\d:\d\d:\d\d(\.\d+)?Z?")
CHANCES = ("p_alive", "p_order", "p_order_30")
AMOUNTS = (
    *("amount", "revenue", "revenue_year", "average_order_value"),
    *("clv_historical", "clv_predicted", "clv_total"),
)
#: touchpoints at most, read in pages
MOST, PAGE = 20_000, 500


class LifecyclePersonFile(models.AbstractModel):
    _name = "lifecycle.person.file"
    _description = "A Person's File"

    @api.model
    def _collect(self, partner):
        """Everything that is known of a contact, for whoever may read it.

        :return: dict with ``generated``, ``person``, ``companies`` (for each company: figures,
            labels with reasons, purchases), ``messages``, ``recommendations``, ``touchpoints``
        :raise AccessError: the reader is no sales administrator or may not read the contact
        """
        partner.ensure_one()
        if not self.env.user.has_group(MANAGER):
            raise AccessError(
                self.env._("Only sales administrators can export a person's data.")
            )
        partner.check_access("read")
        companies = self.env.user.company_ids
        partner = partner.with_context(
            allowed_company_ids=(self.env.company | companies).ids, active_test=False
        )
        return {
            "generated": fields.Datetime.to_string(fields.Datetime.now()) + "Z",
            "person": self._values(partner, PERSON),
            "companies": [
                self._company(partner.with_company(company), company) for company in companies
            ],
            "messages": self._rows(
                "lifecycle.workflow.delivery",
                ["|", ("partner_id", "=", partner.id), ("recipient_id", "=", partner.id)],
                MESSAGES,
                partner,
            ),
            "recommendations": self._rows(
                "lifecycle.referral",
                ["|", ("advocate_id", "=", partner.id), ("friend_id", "=", partner.id)],
                ("date", "advocate_id", "friend_id", "state", "reason", "points"),
                partner,
            ),
            "touchpoints": self._touchpoints(partner),
        }

    @api.model
    def _company(self, partner, company):
        """What one company has computed; a company's people have no figures of their own."""
        profile = partner.env["lifecycle.profile"].search(
            [("partner_id", "=", partner.id), ("company_id", "=", company.id)]
        )
        purchases = partner.env["lifecycle.purchase"]
        if profile:
            purchases = purchases.with_context(lifecycle_profile_id=profile.id).search(
                [("profile_id", "=", profile.id)]
            )
        return {
            "company": company.name,
            "currency": company.currency_id.name,
            "figures": self._values(profile, FIGURES) if profile else {},
            "labels": self._rows(
                "lifecycle.transition", [("profile_id", "=", profile.id)], LABELS, partner
            ) if profile else [],
            "purchases": [
                self._values(one, ("date", "source_id", "document_name", "amount"))
                for one in purchases
            ],
        }

    @api.model
    def _rows(self, model, domain, names, partner):
        return [self._values(row, names) for row in partner.env[model].search(domain)]

    @api.model
    def _values(self, record, names):
        """A record's fields by their labels' technical names, as values that JSON knows."""
        values = {}
        for name in names:
            field = record._fields.get(name)
            if field is None or not record._has_field_access(field, "read"):
                continue
            value = record[name]
            if field.type in ("many2one", "reference"):
                value = value.display_name or None
            elif field.relational:
                value = value.mapped("display_name")
            elif field.type == "selection":
                value = dict(field._description_selection(self.env)).get(value)
            elif field.type in ("date", "datetime"):
                value = value.isoformat() if value else None
            elif value is False and field.type != "boolean":
                value = None
            values[name] = value
        return values

    @api.model
    def _touchpoints(self, partner):
        """The person's own journey; a person of a company without the company's others."""
        journey = partner.env["lifecycle.journey"]
        options = {"limit": PAGE}
        if partner.commercial_partner_id != partner:
            options["person_id"] = partner.id
        found = []
        while len(found) < MOST:
            page = journey.get_journey(partner.id, options)
            found += page["items"]
            if not page["next"]:
                break
            options["before"] = page["next"]
        currencies = partner.env["res.currency"]
        return [
            {
                "moment": item["key"][0],
                "title": str(item["title"]),
                "who": item["who"] or None,
                "amount": item["amount"] or None,
                "currency": item["amount"]
                and currencies.browse(item["currency_id"]).name
                or None,
            }
            for item in found
        ]


class ReportPersonFile(models.AbstractModel):
    _name = "report.customer_lifecycle.person_file"
    _description = "A Person's File as PDF"

    @api.model
    def _get_report_values(self, docids, data=None):
        files = self.env["lifecycle.person.file"]
        labels = {}
        for model in (
            *("res.partner", "lifecycle.profile", "lifecycle.transition", "lifecycle.purchase"),
            *("lifecycle.workflow.delivery", "lifecycle.referral"),
        ):
            for name, field in self.env[model].fields_get(attributes=["string"]).items():
                labels.setdefault(name, field["string"])
        labels |= {
            "moment": self.env._("When"),
            "title": self.env._("What"),
            "who": self.env._("Who"),
            "currency": self.env._("Currency"),
            "p_alive": self.env._("Is Still a Customer"),
            "is_blacklisted": self.env._("On the Blacklist"),
        }
        partners = self.env["res.partner"].browse(docids)
        return {
            "docs": partners,
            "files": [(partner, files._collect(partner)) for partner in partners],
            "label": lambda name: labels.get(name, name.replace("_", " ").capitalize()),
            "show": self._show,
        }

    @api.model
    def _show(self, name, value, currency=None):
        """A value of the file as people read it.

        :param currency: name of the currency that amounts are in
        """
        if isinstance(value, bool):
            return self.env._("Yes") if value else self.env._("No")
        if isinstance(value, list):
            return ", ".join(value)
        if isinstance(value, float) and name in CHANCES:
            return f"{value:.0%}"
        if isinstance(value, float):
            found = self.env["res.currency"].with_context(active_test=False).search(
                [("name", "=", name in AMOUNTS and currency)], limit=1
            )
            if found:
                return formatLang(self.env, value, currency_obj=found)
            return formatLang(self.env, value, digits=0 if value == int(value) else 1)
        if isinstance(value, str) and MOMENT.fullmatch(value):
            moment = fields.Datetime.to_datetime(value.rstrip("Z").replace("T", " ")[:19])
            return format_datetime(self.env, moment, dt_format="short")
        if isinstance(value, str) and DAY.fullmatch(value):
            return format_date(self.env, value)
        return value
