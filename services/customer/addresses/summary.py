"""A primary address, as customers carry it along."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.customer.addresses.units import Units
from services.customer.customers.record import CustomerRecord
from services.customer.customers.says import says_of

_TEXTS: Final = ("street", "ward", "district", "city", "province", "country", "postal_code")
_CODES: Final = (
    *("vn63_province_code", "vn63_district_code", "vn63_ward_code"),
    *("vn34_province_code", "vn34_ward_code"),
)
_ALONG: Final = ("province", "country")


def told_along(columns: Mapping[str, Any]) -> dict[str, Any]:
    """What a customer is told of besides the address itself, as far as it is known."""
    return {name: columns[name] for name in _ALONG if columns[name] is not None}


def known_by_address(record: CustomerRecord) -> list[str]:
    """What a customer was told of along with their primary address, and nobody has said since."""
    address = record.profile.get("address")
    if address is None:
        return []
    word = _word_of(record, "address")
    return [
        name
        for name, value in told_along({**dict.fromkeys(_ALONG), **address}).items()
        if getattr(record, name) == value and _word_of(record, name) == word
    ]


def _word_of(record: CustomerRecord, name: str) -> tuple[str, datetime]:
    """Who said a field that is known, and when."""
    counting = says_of(record, name)[0]
    return counting.source, counting.at


def summary_of(columns: Mapping[str, Any], units: Units) -> dict[str, Any]:
    """What is known of it, the name of the province of now beside the code."""
    told = {name: columns.get(name) for name in (*_TEXTS, *_CODES)}
    known = {name: value for name, value in told.items() if value is not None}
    code = known.get("vn34_province_code")
    return known if code is None else {**known, "vn34_province": units.new_provinces[code].name}
