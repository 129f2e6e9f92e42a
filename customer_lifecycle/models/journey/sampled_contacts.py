"""Finds the touchpoints of many customers at once, for the ways of the journey map.

In: the customers whose ways are compared, with the day of the event. Out: conditions, joins and
shared parts of a statement that lead each touchpoint to its customer. Used by the ways of the
journey map, in place of the selection of one customer's contacts.
"""

from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.domains import read_domain
from ..sources.paths import contact_sql, path_sql
from .contacts import ContactScope

#: name of the contacts of the customers looked at, within the statement
CONTACTS = "map_contact"


class SampledContacts(ContactScope):
    """The customers whose ways are compared, and their contacts that the reader may see.

    Both are fetched first and handed to the statement as arrays, so that the planner knows how
    many there are: ``map_chosen`` (profile_id, customer, day, value) and ``map_contact`` (id,
    email, customer).

    :param env: of the reader; :param events: rows of ``map_chosen``
    """

    def __init__(self, env, timezone, today, events):
        super().__init__(env["res.partner"], timezone, today)
        self.env = env
        self._chosen = self._part(
            "map_chosen",
            {"profile_id": "integer", "customer": "integer", "day": "date", "value": "numeric"},
            events,
        )
        self._contacts = self._part(
            CONTACTS,
            {"id": "integer", "email": "varchar", "customer": "integer"},
            self._contact_rows([event[1] for event in events]),
        )

    def _contact_rows(self, customers):
        contacts = self.env["res.partner"].with_context(active_test=False)
        query = contacts._search(Domain("commercial_partner_id", "in", customers))
        return self.env.execute_query(
            query.select(
                *(
                    SQL.identifier(query.table, name)
                    for name in ("id", "email_normalized", "commercial_partner_id")
                )
            )
        )

    def _part(self, name, columns, rows):
        """Part of a statement with rows that are known already."""
        values = list(zip(*rows, strict=True)) or [()] * len(columns)
        return SQL(
            "%s (%s) AS MATERIALIZED (SELECT * FROM unnest(%s))",
            SQL.identifier(name),
            SQL(", ").join(SQL.identifier(column) for column in columns),
            SQL(", ").join(
                SQL("%s::%s[]", list(column), SQL(kind))
                for column, kind in zip(values, columns.values(), strict=True)
            ),
        )

    def link_domain(self, partner_path, email_path):
        """Nothing: ``customer_sql`` joins instead."""
        return Domain.TRUE

    def attached_sql(self, model, names, documents):
        """Condition on the id of what is attached to the customers' documents."""
        key = (model._table, tuple(documents))
        if key not in self._shared:
            parts = [
                part
                for document in documents
                if document[0] in model.env and model.env[document[0]].has_access("read")
                for part in self._document_parts(model, names, document)
            ] or [SQL("SELECT 0 AS id, 0 AS customer")]
            found = self.env.execute_query(
                SQL("WITH %s %s", self._contacts, SQL(" UNION ").join(parts))
            )
            name = f"attached_{len(self._shared)}"
            part = self._part(name, {"id": "integer", "customer": "integer"}, found)
            self._shared[key] = (name, part)
        return self._among(self._shared[key][0])

    def _among(self, name, column="id"):
        """Condition that a column is one of a part's: an array lets the index be used."""
        return SQL("= ANY(ARRAY(SELECT %s FROM %s))", SQL.identifier(column), SQL.identifier(name))

    def _document_parts(self, model, names, document):
        """SELECTs of (id of what is attached, customer) for one model of documents."""
        name, path, email_path, domain = document
        documents = self.env[name].with_context(active_test=False)
        for by_email in (False, True)[: 2 if email_path else 1]:
            query = documents._search(read_domain(self.env, domain))
            customer = self.customer_sql(documents, query, path, by_email and email_path)
            # each document's by the index
            yield SQL(
                """SELECT attached.id, document.customer FROM (%s) document
                    CROSS JOIN LATERAL (
                        SELECT id FROM %s WHERE %s = %s AND %s = document.id OFFSET 0) attached""",
                query.select(
                    SQL("%s AS id", SQL.identifier(query.table, "id")),
                    SQL("%s AS customer", customer),
                ),
                SQL.identifier(model._table),
                SQL.identifier(names[0]),
                name,
                SQL.identifier(names[1]),
            )

    def attached_customer_sql(self, model, query, documents):
        """Join what is attached to the customers' documents; returns the SQL of the customer."""
        name, _part = self._shared[model._table, tuple(documents)]
        query.add_join(
            "JOIN",
            name,
            None,
            SQL("%s = %s", SQL.identifier(name, "id"), SQL.identifier(query.table, "id")),
        )
        return SQL.identifier(name, "customer")

    def customer_sql(self, model, query, path, email_path=False):
        """Join the customers' contacts to a query; returns the SQL of the customer.

        :param path: to the contact; :param email_path: to the address by which those are found
            that have no contact
        """
        if email_path:
            column, link = "email", path_sql(model, query, email_path)
            if path:
                query.add_where(SQL("%s IS NULL", path_sql(model, query, path)))
        else:
            column, link = "id", contact_sql(model, query, path)
        query.add_where(SQL("%s %s", link, self._among(CONTACTS, column)))
        query.add_join(
            "JOIN", CONTACTS, None, SQL("%s = %s", SQL.identifier(CONTACTS, column), link)
        )
        return SQL.identifier(CONTACTS, "customer")

    def with_shared(self, statement):
        """A statement together with the customers, their contacts and what is attached."""
        parts = [self._chosen, self._contacts, *(part for _name, part in self._shared.values())]
        return SQL("WITH %s %s", SQL(", ").join(parts), statement)
