"""Fit on one part of a purchase log, forecast the rest, compare."""

from __future__ import annotations

from datetime import date

import numpy as np

from lifecycle_setup import kernel
from lifecycle_setup.purchase_log import EPOCH, format_day

# Metrics of a method, in the order they are shown.
METRICS = {
    "mae": "MAE",
    "rmse": "RMSE",
    "deviance": "deviance",
    "corr": "corr",
    "bias_pct": "bias %",
    "top_decile_pct": "top 10 %",
    "auc": "AUC",
    "brier": "Brier",
    "calibration_error": "calib. err.",
    "value_mae": "value MAE",
    "value_bias_pct": "bias %",
    "value_top_decile_pct": "top 10 %",
}
# What is averaged over several dates as its root mean square: errors of totals cancel out.
SQUARED = ("bias_pct", "value_bias_pct")

WEEK = 7.0


def run(customer, day, amount, calibration_end: int, holdout_end: int) -> dict:
    """Back-test a log.

    :param customer, day, amount: arrays, one row a transaction; days since 1970-01-01
    :return: JSON-able dict with the keys n_customers, k, time_unit, parameters,
        log_likelihood, weights, level, value_level, seasons, p_order_weights, value_model,
        enough_data, missing, calibration_end, holdout_end (ISO dates), holdout (per method),
        deciles, reliability, months; the last four are empty without a holdout
    """
    package = kernel.load()
    horizon = max(holdout_end - calibration_end, 1)
    known = day <= calibration_end
    model = package.LifetimeModel(horizon=horizon, free_orders=True)
    model.fit(customer[known], day[known], amount[known], end=calibration_end)
    result = {
        "n_customers": model.n_customers_,
        "n_repeat_buyers": model.n_repeat_,
        "k": model.k_,
        "time_unit": "day",
        "parameters": model.parameters_,
        "log_likelihood": model.log_likelihood_,
        "weights": model.weights_,
        "level": model.blend_.level,
        "value_level": model.blend_.value_level,
        "seasons": model.blend_.seasons,
        "p_order_weights": model.blend_.chances,
        "value_model": model.value_model_,
        "enough_data": model.sufficient_,
        "missing": {name: list(pair) for name, pair in model.missing_.items()},
        "calibration_end": format_day(calibration_end),
        "holdout_end": format_day(holdout_end),
        "holdout": {},
        "deciles": [],
        "reliability": [],
        "months": [],
    }
    if holdout_end > calibration_end:
        outcome = model.evaluate(customer, day, amount, holdout_end)
        if outcome:
            result["holdout"], result["deciles"] = outcome["methods"], outcome["deciles"]
            result["reliability"] = outcome["reliability"]
            result["actual_orders"] = outcome["actual_orders"]
            result["months"] = _months(package, model, customer, day, amount, holdout_end)
    return result


def several(
    customer, day, amount, calibration_end: int, window: int, every: int, first: int
) -> dict:
    """Back-test earlier dates too.

    :param window: days of each holdout
    :param every: days between the dates
    :param first: day of the first purchase: each date has at least ``window`` days since
    :return: dict dates (the last is ``calibration_end``), mean (of each method over them; of the
        errors of totals the root mean square)
    """
    dates = []
    for end in reversed(range(calibration_end, first + window - 1, -every)):
        found = run(customer, day, amount, end, end + window)
        if found["holdout"]:
            names = ("calibration_end", "holdout_end", "n_customers", "actual_orders", "holdout")
            dates.append({name: found[name] for name in names})
    mean = {}
    for name in dates[-1]["holdout"] if dates else ():
        mean[name] = {}
        for metric in dates[-1]["holdout"][name]:
            values = [each["holdout"].get(name, {}).get(metric) for each in dates]
            values = np.array([value for value in values if value is not None])
            square = metric in SQUARED
            center = np.sqrt(np.mean(values**2)) if square else np.mean(values)
            mean[name][metric] = float(center) if len(values) else None
    return {"dates": dates, "mean": mean}


def _months(package, model, customer, day, amount, holdout_end: int) -> list:
    """Orders of all customers by month of the holdout: forecast, and what came.

    The months' shares of a customer's forecast are those of the purchase model.
    """
    end = model.end_
    log = customer, day, amount
    h = package.histories_from_transactions(*log, end, model.horizon, free_orders=True)
    orders = model.predict(h.x, h.t_x, h.T, h.value, h.recent, h.customer, h.pace).expected_orders
    timing = model.models_[model.k_]
    whole = np.maximum(timing.predict_orders(holdout_end - end, h.x, h.t_x, h.T), 1e-12)
    came = (day > end) & (day <= holdout_end) & np.isin(customer, h.customer)
    # purchase days of the customers known at the end
    bought = package.histories.ledger(customer[came], day[came], amount[came], free_orders=True)
    rows, start, before = [], end, np.zeros(len(h))
    while start < holdout_end:
        tomorrow = date.fromordinal(start + 1 + EPOCH)
        following = date(tomorrow.year + tomorrow.month // 12, tomorrow.month % 12 + 1, 1)
        until = min(following.toordinal() - 1 - EPOCH, holdout_end)
        part = timing.predict_orders(until - end, h.x, h.t_x, h.T) / whole
        inside = bought.bought & (bought.day > start) & (bought.day <= until)
        rows.append(
            {
                "month": format_day(start + 1)[:7],
                "days": until - start,
                "predicted": float(orders @ (part - before)),
                "actual": int(inside.sum()),
            }
        )
        start, before = until, part
    return rows


def reference(customer, day, amount, calibration_end: int) -> dict:
    """Fit the published models as published: plain maximum likelihood, time in weeks.

    Gamma-Gamma is fitted on the amounts of repeat purchase days.

    :return: per model its parameters and log_likelihood; None where the log has no repeat
        purchase
    """
    package = kernel.load()
    h = package.histories_from_transactions(
        customer, day, amount, calibration_end, free_orders=True
    )
    weeks = h.x, h.t_x / WEEK, h.T / WEEK
    amounts = package.repeat_amounts(customer, day, amount, calibration_end, free_orders=True)
    models = {
        "bg_nbd": (package.make_estimator("bg_nbd", prior=False), weeks),
        "mbg_nbd": (package.make_estimator("mbg_nbd", prior=False), weeks),
        "pareto_nbd": (package.make_estimator("pareto_nbd"), weeks),
        "gamma_gamma": (package.GammaGamma(prior=False), amounts),
    }
    result = dict.fromkeys(models)
    if len(amounts[1]) and amounts[1].max() > 0:
        for name, (model, columns) in models.items():
            model.fit(*columns)
            result[name] = {**model.parameters_, "log_likelihood": model.log_likelihood_}
    return result


def table(result: dict) -> str:
    """The result as text for a terminal."""
    numbers = ", ".join(f"{name} {value:.4g}" for name, value in result["parameters"].items())
    lines = [
        f"{result['n_customers']} customers, {result['n_repeat_buyers']} of them bought again",
        f"purchases: MBG/CNBD-k with k = {result['k']}; {numbers} (days); "
        f"log-likelihood {result['log_likelihood']:.3f}",
        f"forecast: {_shares(result['weights'])}; times {result['level']:.3f}"
        + (f" by the season of earlier years ({result['seasons']})" if result["seasons"] else ""),
        "P(order): " + _shares(result["p_order_weights"]),
        "value: {method}{why}".format(
            method=result["value_model"]["method"].replace("_", " "),
            why=f" ({result['value_model']['reason']})" if result["value_model"]["reason"] else "",
        ),
    ]
    for name, model in result.get("reference", {}).items():
        fitted = model and ", ".join(f"{key} {value:.4f}" for key, value in model.items())
        lines.append(f"{name} in weeks: {fitted or 'needs a repeat purchase'}")
    for name, (have, need) in result["missing"].items():
        lines.append(
            f"not enough data to show predictions: {have} of {need} " + name.replace("_", " ")
        )
    if not result["holdout"]:
        nothing = "Nothing to compare with: no days after the calibration, or too few customers."
        return "\n".join([*lines, "", nothing])
    lines += ["", *_methods(result["holdout"])]
    if "dates" in result:
        lines += ["", f"mean of {len(result['dates'])} dates, of bias the root mean square"]
        lines += _methods(result["mean"])
        lines += ["", "product on each date (calibration until, forecast until)"]
        dates = {
            f"{each['calibration_end']} {each['holdout_end']}": each["holdout"]["product"]
            for each in result["dates"]
        }
        lines += _methods(dates)
    lines += ["", "orders per customer by tenth of the forecast: forecast, actual, customers"]
    lines += [
        f"{part['predicted']:>10.3f}{part['actual']:>10.3f}{part['customers']:>10}"
        for part in result["deciles"]
    ]
    return "\n".join(lines)


def _methods(metrics):
    width = max(len(name) for name in metrics) + 2
    lines = ["".ljust(width) + "".join(f"{text:>12}" for text in METRICS.values())]
    for name, found in metrics.items():
        cells = (found[key] for key in METRICS)
        lines.append(
            name.ljust(width) + "".join(f"{'-' if c is None else f'{c:.3f}':>12}" for c in cells)
        )
    return lines


def _shares(weights):
    shown = sorted(weights.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{weight:.0%} {name}" for name, weight in shown if weight >= 0.005)
