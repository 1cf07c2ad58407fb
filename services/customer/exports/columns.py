"""What a file tells of each customer, column by column. Pure functions.

Lines of JSON have values as the API has them; a cell of a sheet has one text.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from services.customer.customers.calendar import Calendar
from services.customer.customers.current_consents import consents_at
from services.customer.customers.record import CustomerRecord
from shared.money import Money

COLUMNS: Final[Mapping[str, Callable[[CustomerRecord], Any]]] = {
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
    "last_interaction_at": lambda record: record.last_interaction_at,
    "created_at": lambda record: record.created_at,
    "updated_at": lambda record: record.updated_at,
}
AGES: Final = ("order", "interaction")
"""Of what columns tell how many days ago it was."""

_OF_RECORDS: Final = ("kind", "relation")
_OF_PROFILES: Final = (
    *("given_name", "honorific", "birth_date_lunar", "occupation", "position", "income_band"),
    *("preferences", "preferred_channel", "time_zone", "rating", "tax_code", "address"),
)
FURTHER: Final = (*_OF_RECORDS, "owner_id", *_OF_PROFILES, "consents")
"""Columns that stand after those there have always been, for who reads files by places."""


def further(record: CustomerRecord, calendar: Calendar) -> dict[str, Any]:
    """What else is known of a customer, as the API has it."""
    return {
        **{name: getattr(record, name) for name in _OF_RECORDS},
        "owner_id": None if record.owner_id is None else str(record.owner_id),
        **{name: record.profile.get(name) for name in _OF_PROFILES},
        "consents": consents_at(record.consents, calendar.now),
    }


def in_one_text(name: str, value: Any) -> Any:
    """The value of a column as a cell has it: of several parts the text people would write."""
    written = _WRITTEN.get(name)
    return value if written is None or value is None else written(value)


def _lunar_day(day: Mapping[str, Any]) -> str:
    """15/8/1990; the second of two months of a number is `leap`."""
    parts = (day["day"], day["month"], day.get("year"))
    written = "/".join(str(part) for part in parts if part is not None)
    return f"{written} leap" if day.get("leap_month") else written


def _income(band: Mapping[str, Any]) -> str:
    """10000000-20000000 VND; an end that is not known is left out."""
    return f"{band.get('at_least', '')}-{band.get('below', '')} {band['currency']}"


def _address(address: Mapping[str, Any]) -> str:
    """The parts as they were written, the smallest first."""
    parts = (address.get(name) for name in ("street", "ward", "district", "city", "province"))
    return ", ".join(dict.fromkeys(part for part in parts if part))


def _consents(consents: Sequence[Mapping[str, Any]]) -> list[str]:
    """marketing.email=granted."""
    return [f"{each['purpose']}.{each['channel']}={each['status']}" for each in consents]


_WRITTEN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "birth_date_lunar": _lunar_day,
    "income_band": _income,
    "address": _address,
    "consents": _consents,
}
