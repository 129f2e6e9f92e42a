"""Touches on the way to an order: which sources count, and the SQL that finds them for many.

In: the sources marked as touches that every salesperson may read, a table of contacts. Out:
SELECTs of moment, record and campaign for each profile. Called by the computing of ways to
orders; the fields stand on the source's form, with a note where a source does not count.
"""

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.domains import read_domain
from ..sources.money import dated_sql
from ..sources.paths import contact_sql, fields_along, follow, moment_sql, path_sql
from .touchpoint_source import GUARDED_BY_DOCUMENT

SALESMAN = "sales_team.group_sale_salesman"
#: what says which campaign a record came from, by the model it names
CAMPAIGN = {"source_id": "utm.source", "medium_id": "utm.medium", "campaign_id": "utm.campaign"}
#: fields of a source that decide what its touches are
TOUCH_FIELDS = (
    "model",
    "domain",
    "documents",
    "unless_in",
    "partner_path",
    "email_path",
    "date_path",
    "campaign_path",
)


class LifecycleTouchpointSource(models.Model):
    """Which touchpoints count on the way to an order, and finding them for many customers."""

    # a file for each subject of this model
    _inherit = "lifecycle.touchpoint.source"  # pylint: disable=consider-merging-classes-inherited

    counts_as_touch = fields.Boolean(
        help="Counts on the way to an order: last touch before it, number of touches. As these "
        "figures are the same for everybody, only what every salesperson may read counts.",
    )
    campaign_path = fields.Char(
        string="Campaign Field",
        help="Path to the record that names source, medium and campaign, for example "
        "mass_mailing_id. Empty: the touchpoint itself, where it does.",
    )
    touch_note = fields.Char(compute="_compute_touch_note")

    @api.depends_context("lang")
    @api.depends("model", "counts_as_touch", "waits_for", "documents")
    def _compute_touch_note(self):
        readable = self._salesperson_models() if any(self.mapped("counts_as_touch")) else set()
        for source in self:
            awake = source._missing_model() is None
            source.touch_note = (
                source.counts_as_touch
                and awake
                and not source._every_salesperson_may_read(readable, source.campaign_path)
                and self.env._("Not counted: not every salesperson may read it.")
            )

    def _touch_rule(self):
        """What decides which touches this source finds, to notice that it was changed."""
        self.ensure_one()
        return [self[name] or "" for name in TOUCH_FIELDS]

    # ----- WHO MAY READ -----

    @api.model
    def _salesperson_models(self):
        """Names of the models that every salesperson may read."""
        groups = self.env.ref(SALESMAN).sudo().all_implied_ids
        # sudo: rights are no secret of administrators here, only the answer is used
        rights = self.env["ir.model.access"].sudo().search_fetch(
            [
                ("perm_read", "=", True),
                "|",
                ("group_id", "=", False),
                ("group_id", "in", groups.ids),
            ],
            ["model_id"],
        )
        return set(rights.model_id.mapped("model"))

    def _every_salesperson_may_read(self, readable, *others):
        """Whether every salesperson may read the model and all fields of this source.

        :param readable: see ``_salesperson_models``
        :param others: paths that are followed beside those of the journey
        """
        self.ensure_one()
        if self.model not in readable:
            return False
        names = set(self.env.ref(SALESMAN).sudo().all_implied_ids.get_external_id().values())
        paths = [*self._all_paths(), *filter(None, others)]
        return all(self._open_to(names, readable, path) for path in paths)

    def _open_to(self, group_names, readable, path):
        """Whether the members of some groups may read all models and fields of a path."""
        model = self.env[self.model]
        for field in fields_along(model, path):
            if model._name not in readable:
                return False
            asked = {name.strip() for name in (field.groups or "").split(",") if name.strip()}
            if asked and not asked & group_names:
                return False
            model = self.env[field.comodel_name] if field.relational else model
        return True

    @api.model
    def _of_touches(self):
        """Sources that count, can be used and are open to every salesperson.

        :return: the sources, and the names of the models that every salesperson may read
        """
        sources = self.sudo()._available([("counts_as_touch", "=", True)])
        readable = self._salesperson_models() if sources else set()
        counted = sources.filtered(
            lambda source: source._every_salesperson_may_read(readable, source.campaign_path)
        )
        return counted, readable

    # ----- TOUCHES OF MANY -----

    def _touch_parts(self, company, contacts, readable, condition=None, shared=False):
        """SELECTs of this source's touches, for many customers at once, with the source's rights.

        :param contacts: SQL of a table of contacts with ``id``, ``profile_id``,
            ``email_normalized`` and ``company_id``
        :param readable: names of the models that every salesperson may read
        :param condition: function of (model, table, SQL of the moment) to an SQL condition
        :param shared: the contacts' documents stand in ``lifecycle_document`` already
        :return: list of SELECTs with profile id, moment (UTC), id of this source and of the
            record, and utm source, medium and campaign
        :raise ValueError: a path does not fit the model
        """
        self.ensure_one()
        model = self.env[self.model]
        if self.documents and self.model in GUARDED_BY_DOCUMENT:
            # the document decides who may read what is attached to it
            model = model.sudo()
        model = model.with_context(active_test=False, tz=company._lifecycle_timezone())
        if not self.documents:
            links = []
            if self.partner_path:
                links.append(SQL("contact.id = found.partner_id"))
            if self.email_path:
                unknown = SQL("found.partner_id IS NULL AND") if self.partner_path else SQL()
                links.append(SQL("%s contact.email_normalized = found.email", unknown))
            found = self._touch_records(model, company, readable, condition)
            return [self._touch_select(found, company, contacts, link) for link in links]
        attached = self._touch_records(model, company, readable, condition, attached=True)
        kinds = self._touch_documents(readable)
        if shared:
            documents = [
                SQL(
                    "SELECT profile_id, model, id FROM lifecycle_document WHERE kind = ANY(%s)",
                    [str(kind) for kind in kinds],
                )
            ]
        else:
            documents = [
                part
                for kind in kinds
                for part in self._documents_of_contacts(kind, company, contacts)
            ]
        return [
            SQL(
                """SELECT document.profile_id, found.moment, %s AS touchpoint_id,
                          found.id AS res_id, found.source_id, found.medium_id,
                          found.campaign_id
                     FROM (%s) document
                     JOIN (%s) found ON found.document_model = document.model
                                    AND found.document_id = document.id""",
                self.id,
                part,
                attached,
            )
            for part in documents
        ]

    def _touch_documents(self, readable):
        """What touches may be attached to (see ``_documents``), as far as everybody may read it."""
        return [
            document
            for document in self._documents()
            if document[0] in self.env and document[0] in readable
        ]

    @api.model
    def _documents_of_contacts(self, document, company, contacts):
        """SELECTs of (profile id, model, id) of the documents of one kind that contacts have."""
        name, path, email_path, domain = document
        documents = self.env[name].with_context(active_test=False)
        query = documents._search(read_domain(self.env, domain))
        owner, email = self._touch_links(documents, query, path, email_path)
        target = query.select(
            SQL("%s AS id", SQL.identifier(query.table, "id")),
            SQL("%s AS partner_id", owner),
            SQL("%s AS email", email),
            SQL("%s AS company_id", self._touch_company(documents, query)),
        )
        links = [SQL("contact.id = document.partner_id")]
        if email_path:
            links.append(
                SQL(
                    "document.partner_id IS NULL "
                    "AND contact.email_normalized = document.email"
                )
            )
        return [
            SQL(
                """SELECT contact.profile_id, %s AS model, document.id
                     FROM %s contact JOIN (%s) document ON %s
                    WHERE COALESCE(document.company_id, contact.company_id, %s) = ANY(%s)""",
                name,
                contacts,
                target,
                link,
                company.id,
                company._lifecycle_family().ids,
            )
            for link in links
        ]

    def _touch_select(self, found, company, contacts, link):
        return SQL(
            """SELECT contact.profile_id, found.moment, %s AS touchpoint_id, found.id AS res_id,
                      found.source_id, found.medium_id, found.campaign_id
                 FROM %s contact JOIN (%s) found ON %s
                WHERE COALESCE(found.company_id, contact.company_id, %s) = ANY(%s)""",
            self.id,
            contacts,
            found,
            link,
            company.id,
            company._lifecycle_family().ids,
        )

    def _touch_records(self, model, company, readable, condition, attached=False):
        """SELECT of the records of this source, whoever they are about."""
        query = model._search(self._domain())
        table = query.table
        owner, email, company_id = SQL("NULL"), SQL("NULL"), SQL("NULL::integer")
        document = []
        if attached:
            document = [
                SQL("%s AS %s", SQL.identifier(table, column), SQL.identifier(name))
                for name, column in zip(
                    ("document_model", "document_id"), self._attached_names(model), strict=True
                )
            ]
        else:
            owner, email = self._touch_links(model, query, self.partner_path, self.email_path)
            company_id = self._touch_company(model, query)
        moment = moment_sql(model, query, self.date_path, company._lifecycle_timezone())
        # what is planned is no touch yet
        now = max(self.env.cr.now(), fields.Datetime.now())
        query.add_where(SQL("%s <= %s", moment, now))
        query.add_where(dated_sql(company, moment))
        self._add_unless(query, lambda name: name in readable)
        if condition:
            query.add_where(condition(model, table, moment))
        campaign = self._touch_campaign(model, query)
        return query.select(
            SQL("%s AS id", SQL.identifier(table, "id")),
            SQL("%s AS moment", moment),
            SQL("%s AS partner_id", owner),
            SQL("%s AS email", email),
            SQL("%s AS company_id", company_id),
            *document,
            *(SQL("%s AS %s", value, SQL.identifier(name)) for name, value in campaign.items()),
        )

    def _touch_links(self, model, query, partner_path, email_path):
        """SQL of contact and e-mail address of a query's records."""
        owner = contact_sql(model, query, partner_path) if partner_path else SQL("NULL")
        email = path_sql(model, query, email_path) if email_path else SQL("NULL")
        return owner, email

    def _touch_company(self, model, query):
        field = model._fields.get("company_id")
        if field is None or not field.store or field.type != "many2one":
            return SQL("NULL::integer")
        return model._field_to_sql(query.table, "company_id", query)

    def _touch_campaign(self, model, query):
        """SQL of source, medium and campaign that records name, NULL where they name none."""
        alias = query.table
        if self.campaign_path:
            model, alias = follow(model, query, self.campaign_path)
        return campaign_sql(model, alias, query)


def campaign_sql(model, alias, query):
    """SQL by name of the source, medium and campaign that the records of a model name."""
    columns = {}
    for name, comodel in CAMPAIGN.items():
        field = next(
            (
                field
                for field in model._fields.values()
                if field.type == "many2one" and field.comodel_name == comodel and field.store
            ),
            None,
        )
        columns[name] = (
            model._field_to_sql(alias, field.name, query) if field else SQL("NULL::integer")
        )
    return columns
