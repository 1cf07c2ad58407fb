"""Addresses as a source tells them: what they say, and when two of them are one. Pure functions."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.customer.addresses.placing import AddressReader, placed
from services.customer.addresses.reading import VIETNAM
from services.customer.addresses.schemas import PARTS, Label
from services.customer.addresses.units import read_name
from shared.text import search_key

_CODES: Final = ("vn63_ward_code", "vn34_ward_code")
SAID: Final = ("label", "recipient_name", "recipient_phone", "company", "full_address", "city")


@dataclass(frozen=True, slots=True)
class ToldAddress:
    """An address as one source has it.

    `external_id` is what the source calls it, or made of what it says where the source has no name
    for it. `parts` are those that the source keeps apart; a `city` is no unit of a country's.
    """

    external_id: str
    label: Label
    full_address: str
    parts: Mapping[str, str | None]
    city: str | None = None
    recipient_name: str | None = None
    recipient_phone: str | None = None
    company: str | None = None
    is_default: bool = False

    @property
    def digest(self) -> str:
        """The same for what says the same."""
        said = (*(getattr(self, name) for name in SAID), *sorted(self.parts.items()))
        return digest_of(repr(said))

    def columns(self, reader: AddressReader) -> dict[str, Any]:
        """The columns of it: what was said, and where that is."""
        said = {name: getattr(self, name) for name in SAID}
        if self.parts.get("country") in {None, VIETNAM}:
            # A ward may stand in the street, and a city is a province or a district.
            parts = {name: part for name, part in self.parts.items() if name != "street"}
            read = reader.placed(self.full_address)
            if any(part is not None and read[name] != part for name, part in parts.items()):
                read = placed({**parts, "full_address": self.full_address}, reader.units)
            if read["province"] is not None:
                return {**said, "city": None, **read}
        return {**said, **placed(self.parts, reader.units)}


def digest_of(text: str) -> str:
    """A short name of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def written_in_one(*parts: str | None) -> str:
    """The parts of an address as one text, smallest first; what stands in two of them once."""
    written: dict[str, str] = {}
    for part in parts:
        if part:
            written.setdefault(search_key(part), part)
    return ", ".join(written.values())


def place_key(columns: Mapping[str, Any]) -> str:
    """What two addresses of one place have in common, however they are written.

    A house is known by its street and its ward; without a known ward by all that is said.
    """
    street = read_name(columns.get("street") or "").key
    ward = next((columns[code] for code in _CODES if columns.get(code)), None)
    if street and ward:
        return f"{street}|{ward}"
    said = (*(columns.get(name) for name in PARTS), columns.get("city"))
    return "|".join(sorted({search_key(part) for part in said if part}))
