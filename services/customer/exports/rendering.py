"""Customers as lines of a file. Pure functions."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from services.customer.customers.record import CustomerRecord
from services.customer.exports.schemas import ExportFormat
from shared.money import Money

MEDIA_TYPES: Final[Mapping[ExportFormat, str]] = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
}
# Spreadsheets take a file for UTF-8 only when it begins with this.
_BYTE_ORDER_MARK: Final = "\ufeff"
# A cell that begins so is a formula to a spreadsheet (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

_COLUMNS: Final[Mapping[str, Callable[[CustomerRecord], Any]]] = {
    "id": lambda record: str(record.id),
    "code": lambda record: record.code,
    "stage": lambda record: record.stage,
    "name": lambda record: record.name,
    "email": lambda record: record.email,
    "phone": lambda record: record.phone,
    "locale": lambda record: record.locale,
    "gender": lambda record: record.gender,
    "birth_date": lambda record: record.birth_date,
    "city": lambda record: record.city,
    "province": lambda record: record.province,
    "country": lambda record: record.country,
    "source": lambda record: record.source,
    "tags": lambda record: record.tags,
    "value_tier": lambda record: record.value_tier,
    "orders_count": lambda record: record.orders_count,
    "total_spent": lambda record: Money(record.total_spent_minor, record.currency).decimal_string(),
    "currency": lambda record: record.currency,
    "first_order_at": lambda record: record.first_order_at,
    "last_order_at": lambda record: record.last_order_at,
    "created_at": lambda record: record.created_at,
    "updated_at": lambda record: record.updated_at,
}
# Texts of which we have said ourselves what they may be; a phone begins with its plus.
_OURS: Final = frozenset({"id", "code", "stage", "phone", "total_spent", "currency"})


def rendered(records: Sequence[CustomerRecord], form: ExportFormat, *, is_first: bool) -> bytes:
    """The lines of these customers; the first of a file also have its head."""
    return _as_csv(records, is_first=is_first) if form == "csv" else _as_json_lines(records)


def _as_csv(records: Sequence[CustomerRecord], *, is_first: bool) -> bytes:
    """RFC 4180, every line ended, readable by spreadsheets and harmless in them."""
    text = io.StringIO()
    writer = csv.writer(text)
    if is_first:
        text.write(_BYTE_ORDER_MARK)
        writer.writerow(_COLUMNS)
    for record in records:
        writer.writerow(_cell(name, read(record)) for name, read in _COLUMNS.items())
    return text.getvalue().encode()


def _as_json_lines(records: Sequence[CustomerRecord]) -> bytes:
    return b"".join(
        orjson.dumps(
            {name: read(record) for name, read in _COLUMNS.items()}
            | {"attributes": record.attributes},
            option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE,
        )
        for record in records
    )


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        value = "|".join(value)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    is_formula = name not in _OURS and text.startswith(_FORMULA)
    return f"'{text}" if is_formula else text
