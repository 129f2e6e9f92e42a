"""What an author may see and do, asked before it is computed or done with more rights than his.

Rules, filters and sources that people write are evaluated for everybody, by scheduled actions and
as superuser: whom a rule finds, or what a source adds up, would tell its author the rest. What
comes in here are the paths, domains and values that somebody wrote, or the records that he made;
what goes out is a refusal in words, or a domain that looks at one company only. Constraints call
it while a record is saved, as do ``create`` and ``write`` of records whose state is not written
by hand.

An author is whoever saves the record. What he may see is asked at that moment, of all companies
that he works in; record rules that are tightened later do not look back. Who writes as superuser,
as installations and scheduled actions do, may see everything.
"""

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.orm.domains import DomainAnd, DomainCondition, DomainOr

from .fields import is_counted

#: models whose records belong to companies in another way than by being documents of one
SHARED = ("res.users", "res.company")
#: models without record rules: the document that a record is attached to says who may read it
BY_DOCUMENT = ("mail.message", "mail.activity", "ir.attachment")
#: operators that compare a relation with records
BY_RECORD = ("=", "!=", "in", "not in")
#: what a nested domain may be
CONDITIONS = list | tuple | Domain
#: types of fields that sort records into kinds: they say nothing of how much or of whom
KINDS = ("selection", "boolean")


def author_env(env):
    """Environment with the author's own rights in all his companies.

    Constraints run as superuser, also those of a user's own changes. The companies are not those
    of the context, of which whoever calls from outside may leave out what he has to hide.
    """
    env = env(su=False)
    if env.su:
        return env
    companies = env.user.sudo().company_ids
    ids = [*env.user.sudo().company_id.ids, *companies.ids]
    return env(context={**env.context, "allowed_company_ids": list(dict.fromkeys(ids))})


def may_read(model, path):
    """Whether the user of a model may read all models and fields of a path, as far as it leads."""
    for hop in path.split("."):
        field = model._fields.get(hop)
        if field is None:
            return True
        if not model.has_access("read") or not model._has_field_access(field, "read"):
            return False
        if not field.relational:
            return True
        model = model.env[field.comodel_name]
    return True


def check_may_read(env, model_name, paths):
    """Refuse paths from a model to fields that the author may not read."""
    model = author_env(env)[model_name]
    for path in paths:
        if not may_read(model, path):
            raise ValidationError(
                env._(
                    "You may not read “%(path)s” of “%(model)s”; ask somebody who may "
                    "to change this.",
                    path=path,
                    model=model_name,
                )
            )


def check_domain(env, name, model_name, domain):
    """Refuse a domain, however deeply nested, over fields or records that its author may not see.

    The records of ``model_name`` itself are for the caller to judge; those that the domain looks
    at by way of relations to many are judged here.

    :param name: what to call the rule or filter
    """
    if author_env(env).su:
        return
    for condition in domain.iter_conditions():
        check_may_read(env, model_name, [condition.field_expr])
        model, value = env[model_name].sudo(), condition.value
        hops = condition.field_expr.split(".")
        for position, hop in enumerate(hops):
            field = model._fields.get(hop)
            if field is None or not field.relational:
                break
            model = env[field.comodel_name].sudo()
            rest = ".".join(hops[position + 1 :])
            inner = Domain(rest, condition.operator, value) if rest else Domain.TRUE
            if not rest and "any" in condition.operator and isinstance(value, CONDITIONS):
                inner = Domain(value)
                check_domain(env, name, model._name, inner)
                # how many there are says nothing of which
                inner = inner.map_conditions(
                    lambda each, of=model: Domain.TRUE if is_counted(of, each) else each
                )
            if hasattr(model, "_check_author_asks"):
                # what it stands for are records of other models
                model._check_author_asks(name, inner)
                break
            # what a record that may be seen belongs to is written on it
            if field.type != "many2one" and model._name not in SHARED and not _is_attached(field):
                check_sees_records(env, name, model._name, inner & ours(env, model))


def _is_attached(field):
    """Whether what a field leads to is attached to the record that it leads from."""
    return field.comodel_name in BY_DOCUMENT and (
        (field.type == "one2many" and field.inverse_name == "res_id")
        or (field.model_name == "mail.message" and field.name == "attachment_ids")
    )


def ours(env, model):
    """Domain of the records of the companies that the author works in, and of none."""
    if not _has_company(model):
        return Domain.TRUE
    companies = author_env(env).companies
    return Domain("company_id", "in", [*companies.ids, False])


def _has_company(model):
    field = model._fields.get("company_id")
    return (
        model._name not in SHARED
        and field is not None
        and field.type == "many2one"
        and field.comodel_name == "res.company"
        and (field.store or bool(field.related))
    )


def check_sees_records(env, name, model_name, found):
    """Refuse what finds (``found``: a domain) records that rules hide from the author.

    Asked is of which kinds the records are, not how large they are or whose: otherwise whether
    it is refused would tell what was to be hidden.

    :param name: what to call the rule, filter or source
    """
    env = author_env(env)
    if env.su:
        return
    if model_name in BY_DOCUMENT:
        _refuse_hidden(env, name)
    model = env[model_name].sudo().with_context(active_test=False)
    rules = env["ir.rule"]._compute_domain(model_name, "read")
    if (found & ~rules).optimize_full(model).is_false():
        return
    found = _kinds(found.optimize(model), model)
    if (found & ~rules).optimize_full(model).is_false():
        return
    # counted twice: looked up in millions of documents, what is hidden takes for ever
    if model.search_count(found) > model.search_count(found & rules):
        _refuse_hidden(env, name)


def _refuse_hidden(env, name):
    raise ValidationError(
        env._(
            "“%s” finds records that you may not see; narrow its filter, or ask somebody "
            "who may see them to add it.",
            name,
        )
    )


def _kinds(domain, model):
    """A wider domain that looks at kinds, companies and links to what is no person only."""
    if isinstance(domain, DomainAnd):
        return Domain.AND(_kinds(child, model) for child in domain.children)
    if isinstance(domain, DomainOr):
        return Domain.OR(_kinds(child, model) for child in domain.children)
    if domain.is_true() or domain.is_false():
        return domain
    if not isinstance(domain, DomainCondition):
        return Domain.TRUE
    field = model._fields.get(domain.field_expr.split(".")[0])
    if field is None:
        return Domain.TRUE
    if field.type in KINDS:
        return domain
    if field.type != "many2one":
        return Domain.TRUE
    comodel = model.env[field.comodel_name]
    if domain.operator == "any" and isinstance(domain.value, Domain):
        inner = _kinds(domain.value.optimize(comodel), comodel)
        return Domain(domain.field_expr, "any", inner)
    if domain.operator in ("in", "not in") and comodel._name not in ("res.partner", "res.users"):
        return domain
    return Domain.TRUE


def within_company(domain, model, company):
    """The domain, but what it looks at through relations to many are one company's records.

    Rules are evaluated as superuser: without this, documents of companies whose people have
    nothing to do with it would decide about a customer.
    """
    # a head office knows what its branches sold
    own = [*company.sudo().search([("id", "child_of", company.ids)]).ids, False]

    def inside(condition):
        head, _dot, rest = condition.field_expr.partition(".")
        field = model._fields.get(head)
        if field is None or not field.relational:
            return condition
        comodel = model.env[field.comodel_name]
        to_many = field.type in ("one2many", "many2many")
        ours = Domain.TRUE
        if to_many and _has_company(comodel):
            ours = Domain("company_id", "in", own)
        operator, value = condition.operator, condition.value
        if rest:
            inner = Domain(rest, operator, value)
            return Domain(head, "any", within_company(inner, comodel, company) & ours)
        if operator in ("any", "not any"):
            if not isinstance(value, list | tuple | Domain):
                return condition
            return Domain(head, operator, within_company(Domain(value), comodel, company) & ours)
        if ours.is_true() or operator in ("any!", "not any!"):
            return condition
        negative = operator in Domain.NEGATIVE_OPERATORS
        if operator in BY_RECORD:
            values = value if isinstance(value, list | tuple | set | frozenset) else [value]
            values = list(values)
            named = [one for one in values if one is not False]
            key = "display_name" if any(isinstance(one, str) for one in named) else "id"
            found = Domain(head, "any", Domain(key, "in", named) & ours) if named else Domain.FALSE
            if False in values:
                found |= Domain(head, "not any", ours)
        else:
            key = "display_name" if isinstance(value, str) else "id"
            positive = operator.removeprefix("not ")
            found = Domain(head, "any", Domain(key, positive, value) & ours)
        return ~found if negative else found

    return domain.map_conditions(inside)


def check_stays_his(records):
    """Refuse records that their author has moved out of his own sight.

    Odoo asks before it writes, not after: whoever may edit a record of his company could hand
    it, with all that it does, to another one.
    """
    env = author_env(records.env)
    if not env.su:
        records.with_env(env).check_access("write")


# ----- WHAT NOBODY WRITES BY HAND -----


def refuse_written(records, names):
    """Refuse to let a user write fields that only the computation writes.

    :param names: those of them that he writes
    """
    if names and not records.env.su:
        _refuse(records, names)


def refuse_created(records, names, initial=None):
    """Refuse records that were created with a result; defaults come from the context as well.

    :param names: fields that only the computation writes
    :param initial: dict of their values in a new record, where these are not empty
    """
    if records.env.su:
        return
    for record in records.sudo():
        found = {
            name
            for name in names & record._fields.keys()
            if not _is_empty(record[name]) and record[name] != (initial or {}).get(name)
        }
        if found:
            _refuse(records, found)


def _is_empty(value):
    # an empty JSON object is a value that somebody has given
    return not value and not isinstance(value, dict | list)


def _refuse(records, names):
    labels = [records._fields[name]._description_string(records.env) for name in names]
    raise AccessError(
        records.env._("Nobody writes a result by hand: %s.", ", ".join(sorted(map(str, labels))))
    )
