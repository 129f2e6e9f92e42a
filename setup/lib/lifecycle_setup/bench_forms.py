"""What the addon adds to opening the forms that people have open all day.

Read as the web client reads a form: all fields of the view, then all but the addon's own.
Imported in an Odoo shell.
"""

from __future__ import annotations

import statistics
import time
from datetime import timedelta

QUERIES, SECONDS = 6, 0.06
PAIRS = 15
OURS = ("lifecycle_", "clv_", "vip_", "is_vip")


def measure(env, user) -> list[dict]:
    """Rows of queries and seconds more for contact, opportunity, quotation and order.

    :param env: environment of the superuser; what is made here stays
    :param user: the salesperson who opens the forms
    """
    names = {
        "res.partner": "contact",
        "crm.lead": "opportunity",
        "draft": "quotation",
        "sale": "order",
    }
    rows = []
    for record in _records(env, user):
        what = names.get(record._name) or names[record.state]
        seconds, queries = _more(record.with_user(user))
        rows.append(
            {
                "name": f"form of a VIP's {what}, more than without",
                "seconds": max(0.0, seconds),
                "queries": queries,
                "most_seconds": SECONDS,
                "most_queries": QUERIES,
            }
        )
    return rows


def _records(env, user):
    """A customer with a tier and with usual items that are due, and his documents."""
    company = env.company
    today = company._lifecycle_today()
    env.cr.execute(
        """SELECT partner_id FROM sale_order WHERE state = 'sale'
            GROUP BY partner_id HAVING COUNT(*) BETWEEN 5 AND 100
            ORDER BY COUNT(*) DESC, partner_id LIMIT 1"""
    )
    partner = env["res.partner"].browse(env.cr.fetchone())
    order = env["sale.order"].search(
        [("partner_id", "=", partner.id), ("state", "=", "sale")], limit=1
    )
    env["lifecycle.pipeline"]._refresh(company, partner.commercial_partner_id.ids)
    env["lifecycle.classifier"]._classify(company, today, cause="initial")
    tiers = env["lifecycle.vip.tier"]._of_company(company)
    if not tiers:
        tiers = env["lifecycle.vip.tier"].create(
            [
                {"name": name, "rank": rank, "entry": entry, "company_id": company.id}
                for rank, (name, entry) in enumerate([("Silver", 50), ("Gold", 500_000)])
            ]
        )
    profile = env["lifecycle.profile"].search(
        [("partner_id", "=", partner.commercial_partner_id.id), ("company_id", "=", company.id)]
    )
    profile.write({"vip_tier_id": tiers[0].id, "vip_since": today, "vip_review_date": False})
    products = env["product.product"].create(
        [{"name": f"Usual {number}", "sale_ok": True} for number in range(3)]
    )
    env["lifecycle.usual.product"].create(
        [
            {
                "profile_id": profile.id,
                "product_id": product.id,
                "day_count": 9,
                "gap": 10,
                "last_date": today - timedelta(20),
                "missing_from": today - timedelta(5),
                "missing_until": today + timedelta(5),
            }
            for product in products
        ]
    )
    (partner | order.partner_id).user_id = user
    quotation = env["sale.order"].create({"partner_id": partner.id, "user_id": user.id})
    lead = env["crm.lead"].create(
        {"name": "Form", "type": "opportunity", "partner_id": partner.id, "user_id": user.id}
    )
    env.flush_all()
    assert quotation.with_user(user).lifecycle_usual_items, "nothing is due"
    return partner, lead, quotation, order


def _more(record) -> tuple[float, int]:
    """Seconds and queries that the addon's fields add to reading a form."""
    from lxml import etree

    record = record.with_context(allowed_company_ids=record.env.company.ids, lang="en_US")
    nodes = etree.fromstring(record.get_view(view_type="form")["arch"]).xpath(
        "//field[not(ancestor::field)]"
    )
    names = dict.fromkeys(node.get("name") for node in nodes if node.get("name") in record._fields)
    without = [name for name in names if not name.startswith(OURS)]
    # once, so that what is cached for good counts for neither
    _read(record, names)
    pairs = [(_read(record, names), _read(record, without)) for _pair in range(PAIRS)]
    seconds = statistics.median(full[0] for full, _bare in pairs) - statistics.median(
        bare[0] for _full, bare in pairs
    )
    full, bare = pairs[-1]
    return seconds, full[1] - bare[1]


def _read(record, names) -> tuple[float, int]:
    specification = {
        name: {"fields": {"display_name": {}}} if record._fields[name].type == "many2one" else {}
        for name in names
    }
    record.env.invalidate_all()
    before, start = record.env.cr.sql_log_count, time.perf_counter()
    record.web_read(specification)
    return time.perf_counter() - start, record.env.cr.sql_log_count - before
