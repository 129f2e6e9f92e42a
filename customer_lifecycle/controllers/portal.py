from odoo.http import request, route

from odoo.addons.loyalty.controllers.portal import CustomerPortalLoyalty
from odoo.addons.portal.controllers.portal import pager


class LifecyclePortal(CustomerPortalLoyalty):
    def _prepare_portal_layout_values(self):
        """Show the customer his own tier where the company wants that; never anything else."""
        values = super()._prepare_portal_layout_values()
        values["lifecycle_tier"] = request.env["res.users"]._lifecycle_portal_tier()
        values["lifecycle_next"] = request.env["res.users"]._lifecycle_portal_next()
        values["lifecycle_referral"] = request.env["res.users"]._lifecycle_portal_referral()
        return values

    def _prepare_home_portal_values(self, counters):
        """Show a contact the loyalty cards of his company, which his orders fill and spend."""
        values = super()._prepare_home_portal_values(counters)
        cards = values.get("cards_per_programs")
        if cards is not None:
            for card in request.env["loyalty.card"]._lifecycle_portal_company_cards():
                # his own goes before, as on his orders
                cards.setdefault(card.program_id, card)
        return values

    @route()
    def portal_my_loyalty_card_history(self, card_id, page=1, sortby="date", **kw):
        card = request.env["loyalty.card"]._lifecycle_portal_company_cards(card_id)
        if not card:
            return super().portal_my_loyalty_card_history(card_id, page, sortby, **kw)
        sortings = self._get_loyalty_searchbar_sortings()
        sortby = sortby if sortby in sortings else "date"
        pages = pager(
            url=f"/my/loyalty_card/{card.id}/history",
            url_args={"sortby": sortby},
            total=len(card.history_ids),
            page=page,
            step=self._items_per_page,
        )
        lines = card.history_ids.search(
            [("card_id", "=", card.id)],
            order=sortings[sortby]["order"],
            limit=self._items_per_page,
            offset=pages["offset"],
        )
        return request.render(
            "loyalty.loyalty_card_history_template",
            {
                "page_name": "loyalty_history",
                "pager": pages,
                "searchbar_sortings": sortings,
                "sortby": sortby,
                "history_lines": lines,
            },
        )

    @route()
    def portal_get_card_history_values(self, card_id):
        cards = request.env["loyalty.card"]
        card = cards._lifecycle_portal_company_cards(card_id)
        if card:
            return card._lifecycle_portal_values()
        values = super().portal_get_card_history_values(card_id)
        own = cards.sudo().search(
            [("id", "=", card_id), ("partner_id", "=", request.env.user.partner_id.id)]
        )
        if own.lifecycle_points_expiry and not own.expiration_date:
            # shown as “Valid until”
            values["card"]["expiration_date"] = own.lifecycle_points_expiry
        return values
