"""Cards of contacts that were merged go on in the card that got their points.

Odoo archives the card of the merged contact with its history and its orders, and empties it: what
is credited of such an order was taken from nobody. Only cards are joined whose points are plainly
in the other one: the history of the one says that it has points, which it has not, and the other
one has so many more than its own history says.
"""

from odoo import SUPERUSER_ID, api

MERGED = """
    WITH balance AS (
        SELECT card.id, card.program_id, card.partner_id, card.points, card.active,
               COALESCE((SELECT SUM(line.issued - line.used) FROM loyalty_history line
                          WHERE line.card_id = card.id), 0) AS known
          FROM loyalty_card card
          JOIN loyalty_program program ON program.id = card.program_id
         WHERE program.program_type = 'loyalty' AND card.partner_id IN (
               SELECT partner_id FROM loyalty_card WHERE NOT active AND points = 0
                  AND partner_id IS NOT NULL)
    )
    SELECT kept.id, ARRAY_AGG(gone.id)
      FROM balance gone
      JOIN balance kept ON kept.partner_id = gone.partner_id
                       AND kept.program_id = gone.program_id AND kept.active
     WHERE NOT gone.active AND gone.points = 0 AND gone.known > 0.005
       AND NOT EXISTS (SELECT FROM balance other
                        WHERE other.partner_id = kept.partner_id AND other.active
                          AND other.program_id = kept.program_id AND other.id <> kept.id)
     GROUP BY kept.id, kept.points, kept.known
    HAVING kept.points - kept.known >= SUM(gone.known) - 0.01
"""


def migrate(cr, version):
    cr.execute(MERGED)
    pairs = cr.fetchall()
    if not pairs:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    wizard = env["base.partner.merge.automatic.wizard"]
    cards = env["loyalty.card"]
    for kept, gone in pairs:
        wizard._join_loyalty_cards(cards.browse(gone), cards.browse(kept))
