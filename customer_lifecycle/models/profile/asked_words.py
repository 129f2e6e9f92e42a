"""What a rule asks of a customer's purchases or touchpoints, in words.

In: the domain within such a condition. Out: one text, for the reasons on the contact. Called by
the fields of the profile that ask for products bought and for touchpoints.
"""

from odoo.fields import Domain
from odoo.orm.domains import DomainAnd, DomainCondition

#: words for comparisons that have no sentence of their own
SIGNS = {"in": "=", "not in": "≠", "child_of": "=", "ilike": "~", "<": "<", ">": ">"}
SIGNS.update({"<=": "≤", ">=": "≥", "=": "=", "!=": "≠"})


def asked_words(model, domain):
    """What a domain over a model asks, the pieces joined by commas."""
    domain = Domain(domain)
    children = domain.children if isinstance(domain, DomainAnd) else [domain]
    return ", ".join(filter(None, (_said(model, child) for child in children)))


def _said(model, domain):
    if not isinstance(domain, DomainCondition):
        # alternatives within
        return " / ".join(_of_one(model, each) for each in domain.iter_conditions())
    return _of_one(model, domain)


def _of_one(model, condition):
    *hops, name = condition.field_expr.split(".")
    operator, value = condition.operator, condition.value
    for hop in hops:
        model = model.env[model._fields[hop].comodel_name]
    field = model._fields[name]
    values = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    if "any" in operator:
        return asked_words(model.env[field.comodel_name], value)
    sentence = _sentence(model.env, name, "=" if operator == "in" else operator, values)
    if sentence:
        return sentence
    if field.relational and all(isinstance(each, int) for each in values):
        # sudo: what a rule names may be told to whoever sees the customer
        records = model.env[field.comodel_name].sudo().browse([one for one in values if one])
        shown = ", ".join(records.exists().mapped("display_name"))
    elif field.type == "selection":
        labels = dict(field._description_selection(model.env))
        shown = ", ".join(labels.get(each, str(each)) for each in values)
    else:
        shown = ", ".join(str(each) for each in values)
    if operator == "child_of":
        return model.env._("%s and below", shown)
    if operator in ("in", "=") and name in ("product_id", "source_id"):
        return shown
    label = field._description_string(model.env)
    return f"{label} {SIGNS.get(operator, operator)} {shown}"


def _sentence(env, name, operator, values):
    """Sentence of a condition on days or numbers; None where it has none of its own."""
    value = values[0] if len(values) == 1 else None
    if name in ("first_time", "is_last"):
        was = bool(value) == (operator == "=")
        return {
            ("first_time", True): env._("for the first time"),
            ("first_time", False): env._("not for the first time"),
            ("is_last", True): env._("on the last purchase"),
            ("is_last", False): env._("not on the last purchase"),
        }[name, was]
    if value is None:
        return None
    if name == "days_ago":
        return {
            "<=": env._("in the last %s days", value),
            ">": env._("more than %s days ago", value),
            "=": env._("%s days ago", value),
        }.get(operator)
    if name == "times":
        return {
            ">=": env._("at least %s times", value),
            "<=": env._("at most %s times", value),
            "=": env._("%s times", value),
        }.get(operator)
    return None
