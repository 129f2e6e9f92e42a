"""``setup/backtest``: how well the predictions would have done on a purchase log."""

from __future__ import annotations

import argparse
import json
import os

from lifecycle_setup import python
from lifecycle_setup.console import SetupError


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="setup/backtest",
        description="Learn from a purchase log up to one day, forecast the rest, and compare "
        "with what came true, beside simple rules. MAE, RMSE, Poisson deviance, correlation, bias "
        "of the total and share of orders caught by the predicted top tenth are about orders per "
        "customer in the holdout, AUC, Brier score and calibration error (in points) about P(at "
        "least one order).",
    )
    parser.add_argument(
        "file",
        help="file with the columns customer_id,date,amount (negative = refund): CSV, .csv.gz, "
        ".xlsx or .parquet",
    )
    parser.add_argument(
        "--calibration-end", required=True, metavar="DATE", help="last day to learn from"
    )
    parser.add_argument(
        "--holdout-end", metavar="DATE", help="last day to forecast (that of the last purchase)"
    )
    parser.add_argument(
        "--reference",
        action="store_true",
        help="also fit BG/NBD, MBG/NBD, Pareto/NBD and Gamma-Gamma as published: plain maximum "
        "likelihood, in weeks",
    )
    parser.add_argument(
        "--every",
        type=int,
        metavar="DAYS",
        help="also from each earlier day, so many days apart, with a holdout of the same length "
        "and at least as long a history",
    )
    parser.add_argument(
        "--html", metavar="FILE", help="also draw tenths, reliability and totals by month"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run the back-test of the command line and print its result."""
    options = parse(arguments)
    # Threads of the linear algebra cost more than they give on arrays of this size.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    python.enter("kernel")
    from lifecycle_setup import backtest, purchase_log

    end = _day(purchase_log, "--calibration-end", options.calibration_end)
    until = None
    if options.holdout_end:
        until = _day(purchase_log, "--holdout-end", options.holdout_end)
        if until <= end:
            raise SetupError("--holdout-end must lie after --calibration-end.")
    customer, day, amount = purchase_log.read(options.file)
    if end < day.min():
        first = purchase_log.format_day(int(day.min()))
        raise SetupError(f"--calibration-end lies before the first purchase ({first}).")
    last = int(day.max())
    if until is not None and end < last < until:
        raise SetupError(
            "--holdout-end lies after the last purchase of the log "
            f"({purchase_log.format_day(last)}): days that nobody has looked at would count as "
            "days without orders."
        )
    # a calibration that ends with the log leaves nothing to compare with
    until = end if end >= last else until or last
    every = options.every
    if every is not None and (every < 1 or until == end):
        raise SetupError("--every must be 1 day or more, and needs days after the calibration.")
    result = backtest.run(customer, day, amount, end, until)
    if every:
        first = int(day.min())
        result |= backtest.several(customer, day, amount, end, until - end, every, first)
    if options.reference:
        result["reference"] = backtest.reference(customer, day, amount, end)
    if options.html:
        _draw(result, options.html)
    print(json.dumps(result, allow_nan=False) if options.json else backtest.table(result))
    return 0


def _draw(result, path):
    from lifecycle_setup import backtest_page

    try:
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(backtest_page.page(result))
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}.") from error


def _day(purchase_log, option, text):
    try:
        return purchase_log.parse_day(text)
    except ValueError as error:
        raise SetupError(f"{option} must be a date like 2024-05-31, not {text!r}.") from error
