from ast import literal_eval

from odoo.fields import Domain
from odoo.tools import SQL


class Selected:
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
        self._documents = {}
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
        by_email = Domain(email_path, "in", self.emails or [""])
        if domain is None:
            return by_email
        return domain | (Domain(partner_path, "=", False) & by_email)

    def documents_sql(self, env, document, column):
        """Condition that a column holds the id of one of the contacts' documents.

        :param document: (model, path to the contact, e-mail path, domain as text)
        """
        model, path, email_path, domain = document
        if document not in self._documents:
            documents = env[model].with_context(active_test=False)
            if not documents.has_access("read"):
                self._documents[document] = []
            else:
                link = self.link_domain(path, email_path) & Domain(literal_eval(domain))
                self._documents[document] = list(documents._search(link).get_result_ids())
        return SQL("%s = ANY(%s)", column, self._documents[document])

    def rate(self, currency_id):
        """What one unit of a currency is worth today in company currency, roughly is enough."""
        if currency_id not in self._rates:
            company = self.partners.env.company.sudo()
            currency = company.currency_id.browse(currency_id)
            self._rates[currency_id] = currency._get_conversion_rate(
                currency, company.currency_id, company, self.today
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


class Everybody(Selected):
    """All contacts: to see what a source finds at all."""

    def link_domain(self, partner_path, email_path):
        domain = Domain(partner_path, "!=", False) if partner_path else Domain.FALSE
        return domain | (Domain(email_path, "!=", False) if email_path else Domain.FALSE)

    def documents_sql(self, env, document, column):
        model, path, email_path, domain = document
        documents = env[model].with_context(active_test=False)
        if not documents.has_access("read"):
            return SQL("FALSE")
        link = Domain.TRUE if path == "id" else self.link_domain(path, email_path)
        link &= Domain(literal_eval(domain))
        return SQL("%s IN %s", column, documents._search(link).subselect())

    def named(self, text):
        return []

    def among(self, partners):
        return partners._filtered_access("read")
