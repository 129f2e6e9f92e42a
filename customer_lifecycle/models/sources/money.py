"""Exchange rates, and which days and amounts of documents can be believed, as SQL.

In: moments, amounts, rates and currencies of documents as SQL, and a company. Out: amounts in
company currency, and conditions that leave out what is dated before there were computers or
centuries ahead, what is larger than anybody buys, and what is in a currency without a rate.
Called where revenue and spending sources are compiled, and by whatever else reads amounts of
documents.
"""

from odoo.tools import SQL

from .paths import fields_along, number_sql, path_sql

# ----- DAY AND AMOUNT -----


def dated_sql(company, moment):
    """Condition of a date or moment, as stored, that can be believed."""
    first, last, _largest = company._lifecycle_limits()
    return SQL("(%s >= %s AND %s < %s::date + 1)", moment, first, moment, last)


def plausible_sql(company, moment, worth):
    """Condition of documents that can be believed.

    :param moment: SQL of the date or moment as stored
    :param worth: SQL of the amount in company currency, NULL where no rate is known
    """
    # NaN and infinity are larger than every number
    return SQL(
        "(%s AND ABS(%s) < %s::numeric)",
        dated_sql(company, moment),
        worth,
        company._lifecycle_limits()[2],
    )


def reason_sql(company, moment, worth):
    """Why a document is set aside: the index of the first reason that applies (``REASONS``)."""
    first, last, _largest = company._lifecycle_limits()
    return SQL(
        """CASE WHEN %(moment)s IS NULL THEN 0 WHEN %(moment)s < %(first)s THEN 1
                WHEN %(moment)s >= %(last)s::date + 1 THEN 2 WHEN %(worth)s IS NULL THEN 3
                ELSE 4 END""",
        moment=moment,
        first=first,
        last=last,
        worth=worth,
    )


# ----- RATES -----


def rate_of_day(currency, company, day):
    """Rate of a currency on a day, as Odoo chooses it: last before, else first.

    NULL where there is none: Odoo then takes foreign money for its own, one to one.
    """
    chosen = SQL(
        """SELECT rate FROM res_currency_rate
            WHERE currency_id = %s AND (company_id IS NULL OR company_id = %s)""",
        currency,
        company.root_id.id,
    )
    return SQL(
        """COALESCE((%(chosen)s AND name <= %(day)s ORDER BY company_id, name DESC LIMIT 1),
                    (%(chosen)s ORDER BY company_id, name LIMIT 1))::numeric""",
        chosen=chosen,
        day=day,
    )


def own_rate_of_day(company, day):
    """Rate of the company's currency; without one, the others are measured in it."""
    return SQL("COALESCE(%s, 1)", rate_of_day(SQL("%s", company.currency_id.id), company, day))


def unrated_sql(company, rate, currency):
    """Condition of documents whose rate was written where there was none.

    Odoo writes 1 where it finds no rate, and documents keep that when one is entered later. A
    foreign currency is worth as much as the company's only where the rates have said so.

    :param rate: SQL of the stored rate
    :param currency: SQL of the document's currency
    """
    # looked up once, not for every document
    at_par = SQL(
        """SELECT foreign_rate.currency_id
             FROM res_currency_rate foreign_rate
            WHERE (foreign_rate.company_id IS NULL OR foreign_rate.company_id = %s)
              AND ROUND(foreign_rate.rate::numeric / NULLIF(%s, 0), 6) = 1""",
        company.root_id.id,
        own_rate_of_day(company, SQL("foreign_rate.name")),
    )
    return SQL(
        """(CASE WHEN %(rate)s = 1 AND %(currency)s <> %(own)s
                 THEN COALESCE(%(currency)s NOT IN (%(at_par)s), TRUE) ELSE FALSE END)""",
        rate=rate,
        currency=currency,
        own=company.currency_id.id,
        at_par=at_par,
    )


def unrated_move_sql(company):
    """The same of ``move``, an invoice."""
    return unrated_sql(company, SQL("move.invoice_currency_rate"), SQL("move.currency_id"))


def unrated_order_sql(company):
    """The same of ``ordering``, a sale order."""
    return unrated_sql(company, SQL("ordering.currency_rate"), SQL("ordering.currency_id"))


def unrated_till_sql(company):
    """The same of ``ordering``, an order of the till, which has the currency of its till."""
    return unrated_sql(
        company,
        SQL("ordering.currency_rate"),
        SQL("(SELECT till.currency_id FROM pos_config till WHERE till.id = ordering.config_id)"),
    )


# ----- OF A SOURCE -----


def converter(source, model, query, company, day):
    """Function that turns an SQL amount of a source's documents into company currency.

    NULL where no rate is known.

    :param source: record with ``rate_path`` and ``currency_path``
    """
    if source.rate_path:
        rate = number_sql(model, query, source.rate_path)
        return lambda amount: SQL("(%s / NULLIF(%s, 0))", amount, rate)
    if source.currency_path:
        currency = path_sql(model, query, source.currency_path)
        rate = rate_of_day(currency, company, day)
        own_rate = own_rate_of_day(company, day)
        return lambda amount: SQL(
            "(CASE WHEN %s = %s THEN %s ELSE %s / %s * %s END)",
            currency,
            company.currency_id.id,
            amount,
            amount,
            rate,
            own_rate,
        )
    return lambda amount: SQL("(%s)", amount)


def worth_sql(source, model, query, company, amount, convert):
    """An amount in company currency as ``plausible_sql`` wants it.

    No amount is nothing; a rate below nought is none, nor is the one that Odoo writes where
    it knows none.

    :param source: record with ``rate_path`` and ``currency_path``
    :param convert: see ``converter``
    """
    amount = SQL("COALESCE(%s, 0)", amount)
    if not source.rate_path:
        rates = _rate_of_invoice(model)
        if rates:
            rate, currency = (path_sql(model, query, path) for path in rates)
            return SQL(
                "(CASE WHEN NOT %s THEN %s END)",
                unrated_sql(company, rate, currency),
                convert(amount),
            )
        return convert(amount)
    rate = number_sql(model, query, source.rate_path)
    believed = SQL("%s > 0", rate)
    beside = ".".join([*source.rate_path.split(".")[:-1], "currency_id"])
    currency_path = source.currency_path or beside
    if fields_along(model, currency_path):
        currency = path_sql(model, query, currency_path)
        believed = SQL("%s AND NOT %s", believed, unrated_sql(company, rate, currency))
    return SQL("(CASE WHEN %s THEN %s END)", believed, convert(amount))


def _rate_of_invoice(model):
    """Paths to the rate and the currency of what is stored in company currency, if any."""
    if model._name == "account.move":
        return "invoice_currency_rate", "currency_id"
    if model._name == "account.move.line":
        return "move_id.invoice_currency_rate", "move_id.currency_id"
    return None
