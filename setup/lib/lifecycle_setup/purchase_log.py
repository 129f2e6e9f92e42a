"""Purchase logs as CSV files: customer_id, date, amount."""

from __future__ import annotations

import csv
import math
from datetime import date

import numpy as np

from lifecycle_setup.console import SetupError

COLUMNS = ("customer_id", "date", "amount")
EPOCH = date(1970, 1, 1).toordinal()
FIRST_DAY = date(1900, 1, 1).toordinal() - EPOCH
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read(path: str):
    """Read a purchase log.

    Columns may be in any order, further ones are ignored; a date may be followed by a time.

    :return: arrays customer (numbers in order of appearance), day (since 1970-01-01), amount
    :raises SetupError: with line and column of what is wrong
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            return _parse(path, stream)
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}.") from error


def parse_day(text: str) -> int:
    """Days from 1970-01-01 to an ISO date, which a time may follow.

    :raises ValueError: for anything else
    """
    text = text.strip()
    if len(text) > 10 and text[10] not in " T":
        raise ValueError(text)
    return date.fromisoformat(text[:10]).toordinal() - EPOCH


def format_day(day: int) -> str:
    """ISO date of a number of days since 1970-01-01."""
    return date.fromordinal(day + EPOCH).isoformat()


def _parse(path, stream):
    reader = csv.reader(stream, strict=True)
    customers, days, amounts = [], [], []
    codes: dict[str, int] = {}
    known_days: dict[str, int] = {}
    # It may be tomorrow already where the file comes from.
    last_day = date.today().toordinal() - EPOCH + 1
    try:
        header = next(reader, [])
        places = _places(path, header)
        for row in reader:
            if not row:
                continue
            if len(row) <= max(places):
                raise _error(
                    path, reader.line_num, len(row) + 1, f"{_missing(places, row)} is missing"
                )
            if len(row) > len(header):
                raise _error(
                    path, reader.line_num, len(header) + 1,
                    f"there are {len(row)} values for {len(header)} columns; decimals need a "
                    "point, and text with a comma needs quotes",
                )  # fmt: skip
            customer, day, amount = (row[place] for place in places)
            if not customer.strip():
                raise _error(path, reader.line_num, places[0] + 1, "the customer_id is empty")
            if day not in known_days:
                try:
                    known_days[day] = parse_day(day)
                except ValueError:
                    raise _error(
                        path, reader.line_num, places[1] + 1,
                        f"{day!r} is not a date like 2024-05-31",
                    ) from None  # fmt: skip
                if not FIRST_DAY <= known_days[day] <= last_day:
                    raise _error(
                        path, reader.line_num, places[1] + 1,
                        f"{day!r} lies in the future or before 1900",
                    )  # fmt: skip
            customers.append(codes.setdefault(customer.strip(), len(codes)))
            days.append(known_days[day])
            amounts.append(_amount(path, reader.line_num, places[2] + 1, amount))
    except csv.Error as error:
        raise SetupError(f"{path}, line {reader.line_num}: {error}.") from error
    if not customers:
        raise SetupError(f"{path} has no purchases below its header line.")
    return np.array(customers), np.array(days), np.array(amounts)


def _places(path, header):
    """Positions of the columns."""
    names = [name.strip().lower() for name in header]
    for sign, text in OTHER_SEPARATORS.items():
        if len(names) == 1 and sign in names[0]:
            raise _error(
                path, 1, names[0].index(sign) + 1,
                f"the columns are separated by {text}; save the file with commas between them, "
                "and a point for decimals",
            )  # fmt: skip
    for name in COLUMNS:
        if names.count(name) > 1:
            again = names.index(name, names.index(name) + 1)
            raise _error(path, 1, again + 1, f"there is a second column {name}")
        if name not in names:
            found = ", ".join(names) or "nothing"
            raise SetupError(
                f"{path}, line 1: column {name} is missing (found: {found}); the first line must "
                f"be {','.join(COLUMNS)}."
            )
    return [names.index(name) for name in COLUMNS]


def _missing(places, row):
    return next(name for name, place in zip(COLUMNS, places, strict=True) if place >= len(row))


def _amount(path, line, column, text):
    try:
        # Python would take the underscores of its own numbers.
        amount = math.nan if "_" in text else float(text)
    except ValueError:
        amount = math.nan
    if not math.isfinite(amount):
        raise _error(path, line, column, f"{text!r} is not an amount like 1234.50")
    return amount


def _not_utf8(path):
    """Error that names the first line that is not UTF-8."""
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                column = line[: error.start].count(b",") + 1
                what = "this is not UTF-8 text; save it as CSV in UTF-8"
                return _error(path, number, column, what)
    return SetupError(f"{path} is not UTF-8 text: save it as CSV in UTF-8.")


def _error(path, line, column, what):
    return SetupError(f"{path}, line {line}, column {column}: {what}.")
