"""Invented customers of whom some join a programme, for known reasons and with known effect."""

import numpy as np

from customer_lifecycle.kernel.matching import NEVER, Purchases, match

DAYS, WINDOW = 1460, 180
#: joining takes place in these days: two years of history before, half a year to look at after
JOINING = (730, DAYS - WINDOW - 10)


def invent(seed, customers=700, effect=1.0, reason="good customers", eager=0.015):
    """Orders with rates and sizes that differ, seasons, and customers who come and go.

    :param effect: factor of the order rate from the day after joining
    :param reason: who joins: "good customers" whose orders are large, with any order of theirs, so
        that frequent buyers join more often as well; "good times" after three orders in 30 days
    :param eager: chance that an order of usual size brings a good customer to join
    :return: (:class:`Purchases`, event days)
    """
    rng = np.random.default_rng(seed)
    rate, size = rng.gamma(2, 1 / 60, customers), rng.lognormal(4.5, 0.6, customers)
    start = rng.integers(0, DAYS - 400, customers)
    end = start + rng.exponential(1500, customers)
    days = np.arange(DAYS)
    season = 1 + 0.5 * np.sin(2 * np.pi * days / 365)
    alive = (days >= start[:, None]) & (days < end[:, None])
    chance = np.where(alive, rate[:, None] * season, 0.0)
    chance[np.arange(customers), start] = 1.0
    ordered = rng.random((customers, DAYS)) < chance
    if reason == "good customers":
        joins = np.clip(eager * size / 90, 0, 0.2)[:, None]
    else:
        sums = np.cumsum(ordered, axis=1)
        recent = sums - np.pad(sums, ((0, 0), (30, 0)))[:, :DAYS]
        joins = np.where(recent >= 3, 0.05, 0.0)
    joined = ordered & (rng.random((customers, DAYS)) < joins)
    joined[:, : JOINING[0]] = joined[:, JOINING[1] :] = False
    event = np.where(joined.any(axis=1), joined.argmax(axis=1), NEVER)
    after = days > event[:, None]
    ordered |= after & (rng.random((customers, DAYS)) < chance * (effect - 1))
    who, day = np.nonzero(ordered)
    amount = size[who] * rng.lognormal(-0.08, 0.4, len(who))
    return Purchases(who, day, amount), event


def matched(purchases, event):
    everybody = np.arange(len(event))
    return match(purchases, event, WINDOW, np.flatnonzero(event != NEVER), everybody)
