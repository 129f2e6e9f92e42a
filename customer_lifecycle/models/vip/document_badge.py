"""Which documents of other apps show the VIP badge, and put VIPs first while they are open.

In: places that managers choose: a model, its customer field, a filter. Out: custom fields on that
model, and its views with badge, filters and order. Settled when places change and after apps were
installed or updated; every view of a model with these fields, and every sort by rank, asks here.
"""

import re

from lxml.builder import E

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG

from ...tools import rights
from ...tools.domains import read_domain
from ...tools.probe import check_size, refusal
from ..sources.source_mixin import DEFECTS

#: fields that a model of another app gets, and what they are related to on the contact
GIVEN = {
    "x_lifecycle_vip_tier_id": ("vip_label_id", "many2one", "VIP"),
    "x_lifecycle_vip_color": ("vip_label_id.color", "integer", "VIP Colour"),
    "x_lifecycle_vip_rank": ("vip_rank", "integer", "VIP Rank"),
}
#: documents above which lists keep their order: VIPs first means to look at all of them
LARGE = 200_000
#: names of tier, colour and rank, on models of this addon's own apps and on others
OWN = ("vip_tier_id", "vip_color", "vip_rank")
OTHERS = tuple(GIVEN)


class LifecycleVipPlace(models.Model):
    """A kind of document on which a customer's VIP badge shows, and where VIPs come first.

    A place names a model and the path to the customer. It sleeps until an app brings the model;
    then the model gets the fields as custom fields and its views show them, and when the app goes
    they go with it. Nobody's stars are touched: what people marked themselves stays above.
    """

    _name = "lifecycle.vip.place"
    _inherit = "lifecycle.sleeping.mixin"
    _description = "Document with VIP Badge"
    _order = "sequence, id"
    _path_fields = ("partner_path",)

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    model = fields.Char(
        required=True,
        help="Technical name, for example stock.picking. The app that brings it may be installed "
        "later.",
    )
    partner_path = fields.Char(
        string="Customer Field",
        default="partner_id",
        required=True,
        help="Field of the contact, for example partner_id.",
    )
    first_domain = fields.Char(
        string="VIPs First Among",
        default="[]",
        help="Documents that are still to be dealt with: among these, VIPs come first, after "
        "what somebody has starred. Leave empty to leave the order of lists alone.",
    )

    _model_unique = models.UniqueIndex(
        "(model) WHERE active", "There is a badge on these documents already."
    )

    # ----- STATE -----

    @api.depends("partner_path", "first_domain", "defect")
    def _compute_state(self):
        return super()._compute_state()

    def _asleep_message(self, model):
        return self.env._("Shows nothing until an app brings the model “%s”.", model)

    def _inspect_parts(self):
        self._inspect_model()
        if self.first_domain:
            problem = refusal(self.env, self._first_sql())
            if problem:
                raise ValueError(problem)

    def _fits(self):
        """Whether the model has the customer: the badge shows also where the filter is broken."""
        if self._missing_model() is not None:
            return False
        try:
            self._inspect_model()
        except DEFECTS:
            return False
        return True

    def _inspect_model(self):
        model = self.env[self.model]
        field = model._fields.get(self.partner_path)
        if field is None or field.type != "many2one" or field.comodel_name != "res.partner":
            raise ValueError(
                self.env._("“%s” is not a field that holds one contact.", self.partner_path)
            )
        if model._abstract or not model._auto:
            raise ValueError(self.env._("“%s” has no documents of its own.", self.model))

    @api.constrains("model", "partner_path", "first_domain", "active")
    def _check_usable(self):
        for place in self.filtered("active"):
            if place._checked_state() != "ready":
                continue
            # everybody's lists are sorted by it
            if not place.first_domain:
                rights.check_may_read(self.env, place.model, place._all_paths())
                continue
            check_size(self.env, place.name, place._domain())
            place._check_author_reads()
            place._check_runs(place._first_sql())

    def _first_sql(self):
        """SELECT that says of each document whether it is to be dealt with, as lists ask."""
        model = self.env[self.model].sudo()
        query = model._search(Domain.TRUE, active_test=False)
        first = self._domain().optimize_full(model)
        return query.select(SQL("%s AS first", first._to_sql(model, query.table, query)))

    def _inspect(self):
        state, message = super()._inspect()
        if state == "ready" and self.first_domain and self._is_large():
            message = self.env._(
                "There are too many of these to sort them all: lists keep their order. Use the "
                "filter “VIP”."
            )
        return state, message

    def _is_large(self):
        """Whether the model has more documents than can be sorted while somebody waits."""
        self.ensure_one()
        estimate = self.env.execute_query(
            SQL("SELECT reltuples FROM pg_class WHERE oid = %s::regclass",
                self.env[self.model]._table)
        )
        return estimate[0][0] > LARGE

    def _domain(self):
        return read_domain(self.env, self.first_domain)

    # ----- FIELDS -----

    def _register_hook(self):
        super()._register_hook()
        # only where apps have just been installed or updated, thus never in two processes
        if self.env.registry.updated_modules:
            self._settle()

    @api.model_create_multi
    def create(self, vals_list):
        places = super().create(vals_list)
        # Odoo checks no rights where there is no record
        if places:
            self._settle_soon()
        return places

    def write(self, vals):
        result = super().write(vals)
        if self and vals.keys() - {"name", "sequence"}:
            self._settle_soon()
        return result

    def unlink(self):
        result = super().unlink()
        if self:
            self._settle_soon()
        return result

    @api.model
    def _settle_soon(self):
        if self.env.registry.ready:
            self._settle()

    @api.model
    def _settle(self):
        """Give the fields to the models of all awake places, and take them from others."""
        self.env.registry.clear_cache("templates", "default")
        # sudo: the fields follow from the places, which only managers change
        places = self.sudo().search(Domain.TRUE).filtered(lambda place: place._fits())
        wanted = {place.model: place for place in places if not place._has_own_fields()}
        known = self._given_fields()
        gone = known.filtered(
            lambda field: field.model not in wanted
            or field.related != self._related(wanted[field.model], field.name)
        )
        self._take_away(gone)
        there = {(field.model, field.name) for field in known - gone}
        values = [
            {
                "name": name,
                "field_description": label,
                "state": "manual",
                "model": model,
                "model_id": self.env["ir.model"]._get_id(model),
                "ttype": kind,
                "relation": "lifecycle.vip.tier" if kind == "many2one" else False,
                "related": self._related(place, name),
                "store": False,
                "readonly": True,
                "copied": False,
            }
            for model, place in wanted.items()
            for name, (_path, kind, label) in GIVEN.items()
            if (model, name) not in there
        ]
        if values:
            self.env["ir.model.fields"].sudo().create(values)

    @api.model
    def _related(self, place, name):
        return f"{place.partner_path}.{GIVEN[name][0]}"

    def _has_own_fields(self):
        return OWN[0] in self.env[self.model]._fields

    @api.model
    def _given_fields(self):
        return (
            self.env["ir.model.fields"]
            .sudo()
            .search([("name", "in", OTHERS), ("state", "=", "manual")])
        )

    @api.model
    def _take_away(self, fields_):
        if fields_:
            fields_.with_context(**{MODULE_UNINSTALL_FLAG: True}).unlink()

    # ----- VIEWS -----

    @api.model
    @tools.ormcache("model")
    def _of_model(self, model):
        """What the place of a model says, if it is in order: (field, documents to deal with).

        A place that is not leaves its model's lists and forms as they are without us; the values
        are kept, so that whatever happens to the record, only what was tried is used.
        """
        # sudo: everybody's lists are sorted alike
        place = self.sudo().search([("model", "=", model)], limit=1)
        if not place or place._inspect()[0] != "ready":
            return None
        first = place._domain() if place.first_domain else None
        return place.id, place.partner_path, first

    @api.model
    def _names(self, model):
        """Fields of tier, colour and rank on a model, or None where it has none."""
        for names in (OWN, OTHERS):
            if all(name in model._fields for name in names):
                return names
        return None

    @api.model
    def _show(self, arch, view_type, model):
        """Add badge, filters and order to a view, in place."""
        found = model._name in self.env and self._of_model(model._name)
        names = found and self._names(model)
        if not names:
            return
        place_id, partner_path, first = found
        place = self.browse(place_id).sudo()
        if names == OTHERS:
            if view_type == "search":
                self._show_filters(arch, names[0])
            elif view_type in ("list", "kanban", "form"):
                node = arch.find(f".//field[@name='{partner_path}']")
                if node is not None and not self._is_nested(node):
                    self._show_badge(node, view_type, names)
        # no domain at all leaves the order alone, an empty one takes all documents
        if view_type in ("list", "kanban") and first is not None and not place._is_large():
            self._sort(arch, view_type, model, names[2])

    @api.model
    def _is_nested(self, node):
        """Whether a field belongs to a view of another model within the view."""
        return any(parent.tag == "field" for parent in node.iterancestors())

    @api.model
    def _show_badge(self, node, view_type, names):
        tier, color, _rank = names
        badge = E.field(
            name=tier, widget="badge", options=str({"color_field": color}), readonly="1"
        )
        hidden = E.field(name=color)
        if view_type == "list":
            hidden.set("column_invisible", "1")
            badge.set("optional", "show")
        else:
            hidden.set("invisible", "1")
        if view_type == "form":
            badge.set("invisible", f"not {tier}")
        node.addnext(badge)
        node.addnext(hidden)

    @api.model
    def _show_filters(self, arch, tier):
        label = self.env._("VIP")
        arch.append(E.separator())
        arch.append(E.filter(name=tier, string=label, domain=f"[('{tier}', '!=', False)]"))
        arch.append(
            E.filter(
                name=f"group_{tier}",
                string=self.env._("VIP Tier"),
                context=str({"group_by": tier}),
            )
        )

    @api.model
    def _sort(self, arch, view_type, model, rank):
        """Put VIPs first, after what people have starred themselves."""
        terms = [
            term.strip()
            for term in (arch.get("default_order") or model._order).split(",")
            if term.strip()
        ]
        if any(re.match(rf"{rank}\b", term) for term in terms):
            return
        starred = [
            number for number, term in enumerate(terms) if re.match(r"priority\b", term)
        ]
        terms.insert(starred[0] + 1 if starred else 0, f"{rank} desc")
        arch.set("default_order", ", ".join(terms))
        if view_type == "list" and arch.find(f"./field[@name='{rank}']") is None:
            arch.append(E.field(name=rank, column_invisible="1"))


class Base(models.AbstractModel):
    _inherit = "base"

    def _get_view(self, view_id=None, view_type="form", **options):
        arch, view = super()._get_view(view_id, view_type, **options)
        # as analytic plans do it: fields that come and go cannot be named in views
        if OWN[2] in self._fields or OTHERS[2] in self._fields:
            self.env["lifecycle.vip.place"]._show(arch, view_type, self)
        return arch, view

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        if field_name not in (OWN[2], OTHERS[2]) or field_name not in self._fields:
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        places = self.env["lifecycle.vip.place"]
        found = places._of_model(self._name)
        rank = self._field_to_sql(alias, field_name, query)
        if found and found[2] is not None:
            # what is done needs nobody first any more
            try:
                # with the reader's own rights: the order would tell him what he may not see
                first = found[2].optimize_full(self)
                if not first.is_true():
                    rank = SQL(
                        "CASE WHEN %s THEN %s ELSE 0 END",
                        first._to_sql(self, alias, query),
                        rank,
                    )
            except AccessError:
                rank = SQL("0")
        return SQL("%s %s %s", rank, direction, nulls)
