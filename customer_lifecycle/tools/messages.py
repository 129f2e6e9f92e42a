"""What is asked about a message before it goes out, and what comes back.

In: from which company a message is, through which channel and for which purpose. Out: a decision
for each contact. Made by whatever writes to customers; ``lifecycle.consent`` decides, and the
channels of ``models/workflow/channels.py`` know addresses.
"""

from dataclasses import dataclass

#: what can become of a message
SEND, WAIT, REFUSE = "send", "wait", "refuse"


@dataclass(frozen=True)
class Purpose:
    """What a message is for, and hence what it depends on.

    :param needs_consent: a person who has said no does not get it
    :param is_limited: it counts among other messages, and leaves who has complained in peace
    """

    name: str
    needs_consent: bool = True
    is_limited: bool = False


MARKETING = Purpose("marketing", is_limited=True)
#: what a person has earned, added to a list, or is addressed by elsewhere: not one more message
REWARD = Purpose("reward")
SUBSCRIPTION = Purpose("subscription")
AUDIENCE = Purpose("audience")
#: what a customer has to know: he only has to be reachable
SERVICE = Purpose("service", needs_consent=False)


@dataclass(frozen=True)
class Message:
    """A kind of message, about which ``lifecycle.consent`` decides contact by contact.

    :param company: ``res.company`` in whose name it is sent
    :param channel: name of a channel
    :param is_leaving: it was decided on before: only what is refused by now stops it
    :param people: where the occasion is one person's own, such as a cart: who alone may hear of
        it, as dict commercial partner id → contact ids; None: whoever the customer's is
    """

    company: object
    purpose: Purpose = MARKETING
    channel: str = "email"
    is_leaving: bool = False
    people: dict | None = None


@dataclass(frozen=True)
class Decision:
    """What becomes of a message to one contact.

    :param verdict: ``SEND``, ``WAIT`` or ``REFUSE``
    :param person: ``res.partner`` who gets it or is refused it; empty where there is nobody
    :param addresses: normalised addresses that it may go to; empty where it is refused
    :param reason: key of ``REFUSALS`` or ``PAUSES``; None where it is sent
    :param until: where it waits, the moment (UTC) from which to ask again
    """

    verdict: str
    person: object
    addresses: tuple = ()
    reason: str | None = None
    until: object = None

    @property
    def is_refused(self):
        return self.verdict == REFUSE
