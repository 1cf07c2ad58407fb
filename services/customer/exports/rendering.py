"""Customers as lines of a file. Pure functions."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import orjson

from services.customer.customers.calendar import Calendar
from services.customer.customers.record import CustomerRecord
from services.customer.exports.columns import AGES, COLUMNS, FURTHER, further, in_one_text
from services.customer.exports.schemas import ExportFormat
from services.customer.exports.workbook import Cell, Workbook

_LINES: Final = "application/x-ndjson"
MEDIA_TYPES: Final[Mapping[ExportFormat, str]] = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": _LINES,
    "jsonl": _LINES,
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# Spreadsheets take a file for UTF-8 only when it begins with this.
_BYTE_ORDER_MARK: Final = "\ufeff"
# A cell that begins so is a formula to a spreadsheet (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

# Texts of which we have said ourselves what they may be; a phone begins with its plus.
_OURS: Final = frozenset({"id", "code", "stage", "phone", "total_spent", "currency"})


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file has besides what every customer has: the shop's own fields, by their keys."""

    keys: Sequence[str]
    calendar: Calendar

    def head(self) -> list[str]:
        """The names of the columns; the shop's own stand last."""
        ages = (f"days_since_last_{what}" for what in AGES)
        return [*COLUMNS, *ages, *FURTHER, *(f"attributes.{key}" for key in self.keys)]

    def known(self, record: CustomerRecord) -> dict[str, Any]:
        """The columns of a customer, but for the shop's own."""
        ages = {
            f"days_since_last_{what}": self.calendar.days_since(getattr(record, f"last_{what}_at"))
            for what in AGES
        }
        known = {name: read(record) for name, read in COLUMNS.items()}
        return known | ages | further(record, self.calendar)

    def cells(self, record: CustomerRecord) -> Iterator[tuple[str, Any]]:
        """Every column with its name, as a cell has it."""
        for name, value in self.known(record).items():
            yield name, in_one_text(name, value)
        for key in self.keys:
            yield f"attributes.{key}", record.attributes.get(key)


def as_csv(records: Sequence[CustomerRecord], layout: Layout, *, is_first: bool) -> bytes:
    """RFC 4180, every line ended, readable by spreadsheets and harmless in them."""
    text = io.StringIO()
    writer = csv.writer(text)
    if is_first:
        text.write(_BYTE_ORDER_MARK)
        writer.writerow(layout.head())
    for record in records:
        writer.writerow(_cell(name, value) for name, value in layout.cells(record))
    return text.getvalue().encode()


def as_json_lines(records: Sequence[CustomerRecord], layout: Layout) -> bytes:
    """One object a line; the shop's own fields are among all attributes."""
    return b"".join(
        orjson.dumps(
            {**layout.known(record), "attributes": record.attributes},
            option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE,
        )
        for record in records
    )


def as_rows(
    records: Sequence[CustomerRecord], layout: Layout, book: Workbook, *, is_first: bool
) -> Workbook:
    """The spreadsheet with these customers, numbers as numbers."""
    head: list[list[Cell]] = [list(layout.head())] if is_first else []
    rows = [[_typed(name, value) for name, value in layout.cells(r)] for r in records]
    return book.with_rows([*head, *rows])


def _typed(name: str, value: Any) -> Cell:
    if name == "total_spent":
        return Decimal(value)
    return value if isinstance(value, bool | int | float) else _text(value)


def _cell(name: str, value: Any) -> str:
    text = _text(value)
    is_number = isinstance(value, int | float)
    is_formula = name not in _OURS and not is_number and text.startswith(_FORMULA)
    return f"'{text}" if is_formula else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "|".join(map(str, value))
    return value.isoformat() if isinstance(value, date) else str(value)
