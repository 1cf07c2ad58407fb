"""A primary address, as customers carry it along."""

from collections.abc import Mapping
from typing import Any, Final

from services.customer.addresses.units import Units

_TEXTS: Final = ("street", "ward", "district", "city", "province", "country", "postal_code")
_CODES: Final = (
    *("vn63_province_code", "vn63_district_code", "vn63_ward_code"),
    *("vn34_province_code", "vn34_ward_code"),
)


def summary_of(columns: Mapping[str, Any], units: Units) -> dict[str, Any]:
    """What is known of it, the name of the province of now beside the code."""
    told = {name: columns.get(name) for name in (*_TEXTS, *_CODES)}
    known = {name: value for name, value in told.items() if value is not None}
    code = known.get("vn34_province_code")
    return known if code is None else {**known, "vn34_province": units.new_provinces[code].name}
