"""Channels by which people are reached: their addresses, and who must not be written to there.

In: contacts, addresses, a company. Out: normalised addresses, SQL of who cannot be reached or has
said no, and what an address has got lately. Asked by ``lifecycle.consent`` alone; an add-on that
brings another channel registers an object of its own here.
"""

from odoo import tools
from odoo.fields import Domain
from odoo.tools import SQL

CHANNELS = {}


def register(channel):
    """Let messages go through a channel; the last one of a name counts."""
    CHANNELS[channel.name] = channel
    return channel


class Channel:
    """How people are reached. What a person has said no to holds on every channel."""

    #: as messages name it, and the kind of the deliveries that are counted
    name = None

    def addresses(self, person):
        """The normalised addresses of a contact, each once."""
        raise NotImplementedError

    def unreachable_sql(self, person, address):
        """List of (condition, reason) why a contact cannot be reached at an address.

        :param person: alias of the contacts' table
        :param address: SQL of a normalised address, NULL where he has none
        """
        return [(SQL("%s IS NULL", address), "no_address")]

    def refused_sql(self, env, address):
        """Dict reason → condition that somebody has said no by the address in other apps."""
        return {}

    def sent_lately(self, env, addresses, company, since):
        """List of (address, moment) of what was sent; an address may be there several times."""
        env["lifecycle.workflow.delivery"].flush_model()
        env.cr.execute(
            SQL(
                """SELECT email, date FROM lifecycle_workflow_delivery
                    WHERE email = ANY(%(emails)s::text[]) AND company_id = %(company)s
                      AND kind = %(kind)s AND state = 'done' AND date > %(since)s
                    UNION ALL
                   SELECT other.email, date FROM lifecycle_workflow_delivery
                     JOIN unnest(%(emails)s::text[]) other(email)
                       ON other.email = ANY(string_to_array(other_emails, ', '))
                    WHERE other_emails IS NOT NULL
                      AND string_to_array(other_emails, ', ') && %(emails)s::text[]
                      AND company_id = %(company)s AND kind = %(kind)s
                      AND state = 'done' AND date > %(since)s""",
                emails=addresses,
                kind=self.name,
                company=company.id,
                since=since,
            )
        )
        return env.cr.fetchall()


class EmailChannel(Channel):
    """E-mail, to every address in a contact's field, as Odoo writes it."""

    name = "email"

    def addresses(self, person):
        return list(dict.fromkeys(tools.mail.email_normalize_all(person.sudo().email)))

    def unreachable_sql(self, person, address):
        return [
            (SQL("COALESCE(%s, '') !~ '\\S'", SQL.identifier(person, "email")), "no_address"),
            (SQL("%s IS NULL", address), "invalid"),
            (SQL("COALESCE(%s, 0) <> 0", SQL.identifier(person, "message_bounce")), "bounced"),
        ]

    def refused_sql(self, env, address):
        """On the blacklist, or has left a mailing list."""
        blocked = SQL(
            """EXISTS (SELECT FROM mail_blacklist blocked
                        WHERE blocked.active AND blocked.email = %s)""",
            address,
        )
        left = SQL("FALSE")
        if "mailing.subscription" in env:
            left = SQL(
                """EXISTS (SELECT FROM mailing_subscription subscription
                             JOIN mailing_contact subscriber
                               ON subscriber.id = subscription.contact_id
                            WHERE subscription.opt_out AND subscriber.email_normalized = %s)""",
                address,
            )
        return {"blacklisted": blocked, "opted_out": left}

    def sent_lately(self, env, addresses, company, since):
        """Also by ordinary mailings."""
        rows = super().sent_lately(env, addresses, company, since)
        if "mailing.trace" in env:
            traces = env["mailing.trace"].sudo().search(
                Domain("email", "in", addresses)
                & Domain("sent_datetime", ">", since)
                & Domain("trace_type", "=", "mail")
            )
            rows += [(tools.email_normalize(one.email), one.sent_datetime) for one in traces]
        return rows


class AdsChannel(EmailChannel):
    """Advertising platforms, which know people by address or phone number.

    An address that does not work leaves the number, so nobody is out of reach for that.
    """

    name = "ads"

    def unreachable_sql(self, person, address):
        blocked = SQL(
            """EXISTS (SELECT FROM phone_blacklist blocked
                        WHERE blocked.active AND blocked.number = %s)""",
            SQL.identifier(person, "phone_sanitized"),
        )
        return [(blocked, "blacklisted")]

    def sent_lately(self, env, addresses, company, since):
        return []


EMAIL = register(EmailChannel())
ADS = register(AdsChannel())
