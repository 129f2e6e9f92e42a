"""Records that name a model, paths and a filter by text: ready, waiting for an app, or not usable.

In: what somebody wrote, and the attempt of each kind to use its parts. Out: the state with a
sentence, the mark of what failed while it was read, the filter as a domain, and refusals of what
its author may not read. Inherited by revenue, spending and touchpoint sources, signals and the
documents with VIP badges.
"""

from odoo import SUPERUSER_ID, api, fields, models, tools
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import rights
from ...tools.domains import read_domain
from ...tools.fields import stored_names
from ...tools.probe import refusal

#: what makes a record unusable, as opposed to unreadable for somebody
DEFECTS = (ValueError, KeyError, UserError, SyntaxError, TypeError, AttributeError)


class LifecycleSleepingMixin(models.AbstractModel):
    """Something that names a model of an app that may not be installed.

    It sleeps until an app brings the model, and wakes up by itself. What cannot be read any more
    is left out where users work, is marked here, and told to managers (``lifecycle.health``).
    """

    _name = "lifecycle.sleeping.mixin"
    _description = "Record That Waits for an App"

    #: fields that hold a path from the model
    _path_fields = ()

    model = fields.Char(required=True)
    state = fields.Selection(
        [("ready", "Ready"), ("asleep", "App not installed"), ("error", "Not usable")],
        compute="_compute_state",
    )
    # text, not a line: lists show it whole
    state_message = fields.Text(compute="_compute_state")
    # what only shows while documents are read: cleared by whoever corrects the record
    defect = fields.Char(string="Left Out Because", readonly=True, copy=False)

    def write(self, vals):
        # nobody marks a record by hand, see ``_mark``
        vals = {name: value for name, value in vals.items() if name != "defect"}
        if vals.keys() - {"name", "sequence"}:
            vals = {"defect": False, **vals}
        return super().write(vals)

    @api.depends_context("lang")
    @api.depends("model", "defect")
    def _compute_state(self):
        for record in self:
            record.state, record.state_message = record._inspect()

    def _inspect(self):
        """Return (state, message) after trying the record."""
        self.ensure_one()
        missing = self._missing_model()
        if missing is not None:
            return "asleep", self._asleep_message(missing)
        try:
            self._inspect_parts()
        except DEFECTS as error:
            return "error", self._defect_message(error)
        if self.defect:
            return "error", self._defect_message(self.defect)
        return "ready", False

    def _checked_state(self):
        """State after trying the record, for constraints.

        :raise ValidationError: it is not usable
        """
        state, message = self._inspect()
        if state == "error":
            raise ValidationError(message)
        return state

    def _check_runs(self, statement):
        """Refuse what only the database finds fault with: a filter that compares a number with a
        word."""
        problem = refusal(self.env, statement, rows=1)
        if problem:
            raise ValidationError(self._defect_message(problem))

    # ----- APPS -----

    def _missing_model(self):
        """Name of a model, or field of a model, that the record waits for; None if all is there.

        ``waits_for``, where a kind has such a field, names what it needs besides its model.
        """
        self.ensure_one()
        if not self.model or self.model not in self.env:
            return self.model or ""
        other = "waits_for" in self._fields and self.waits_for
        return other if other and not self._is_there(other) else None

    @api.model
    def _available(self, domain=Domain.TRUE):
        """Records whose apps are installed, read with one query."""
        records = self.search_fetch(domain, stored_names(self))
        return records.filtered(lambda record: record._missing_model() is None)

    def _is_there(self, name):
        """Whether a model, or the field of a model, is installed: ``sale.order.website_id``."""
        model, _dot, field = name.rpartition(".")
        return name in self.env or (model in self.env and field in self.env[model]._fields)

    def _asleep_message(self, model):
        return self.env._("Waits for an app that brings the model “%s”.", model)

    def _defect_message(self, error):
        return self.env._("Correct it: %s", error)

    # ----- WHAT SOMEBODY WROTE -----

    def _domain(self):
        """Which records of the model are meant.

        :raise ValueError: the text is no domain
        """
        self.ensure_one()
        return read_domain(self.env, self.domain)

    def _all_paths(self):
        """Paths from the model that this record follows."""
        self.ensure_one()
        return [self[name] for name in self._path_fields if self[name]]

    def _check_author_reads(self, *domains):
        """Refuse paths, and domains over fields or records, that the author may not read.

        What is compiled runs as superuser: it must not show more than its author may see.

        :param domains: instead of the record's own
        """
        rights.check_may_read(self.env, self.model, self._all_paths())
        for domain in domains or [self._domain()]:
            rights.check_domain(self.env, self.name, self.model, domain)

    # ----- DEFECTS -----

    def _problem(self, company):
        """Why this source cannot be read in a company, or None."""
        self.ensure_one()
        if self.defect:
            return self.defect
        # with what it says, so that what was learnt of a former wording is not believed
        said = (company.lifecycle_value, self.model, self.domain, *self._wording())
        return self._found_problem(self.id, company.id, said)

    def _wording(self):
        """What decides, beside model and domain, whether the source can be read."""
        return [self[name] for name in self._path_fields]

    @api.model
    @tools.ormcache("source_id", "company_id", "said")
    def _found_problem(self, source_id, company_id, said):
        context = {"lang": None, "allowed_company_ids": [company_id]}
        source = self.with_env(api.Environment(self.env.cr, SUPERUSER_ID, context))
        try:
            rows = source.browse(source_id)._compile(source.env.company)
        except DEFECTS as error:
            return str(error)
        return refusal(source.env, rows)

    def _mark(self, defect):
        """Write down why the record is left out, or False when it can be read again.

        In SQL: a mark is no change of what the record says, for which figures are computed anew.
        """
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET defect = %s WHERE id = ANY(%s)",
                SQL.identifier(self._table),
                defect or None,
                self.ids,
            )
        )
        self.invalidate_recordset(["defect", "state", "state_message"])
        self.env.registry.clear_cache()

    def _inspect_parts(self):
        """Try every part.

        :raise: one of ``DEFECTS`` where a part does not fit
        """
