"""Purchases of products in four kinds of simulated shops; all seeds fixed.

Each function returns ((customer, day, product, quantity), last day). None of them is the model
that is tested: people leave, change their minds, buy presents, and shops change what they sell.
"""

import numpy as np


def _visits(generator, n, gap, spread, last, leave=0.03):
    """Days on which customers come: (customers,) lists."""
    gaps = np.exp(generator.normal(np.log(gap), spread, n))
    for customer in range(n):
        day, days = generator.uniform(0, last * 0.7), []
        while day < last and (not days or generator.uniform() > leave):
            days.append(int(day))
            day += 1 + generator.gamma(2.0, gaps[customer] / 2)
        yield customer, days


def _log(rows):
    customer, day, product, quantity = (np.array(column) for column in zip(*rows, strict=True))
    return customer, day, product, quantity.astype(float)


def replenishment(n=700, last=540, seed=11):
    """Machines of five kinds, and what each uses up: at a rhythm and quantity of its owner."""
    generator = np.random.default_rng(seed)
    rows = []
    for customer in range(n):
        machine = generator.choice(5, p=(0.35, 0.25, 0.2, 0.12, 0.08))
        begins = int(generator.uniform(0, last * 0.8))
        rows.append((customer, begins, machine, 1))
        ends = begins + generator.exponential(500)
        # three consumables for each machine, one of several tastes each
        for kind, gap in enumerate((21, 60, 120)):
            if generator.uniform() < 0.2:
                continue
            taste = 10 + 9 * machine + 3 * kind + generator.choice(3, p=(0.6, 0.25, 0.15))
            own = gap * np.exp(generator.normal(0, 0.35))
            day = begins + generator.gamma(4.0, own / 4)
            while day < min(ends, last):
                units = 1 + (generator.uniform() < 0.3)
                bought = taste if generator.uniform() < 0.9 else 10 + generator.integers(45)
                rows.append((customer, int(day), bought, units))
                day += units * generator.gamma(5.0, own / 5)
    return _log(rows), last


def sets(n=900, last=720, seed=12, families=25, size=6):
    """Collections of china, garden and furniture that people complete piece by piece."""
    generator = np.random.default_rng(seed)
    weight = 1 / np.arange(1, families + 1) ** 0.7
    rows = []
    for customer, days in _visits(generator, n, 70, 0.5, last):
        liked = generator.choice(families, 2, replace=False, p=weight / weight.sum())
        # the pieces of a set are bought in the order of their number, more or less
        wanted = [
            list(family * size + np.argsort(np.arange(size) + generator.normal(0, 1.0, size)))
            for family in liked
        ]
        for day in days:
            for _piece in range(1 + generator.poisson(0.6)):
                open_sets = [pieces for pieces in wanted if pieces]
                if open_sets and generator.uniform() < 0.75:
                    product = open_sets[generator.integers(len(open_sets))].pop(0)
                else:
                    product = generator.integers(families * size)
                rows.append((customer, day, product, 1 + generator.poisson(0.5)))
    return _log(rows), last


def fashion(n=1200, last=900, seed=13, styles=8, a_season=10, season=120):
    """New articles every season in several styles; hardly anything is bought twice."""
    generator = np.random.default_rng(seed)
    rows = []
    for customer, days in _visits(generator, n, 60, 0.6, last):
        taste = generator.dirichlet(np.full(styles, 0.25))
        for day in days:
            for _piece in range(1 + generator.poisson(1.0)):
                style = generator.choice(styles, p=taste)
                # the best sellers of a season first; some of the season before on sale
                number = min(int(generator.exponential(3.0)), a_season - 1)
                period = max(day // season - (generator.uniform() < 0.15), 0)
                rows.append((customer, day, (period * styles + style) * a_season + number, 1))
    return _log(rows), last


def spare_parts(n=400, last=1080, seed=14, machines=20, parts=8):
    """Workshops with machines whose parts wear out at different paces; much is common to all."""
    generator = np.random.default_rng(seed)
    wear = np.exp(generator.uniform(np.log(60), np.log(500), (machines, parts)))
    common = np.exp(generator.normal(0, 1.0, 30))
    rows = []
    for customer, days in _visits(generator, n, 30, 0.6, last, leave=0.01):
        owned = generator.choice(machines, 1 + generator.poisson(1.5) % 5, replace=False)
        due = {
            (machine, part): days[0] + generator.gamma(3.0, wear[machine, part] / 3)
            for machine in owned
            for part in range(parts)
        }
        for day in days:
            basket = []
            for (machine, part), when in due.items():
                if when <= day + 7:
                    basket.append(machine * parts + part)
                    due[machine, part] = day + generator.gamma(3.0, wear[machine, part] / 3)
            for _piece in range(generator.poisson(1.0)):
                basket.append(machines * parts + generator.choice(30, p=common / common.sum()))
            for product in set(basket):
                rows.append((customer, day, product, 1 + generator.poisson(1.0)))
    return _log(rows), last


SHOPS = {each.__name__: each for each in (replenishment, sets, fashion, spare_parts)}
