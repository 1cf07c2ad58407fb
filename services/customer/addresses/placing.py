"""Addresses by the row: what was said, what it says, and where that is."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from services.customer.addresses.reading import VIETNAM, locate, read_address
from services.customer.addresses.schemas import PARTS, codes_of, parts_of
from services.customer.addresses.units import Units, units

_REMEMBERED: Final = 20_000


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


class AddressReader:
    """Reads many addresses: where a ward is, is found out once and not for each of its houses."""

    def __init__(self, units: Units) -> None:
        self.units = units
        self._of_ending: dict[str, dict[str, Any]] = {}

    def placed(self, text: str) -> dict[str, Any]:
        """The same as `placed` of this text."""
        street, comma, ending = text.partition(",")
        if not comma or not street.strip() or ";" in text or "\n" in text:
            return placed({"full_address": text}, self.units)
        known = self._of_ending.get(ending)
        if known is None:
            known = placed({"full_address": ending}, self.units)
            if len(self._of_ending) < _REMEMBERED:
                self._of_ending[ending] = known
        # With its ward known, all that stands before is the street.
        if known["ward"] is None:
            return placed({"full_address": text}, self.units)
        begin = street.strip()
        return {**known, "street": f"{begin}, {known['street']}" if known["street"] else begin}


@cache
def address_reader() -> AddressReader:
    """The reader of this process, made when it is first asked for."""
    return AddressReader(units())
