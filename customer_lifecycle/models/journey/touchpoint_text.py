"""How touchpoints look on the screen: title, people, amount, and the record behind them.

In: the keys that the query has found. Out: one dict for each, as far as the reader may see it.
Called by the journey for the page that it shows, and by the list of a source's latest ones.
"""

from odoo import models
from odoo.tools import format_date, format_datetime, html2plaintext
from odoo.tools.float_utils import float_repr

from ..sources.paths import fields_along
from .touchpoint_source import GUARDED_BY_DOCUMENT

#: longest title of a touchpoint, in characters
TITLE_LENGTH = 200


class LifecycleTouchpointSource(models.Model):
    """Telling what a touchpoint was: one line, who, how much, and what to open."""

    # a file for each subject of this model
    _inherit = "lifecycle.touchpoint.source"  # pylint: disable=consider-merging-classes-inherited

    def _items(self, scope, keys):
        """Describe touchpoints for the screen, with the reader's own rights.

        :param scope: ``ContactScope`` of the journey
        :param keys: list of (moment in UTC, id)
        :return: list of dicts in the order of the keys: ``key`` (moment, source, id), ``day``
            where only the day is known, ``title``, ``who``, ``amount``, ``currency_id``, and
            ``model`` and ``res_id`` of what a click opens
        """
        self.ensure_one()
        records = self.env[self.model].with_context(active_test=False).browse(
            id_ for _moment, id_ in keys
        )
        if self.model in GUARDED_BY_DOCUMENT:
            records = records._filtered_access("read")
        if not records:
            return []
        columns = {path.split(".")[0] for path in self._all_paths()}
        records.fetch([name for name in columns if records._fields[name].store])
        titles = self._titles(scope, records)
        amounts = self._amounts(scope, records)
        opened = self._opened(records)
        who = self._who(scope, records)
        day_only = self._has_day_only()
        days = self._values(records, self.date_path) if day_only else {}
        items = []
        for moment, id_ in keys:
            if id_ in titles:
                amount, currency_id = amounts.get(id_, (False, False))
                model, res_id = opened[id_]
                items.append(
                    {
                        "key": [moment.isoformat(), self.id, id_],
                        "day": day_only and str(days[id_]),
                        "title": titles[id_],
                        "who": who.get(id_, ""),
                        "amount": amount,
                        "currency_id": currency_id,
                        "model": model,
                        "res_id": res_id,
                    }
                )
        return items

    def _values(self, records, path):
        """Value at the end of a path by record id; False where the reader may not go there."""
        *hops, last = path.split(".")
        targets = {record.id: record for record in records}
        for hop in hops:
            following = records.mapped(hop)
            records = following._filtered_access("read") if following else following
            readable = set(records._ids)
            targets = {
                id_: target[hop].filtered(lambda record: record.id in readable)[:1]  # noqa: B023
                for id_, target in targets.items()
            }
        return {id_: target[last] if target else False for id_, target in targets.items()}

    def _titles(self, scope, records):
        """One line of text by record id."""
        texts = dict.fromkeys(records._ids, "")
        for index, part in enumerate(self._title_parts()):
            if not index % 2:
                texts = {id_: text + part for id_, text in texts.items()}
                continue
            shown = dict.fromkeys(records._ids, "")
            for path in part:
                field = fields_along(records, path)[-1]
                for id_, value in self._values(records, path).items():
                    shown[id_] = shown[id_] or self._shown(scope, field, value)
            texts = {id_: text + shown[id_] for id_, text in texts.items()}
        texts = {id_: " ".join(text.split()).strip(" ,:–·") for id_, text in texts.items()}
        return {
            id_: text if len(text) <= TITLE_LENGTH else f"{text[: TITLE_LENGTH - 1]}…"
            for id_, text in texts.items()
        }

    def _shown(self, scope, field, value):
        """A field's value in words."""
        if field.type == "boolean":
            return self.env._("yes") if value else self.env._("no")
        if value is False or value is None:
            return ""
        if field.relational:
            # sudo: like everywhere in Odoo, the name of a linked record may be read
            return ", ".join(record.display_name or "" for record in value.sudo())
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, "")
        if field.type == "date":
            return format_date(self.env, value, date_format="medium")
        if field.type == "datetime":
            return format_datetime(self.env, value, tz=scope.timezone, dt_format="medium")
        if field.type in ("float", "monetary"):
            text = float_repr(value, 2)
            return text.rstrip("0").rstrip(".")
        if field.type == "html":
            return html2plaintext(value)
        return str(value)

    def _amounts(self, scope, records):
        """(amount, currency id) by record id, where there is one."""
        if not self.amount_path:
            return {}
        amounts = self._values(records, self.amount_path)
        path = self._currency_path(records)
        currencies = self._values(records, path) if path else {}
        result = {}
        for id_, amount in amounts.items():
            if amount:
                currency = currencies.get(id_) or scope.currency
                result[id_] = (amount, currency.id)
        return result

    def _opened(self, records):
        """(model, id) by record id of what a click opens; False where there is nothing."""
        if self.open_path:
            targets = self._values(records, self.open_path)
            return {
                id_: (target._name, target[:1].id) if target else (False, False)
                for id_, target in targets.items()
            }
        if self.documents:
            model, res_id = self._attached_names(records)
            return {record.id: (record[model], record[res_id]) for record in records}
        return {record.id: (record._name, record.id) for record in records}

    def _who(self, scope, records):
        """Names of the contacts by record id."""
        found = {}
        if self.documents:
            found = self._document_contacts(scope, records)
            if "author_id" in records._fields:
                for record in records:
                    author = scope.among(record.author_id)
                    found[record.id] = author or found.get(record.id)
        elif self.partner_path:
            found = {
                id_: scope.among(partners)
                for id_, partners in self._values(records, self.partner_path).items()
                if partners
            }
        if self.email_path:
            for id_, email in self._values(records, self.email_path).items():
                if not found.get(id_):
                    found[id_] = scope.with_email(email)
        return {
            id_: ", ".join(partner.name or partner.display_name for partner in partners)
            for id_, partners in found.items()
            if partners
        }

    def _document_contacts(self, scope, records):
        """Contacts by record id of the documents that records are attached to."""
        model, res_id = self._attached_names(records)
        found = {}
        for name, path, email_path, _domain in self._documents():
            here = records.filtered(lambda record: record[model] == name)  # noqa: B023
            if not here:
                continue
            documents = self.env[name].with_context(active_test=False)
            documents = documents.browse({record[res_id] for record in here})
            if path == "id":
                contacts = {document.id: document for document in documents}
            else:
                contacts = self._values(documents, path)
            emails = self._values(documents, email_path) if email_path else {}
            for record in here:
                contact = contacts[record[res_id]]
                found[record.id] = (contact and scope.among(contact)) or scope.with_email(
                    emails.get(record[res_id])
                )
        return found
