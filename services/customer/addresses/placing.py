"""Addresses by the row: what was said, what it says, and where that is."""

from collections.abc import Mapping
from typing import Any

from services.customer.addresses.reading import VIETNAM, locate, read_address
from services.customer.addresses.schemas import PARTS, codes_of, parts_of
from services.customer.addresses.units import Units


def placed(said: Mapping[str, Any], units: Units) -> dict[str, Any]:
    """The parts of an address, what was said of them going before, and where it is."""
    parts = {name: said.get(name) for name in PARTS}
    if said.get("full_address") is not None:
        found = read_address(said["full_address"], units)
        for name in PARTS:
            if parts[name] is None:
                parts[name] = getattr(found, name)
    place = locate(parts_of(parts), units, scheme=said.get("scheme"))
    if place.new_province is not None and parts["country"] is None:
        parts["country"] = VIETNAM
    return {**parts, **codes_of(place)}
