"""``setup/bench kernel``: the statistics on simulated customers, beside lifetimes.

Every program runs in a process of its own on the same file of transactions, so that memory
and time are its own. Seconds are those of one processor core, so that what else the machine
does hardly matters; on an idle machine they are those of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lifecycle_setup import paths, python
from lifecycle_setup.console import SetupError, quietly, say, step

PARAMETERS = {"r": 0.55, "alpha": 60.0, "a": 0.8, "b": 2.0}
VALUE = {"p": 6.0, "q": 4.0, "v": 15.0}
DAYS, HORIZON, MONTHS = 730, 365, 12
RATE = 0.1 / 365
LIFETIMES = "lifetimes==0.11.3"
# Stage: what it does.
OURS = {
    "histories": "transactions to histories",
    "fit": "fit purchase and value model",
    "forecast": "P(alive), orders, discounted value",
    "predict": "all predictions of the product",
}
# What lifetimes can do too, and what the ratio compares.
COMMON = ("histories", "fit", "forecast")


def main(arguments: list[str]) -> int:
    """Simulate, measure, compare."""
    parser = argparse.ArgumentParser(prog="setup/bench kernel", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000, help="(1000000)")
    parser.add_argument("--runs", type=int, default=3, help="median of so many runs (3)")
    parser.add_argument("--no-lifetimes", action="store_true", help="leave the rival out")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.customers < 100 or options.runs < 1:
        parser.error("--customers must be 100 or more, --runs 1 or more")
    # Threads of the linear algebra cost more than they give on small matrices.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    python.enter("kernel")
    if options.child:
        return _child(options.child, options.runs)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "transactions.npz")
        with step(f"Simulating {options.customers:,} customers"):
            orders = _simulate(path, options.customers)
        with step("Measuring the kernel"):
            result = {"customers": options.customers, "orders": orders}
            result |= _run([sys.executable, sys.argv[0], "kernel", "--child", path],
                           "--runs", str(options.runs))  # fmt: skip
        if not options.no_lifetimes:
            interpreter = _rival()
            with step("Measuring lifetimes"):
                program = str(Path(__file__).with_name("bench_lifetimes.py"))
                rival = _run([interpreter, program, path, str(MONTHS)])
            result["lifetimes"] = rival
            result["ratio"] = sum(rival["seconds"].values()) / result["end_to_end"]
    print(json.dumps(result) if options.json else _table(result))
    return 0


def _simulate(path, customers):
    import numpy as np

    from lifecycle_setup import kernel

    columns = kernel.load().simulate_transactions(
        customers, PARAMETERS, DAYS, value=VALUE, random_state=1
    )
    np.savez(path, **dict(zip(("customer", "day", "amount"), columns, strict=True)))
    return len(columns[0])


def _child(path, runs):
    """Measure the kernel in this process and print the result as JSON."""
    import numpy as np

    from lifecycle_setup import kernel

    package = kernel.load()
    with np.load(path) as file:
        customer, day, amount = file["customer"], file["day"], file["amount"]
    loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    taken = {name: [] for name in OURS}
    models = []
    for _ in range(runs):
        started = time.process_time()
        h = package.histories_from_transactions(customer, day, amount, DAYS, HORIZON)
        taken["histories"].append(time.process_time() - started)
        started = time.process_time()
        counts = package.count_histories(h.x, h.t_x, h.T)
        purchases = package.MBGNBD().fit(*counts)
        value = package.GammaGamma().fit(h.x + 1, h.value)
        taken["fit"].append(time.process_time() - started)
        models = [purchases, value]
        started = time.process_time()
        p_alive = purchases.predict_p_alive(h.x, h.t_x, h.T)
        _, discounted = purchases.predict_both_orders(HORIZON, h.x, h.t_x, h.T, RATE, p_alive)
        worth = discounted * value.predict_value(h.x + 1, h.value)
        taken["forecast"].append(time.process_time() - started)
        clv = float(worth.sum())
        del p_alive, discounted, worth
        model = package.LifetimeModel.from_models(purchases, value, HORIZON)
        started = time.process_time()
        predictions = model.predict(h.x, h.t_x, h.T, h.value, h.recent, pace=h.pace)
        taken["predict"].append(time.process_time() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = {name: float(np.median(times)) for name, times in taken.items()}
    started = time.process_time()
    package.LifetimeModel(horizon=HORIZON).fit(customer, day, amount, end=DAYS)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "end_to_end": sum(seconds[name] for name in COMMON),
                "with_backtest": time.process_time() - started,
                "peak_mb": peak / 1024,
                "data_mb": loaded / 1024,
                "counts": len(counts.x),
                "parameters": [each.parameters_ for each in models],
                "expected_orders": float(predictions.expected_orders.sum()),
                "clv": clv,
            }
        )
    )
    return 0


def _rival() -> str:
    """Python of an environment that has lifetimes; made where it is missing."""
    base, version = python.find_python()
    folder = paths.cache() / "lifetimes-{}.{}".format(*version)
    interpreter = folder / "bin" / "python"
    done = folder / "venv.done"
    if not done.exists():
        with python.locked(folder.with_suffix(".lock")), step("Installing lifetimes"):
            quietly([base, "-m", "venv", "--clear", folder],
                    failure="a virtual environment could not be made")  # fmt: skip
            quietly(
                [interpreter, "-m", "pip", "install", "--no-input", LIFETIMES],
                failure="lifetimes could not be installed: check the network connection, or "
                "give --no-lifetimes",
                log="pip",
            )
            done.touch()
    return str(interpreter)


def _run(command, *more) -> dict:
    answer = subprocess.run([*command, *more], stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode:
        raise SetupError(f"{os.path.basename(command[1])} ended with {answer.returncode}.")
    return json.loads(answer.stdout.splitlines()[-1])


def _table(result):
    lines = [f"{result['customers']:,} customers, {result['orders']:,} orders, "
             f"{result['counts']:,} distinct histories"]  # fmt: skip
    for name, text in OURS.items():
        lines.append(f"  {text:34}{result['seconds'][name]:8.2f} s")
    lines.append(f"  {'end to end (without the last)':34}{result['end_to_end']:8.2f} s")
    lines.append(f"  {'LifetimeModel.fit with back-test':34}{result['with_backtest']:8.2f} s")
    lines.append(
        f"  {'peak memory':34}{result['peak_mb']:8.0f} MB "
        f"({result['data_mb']:.0f} MB with nothing but the data)"
    )
    if "lifetimes" in result:
        rival = result["lifetimes"]
        for name, seconds in rival["seconds"].items():
            lines.append(f"  {'lifetimes: ' + name:34}{seconds:8.2f} s")
        if rival.get("failed"):
            say("lifetimes could not do: " + ", ".join(rival["failed"]))
        lines.append(f"  {'times as fast as lifetimes':34}{result['ratio']:8.1f}")
    return "\n".join(lines)
