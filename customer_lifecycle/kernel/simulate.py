"""Purchase logs from known parameters, to test every estimate against the truth."""

import numpy as np


def simulate_transactions(
    n_customers,
    parameters,
    days,
    k=1,
    value=None,
    entry_days=None,
    dropout_at_start=True,
    random_state=None,
):
    """Simulate the log of an MBG/CNBD-k cohort with Gamma-Gamma amounts.

    :param parameters: dict r, alpha, a, b, times in days
    :param days: length of the log; days count from 0 to ``days``
    :param value: dict p, q, v; default amounts of 1
    :param entry_days: first purchases fall evenly on days 0 .. entry_days; default half of
        the log
    :param random_state: seed or ``numpy.random.Generator``
    :return: (customer, day, amount) sorted by customer and day; several purchases of one
        day are several rows
    """
    generator = np.random.default_rng(random_state)
    entry_days = days / 2 if entry_days is None else entry_days
    rate = generator.gamma(parameters["r"], size=n_customers) / parameters["alpha"]
    dropout = generator.beta(parameters["a"], parameters["b"], n_customers)
    who = np.arange(n_customers)
    time = generator.uniform(0, entry_days, n_customers)
    log = [(who, time)]
    may_leave = dropout_at_start
    while len(who):
        stays = np.ones(len(who), dtype=bool)
        if may_leave:
            stays = generator.uniform(size=len(who)) >= dropout[who]
        may_leave = True
        who, time = who[stays], time[stays]
        with np.errstate(divide="ignore", over="ignore"):
            time = time + generator.gamma(k, size=len(who)) / rate[who]
        inside = time < days
        who, time = who[inside], time[inside]
        log.append((who, time))
    customer = np.concatenate([part[0] for part in log])
    day = np.floor(np.concatenate([part[1] for part in log])).astype(np.int64)
    order = np.lexsort((day, customer))
    customer, day = customer[order], day[order]
    amount = np.ones(len(customer))
    if value is not None:
        nu = generator.gamma(value["q"], size=n_customers) / value["v"]
        amount = np.maximum(generator.gamma(value["p"], size=len(customer)) / nu[customer], 0.01)
    return customer, day, amount
