"""Delivery charges, tips, money on cards and what always came back are no usual products.

Comes in: profiles whose usual products and quantities were found otherwise. Goes out: the next
run looks at these customers again. Called by Odoo's update; running it twice changes nothing more.
"""


def migrate(cr, version):
    cr.execute(
        """UPDATE lifecycle_profile profile
              SET preference_order_count = NULL, preference_order_date = NULL
            WHERE preference_order_count IS NOT NULL
              AND (EXISTS (SELECT FROM lifecycle_usual_product usual
                            WHERE usual.profile_id = profile.id)
                   OR EXISTS (SELECT FROM lifecycle_profile_product_category_rel favorite
                               WHERE favorite.profile_id = profile.id))"""
    )
