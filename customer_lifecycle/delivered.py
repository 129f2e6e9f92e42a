"""For migrations: what the addon delivered and nobody has touched is brought along.

Data of the addon are not overwritten by an update, since people may have changed them. A migration
that wants to change a delivered record says what it was delivered with; where the database still
has that, nobody has touched it.

Everything here is plain SQL, so that it can be called before (``pre-…``) as well as after
(``post-…``) the models are loaded:

    from odoo.addons.customer_lifecycle.delivered import bring_along

    def migrate(cr, version):
        bring_along(cr, "stage_lost", {"domain": "[('p_order', '<', 0.1)]"},
                    {"domain": "[('p_order', '<', 0.2)]"})
"""

import json

from odoo.tools import SQL

ADDON = "customer_lifecycle"


def find(cr, name):
    """(table, id) of a delivered record by its external id, None where somebody deleted it."""
    cr.execute(
        "SELECT model, res_id FROM ir_model_data WHERE module = %s AND name = %s", [ADDON, name]
    )
    found = cr.fetchone()
    if not found:
        return None
    # the tables of the addon's models, and of those it has records of, are named like the models
    table, record_id = found[0].replace(".", "_"), found[1]
    cr.execute(SQL("SELECT 1 FROM %s WHERE id = %s", SQL.identifier(table), record_id))
    return (table, record_id) if cr.fetchone() else None


def is_untouched(cr, name, former):
    """Whether a delivered record still has the values that it was delivered with.

    :param name: external id without the addon's name
    :param former: {column: value}; of translated columns the English text
    """
    found = find(cr, name)
    if not found:
        return False
    table, record_id = found
    cr.execute(
        SQL(
            "SELECT to_jsonb(record) FROM %s record WHERE id = %s",
            SQL.identifier(table),
            record_id,
        )
    )
    row = cr.fetchone()[0]
    return all(
        column in row and _plain(row[column]) == _comparable(value)
        for column, value in former.items()
    )


def bring_along(cr, name, former, present):
    """Give a delivered record its present values, unless somebody has changed it.

    :param former: {column: value} as it was delivered: all that somebody may have changed
    :param present: {column: value} as it is delivered now
    :return: whether it was changed
    """
    if not is_untouched(cr, name, former):
        return False
    table, record_id = find(cr, name)
    for column, value in present.items():
        cr.execute(
            SQL(
                """SELECT data_type FROM information_schema.columns
                    WHERE table_schema = current_schema AND table_name = %s
                      AND column_name = %s""",
                table,
                column,
            )
        )
        kind = cr.fetchone()[0]
        if kind == "jsonb":
            # translations of the former text would be wrong: the update fills in present ones
            value = SQL("%s::jsonb", json.dumps({"en_US": value}))
        cr.execute(
            SQL(
                "UPDATE %s SET %s = %s WHERE id = %s",
                SQL.identifier(table),
                SQL.identifier(column),
                value,
                record_id,
            )
        )
    return True


def _plain(value):
    """A column's value; of translated ones the English text."""
    return value["en_US"] if isinstance(value, dict) and "en_US" in value else value


def _comparable(value):
    """A value as JSON has it."""
    return json.loads(json.dumps(value, default=str))
