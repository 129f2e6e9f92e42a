"""setup/backtest: any log, stable JSON, malformed files told by line and column."""

import json

import numpy as np
import pytest

from customer_lifecycle.kernel import simulate_transactions
from lifecycle_setup import purchase_log, python
from lifecycle_setup.commands import backtest
from lifecycle_setup.console import SetupError

HEADER = "customer_id,date,amount\n"
METRICS = {
    *("mae", "rmse", "corr", "bias_pct", "top_decile_pct", "auc", "brier"),
    *("value_mae", "value_top_decile_pct"),
}


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the program in this interpreter and return what it prints."""
    monkeypatch.setattr(python, "enter", lambda layer: None)

    def call(*arguments):
        assert backtest.main([str(argument) for argument in arguments]) == 0
        return capsys.readouterr().out

    return call


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    parameters = {"r": 0.9, "alpha": 60.0, "a": 0.6, "b": 3.0}
    value = {"p": 5.0, "q": 3.5, "v": 40.0}
    columns = simulate_transactions(300, parameters, 500, value=value, random_state=1)
    path = tmp_path_factory.mktemp("log") / "log.csv"
    lines = [
        f"C{customer},{np.datetime64('2023-01-01') + day},{amount:.2f}"
        for customer, day, amount in zip(*(c.tolist() for c in columns), strict=True)
    ]
    path.write_text(HEADER + "\n".join(lines))
    return path


def test_json_has_stable_keys(run, log):
    out = run(log, "--calibration-end", "2023-12-31", "--holdout-end", "2024-04-30", "--json")
    result = json.loads(out)
    assert {"n_customers", "k", "parameters", "log_likelihood", "weights"} <= set(result)
    assert set(result["parameters"]) == {"r", "alpha", "a", "b"}
    assert result["n_customers"] == 300
    assert (result["calibration_end"], result["holdout_end"]) == ("2023-12-31", "2024-04-30")
    names = {"product", "model", "model_k1", "past_rate", "same_as_last_period"}
    assert set(result["holdout"]) == names
    assert all(set(metrics) >= METRICS for metrics in result["holdout"].values())


def test_published_models_on_demand(run, data_path, tmp_path):
    cdnow = data_path("cdnow_sample.csv")
    out = run(cdnow, "--calibration-end", "1997-09-30", "--reference", "--json")
    fits = json.loads(out)["reference"]
    for name, value in (
        ("bg_nbd", -9582.429), ("mbg_nbd", -9582.136),
        ("pareto_nbd", -9594.976), ("gamma_gamma", -4055.918),
    ):  # fmt: skip
        assert fits[name]["log_likelihood"] == pytest.approx(value, abs=0.05)
    path = tmp_path / "once.csv"
    path.write_text(HEADER + "a,2024-01-01,3\nb,2024-01-01,9\n")
    assert "needs a repeat purchase" in run(path, "--calibration-end", "2024-02-01", "--reference")


def test_text_shows_every_method(run, log):
    out = run(log, "--calibration-end", "2023-12-31")
    assert "300 customers" in out
    for name in ("product", "model_k1", "past_rate", "same_as_last_period", "AUC"):
        assert name in out


def test_last_purchase_ends_the_holdout_and_nothing_after_it_is_fine(run, log):
    result = json.loads(run(log, "--calibration-end", "2030-01-01", "--json"))
    assert result["holdout"] == {} and result["n_customers"] == 300
    assert "Nothing to compare with" in run(log, "--calibration-end", "2030-01-01")


def test_free_orders_and_refunds_of_a_log(run, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        HEADER + "a,2024-01-01,0\nb,2024-01-01,9\nb,2024-01-01,-9\nc,2024-01-02,5\nd,2024-01-03,-4"
    )
    assert json.loads(run(path, "--calibration-end", "2024-02-01", "--json"))["n_customers"] == 2


def test_columns_in_any_order_with_times_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "log.csv"
    text = '\ufeffDate,note,Amount,customer_id\n1970-01-03 10:15:00,"a,b",-2.5,x\n'
    path.write_text(text, encoding="utf-8")
    customer, day, amount = purchase_log.read(str(path))
    assert (customer.tolist(), day.tolist(), amount.tolist()) == ([0], [2], [-2.5])


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        (HEADER + "1,2024-01-01,5\n2,2024-13-01,5\n", "line 3, column 2", "not a date"),
        (HEADER + "1,2024-01-01,5\n\n2,2024-01-01,five\n", "line 4, column 3", "not an amount"),
        (HEADER + "1,2024-01-01,nan\n", "line 2, column 3", "not an amount"),
        (HEADER + "1,2024-01-01\n", "line 2, column 3", "amount is missing"),
        (HEADER + " ,2024-01-01,5\n", "line 2, column 1", "customer_id is empty"),
        (HEADER + '"1,2024-01-01,5\n', "line 2", "unexpected end"),
        ("customer_id;date;amount\n1;2024-01-01;5\n", "line 1, column 12", "semicolons"),
        ("customer_id\tdate\tamount\n1\t2024-01-01\t5\n", "line 1", "tabs"),
        ("customer,date,amount\n1,2024-01-01,5\n", "line 1", "column customer_id is missing"),
        ("customer_id,date,amount,date\n", "line 1, column 4", "second column date"),
        (HEADER + HEADER + "1,2024-01-01,5\n", "line 2, column 2", "not a date"),
        (HEADER + "1,2024-01-01,5,50\n", "line 2, column 4", "decimals need a point"),
        (HEADER + '1,2024-01-01,"5,50"\n', "line 2, column 3", "not an amount"),
        (HEADER + "1,2024-01-01,1_000\n", "line 2, column 3", "not an amount"),
        (HEADER + "1,2024-01-01,5\n1,9024-01-01,5\n", "line 3, column 2", "in the future"),
        (HEADER + "1,0024-01-01,5\n", "line 2, column 2", "before 1900"),
        ("", "line 1", "column customer_id is missing"),
        (HEADER, "", "no purchases"),
    ],
)
def test_malformed_file_is_told_by_line_and_column(tmp_path, text, place, what):
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(SetupError) as caught:
        purchase_log.read(str(path))
    assert place in str(caught.value) and what in str(caught.value)


def test_what_is_no_text_or_no_file_is_told(tmp_path):
    path = tmp_path / "log.csv"
    with pytest.raises(SetupError, match="cannot be read"):
        purchase_log.read(str(path))
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(SetupError, match="line 1, column 1: .*UTF-8"):
        purchase_log.read(str(path))
    path.write_bytes(HEADER.encode() + b"1,2024-01-01,5,a note\n1,2024-01-01,5,caf\xe9\n")
    with pytest.raises(SetupError, match="line 3, column 4: .*UTF-8"):
        purchase_log.read(str(path))


@pytest.mark.parametrize(
    ("rows", "customers"),
    [
        (["a,2024-01-01,5"], 1),
        ([f"c{number},2024-01-{number:02},5" for number in range(1, 31)], 30),
        (["a,2024-01-01,-5", "b,2024-01-02,-1"], 0),
    ],
    ids=["one customer", "nobody bought twice", "refunds only"],
)
def test_log_that_teaches_little_is_said_to_be_too_little(run, tmp_path, rows, customers):
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "\n".join(rows))
    options = [path, "--calibration-end", "2024-02-28", "--holdout-end", "2024-05-31"]
    result = json.loads(run(*options, "--json"))
    assert result["n_customers"] == customers and not result["enough_data"]
    assert result["missing"]["repeat_buyers"] == [0, 10]
    assert "not enough" in run(*options).lower()


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--calibration-end", "2023"], "must be a date"),
        (["--calibration-end", "2023-12-31", "--holdout-end", "2023-12-31"], "must lie after"),
        (["--calibration-end", "2020-01-01"], "before the first purchase"),
    ],
)
def test_impossible_options_are_told(run, log, options, what):
    with pytest.raises(SetupError, match=what):
        run(log, *options)
