"""Following the paths that people wrote from a model to its fields, such as order_id.partner_id.

In: a model, a path, and the query that is to be joined. Out: SQL expressions, the fields on the
way, or why a path does not fit. Called by the five kinds of source, by the queue, and by whatever
else follows a source's paths.
"""

from odoo.tools import SQL

DATES = ("date", "datetime")
NUMBERS = ("integer", "float", "monetary")


def fields_along(model, path):
    """List of the fields that a path leads over; empty if it leads nowhere."""
    found = []
    for hop in (path or "").split("."):
        field = model._fields.get(hop) if model is not None else None
        if field is None:
            return []
        found.append(field)
        model = model.env[field.comodel_name] if field.relational else None
    return found


def follow(model, query, path, whole=True):
    """Join along a path of many2one fields, from the table that a query is over.

    :param whole: follow the last field of the path too
    :return: the last (model, alias)
    :raise ValueError: a field of the path is no link
    """
    alias, hops = query.table, path.split(".")
    for hop in hops if whole else hops[:-1]:
        field = model._fields.get(hop)
        if field is None or field.type != "many2one":
            raise ValueError(
                model.env._(
                    "“%(field)s” is not a link field of %(model)s.",
                    field=hop,
                    model=model._name,
                )
            )
        model, alias = field.join(model, alias, query)
    return model, alias


def path_sql(model, query, path):
    """SQL of the field that a path ends with; joins what lies on the way."""
    model, alias = follow(model, query, path, whole=False)
    return model._field_to_sql(alias, path.split(".")[-1], query)


def number_sql(model, query, path):
    """The same as a number without rounding errors."""
    return SQL("%s::numeric", path_sql(model, query, path))


def contact_sql(model, query, path):
    """SQL of the contact that a path leads to, or of each where its last field links several."""
    holder, alias = follow(model, query, path, whole=False)
    field = holder._fields[path.split(".")[-1]]
    if field.type != "many2many":
        return holder._field_to_sql(alias, field.name, query)
    link = query.make_alias(alias, field.name)
    query.add_join(
        "JOIN",
        link,
        field.relation,
        SQL("%s = %s", SQL.identifier(link, field.column1), SQL.identifier(alias, "id")),
    )
    return SQL.identifier(link, field.column2)


def customer_sql(model, query, path):
    """SQL of (contact, its commercial partner) that a path leads to.

    :raise ValueError: it leads to something else
    """
    partners, alias = follow(model, query, path)
    if partners._name != "res.partner":
        raise ValueError(model.env._("“%s” does not lead to a contact.", path))
    commercial = partners._field_to_sql(alias, "commercial_partner_id", query)
    return SQL.identifier(alias, "id"), commercial


def day_sql(model, query, path, company):
    """The day of a date or a moment, where the company is."""
    moment = path_sql(model, query, path)
    if fields_along(model, path)[-1].type == "date":
        return moment
    return SQL(
        "(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date", moment, company._lifecycle_timezone()
    )


def moment_sql(model, query, path, zone):
    """When it was, in UTC; what has only a date counts as the end of that day.

    :param zone: name of the time zone in which the day ends
    """
    moment = path_sql(model, query, path)
    if fields_along(model, path)[-1].type != "date":
        return moment
    return SQL("((%s + TIME '23:59:59') AT TIME ZONE %s AT TIME ZONE 'UTC')", moment, zone)


def check_kinds(source, model, names, **others):
    """Refuse a record whose paths end with another kind of field than can be used.

    The database would take some of them: a link to a user for a company, a text for a number
    until it meets a word in it. A path that leads nowhere is told where it is followed.

    :param names: fields of the record that hold a path from the model
    :param others: by name, (types or models that it may lead to, what to call them), where it is
        not what such a path leads to elsewhere
    :raise ValueError: says which
    """
    env = source.env
    date, number = (DATES, env._("a date")), (NUMBERS, env._("a number"))
    usual = {
        "date_path": date,
        "after_path": date,
        "amount_path": number,
        "rate_path": number,
        "margin_path": number,
        "cost_path": number,
        "cost_known_path": (("boolean",), env._("a yes or no")),
        "quantity_path": number,
        "price_path": number,
        "value_path": number,
        "partner_path": (("res.partner",), env._("a contact")),
        "company_path": (("res.company",), env._("a company")),
        "currency_path": (("res.currency",), env._("a currency")),
        "document_path": (("many2one",), env._("another record")),
        "refunded_path": ((model._name,), env._("another record of the same model")),
        "source_path": (("utm.source",), env._("a source")),
        "medium_path": (("utm.medium",), env._("a medium")),
        "campaign_path": (("utm.campaign",), env._("a campaign")),
    }
    for name in names:
        kinds, words = others.get(name) or usual[name]
        field = fields_along(model, source[name])[-1:]
        if field and not {field[0].type, field[0].comodel_name} & {*kinds}:
            raise ValueError(
                env._(
                    "“%(path)s” (%(label)s) does not lead to %(kind)s.",
                    path=source[name],
                    label=source._fields[name]._description_string(env),
                    kind=words,
                )
            )
