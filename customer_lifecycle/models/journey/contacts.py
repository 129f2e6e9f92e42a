"""Whose touchpoints are looked for: the contacts of one customer, or everybody.

In: contacts that the reader may see, his time zone and date. Out: domains and parts of statements
that find their records by contact, e-mail address or document, and rates of exchange. Made by
the journey, handed to the touchpoint sources.
"""

from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.domains import read_domain


class ContactScope:
    """The contacts whose journey is read, and what is looked up for them once.

    :param partners: contacts that the reader may see
    :param timezone: name of the reader's time zone
    :param today: the reader's date
    """

    def __init__(self, partners, timezone, today):
        self.partners = partners
        self.timezone = timezone
        self.today = today
        self.currency = partners.env.company.sudo().currency_id
        self._shared = {}
        self._by_email = {}
        self._rates = {}
        for partner in partners:
            for email in filter(None, (partner.email_normalized, partner.email)):
                self._by_email.setdefault(email, partner)

    @property
    def emails(self):
        return list(self._by_email)

    def link_domain(self, partner_path, email_path):
        """Domain of the records that lead to these contacts, or carry their e-mail address."""
        # 0 keeps the condition, so that a wrong path is found even without contacts
        domain = Domain(partner_path, "in", self.partners.ids or [0]) if partner_path else None
        if not email_path:
            return domain
        # no address is "@"; looking for "" would find whatever has no address
        by_email = Domain(email_path, "in", self.emails or ["@"])
        if domain is None:
            return by_email
        return domain | (Domain(partner_path, "=", False) & by_email)

    def attached_sql(self, model, names, documents):
        """Condition on the id of records that are attached to the contacts' documents.

        They are found once for all sources of a journey (see ``with_shared``).

        :param model: what is attached; :param names: its columns of document model and id
        :param documents: list of (model, path to the contact, e-mail path, domain as text)
        """
        key = (model._table, tuple(documents))
        if key not in self._shared:
            parts = [
                SQL(
                    "SELECT id FROM %s WHERE %s = %s AND %s",
                    SQL.identifier(model._table),
                    SQL.identifier(names[0]),
                    document[0],
                    self._document_sql(model.env[document[0]], document, names[1]),
                )
                for document in documents
                if document[0] in model.env and model.env[document[0]].has_access("read")
            ] or [SQL("SELECT 0 AS id")]
            self._shared[key] = (f"attached_{len(self._shared)}", SQL(" UNION ALL ").join(parts))
        # an array lets the index be used, whatever the planner thinks of the number
        return SQL("= ANY(ARRAY(SELECT id FROM %s))", SQL.identifier(self._shared[key][0]))

    def _document_sql(self, documents, document, column):
        """Condition that a column holds the id of one of the contacts' documents."""
        _name, path, email_path, domain = document
        link = self.link_domain(path, email_path) & read_domain(documents.env, domain)
        found = documents.with_context(active_test=False)._search(link)
        return SQL("%s = ANY(ARRAY%s)", SQL.identifier(column), found.subselect())

    def with_shared(self, statement):
        """A statement together with what several sources look up once."""
        if not self._shared:
            return statement
        shared = SQL(", ").join(
            SQL("%s AS MATERIALIZED (%s)", SQL.identifier(name), query)
            for name, query in self._shared.values()
        )
        return SQL("WITH %s SELECT * FROM (%s) part", shared, statement)

    def rate(self, currency_id):
        """What one unit of a currency is worth today in company currency, roughly is enough.

        Nothing where no rate is known.
        """
        if currency_id not in self._rates:
            company = self.partners.env.company.sudo()
            currency = company.currency_id.browse(currency_id)
            self._rates[currency_id] = (
                currency._get_conversion_rate(
                    currency, company.currency_id, company, self.today
                )
                if company._lifecycle_knows_rate(currency)
                else 0
            )
        return self._rates[currency_id]

    def named(self, text):
        """Ids of the contacts in whose name the text stands."""
        return [
            partner.id for partner in self.partners if text.lower() in (partner.name or "").lower()
        ]

    def among(self, partners):
        """Those of some contacts whose journey this is."""
        return partners & self.partners

    def with_email(self, email):
        return self._by_email.get(email)


class AllContacts(ContactScope):
    """All contacts: to see what a source finds at all."""

    def link_domain(self, partner_path, email_path):
        domain = Domain(partner_path, "!=", False) if partner_path else Domain.FALSE
        return domain | (Domain(email_path, "!=", False) if email_path else Domain.FALSE)

    def _document_sql(self, documents, document, column):
        _name, path, email_path, domain = document
        link = Domain.TRUE if path == "id" else self.link_domain(path, email_path)
        found = documents.with_context(active_test=False)._search(
            link & read_domain(documents.env, domain)
        )
        return SQL("%s IN %s", SQL.identifier(column), found.subselect())

    def attached_sql(self, model, names, documents):
        # not looked up before: only the newest of all are wanted
        parts = [
            SQL(
                "(%s = %s AND %s)",
                SQL.identifier(names[0]),
                document[0],
                self._document_sql(model.env[document[0]], document, names[1]),
            )
            for document in documents
            if document[0] in model.env and model.env[document[0]].has_access("read")
        ] or [SQL("FALSE")]
        return SQL(
            "IN (SELECT id FROM %s WHERE %s)",
            SQL.identifier(model._table),
            SQL(" OR ").join(parts),
        )

    def named(self, text):
        return []

    def among(self, partners):
        return partners._filtered_access("read")
