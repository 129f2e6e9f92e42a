from ast import literal_eval

from odoo.fields import Domain
from odoo.tools import SQL

from .lifecycle_journey_people import Selected

#: name of the contacts of the customers looked at, within the statement
CONTACTS = "map_contact"


class Sampled(Selected):
    """The customers whose ways are compared, as a part of one statement.

    They are not known here, only how SQL finds them: ``map_chosen`` (customer, profile_id, day,
    value), which the statement begins with. Their contacts are those that the reader may see.

    :param env: of the reader; :param chosen: SELECT of ``map_chosen``
    """

    def __init__(self, env, timezone, today, chosen):
        super().__init__(env["res.partner"], timezone, today)
        self.env = env
        self.chosen = chosen

    def link_domain(self, partner_path, email_path):
        """Nothing: ``customer_sql`` joins instead."""
        return Domain.TRUE

    def attached_sql(self, model, names, documents):
        """Nothing: ``attached_customer_sql`` joins instead."""
        key = (model._table, tuple(documents))
        if key not in self._shared:
            parts = [
                part
                for document in documents
                if document[0] in model.env and model.env[document[0]].has_access("read")
                for part in self._document_parts(model, names, document)
            ] or [SQL("SELECT 0 AS id, 0 AS customer")]
            self._shared[key] = (f"attached_{len(self._shared)}", SQL(" UNION ").join(parts))
        return SQL("IS NOT NULL")

    def _document_parts(self, model, names, document):
        """SELECTs of (id of what is attached, customer) for one model of documents."""
        name, path, email_path, domain = document
        documents = self.env[name].with_context(active_test=False)
        for by_email in (False, True)[: 2 if email_path else 1]:
            query = documents._search(Domain(literal_eval(domain)))
            customer = self.customer_sql(documents, query, path, by_email and email_path)
            yield SQL(
                """SELECT attached.id, document.customer FROM (%s) document
                     JOIN %s attached ON attached.%s = %s AND attached.%s = document.id""",
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
        name, _select = self._shared[model._table, tuple(documents)]
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
        paths = self.env["lifecycle.revenue.source"]
        if email_path:
            link = SQL(
                "%s = %s",
                SQL.identifier(CONTACTS, "email"),
                paths._path_sql(model, query.table, email_path, query),
            )
            if path:
                query.add_where(
                    SQL("%s IS NULL", paths._path_sql(model, query.table, path, query))
                )
        else:
            link = SQL(
                "%s = %s", SQL.identifier(CONTACTS, "id"), self._contact_sql(model, query, path)
            )
        query.add_join("JOIN", CONTACTS, None, link)
        return SQL.identifier(CONTACTS, "customer")

    def _contact_sql(self, model, query, path):
        paths = self.env["lifecycle.revenue.source"]
        last = path.split(".")[-1]
        holder, alias = paths._follow(model, query.table, path, query, whole=False)
        field = holder._fields[last]
        if field.type != "many2many":
            return holder._field_to_sql(alias, last, query)
        link = query.make_alias(alias, last)
        query.add_join(
            "JOIN",
            link,
            field.relation,
            SQL(
                "%s = %s", SQL.identifier(link, field.column1), SQL.identifier(alias, "id")
            ),
        )
        return SQL.identifier(link, field.column2)

    def with_shared(self, statement):
        """A statement together with the customers, their contacts and what they share."""
        contacts = self.env["res.partner"].with_context(active_test=False)
        query = contacts._search(
            Domain("commercial_partner_id", "in", SQL("(SELECT customer FROM map_chosen)"))
        )
        parts = [
            SQL("map_chosen AS MATERIALIZED (%s)", self.chosen),
            SQL(
                "%s AS MATERIALIZED (%s)",
                SQL.identifier(CONTACTS),
                query.select(
                    SQL("%s AS id", SQL.identifier(query.table, "id")),
                    SQL("%s AS email", SQL.identifier(query.table, "email_normalized")),
                    SQL(
                        "%s AS customer",
                        SQL.identifier(query.table, "commercial_partner_id"),
                    ),
                ),
            ),
            *(
                SQL("%s AS MATERIALIZED (%s)", SQL.identifier(name), select)
                for name, select in self._shared.values()
            ),
        ]
        return SQL("WITH %s %s", SQL(", ").join(parts), statement)
