"""The product's own method against the single models and simple rules it is made of.

Judged as a mean is: by squared error and Poisson deviance. Absolute errors are smallest at the
median, which the totals of no company are made of; they may be larger by four percent.
"""

import numpy as np
import pytest

from customer_lifecycle.kernel import LifetimeModel, simulate_transactions

VALUE = {"p": 5.0, "q": 3.5, "v": 40.0}


def judge(log, calibration_end, holdout_end, **options):
    """Return metrics per method of a forecast for (calibration_end, holdout_end]."""
    model = LifetimeModel(horizon=holdout_end - calibration_end, **options)
    model.fit(*log, end=calibration_end)
    return model.evaluate(*log, holdout_end)["methods"]


def best(methods, metric):
    return min(values[metric] for name, values in methods.items() if name != "product")


def assert_not_worse(methods, absolute=1.03):
    product = methods["product"]
    assert product["mae"] <= absolute * best(methods, "mae")
    assert product["rmse"] <= 1.01 * best(methods, "rmse")
    # that of single dates differs most, by what nobody was expected to order
    assert product["deviance"] <= 1.07 * best(methods, "deviance")


def test_cdnow_reaches_the_required_figures(cdnow, day):
    methods = judge(cdnow, day("1997-09-30"), day("1998-06-30"), free_orders=True)
    product = methods["product"]
    # of a former forecast, nearer to the median, they were .748, 1.606 and 1.572
    assert product["mae"] <= 0.785
    assert product["rmse"] <= 1.60
    assert product["deviance"] <= 1.525
    assert product["corr"] >= 0.63
    assert product["auc"] >= 0.77
    assert product["brier"] < methods["model_k1"]["brier"]


@pytest.mark.parametrize(
    ("calibration_end", "holdout_end"),
    [("1997-09-30", "1998-06-30"), ("1997-12-31", "1998-03-31"), ("1997-06-30", "1997-12-31")],
)
def test_cdnow_is_never_worse_than_the_best_single(cdnow, day, calibration_end, holdout_end):
    assert_not_worse(judge(cdnow, day(calibration_end), day(holdout_end), free_orders=True))


def test_wholesaler_is_not_worse_than_his_past_rate(online_retail, day):
    methods = judge(online_retail, day("2011-08-31"), day("2011-12-09"))
    assert_not_worse(methods)
    assert methods["product"]["mae"] < methods["model_k1"]["mae"]
    assert methods["product"]["auc"] >= max(m["auc"] for m in methods.values()) - 0.005


def renewals(generator, gaps, shape, leave, start, end):
    """Log of customers with these mean gaps, Erlang shape and chance to leave at a purchase."""
    who, time, log = np.arange(len(gaps)), start.copy(), []
    while len(who):
        log.append((who, time))
        stays = generator.uniform(size=len(who)) >= leave[who]
        who, time = who[stays], time[stays]
        time = time + generator.gamma(shape, size=len(who)) / shape * gaps[who]
        who, time = who[time < end], time[time < end]
    customer, day = (np.concatenate(column) for column in zip(*log, strict=True))
    day = np.floor(day).astype(int)
    level = generator.gamma(3.0, 20.0, len(gaps))[customer]
    return customer, day, level * generator.gamma(4.0, 0.25, len(day)) + 0.01


def groceries(generator):
    gaps = np.exp(generator.normal(2.6, 0.6, 900))
    leave = generator.beta(0.3, 15.0, 900)
    return renewals(generator, gaps, 3.0, leave, generator.uniform(0, 200, 900), 730), 500, 730


def irregular(generator):
    gaps = np.exp(generator.normal(4.0, 0.8, 1500))
    leave = generator.beta(0.8, 4.0, 1500)
    return renewals(generator, gaps, 1.0, leave, generator.uniform(0, 500, 1500), 900), 700, 900


def supermarket(generator):
    gaps = np.exp(generator.normal(2.6, 1.0, 4000))
    leave = generator.beta(0.8, 2.5, 4000)
    return renewals(generator, gaps, 0.5, leave, generator.uniform(0, 75, 4000), 120), 90, 120


def bursts(generator):
    gaps = np.exp(generator.normal(4.0, 0.6, 1500))
    leave = generator.beta(0.5, 5.0, 1500)
    return renewals(generator, gaps, 0.3, leave, generator.uniform(0, 500, 1500), 900), 600, 900


def changing_rates(generator):
    rows, level = [], generator.normal(-3.4, 0.9, 1200)
    for week in range(104):
        level += generator.normal(0, 0.12, 1200)
        times = generator.poisson(7 * np.exp(level))
        who = np.repeat(np.arange(1200), times)
        rows.append((who, 7 * week + generator.integers(0, 7, len(who))))
    customer, day = (np.concatenate(column) for column in zip(*rows, strict=True))
    return (customer, day, np.full(len(day), 20.0)), 500, 720


LOGS = {each.__name__: each for each in (groceries, irregular, supermarket, bursts, changing_rates)}


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize("name", LOGS)
def test_kinds_of_business_never_much_worse_than_the_best_single(name, seed):
    log, calibration_end, holdout_end = LOGS[name](np.random.default_rng(seed))
    methods = judge(log, calibration_end, holdout_end)
    # Bursts break every model's assumption: all forecast too little, which is won by absolute
    # errors only.
    assert_not_worse(methods, 1.09 if name == "bursts" else 1.03)


def test_bursts_which_no_model_knows_gain_from_the_blend():
    log, calibration_end, holdout_end = bursts(np.random.default_rng(13))
    methods = judge(log, calibration_end, holdout_end)
    assert methods["product"]["rmse"] < best(methods, "rmse")
    assert methods["product"]["brier"] < best(methods, "brier")


def test_tiny_business_is_on_average_as_good_as_the_best_single():
    """One log of 35 customers proves nothing; the mean over many does."""
    ratios = {"mae": [], "rmse": [], "deviance": []}
    for seed in range(12):
        generator = np.random.default_rng(seed)
        gaps = np.exp(generator.normal(3.5, 0.7, 35))
        leave = generator.beta(0.5, 12.0, 35)
        log = renewals(generator, gaps, 2.0, leave, generator.uniform(0, 400, 35), 730)
        methods = judge(log, 550, 730)
        for metric, found in ratios.items():
            found.append([each[metric] / methods["product"][metric] for each in methods.values()])
    # Geometric mean of each method's error relative to the product's.
    for metric, found in ratios.items():
        least = 0.97 if metric == "mae" else 0.99
        assert np.exp(np.log(found).mean(axis=0)).min() >= least, metric


@pytest.mark.parametrize("customers", [200, 1000])
def test_totals_of_stationary_logs_are_near_the_truth(customers):
    """Within 20 % from 200 customers, within 10 % from 1,000, mostly."""
    off = []
    for seed in range(8):
        log = simulate_transactions(
            customers, {"r": 0.9, "alpha": 60.0, "a": 0.6, "b": 3.0}, 900,
            value=VALUE, entry_days=400, random_state=seed,
        )  # fmt: skip
        off.append(abs(judge(log, 700, 900)["product"]["bias_pct"]))
    assert np.median(off) <= {200: 15, 1000: 10}[customers]
    assert np.quantile(off, 0.8) <= {200: 25, 1000: 15}[customers]
