"""Fit on one part of a purchase log, forecast the rest, compare."""

from __future__ import annotations

from lifecycle_setup import kernel

# Metrics of a method, in the order they are shown.
METRICS = {
    "mae": "MAE",
    "rmse": "RMSE",
    "corr": "corr",
    "bias_pct": "bias %",
    "top_decile_pct": "top 10 %",
    "auc": "AUC",
    "brier": "Brier",
    "value_mae": "value MAE",
    "value_top_decile_pct": "top 10 %",
}


WEEK = 7.0


def run(customer, day, amount, calibration_end: int, holdout_end: int) -> dict:
    """Back-test a log.

    :param customer, day, amount: arrays, one row a transaction; days since 1970-01-01
    :return: JSON-able dict with the keys n_customers, k, time_unit, parameters,
        log_likelihood, weights, level, seasons, p_order_weights, value_model, enough_data,
        missing, calibration_end, holdout_end (days), holdout (per method), deciles; the last
        two are empty without a holdout
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
        "seasons": model.blend_.seasons,
        "p_order_weights": model.blend_.chances,
        "value_model": model.value_model_,
        "enough_data": model.sufficient_,
        "missing": {name: list(pair) for name, pair in model.missing_.items()},
        "calibration_end": calibration_end,
        "holdout_end": holdout_end,
        "holdout": {},
        "deciles": [],
    }
    if holdout_end > calibration_end:
        outcome = model.evaluate(customer, day, amount, holdout_end)
        if outcome:
            result["holdout"], result["deciles"] = outcome["methods"], outcome["deciles"]
            result["actual_orders"] = outcome["actual_orders"]
    return result


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
    width = max(len(name) for name in result["holdout"]) + 2
    lines += ["", "".ljust(width) + "".join(f"{text:>11}" for text in METRICS.values())]
    for name, metrics in result["holdout"].items():
        cells = (metrics[key] for key in METRICS)
        lines.append(
            name.ljust(width) + "".join(f"{'-' if c is None else f'{c:.3f}':>11}" for c in cells)
        )
    lines += ["", "orders per customer by tenth of the forecast: forecast, actual, customers"]
    lines += [
        f"{part['predicted']:>10.3f}{part['actual']:>10.3f}{part['customers']:>10}"
        for part in result["deciles"]
    ]
    return "\n".join(lines)


def _shares(weights):
    shown = sorted(weights.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{weight:.0%} {name}" for name, weight in shown if weight >= 0.005)
