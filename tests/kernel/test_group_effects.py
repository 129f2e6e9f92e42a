"""Effects of first products: planted ones are found, strata are held equal, few data say little."""

import numpy as np
import pandas as pd
import pytest

from customer_lifecycle.kernel.group_effects import CUT, group_effects


def planted(seed, spread=0.1, customers=6_000, groups=30):
    """Customers whose return depends on group and stratum; groups sell in strata of their own."""
    rng = np.random.default_rng(seed)
    effect = rng.normal(0, spread, groups)
    level = rng.uniform(0.2, 0.5, 12)
    popular = rng.dirichlet(np.ones(groups))
    group = rng.choice(groups, customers, p=popular)
    # each group has two strata in which it is mostly sold
    stratum = np.where(
        rng.random(customers) < 0.5,
        rng.integers(12, size=customers),
        (group * 5 + rng.integers(2, size=customers)) % 12,
    )
    chance = np.clip(level[stratum] + effect[group], 0.01, 0.99)
    return group, stratum, rng.random(customers) < chance, effect, level


def test_planted_effects_are_found_within_their_intervals():
    inside = total = 0
    right = wrong = 0
    for seed in range(10):
        group, stratum, back, effect, _level = planted(seed)
        found = group_effects(group, stratum, back)
        truth = effect[found.group]
        truth = truth - np.average(truth, weights=found.count) + found.overall
        inside += ((found.low <= truth) & (truth <= found.high)).sum()
        total += len(found)
        right += (found.verdict * np.sign(truth - found.overall) > 0).sum()
        wrong += (found.verdict * np.sign(truth - found.overall) < 0).sum()
    assert 0.9 <= inside / total <= 0.99
    assert right >= 0.3 * total and wrong <= 0.02 * total


def test_where_nothing_is_planted_hardly_anything_is_claimed():
    claimed = total = 0
    for seed in range(10):
        found = group_effects(*planted(100 + seed, spread=0.0)[:3])
        claimed += (found.verdict != 0).sum()
        total += len(found)
    assert claimed <= 0.03 * total


def test_strata_are_held_equal():
    """One group is sold where everybody comes back: its customers do, and it does nothing."""
    rng = np.random.default_rng(3)
    stratum = rng.integers(2, size=8_000)
    group = np.where(rng.random(8_000) < np.where(stratum == 1, 0.8, 0.2), 1, 0)
    back = rng.random(8_000) < np.where(stratum == 1, 0.6, 0.2)
    found = group_effects(group, stratum, back)
    assert found.mean[1] - found.mean[0] > 0.2
    assert found.adjusted[1] - found.adjusted[0] == pytest.approx(0, abs=0.03)
    assert not found.verdict.any()


def test_few_customers_say_little():
    rng = np.random.default_rng(4)
    group = np.r_[np.repeat(np.arange(10), 500), np.full(3, 99)]
    back = np.r_[rng.random(5_000) < np.repeat(rng.uniform(0.2, 0.5, 10), 500), [True] * 3]
    found = group_effects(group, np.zeros(len(group), dtype=int), back)
    assert found.mean[-1] == 1
    assert found.adjusted[-1] < 0.6 and found.verdict[-1] == 0


def test_ranking_of_one_period_holds_in_the_next():
    rng = np.random.default_rng(5)
    group, stratum, back, effect, level = planted(6, customers=12_000)
    first = group_effects(group, stratum, back)
    # other customers of the same groups
    later = rng.random(len(group)) < np.clip(level[stratum] + effect[group], 0.01, 0.99)
    second = group_effects(group, stratum, later)
    many = first.count >= 50
    kept = np.corrcoef(first.adjusted[many], second.adjusted[many])[0, 1]
    assert kept > 0.7


def test_of_a_wholesaler_hardly_anything_is_claimed(data_path):
    """UCI Online Retail, first product by the last word of its description: chance explains it."""
    log = pd.read_csv(data_path("online_retail_lines.csv.gz"), parse_dates=["date"])
    words = pd.read_csv(data_path("online_retail_products.csv.gz")).set_index("stock_code")
    log["word"] = log["stock_code"].map(words["description"]).fillna("?").str.split().str[-1]
    log["amount"] = log["quantity"] * log["unit_price"]
    log = log[log["amount"] > 0]
    first = log.groupby("customer_id")["date"].transform("min")
    began = log[(log["date"] == first) & (first <= "2011-06-09")]
    dearest = began.loc[began.groupby("customer_id")["amount"].idxmax()].set_index("customer_id")
    within = log[(log["date"] > first) & (log["date"] <= first + pd.Timedelta(days=180))]
    back = dearest.index.isin(within["customer_id"].unique())
    month = dearest["date"].dt.month.to_numpy()
    group = pd.factorize(dearest["word"])[0]
    claims = group_effects(group, month, back)
    assert (claims.verdict != 0).mean() <= 0.05


def test_values_are_cut_so_that_one_customer_moves_no_group():
    rng = np.random.default_rng(8)
    group = np.repeat(np.arange(5), 400)
    value = rng.gamma(2, 50, 2_000)
    value[3] = 1e9
    found = group_effects(group, np.zeros(2_000, dtype=int), value, cut=CUT)
    assert np.abs(found.adjusted - found.overall).max() < 10


@pytest.mark.parametrize("outcome", [[], [1.0], [1.0, 1.0, 1.0]])
def test_next_to_nothing(outcome):
    found = group_effects(np.arange(len(outcome)), np.zeros(len(outcome), dtype=int), outcome)
    assert len(found) == len(outcome)
    assert np.isfinite(found.adjusted).all() and np.isfinite(found.high).all()
    assert not found.verdict.any()
