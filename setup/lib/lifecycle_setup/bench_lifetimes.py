"""The library lifetimes on the transactions of ``setup/bench kernel``; runs in its own venv."""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")


def main(path, months):
    """Do what the kernel does, as far as the library can, and print the times as JSON."""
    from lifetimes import GammaGammaFitter, ModifiedBetaGeoFitter
    from lifetimes.utils import summary_data_from_transaction_data

    with np.load(path) as file:
        log = pd.DataFrame(
            {
                "customer": file["customer"],
                "date": np.datetime64("2020-01-01") + file["day"].astype("timedelta64[D]"),
                "amount": file["amount"],
            }
        )
    seconds, failed = {}, []

    def timed(name, work):
        started = time.process_time()
        try:
            return work()
        except Exception as error:  # the rival's failures are part of the comparison
            failed.append(f"{name} ({type(error).__name__})")
            return None
        finally:
            seconds[name] = time.process_time() - started

    summary = timed(
        "histories",
        lambda: summary_data_from_transaction_data(
            log, "customer", "date", monetary_value_col="amount",
            observation_period_end=log["date"].max(), include_first_transaction=False,
        ),
    )  # fmt: skip
    x, t_x, T = (summary[name] for name in ("frequency", "recency", "T"))
    purchases = ModifiedBetaGeoFitter(penalizer_coef=0.0)
    timed("fit purchases", lambda: purchases.fit(x, t_x, T))
    again = summary[(x > 0) & (summary["monetary_value"] > 0)]
    value = GammaGammaFitter()
    timed("fit value", lambda: value.fit(again["frequency"], again["monetary_value"]))
    timed(
        "expected orders",
        lambda: purchases.conditional_expected_number_of_purchases_up_to_time(365, x, t_x, T),
    )
    timed("P(alive)", lambda: purchases.conditional_probability_alive(x, t_x, T))
    timed(
        "discounted value",
        lambda: value.customer_lifetime_value(
            purchases, x, t_x, T, summary["monetary_value"], time=months, freq="D"
        ),
    )
    print(json.dumps({"seconds": seconds, "failed": failed}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
