"""setup/backtest: any log, stable JSON, malformed files told by line and column."""

import gzip
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
    *("value_mae", "value_top_decile_pct", "deviance", "calibration_error", "value_bias_pct"),
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


def test_several_dates_at_once(run, log):
    options = [log, "--calibration-end", "2023-12-31", "--holdout-end", "2024-03-31"]
    alone = json.loads(run(*options, "--json"))
    result = json.loads(run(*options, "--every", "60", "--json"))
    dates = result["dates"]
    # each with 91 days ahead and at least as many behind
    assert [each["calibration_end"] for each in dates] == [
        "2023-05-05", "2023-07-04", "2023-09-02", "2023-11-01", "2023-12-31",
    ]  # fmt: skip
    assert dates[0]["holdout_end"] == "2023-08-04"
    assert dates[-1]["holdout"] == alone["holdout"] == result["holdout"]
    found = [each["holdout"]["product"] for each in dates]
    mean = result["mean"]["product"]
    assert mean["deviance"] == pytest.approx(np.mean([each["deviance"] for each in found]))
    squares = [each["bias_pct"] ** 2 for each in found]
    assert mean["bias_pct"] == pytest.approx(np.sqrt(np.mean(squares)))
    text = run(*options, "--every", "60")
    assert "mean of 5 dates" in text and "2023-05-05 2023-08-04" in text


def test_drawn_as_a_page(run, log, tmp_path):
    options = [log, "--calibration-end", "2023-12-31", "--holdout-end", "2024-03-31"]
    path = tmp_path / "page.html"
    result = json.loads(run(*options, "--every", "90", "--html", path, "--json"))
    text = path.read_text(encoding="utf-8")
    assert text.count("<svg") == 3 and text.count("<circle") == len(result["reliability"]) == 10
    assert "Mean of" in text and "2024-02" in text and "http" not in text
    assert [each["month"] for each in result["months"]] == ["2024-01", "2024-02", "2024-03"]
    assert sum(each["actual"] for each in result["months"]) == result["actual_orders"]
    forecast = sum(each["predicted"] for each in result["months"])
    bias = 100 * (forecast / result["actual_orders"] - 1)
    assert bias == pytest.approx(result["holdout"]["product"]["bias_pct"], abs=1e-6)
    with pytest.raises(SetupError, match="cannot be written"):
        run(*options, "--html", tmp_path / "nowhere" / "page.html")


def test_metrics_are_those_of_the_forecasts(run, log):
    out = run(log, "--calibration-end", "2023-12-31", "--holdout-end", "2024-04-30", "--json")
    result = json.loads(out)
    parts, metrics = result["reliability"], result["holdout"]["product"]
    off = sum(each["customers"] * abs(each["predicted"] - each["actual"]) for each in parts)
    assert metrics["calibration_error"] == pytest.approx(100 * off / result["n_customers"])
    assert all(each["deviance"] > 0 for each in result["holdout"].values())


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
    for more in ([], ["--holdout-end", "9999-12-31"]):
        assert "Nothing to compare with" in run(log, "--calibration-end", "2030-01-01", *more)


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
        (HEADER + '1,2024-01-01,"5\n' + "2,2024-01-01,5\n" * 9, "line 2", "quote that begins"),
        (HEADER + '1,2024-01-01,5\n2,"2024-01-01,5\n3,2024-01-01,5,"a"', "line 3", "not closed"),
        (HEADER + '1,2024-01-01,"5\n6"\n', "line 2, column 3", "not an amount"),
        (HEADER + "1,1997-01-01 hello,5\n", "line 2, column 2", "not a date"),
        (HEADER + "1,2024-01-01T25:00,5\n", "line 2, column 2", "not a date"),
        (HEADER + "1,20240101,5\n", "line 2, column 2", "not a date"),
        (HEADER + "1,2024-01-01,1e300\n", "line 2, column 3", "not an amount"),
        (HEADER + "1,2024-01-01,-inf\n", "line 2, column 3", "not an amount"),
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


@pytest.mark.parametrize(
    "day",
    ["2024-02-29", "2024-02-29 7:05", "2024-02-29T07:05:59.123Z", "2024-02-29 07:05:59+01:00"],
)
def test_days_with_and_without_a_time(day):
    assert purchase_log.format_day(purchase_log.parse_day(day)) == "2024-02-29"


def test_packed_logs_and_sheets_are_the_same_log(tmp_path):
    text = HEADER + "x,2024-01-03,5\ny,2024-01-04,-2.5\n"
    path = tmp_path / "log.csv"
    path.write_text(text)
    expected = [column.tolist() for column in purchase_log.read(str(path))]
    packed = tmp_path / "log.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert [column.tolist() for column in purchase_log.read(str(packed))] == expected
    packed.write_bytes(gzip.compress(text.encode())[:-9])
    with pytest.raises(SetupError, match="cannot be read"):
        purchase_log.read(str(packed))
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (("customer_id", "date", "amount"), ("x", "2024-01-03", 5)):
        book.active.append(row)
    book.active.append(("y", np.datetime64("2024-01-04").astype(object), -2.5))
    book.save(tmp_path / "log.xlsx")
    assert [column.tolist() for column in purchase_log.read(str(tmp_path / "log.xlsx"))] == expected
    book.active.append(("z", "2024-01-05", "five"))
    book.save(tmp_path / "log.xlsx")
    with pytest.raises(SetupError, match="line 4, column 3: 'five' is not an amount"):
        purchase_log.read(str(tmp_path / "log.xlsx"))


def test_a_table_without_its_reader_is_told(tmp_path, monkeypatch):
    def missing(path):
        raise ImportError("no reader")

    monkeypatch.setattr("pandas.read_parquet", missing)
    with pytest.raises(SetupError, match="pyarrow, which is not installed"):
        purchase_log.read(str(tmp_path / "log.parquet"))


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
        (["--calibration-end", "2023-12-31", "--holdout-end", "9999-12-31"], "after the last"),
        (["--calibration-end", "2023-12-31 hello"], "must be a date"),
        (["--calibration-end", "2023-12-31", "--every", "0"], "1 day or more"),
        (["--calibration-end", "2030-01-01", "--every", "30"], "needs days after"),
    ],
)
def test_impossible_options_are_told(run, log, options, what):
    with pytest.raises(SetupError, match=what):
        run(log, *options)
