"""Administrative units of Vietnam: those of before 1 July 2025 (`vn63`) and those since (`vn34`).

A unit is found by how people write it: without accents, with or without "Quận" or "Phường", short
or in full. Which old ward went into which new one is in `data/`; where an old ward was split up,
the likeliest new one comes first and the answer is not certain.
"""

import gzip
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Final, Generic, TypeVar

from shared.text import search_key

_DATA: Final = Path(__file__).with_name("data") / "vietnam.tsv.gz"
_NOT_LETTERS: Final = re.compile(r"[^a-z0-9]+")
# What people write before a name, the longest first, and what it stands for.
_PREFIXES: Final = (
    *(("thanh pho", "tp"), ("thi xa", "tx"), ("thi tran", "tt"), ("dac khu", "dk")),
    *(("phuong", "p"), ("quan", "q"), ("huyen", "h"), ("tinh", "t"), ("xa", "x")),
    *(("tp", "tp"), ("tx", "tx"), ("tt", "tt"), ("p", "p"), ("q", "q"), ("h", "h"), ("x", "x")),
)
_ALIASES: Final = {
    "hcm": "hochiminh",
    "saigon": "hochiminh",
    "sg": "hochiminh",
    "hn": "hanoi",
    "dn": "danang",
    "brvt": "bariavungtau",
    "vungtau": "bariavungtau",
    "thuathienhue": "hue",
    "tthue": "hue",
    "hochiminhcity": "hochiminh",
    "hanoicity": "hanoi",
    "danangcity": "danang",
    "haiphongcity": "haiphong",
    "canthocity": "cantho",
    "huecity": "hue",
    "daclac": "daklak",
    "dacnong": "daknong",
}


@dataclass(frozen=True, slots=True)
class Province:
    """A province or a city of that rank, in one of the two schemes."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class OldWard:
    """A ward of before, with the district that is no more; `became` has the likeliest one first.

    Five islands were districts without wards: their code and name are empty.
    """

    code: str
    name: str
    district_code: str
    district: str
    province_code: str
    became: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewWard:
    """A ward of now."""

    code: str
    name: str
    province_code: str


@dataclass(frozen=True, slots=True)
class Written:
    """A unit as somebody wrote it: what it is, as far as that was said, and its name's letters."""

    rank: str
    key: str


@lru_cache(maxsize=4096)
def read_name(text: str) -> Written:
    """A unit's name: "Q.1", "quận 1" and "Quận 1" are one. The rank is "" when nobody said it."""
    words = _NOT_LETTERS.sub(" ", search_key(text)).strip()
    for prefix, rank in _PREFIXES:
        rest = words.removeprefix(prefix)
        # "p5" has no space, and neither "phu" nor "quang" is a rank with a name behind.
        if rest != words and rest and (rest[0] == " " or rest[0].isdigit()):
            return Written(rank, _plain(rest))
    glued = re.match(r"(tphcm|tphn)$", words)
    return Written("tp" if glued else "", _plain(words.removeprefix("tp") if glued else words))


def _plain(words: str) -> str:
    key = words.replace(" ", "").lstrip("0") or words
    return _ALIASES.get(key, key)


WardT = TypeVar("WardT", OldWard, NewWard)


class _Named(Generic[WardT]):
    """The wards of each province by one of their names; read when somebody first asks for it."""

    def __init__(self, name_of: Callable[[WardT], str]) -> None:
        self._name_of: Callable[[WardT], str] = name_of
        self._wards_in: defaultdict[str, list[WardT]] = defaultdict(list)
        self._by_key: dict[str, Mapping[str, Sequence[WardT]]] = {}

    def add(self, ward: WardT) -> None:
        """Before anybody asks."""
        self._wards_in[ward.province_code].append(ward)

    def meant(self, province_code: str, name: str) -> list[WardT]:
        """The wards of a province that somebody may have meant who wrote that."""
        written = read_name(name)
        known = self._by_key.get(province_code) or self._read(province_code)
        wards = known.get(written.key, ())
        return [ward for ward in wards if _means(written, self._name_of(ward))]

    def _read(self, province_code: str) -> Mapping[str, Sequence[WardT]]:
        read: defaultdict[str, list[WardT]] = defaultdict(list)
        for ward in self._wards_in[province_code]:
            read[_official(self._name_of(ward)).key].append(ward)
        self._by_key[province_code] = read
        return read


class Units:
    """All of them, found by code and by name."""

    def __init__(self) -> None:
        self.old_provinces: dict[str, Province] = {}
        self.new_provinces: dict[str, Province] = {}
        self.became: dict[str, str] = {}
        """The province of now by the code of one of before."""
        self.old_wards: dict[str, OldWard] = {}
        self.new_wards: dict[str, NewWard] = {}
        self._districts: dict[tuple[str, str], str] = {}
        self._old_by_name: dict[str, str] = {}
        self._new_by_name: dict[str, str] = {}
        self._old_by_district = _Named[OldWard](attrgetter("district"))
        self._old_wards_by_name = _Named[OldWard](attrgetter("name"))
        self._new_wards_by_name = _Named[NewWard](attrgetter("name"))
        self._came_from: defaultdict[str, set[str]] = defaultdict(set)
        with gzip.open(_DATA, "rt", encoding="utf-8") as lines:
            for line in lines:
                self._take(line.rstrip("\n").split("\t"))

    def old_province(self, name: str) -> Province | None:
        """A province of before."""
        code = self._old_by_name.get(read_name(name).key)
        return None if code is None else self.old_provinces[code]

    def new_province(self, name: str) -> Province | None:
        """A province of now."""
        code = self._new_by_name.get(read_name(name).key)
        return None if code is None else self.new_provinces[code]

    def has_one_meaning(self, old: Province) -> bool:
        """Whether the province is the same as it was: eleven are."""
        return sum(new == self.became[old.code] for new in self.became.values()) == 1

    def district(self, province_code: str, name: str) -> Sequence[OldWard]:
        """The wards of a district of before; none when there was no such, or two."""
        meant = self._old_by_district.meant(province_code, name)
        return meant if len({ward.district_code for ward in meant}) == 1 else ()

    def district_name(self, province_code: str, code: str | None) -> str | None:
        """The name of a district of before."""
        return None if code is None else self._districts.get((province_code, code))

    def old_ward(self, name: str, *, among: Sequence[OldWard]) -> OldWard | None:
        """The ward of that name among some; None when there is none, or two."""
        written = read_name(name)
        return _only([ward for ward in among if _means(written, ward.name)])

    def old_ward_in(self, province_code: str, name: str) -> OldWard | None:
        """The only ward of that name in a province of before."""
        return _only(self._old_wards_by_name.meant(province_code, name))

    def new_ward_in(self, province_code: str, name: str) -> NewWard | None:
        """The only ward of that name in a province of now."""
        return _only(self._new_wards_by_name.meant(province_code, name))

    def old_province_of(self, new_ward: NewWard) -> Province | None:
        """The province of before that all of a ward of now lay in; None when it was several."""
        codes = self._came_from[new_ward.code]
        return self.old_provinces[next(iter(codes))] if len(codes) == 1 else None

    def _take(self, columns: Sequence[str]) -> None:
        kind, code, *rest = columns
        if kind == "P63":
            name, became = rest
            self.old_provinces[code] = Province(code, name)
            self._old_by_name[read_name(name).key] = code
            self.became[code] = became
        elif kind == "P34":
            self.new_provinces[code] = Province(code, rest[0])
            self._new_by_name[read_name(rest[0]).key] = code
        elif kind == "W34":
            province, name = rest
            new = self.new_wards[code] = NewWard(code, name, province)
            self._new_wards_by_name.add(new)
        else:
            province, district_code, district, name, became = rest
            old = OldWard(code, name, district_code, district, province, tuple(became.split(",")))
            if code:
                self.old_wards[code] = old
            self._old_by_district.add(old)
            self._old_wards_by_name.add(old)
            self._districts[province, district_code] = district
            for each in old.became:
                self._came_from[each].add(province)


def _means(written: Written, name: str) -> bool:
    """Whether somebody who wrote that may have meant the unit of this name."""
    official = _official(name)
    return written.key == official.key and written.rank in {"", official.rank}


# Names of units are few and asked for again and again: a province at a time becomes known.
_official = cache(read_name)


def _only(wards: Sequence[WardT]) -> WardT | None:
    return wards[0] if len(wards) == 1 else None


@cache
def units() -> Units:
    """The units, read when they are first asked for."""
    return Units()
