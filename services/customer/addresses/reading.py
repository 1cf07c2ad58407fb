"""What an address says: its parts, and which units of Vietnam they are. Pure functions.

Nothing is guessed: where a name may be two places, the code stays unknown and the text is kept.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from services.customer.addresses.units import NewWard, OldWard, Province, Units, read_name
from shared.text import search_key

Scheme = Literal["vn63", "vn34"]
VIETNAM: Final = "VN"
_SEPARATORS: Final = re.compile(r"[,;\n]+")
_DASH: Final = re.compile(r"\s+[-–]\s+")
_POSTAL_CODE: Final = re.compile(r"\b\d{5,6}$")
_COUNTRY: Final = frozenset({"viet nam", "vietnam", "vn"})
_DISTRICT_RANKS: Final = frozenset({"q", "h", "tx", "tp"})
_WARD_RANKS: Final = frozenset({"p", "x", "tt", "dk"})


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an address as they were written; None for what was not."""

    street: str | None = None
    ward: str | None = None
    district: str | None = None
    province: str | None = None
    country: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Codes in both schemes, as far as they are known.

    `new_ward_is_certain` is False where the old ward was split up: the new one is the likeliest.
    """

    old_province: Province | None = None
    old_ward: OldWard | None = None
    old_district_code: str | None = None
    old_district: str | None = None
    new_province: Province | None = None
    new_ward: NewWard | None = None
    new_ward_is_certain: bool = False


NOWHERE: Final = Place()


def read_address(raw: str, units: Units) -> Parts:
    """The parts of an address written in one go, the smallest first, as in Vietnam.

    Without a province of Vietnam at its end it is one line.
    """
    tokens = [token.strip() for token in _SEPARATORS.split(raw) if token.strip()]
    if len(tokens) == 1 and not _is_province(tokens[0], units):
        tokens = [token.strip() for token in _DASH.split(tokens[0]) if token.strip()]
    parts = Parts()
    if tokens and search_key(tokens[-1]) in _COUNTRY:
        tokens.pop()
        parts = replace(parts, country=VIETNAM)
    tokens, postal_code = _without_postal_code(tokens)
    if not tokens or not _is_province(tokens[-1], units):
        return replace(parts, street=_joined(tokens), postal_code=postal_code)
    province = tokens.pop()
    parts = replace(parts, province=province, country=VIETNAM, postal_code=postal_code)
    if tokens and _is_district(tokens[-1], province, units):
        parts = replace(parts, district=tokens.pop())
    if tokens and _is_ward(tokens[-1], parts, units):
        parts = replace(parts, ward=tokens.pop())
    return replace(parts, street=_joined(tokens))


def locate(parts: Parts, units: Units, *, scheme: Scheme | None = None) -> Place:
    """Where an address is. A district, or `vn63`, says that its names are those of before."""
    if parts.province is None or parts.country not in {None, VIETNAM}:
        return NOWHERE
    old, new = units.old_province(parts.province), units.new_province(parts.province)
    if old is not None and scheme != "vn34":
        before = _before(parts, old, units)
        if before is not None:
            return before
    if new is not None and parts.ward is not None:
        ward = units.new_ward_in(new.code, parts.ward)
        if ward is not None:
            old_province = units.old_province_of(ward)
            return Place(
                old_province=old_province,
                new_province=new,
                new_ward=ward,
                new_ward_is_certain=True,
            )
        if old is not None and scheme is None:
            old_ward = units.old_ward_in(old.code, parts.ward)
            if old_ward is not None:
                return _since(Place(old_province=old), old_ward, units)
    return _province_only(old, new, units, scheme)


def _before(parts: Parts, old: Province, units: Units) -> Place | None:
    """The place by the names of before; None when nothing says that they are those."""
    if parts.district is not None:
        wards = units.district(old.code, parts.district)
        if not wards:
            return None
        place = Place(
            old_province=old,
            old_district_code=wards[0].district_code,
            old_district=wards[0].district,
            new_province=units.new_provinces[units.became[old.code]],
        )
        if parts.ward is None:
            return place
        ward = units.old_ward(parts.ward, among=wards)
        return place if ward is None else _since(place, ward, units)
    return None


def _since(place: Place, ward: OldWard, units: Units) -> Place:
    """The same, with a ward of before and what became of it."""
    new_ward = units.new_wards[ward.became[0]]
    return replace(
        place,
        old_ward=ward,
        old_district_code=ward.district_code,
        old_district=ward.district,
        new_province=units.new_provinces[new_ward.province_code],
        new_ward=new_ward,
        new_ward_is_certain=len(ward.became) == 1,
    )


def _province_only(
    old: Province | None, new: Province | None, units: Units, scheme: Scheme | None
) -> Place:
    """A name that there was only before, or that means what it meant, says both; others the new."""
    if old is not None and (new is None or scheme == "vn63" or units.has_one_meaning(old)):
        return Place(old_province=old, new_province=units.new_provinces[units.became[old.code]])
    return Place(new_province=new)


def _is_province(token: str, units: Units) -> bool:
    return units.old_province(token) is not None or units.new_province(token) is not None


def _is_district(token: str, province: str, units: Units) -> bool:
    if read_name(token).rank in _DISTRICT_RANKS:
        return True
    old = units.old_province(province)
    unranked = read_name(token).rank == ""
    return unranked and old is not None and bool(units.district(old.code, token))


def _is_ward(token: str, parts: Parts, units: Units) -> bool:
    written = read_name(token)
    if written.rank in _WARD_RANKS:
        return True
    if written.rank or written.key[:1].isdigit():
        return False
    place = locate(replace(parts, ward=token), units)
    return place.old_ward is not None or place.new_ward is not None


def _without_postal_code(tokens: Sequence[str]) -> tuple[list[str], str | None]:
    if not tokens:
        return [], None
    *before, last = tokens
    found = _POSTAL_CODE.search(last)
    if found is None:
        return list(tokens), None
    rest = last[: found.start()].strip()
    return [*before, rest] if rest else before, found.group()


def _joined(tokens: Sequence[str]) -> str | None:
    return ", ".join(tokens) or None
