"""What counts as a complaint: one list, which whoever asks about bad experiences goes through.

Comes in: nothing. Goes out: kinds of complaints, each with the profile's field that keeps the day
of the last one. Read by the signals that fill these fields, the causes of dissatisfaction, the
list of calls, the pauses of marketing, and the replay of the past, where stage rules may look at
them. A new kind is a line here, its field on the profile, and a signal that fills it.
"""

from typing import NamedTuple

from odoo.tools.translate import LazyGettext, LazyTranslate

_lt = LazyTranslate(__name__)

#: field of the profile with the oldest due date of an overdue invoice: lasts until it is paid
UNPAID = "overdue_since"


class Complaint(NamedTuple):
    """A kind of bad experience.

    :param date: field of the profile: day of the last one
    :param target: words for the field among those that signals fill
    :param pause: for this reason marketing pauses for the company's days of peace, if named: a key
        of the consent's ``PAUSES``
    :param call: sentence on the day that asks to call, if one should
    :param urgency: calls name the lowest first
    :param advice: what to do in that call
    """

    date: str
    target: str
    pause: str | None = None
    call: LazyGettext | None = None
    urgency: int = 0
    advice: LazyGettext | None = None


COMPLAINTS = (
    Complaint(
        "late_delivery_date",
        "Last late delivery",
        pause="late",
        call=_lt("Late delivery on %s: ask whether all is well."),
        urgency=2,
        advice=_lt(
            "Apologize first. Ask whether everything has arrived and is right, and say what you "
            "do so that it does not happen again. Sell nothing in this call."
        ),
    ),
    Complaint(
        "return_date",
        "Last return",
        call=_lt("Sent goods back on %s: ask whether all is well."),
        urgency=3,
        advice=_lt(
            "Ask what was wrong with the goods, and see that the replacement or the credit note "
            "is on its way."
        ),
    ),
    Complaint("credit_note_date", "Last credit note"),
    Complaint(
        "bad_rating_date",
        "Last bad rating",
        pause="complaint",
        call=_lt("Bad rating on %s: ask what went wrong."),
        urgency=1,
        advice=_lt(
            "Listen before you explain. Say back what went wrong, and promise only what you can "
            "keep, with a day."
        ),
    ),
)
#: those that are a reason to call, the most urgent first
CALLS = sorted((one for one in COMPLAINTS if one.call), key=lambda one: one.urgency)
#: those that marketing pauses for; of the same day, the most urgent names the reason
PAUSING = sorted((one for one in COMPLAINTS if one.pause), key=lambda one: one.urgency)
