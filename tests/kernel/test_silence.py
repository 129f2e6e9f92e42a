"""Groups of products that fell silent: few false alarms where nothing stopped, real stops found."""

from math import comb

import numpy as np
import pandas as pd
import pytest

from customer_lifecycle.kernel.silence import (
    false_discovery_limit,
    fell_silent,
    silence_probability,
)

DAYS = 730
GROUPS = 12
CUSTOMERS = 500


def is_bought(rng, kind, group, occasions, share):
    """Whether a group is bought at each occasion of a customer who buys it at `share` of them."""
    if kind == "regular":
        every = max(1, round(1 / share))
        return (np.arange(len(occasions)) + rng.integers(every)) % every == 0
    if kind == "bursts":
        turns = rng.random(len(occasions)) < 0.12
        on = (np.cumsum(turns) + rng.integers(2)) % 2 == 0
        return on & (rng.random(len(occasions)) < share)
    if kind == "season":
        share = share * np.exp(1.2 * np.sin(2 * np.pi * occasions / 365.25 + group))
    if kind == "fashion" and group % 4 == 0:
        share = share * np.exp(-occasions / 200)
    return rng.random(len(occasions)) < share


def shop(seed, kind, stops=0.0):
    """Lines of a shop of two years, and the pairs that stopped long enough ago to be seen."""
    rng = np.random.default_rng(seed)
    lines, stopped = [], set()
    for customer in range(CUSTOMERS):
        gaps = rng.exponential(rng.gamma(2, 12) + 2, 400)
        occasions = np.unique((rng.uniform(0, DAYS / 3) + np.cumsum(gaps)).astype(int))
        occasions = occasions[occasions < DAYS]
        # something that everybody buys each time
        lines += [(customer, GROUPS, day, 5.0) for day in occasions]
        for group in rng.choice(GROUPS, rng.integers(2, 6), replace=False):
            bought = is_bought(rng, kind, group, occasions, rng.beta(1.2, 2.5))
            if rng.random() < stops:
                end = rng.uniform(0.55, 0.8) * DAYS
                bought &= occasions < end
                if bought.sum() >= 4 and (occasions >= end).sum() >= 3:
                    stopped.add((customer, int(group)))
            lines += [(customer, group, day, 20.0) for day in occasions[bought]]
    return np.array(lines).T, stopped


KINDS = ("chance", "regular", "bursts", "season", "fashion")


@pytest.mark.parametrize("kind", KINDS)
def test_few_are_named_where_nothing_stopped(kind):
    customers = sure = 0
    for seed in range(3):
        lines, _none = shop(seed, kind)
        silent = fell_silent(*lines, DAYS - 1)
        assert silent.asked > 1_000
        customers += len(set(silent.customer))
        sure += silent.sure.sum()
    assert customers <= 0.1 * 3 * CUSTOMERS
    assert sure <= 10


@pytest.mark.parametrize("kind", KINDS)
def test_stops_are_found_and_the_sure_ones_are_right(kind):
    found = sure = right = planted = 0
    for seed in range(50, 53):
        lines, stopped = shop(seed, kind, stops=0.1)
        silent = fell_silent(*lines, DAYS - 1)
        pairs = list(zip(silent.customer, silent.group, strict=True))
        found += len(stopped & set(pairs))
        certain = {pair for pair, is_sure in zip(pairs, silent.sure, strict=True) if is_sure}
        sure, right = sure + len(certain), right + len(certain & stopped)
        planted += len(stopped)
    assert right >= 0.9 * sure
    # whoever buys in bursts may be between two
    assert found >= (0.15 if kind == "bursts" else 0.5) * planted


def test_by_chance_alone_the_probability_is_exact():
    """The share of all orders of events and other occasions that end with so long a silence."""
    events, others, silence = 7, 12, 5
    # after the first event; the silence is part of the others
    total = comb(events - 1 + others, events - 1)
    right = comb(events - 1 + others - silence, events - 1) / total
    p = silence_probability(
        np.array([float(silence)]), np.array([events - 1]), np.array([others - silence]), np.ones(1)
    )
    assert p[0] == pytest.approx(right, rel=1e-9)


def test_longer_silence_is_less_probable_and_bursts_make_it_more_so():
    silence = np.arange(0.0, 200.0)
    fixed = np.full(200, 6), np.full(200, 12.0)
    before = None
    for shape in (0.2, 1.0, 1.7, 3.0, 4.0):
        p = silence_probability(silence, *fixed, np.full(200, shape))
        assert p[0] == pytest.approx(1) and (np.diff(p) <= 0).all() and (p > 0).all()
        if before is not None:
            assert p[60] < before
        before = p[60]


def test_limit_of_false_discoveries():
    p = np.array([0.001, 0.012, 0.03, 0.5, 0.9])
    assert false_discovery_limit(p, 0.05) == 0.03
    assert false_discovery_limit(p, 0.001) < 0
    assert false_discovery_limit(np.zeros(0), 0.1) < 0


def test_what_nobody_buys_any_more_is_nobodys_decision():
    rng = np.random.default_rng(1)
    lines = []
    for customer in range(200):
        for day in range(rng.integers(20), DAYS, 20):
            lines.append((customer, 0, day, 5.0))
            if day < 400 and rng.random() < 0.6:
                lines.append((customer, 1, day, 50.0))
    silent = fell_silent(*np.array(lines).T, DAYS - 1)
    # but of who had stopped well before the others
    assert len(silent) <= 4 and (silent.last_day < 320).all() and not silent.sure.any()


def one_customer(returned=False):
    """Toner at every second order until day 300, paper throughout."""
    lines = [(0, 0, day, 10.0) for day in range(0, 700, 10)]
    lines += [(0, 1, day, 50.0) for day in range(0, 301, 20)]
    if returned:
        lines += [(0, 1, 600, 50.0), (0, 1, 600, -50.0)]
    # others who go on
    for customer in range(1, 60):
        lines += [(customer, 0, day, 10.0) for day in range(customer % 10, 700, 10)]
        lines += [(customer, 1, day, 50.0) for day in range(customer % 10, 700, 20)]
    return np.array(lines).T


@pytest.mark.parametrize("returned", [False, True])
def test_what_is_told_of_one(returned):
    silent = fell_silent(*one_customer(returned), 700)
    assert list(zip(silent.customer, silent.group, strict=True)) == [(0, 1)]
    assert silent.last_day[0] == 300
    assert silent.events[0] == 16 and silent.gap[0] == 20 and silent.since[0] == 39
    # 50 every 20 days
    assert silent.yearly[0] == pytest.approx(50 * 365.25 / 20)
    assert silent.sure[0] and silent.p_value[0] < 1e-3


def test_who_buys_nothing_at_all_any_more_is_not_asked():
    customer, group, day, amount = one_customer()
    kept = (customer != 0) | (day <= 400)
    silent = fell_silent(customer[kept], group[kept], day[kept], amount[kept], 700)
    assert not len(silent)


def test_later_purchases_do_not_count_yet_and_nothing_says_nothing():
    customer, group, day, amount = one_customer()
    assert not len(fell_silent(customer, group, day, amount, 300))
    none = np.zeros(0, dtype=int)
    assert not len(fell_silent(none, none, none, none.astype(float), 0))
    assert not len(fell_silent([1], [1], [5], [3.0], 10))
    assert not len(fell_silent([1, 1], [1, 1], [5, 5], [3.0, -3.0], 10))


def test_units_and_order_of_lines_do_not_matter():
    lines = one_customer()
    mixed = lines[:, np.random.default_rng(2).permutation(lines.shape[1])]
    a, b = fell_silent(*lines, 700), fell_silent(*mixed, 700)
    assert (a.p_value == b.p_value).all() and (a.yearly == b.yearly).all()


def test_money_of_what_fell_silent_stays_away(data_path):
    """UCI Online Retail by the last word of the description, from four days on."""
    log = pd.read_csv(data_path("online_retail_lines.csv.gz"))
    words = pd.read_csv(data_path("online_retail_products.csv.gz")).set_index("stock_code")
    word = log["stock_code"].map(words["description"]).fillna("?").str.split().str[-1]
    group = pd.factorize(word)[0]
    day = log["date"].to_numpy().astype("datetime64[D]").astype(int)
    amount = (log["quantity"] * log["unit_price"]).to_numpy()
    customer = log["customer_id"].to_numpy()
    came = expected = named = 0
    for since_first in (200, 230, 260, 290):
        cut = day.min() + since_first
        silent = fell_silent(customer, group, day, amount, cut)
        later = pd.Series(amount[day > cut]).groupby([customer[day > cut], group[day > cut]]).sum()
        pairs = list(zip(silent.customer, silent.group, strict=True))
        came += later.reindex(pairs).fillna(0).clip(lower=0).sum()
        expected += silent.yearly.sum() * (day.max() - cut) / 365.25
        named += len(silent)
    assert named >= 20
    assert came <= 0.25 * expected
