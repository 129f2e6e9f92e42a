"""When a demo customer orders and how much: plain Python, the same days for the same seed."""

from collections import namedtuple
from datetime import timedelta

#: days between orders at the start and at the end of the relation, spread as a share of the
#: gap, earliest and latest first order and latest last order in days ago, months without
#: orders, how much the amount grows over the two years, factor of the amount by month, and a
#: time (from, until, in days ago) in which he bought elsewhere
Rhythm = namedtuple(
    "Rhythm", "gap end_gap spread first last pause growth season away", defaults=[None]
)

TWO_YEARS = 730
EVEN = (1.0,) * 12
#: people drink more coffee when it is cold and before Christmas, less in the holidays
USUAL = (1.08, 1.05, 1.02, 1.0, 0.96, 0.93, 0.85, 0.84, 1.0, 1.05, 1.12, 1.2)
OFFICE = (1.0, 1.05, 1.08, 1.0, 1.0, 0.95, 0.7, 0.65, 1.05, 1.1, 1.1, 0.85)
TOURISM = (0.9, 0.95, 0.9, 0.9, 1.0, 1.15, 1.3, 1.35, 1.1, 0.9, 0.75, 1.15)

RHYTHMS = {
    "whale": Rhythm(11, 11, 0.15, (TWO_YEARS, TWO_YEARS), (1, 8), (), 0.25, TOURISM),
    "fortnightly": Rhythm(14, 14, 0.15, (400, TWO_YEARS), (1, 12), (), 0.1, USUAL),
    "term": Rhythm(14, 14, 0.2, (500, TWO_YEARS), (1, 20), (7, 8), 0.0, EVEN),
    "monthly": Rhythm(30, 30, 0.1, (240, TWO_YEARS), (2, 24), (), 0.1, USUAL),
    "office": Rhythm(30, 30, 0.12, (300, TWO_YEARS), (2, 28), (8,), 0.05, OFFICE),
    "quarterly": Rhythm(91, 91, 0.1, (450, TWO_YEARS), (5, 85), (), 0.0, USUAL),
    "irregular": Rhythm(46, 46, None, (300, TWO_YEARS), (1, 45), (), 0.0, USUAL),
    "growing": Rhythm(55, 16, 0.2, (480, 650), (1, 14), (), 1.2, USUAL),
    "fading": Rhythm(22, 90, 0.2, (600, TWO_YEARS), (50, 80), (), -0.4, TOURISM),
    "summer": Rhythm(15, 15, 0.25, (600, TWO_YEARS), (1, 15), (1, 2, 3, 10, 11, 12), 0.1, TOURISM),
    "winter": Rhythm(15, 15, 0.25, (600, TWO_YEARS), (1, 15), (3, 4, 5, 6, 7, 8, 9, 10), 0.1, EVEN),
    "lost": Rhythm(31, 31, 0.2, (620, TWO_YEARS), (330, 420), (), -0.1, USUAL),
    "once": Rhythm(9999, 9999, 0.0, (90, 640), (0, 0), (), 0.0, EVEN),
    # each stage has somebody on every day of the year, whatever the seasons do to the others
    "young": Rhythm(24, 24, 0.2, (75, 160), (1, 18), (), 0.1, EVEN),
    "slipping": Rhythm(26, 26, 0.15, (430, TWO_YEARS), (80, 115), (), 0.0, EVEN),
    "returned": Rhythm(28, 28, 0.15, (620, TWO_YEARS), (1, 20), (), 0.0, EVEN, (250, 60)),
    "new": Rhythm(9999, 9999, 0.0, (4, 40), (0, 0), (), 0.0, EVEN),
}


def working_day(day):
    """The day itself, or the Friday before a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))


def draw_orders(rhythm, size, today, rng):
    """Days and amounts of one customer's orders.

    :param rhythm: Rhythm
    :param size: usual net amount of an order
    :param today: date; every order is before it
    :param rng: random.Random
    :return: list of (date, net amount aimed at), in the order of the days
    """
    start = today - timedelta(days=rng.randint(*rhythm.first))
    end = today - timedelta(days=max(1, rng.randint(*rhythm.last)))
    length = max(1, (end - start).days)
    orders, day = [], start
    while day <= end:
        elapsed = (day - start).days / length
        ordered = working_day(day)
        away = rhythm.away and rhythm.away[1] < (today - ordered).days < rhythm.away[0]
        closed = away or ordered.month in rhythm.pause
        if not closed and (not orders or orders[-1][0] < ordered):
            factor = rhythm.season[ordered.month - 1] * (1 + rhythm.growth * elapsed)
            orders.append((ordered, size * factor * rng.lognormvariate(0, 0.18)))
        gap = rhythm.gap + (rhythm.end_gap - rhythm.gap) * elapsed
        if rhythm.spread is None:
            gap = 2 + rng.expovariate(1 / (gap - 2))
        else:
            gap = max(0.4 * gap, rng.gauss(gap, rhythm.spread * gap))
        day += timedelta(days=max(1, round(gap)))
    return orders


def draw_basket(favourites, amount, rng):
    """Products and quantities worth about an amount.

    :param favourites: list of (product, price)
    :return: list of (product, quantity, price), at least one with a quantity of 1
    """
    chosen = rng.sample(favourites, rng.randint(1, min(3, len(favourites))))
    chosen.sort(key=lambda pair: -pair[1])
    basket, left = [], amount
    for place, (product, price) in enumerate(chosen):
        last = place == len(chosen) - 1
        quantity = round((left if last else left * rng.uniform(0.4, 0.7)) / price)
        if quantity > 0 or (last and not basket):
            basket.append((product, max(1, quantity), price))
            left -= max(1, quantity) * price
    return basket
