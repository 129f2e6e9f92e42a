"""Purchase logs as tables: customer_id, date, amount.

In: a CSV file, packed or not, an Excel sheet or a Parquet file. Out: arrays, or a sentence that
names line and column of what is wrong.
"""

from __future__ import annotations

import csv
import gzip
import math
import re
import zlib
from datetime import date

import numpy as np

from lifecycle_setup.console import SetupError

COLUMNS = ("customer_id", "date", "amount")
EPOCH = date(1970, 1, 1).toordinal()
FIRST_DAY = date(1900, 1, 1).toordinal() - EPOCH
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
#: an ISO date, which a time of day may follow
DAY = re.compile(
    r"(\d{4}-\d{2}-\d{2})"
    r"([ T]([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d+)?)? ?(Z|UTC|[+-]\d{2}(:?\d{2})?)?)?"
)
#: beyond all trade, in any currency
LARGEST_AMOUNT = 1e15


def read(path: str):
    """Read a purchase log.

    Columns may be in any order, further ones are ignored; a date may be followed by a time.

    :return: arrays customer (numbers in order of appearance), day (since 1970-01-01), amount
    :raises SetupError: with line and column of what is wrong
    """
    for ending in TABLES:
        if path.lower().endswith(ending):
            header, rows = _table(path, ending)
            return _columns(path, header, enumerate(rows, 2))
    opener = gzip.open if path.lower().endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            rows = _rows(path, reader)
            _line, header = next(rows, (1, []))
            return _columns(path, header, rows)
    except UnicodeDecodeError:
        raise _not_utf8(path, opener) from None
    except (EOFError, zlib.error) as error:
        raise SetupError(f"{path} cannot be read: {error}.") from error
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror or error}.") from error


def parse_day(text: str) -> int:
    """Days from 1970-01-01 to an ISO date, which a time may follow.

    :raises ValueError: for anything else
    """
    found = DAY.fullmatch(text.strip())
    if not found:
        raise ValueError(text)
    return date.fromisoformat(found[1]).toordinal() - EPOCH


def format_day(day: int) -> str:
    """ISO date of a number of days since 1970-01-01."""
    return date.fromordinal(day + EPOCH).isoformat()


def _rows(path, reader):
    """(line, row) of a CSV file; the line is the one that the row begins in."""
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = f"{error}"
            if reader.line_num > line or "unexpected end" in what:
                # a quote that nothing closes takes in all the lines below it
                what = f"a quote that begins in this line is not closed ({what})"
            raise SetupError(f"{path}, line {line}: {what}.") from error
        yield line, row


def _table(path, ending):
    """Header and rows of texts of a sheet or a Parquet file."""
    reader, package = TABLES[ending]
    try:
        header, *rows = reader(path)
    except ImportError as error:
        raise SetupError(
            f"{path} needs the Python package {package}, which is not installed; install it, or "
            "save the file as CSV."
        ) from error
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror or error}.") from error
    except Exception as error:
        # what the readers raise on a damaged file is of many kinds
        raise SetupError(f"{path} cannot be read: {error}.") from error
    return header, rows


def _sheet(path):
    """Rows of the first sheet."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    try:
        for row in book.worksheets[0].iter_rows(values_only=True):
            texts = ["" if value is None else str(value) for value in row]
            # below a table a sheet may go on with cells that once held something
            yield texts if any(texts) else []
    finally:
        book.close()


def _parquet(path):
    import pandas as pd

    frame = pd.read_parquet(path)
    yield [str(name) for name in frame.columns]
    known = frame.astype(object).where(frame.notna(), "")
    yield from ([str(value) for value in row] for row in known.itertuples(index=False, name=None))


#: what reads files with these endings, and the package that it needs
TABLES = {".xlsx": (_sheet, "openpyxl"), ".parquet": (_parquet, "pyarrow")}


def _columns(path, header, rows):
    """Arrays from rows of texts, each with its line."""
    places = _places(path, header)
    customers, days, amounts = [], [], []
    codes: dict[str, int] = {}
    known_days: dict[str, int] = {}
    # It may be tomorrow already where the file comes from.
    last_day = date.today().toordinal() - EPOCH + 1
    for line, row in rows:
        if not row:
            continue
        if len(row) <= max(places):
            raise _error(path, line, len(row) + 1, f"{_missing(places, row)} is missing")
        if len(row) > len(header):
            raise _error(
                path, line, len(header) + 1,
                f"there are {len(row)} values for {len(header)} columns; decimals need a "
                "point, and text with a comma needs quotes",
            )  # fmt: skip
        customer, day, amount = (row[place] for place in places)
        if not customer.strip():
            raise _error(path, line, places[0] + 1, "the customer_id is empty")
        if day not in known_days:
            try:
                known_days[day] = parse_day(day)
            except ValueError:
                raise _error(
                    path, line, places[1] + 1, f"{day!r} is not a date like 2024-05-31"
                ) from None
            if not FIRST_DAY <= known_days[day] <= last_day:
                raise _error(
                    path, line, places[1] + 1, f"{day!r} lies in the future or before 1900"
                )
        customers.append(codes.setdefault(customer.strip(), len(codes)))
        days.append(known_days[day])
        amounts.append(_amount(path, line, places[2] + 1, amount))
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
    if not abs(amount) <= LARGEST_AMOUNT:
        raise _error(path, line, column, f"{text!r} is not an amount like 1234.50")
    return amount


def _not_utf8(path, opener):
    """Error that names the first line that is not UTF-8."""
    with opener(path, "rb") as stream:
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
