"""Drop the foreign keys of links that are no longer checked by the database.

Odoo adds keys and drops none: a column that was a checked link, and now is a number or an
unchecked link, keeps the key of its former life. From ``loyalty_card`` one led to a table of the
addon, so that emptying that one with CASCADE carried off cards, order lines and invoice links.
"""

#: table and column of what was a checked link
UNCHECKED = [
    ("loyalty_card", "lifecycle_notice_delivery_id"),
    ("lifecycle_profile", "usual_team_id"),
    *(
        ("lifecycle_profile", f"{when}_{link}_id")
        for when in ("first", "first_order", "last_order")
        for link in ("touch", "source", "medium", "campaign")
    ),
]


def migrate(cr, version):
    cr.execute(
        """SELECT key.conrelid::regclass::text, key.conname
             FROM pg_constraint key
             JOIN pg_attribute col
               ON col.attrelid = key.conrelid AND col.attnum = key.conkey[1]
            WHERE key.contype = 'f' AND (key.conrelid::regclass::text, col.attname) IN %s""",
        [tuple(UNCHECKED)],
    )
    for table, name in cr.fetchall():
        cr.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        cr.execute("DELETE FROM ir_model_constraint WHERE name = %s AND type = 'f'", [name])
