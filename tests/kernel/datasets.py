"""Purchase logs of five kinds of business, which no model is true for; all seeds fixed.

Each function returns ((customer, day, amount), calibration end, holdout end).
"""

import numpy as np


def renewals(generator, gaps, shape, leave, start, end, slower=None):
    """Log of customers with these mean gaps, Erlang shape and chance to leave at a purchase.

    :param slower: function of time, factor on the gaps
    """
    who, time, log = np.arange(len(gaps)), start.copy(), []
    while len(who):
        log.append((who, time))
        stays = generator.uniform(size=len(who)) >= leave[who]
        who, time = who[stays], time[stays]
        factor = slower(time) if slower else 1.0
        time = time + generator.gamma(shape, size=len(who)) / shape * gaps[who] * factor
        who, time = who[time < end], time[time < end]
    customer, day = (np.concatenate(column) for column in zip(*log, strict=True))
    # What happened before the log began is not in it.
    return priced(generator, customer[day >= 0], day[day >= 0])


def priced(generator, customer, day):
    """Complete a log with amounts."""
    level = generator.gamma(3.0, 20.0, customer.max() + 1)[customer]
    amount = level * generator.gamma(4.0, 0.25, len(day)) + 0.01
    return customer, np.floor(day).astype(int), amount


def in_season(generator, log, peak, strength, width=35.0):
    """The part of a log that is left when people buy mostly around day ``peak`` of the year."""
    customer, day, amount = log
    away = (day - peak + 182) % 365 - 182
    wish = 1 + strength * np.exp(-0.5 * (away / width) ** 2)
    kept = generator.uniform(size=len(day)) < wish / (1 + strength)
    return customer[kept], day[kept], amount[kept]


def gaps_of(generator, n, typical, spread):
    return np.exp(generator.normal(np.log(typical), spread, n))


def groceries(generator, n=500):
    log = renewals(
        generator, gaps_of(generator, n, 18, 0.6), 2.5, generator.beta(0.5, 15.0, n),
        generator.uniform(0, 500, n), 700,
    )  # fmt: skip
    return log, 480, 700


def groceries_losing_ground(generator, n=300):
    log = renewals(
        generator, gaps_of(generator, n, 8, 0.5), 1.5, generator.beta(0.5, 60.0, n),
        generator.uniform(0, 30, n), 540, lambda time: 1 + time / 400,
    )  # fmt: skip
    return log, 360, 540


def yearly_donors(generator, n=2500):
    log = renewals(
        generator, gaps_of(generator, n, 365, 0.25), 8.0, generator.beta(1.0, 2.5, n),
        generator.uniform(0, 1460, n), 2190,
    )  # fmt: skip
    return log, 1825, 2190


def december_donors(generator, n=2500, years=7):
    gives, leaves = generator.beta(1.0, 0.8, n), generator.beta(1.0, 4.0, n)
    first, here, rows = generator.integers(0, years, n), np.ones(n, dtype=bool), []
    for year in range(years):
        again = (year > first) & here & (generator.uniform(size=n) < gives)
        who = np.flatnonzero((year == first) | again)
        day = np.clip(generator.normal(335, 20, len(who)), 0, 364)
        rows.append((who, 365 * year + day))
        here[who] &= generator.uniform(size=len(who)) >= leaves[who]
    customer, day = (np.concatenate(column) for column in zip(*rows, strict=True))
    return priced(generator, customer, day), 365 * (years - 1), 365 * years


def supermarket(generator, n=2000):
    log = renewals(
        generator, gaps_of(generator, n, 12, 0.9), 0.6, generator.beta(0.7, 5.0, n),
        generator.uniform(0, 90, n), 120,
    )  # fmt: skip
    return log, 85, 120


def supermarket_with_newcomers(generator, n=1200):
    log = renewals(
        generator, gaps_of(generator, n, 14, 0.8), 1.5, generator.beta(0.6, 12.0, n),
        generator.uniform(0, 540, n), 540, lambda time: 1 + 0.7 * time / 540,
    )  # fmt: skip
    return log, 330, 540


def wholesale(generator, n=1500):
    log = renewals(
        generator, gaps_of(generator, n, 50, 1.0), 1.3, generator.beta(0.6, 5.0, n),
        generator.uniform(-300, 730, n), 730,
    )  # fmt: skip
    return log, 600, 730


def seasonal_wholesale(generator, n=1500):
    log = renewals(
        generator, gaps_of(generator, n, 25, 0.8), 1.2, generator.beta(0.6, 10.0, n),
        generator.uniform(-300, 1200, n), 1200,
    )  # fmt: skip
    return in_season(generator, log, 330, 3.0), 1050, 1140


def small_business(generator, n=45):
    log = renewals(
        generator, gaps_of(generator, n, 35, 0.8), 2.5, generator.beta(0.6, 20.0, n),
        generator.uniform(-200, 550, n), 800,
    )  # fmt: skip
    return log, 560, 800


LOGS = {
    each.__name__: each
    for each in (
        groceries, groceries_losing_ground, yearly_donors, december_donors, supermarket,
        supermarket_with_newcomers, wholesale, seasonal_wholesale,
    )
}  # fmt: skip
