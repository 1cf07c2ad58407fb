"""What is compared of two customers, and the keys that bring those together who may be one.

Nobody is compared with everybody: only customers who have a key in common are. Pure functions.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from itertools import starmap
from typing import Any, Final, Literal, get_args

from services.customer.customers.identity_match import Identifier, IdentifierKind
from services.customer.duplicate_scans.person_names import (
    NO_NAME,
    PersonName,
    read_person_name,
    word_of,
)
from shared.text import search_key

BlockKind = Literal[
    "email",
    "phone",
    "mailbox",
    "tax_code",
    "birth_date",
    "name",
    "street",
    "ward",
    "organisation",
]
BLOCK_KINDS: Final[tuple[BlockKind, ...]] = get_args(BlockKind)
IDENTIFIER_KINDS: Final = frozenset({"email", "phone"})

_LEGAL_FORMS: Final = re.compile(
    r"\b(?:cong ty|cty|ct|chi nhanh|cn|tnhh|trach nhiem huu han|co phan|cp|mtv|mot thanh vien|1 tv"
    r"|dntn|doanh nghiep tu nhan|ho kinh doanh|hkd|thuong mai|tm|dich vu|dv|san xuat|sx|va|and"
    r"|company|co|ltd|limited|jsc|corp|inc|group|tap doan)\b"
)
_STREET_WORDS: Final = re.compile(
    r"\b(?:so nha|so|sn|duong|d|pho|ngo|ngach|hem|kiet|to|khu pho|kp|ap|thon|toa nha|can ho)\b"
)
_NOT_PLAIN: Final = re.compile(r"[^a-z0-9]+")
_NOT_ADDRESS: Final = re.compile(r"[^a-z0-9/]+")
_NUMBER: Final = re.compile(r"\d[\d/]*[a-z]?\b")
_SHORTEST_MAILBOX: Final = 6
_SHARED_MAILBOXES: Final = frozenset(
    {"contact", "cskh", "ketoan", "support", "noreply", "donotreply", "office", "marketing"}
)


@dataclass(frozen=True, slots=True)
class Street:
    """A street address: the numbers of the house, and the other words."""

    number: str
    words: str


@dataclass(frozen=True, slots=True)
class Person:
    """A customer (the record that stands for a person) as far as it is compared with others."""

    name: PersonName = NO_NAME
    organisation: str | None = None
    """The plain name of one that is no person, without its legal form."""
    is_organisation: bool = False
    gender: str | None = None
    birth_date: date | None = None
    lunar_birthday: tuple[int, int] | None = None
    """Day and month by the Vietnamese lunar calendar."""
    identifiers: tuple[Identifier, ...] = ()
    tax_code: str | None = None
    province: str | None = None
    ward: str | None = None
    street: Street | None = None

    @property
    def mailboxes(self) -> set[str]:
        """What stands before the @ of their addresses, where it may be a person's own."""
        found = (mailbox(i.value) for i in self.identifiers if i.kind == "email")
        return {name for name in found if name is not None}

    def values_of(self, kind: IdentifierKind) -> list[str]:
        """Their addresses or numbers."""
        return [i.value for i in self.identifiers if i.kind == kind]

    def plain(self) -> dict[str, Any]:
        """The person as JSON, short: a scan writes one for each customer."""
        found = {
            "n": [[word.plain, word.marked] for word in self.name.words],
            "a": self.name.has_accents,
            "o": self.organisation,
            "k": self.is_organisation,
            "g": self.gender,
            "b": self.birth_date and self.birth_date.isoformat(),
            "l": self.lunar_birthday,
            "i": [[i.kind, i.value, i.verified] for i in self.identifiers],
            "t": self.tax_code,
            "p": self.province,
            "w": self.ward,
            "s": self.street and [self.street.number, self.street.words],
        }
        return {name: value for name, value in found.items() if value}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> "Person":
        """The person that was written by `plain`."""
        get = plain.get
        words = tuple(starmap(word_of, get("n", ())))
        birth_date, lunar, street = get("b"), get("l"), get("s")
        return cls(
            name=PersonName(words, has_accents=get("a", False)),
            organisation=get("o"),
            is_organisation=get("k", False),
            gender=get("g"),
            birth_date=date.fromisoformat(birth_date) if birth_date else None,
            lunar_birthday=(lunar[0], lunar[1]) if lunar else None,
            identifiers=tuple(
                Identifier(kind, value, "", verified) for kind, value, verified in get("i", ())
            ),
            tax_code=get("t"),
            province=get("p"),
            ward=get("w"),
            street=Street(*street) if street else None,
        )


def person_of(known: Mapping[str, Any], identifiers: Iterable[Identifier]) -> Person:
    """The person in a customer's columns, with what all their records are recognised by."""
    profile: Mapping[str, Any] = known["profile"]
    address: Mapping[str, Any] = profile.get("address") or {}
    is_organisation = known["kind"] == "organisation"
    lunar = profile.get("birth_date_lunar")
    ward = address.get("vn34_ward_code") or address.get("vn63_ward_code") or address.get("ward")
    province = address.get("vn34_province_code") or address.get("province") or known["province"]
    # Names of places are compared without accents; codes stay what they are.
    return Person(
        name=NO_NAME if is_organisation else read_person_name(known["name"]),
        organisation=organisation_key(known["name"]) if is_organisation else None,
        is_organisation=is_organisation,
        gender=known["gender"],
        birth_date=known["birth_date"],
        lunar_birthday=(lunar["day"], lunar["month"]) if lunar else None,
        identifiers=tuple(
            sorted((i for i in identifiers if i.kind != "platform_id"), key=lambda i: i.key)
        ),
        tax_code=profile.get("tax_code"),
        province=search_key(province) if province else None,
        ward=search_key(ward) if ward else None,
        street=read_street(address.get("street")),
    )


def block_keys(person: Person) -> Iterator[tuple[BlockKind, int]]:
    """The keys of a person: two who may be one have at least one of them in common."""
    for kind, words in _keys(person):
        yield kind, _hashed(kind, words)


def identifier_block(identifier: Identifier) -> int:
    """The key of an e-mail address or a number."""
    return _hashed(identifier.kind, identifier.value)


def narrowed(person: Person) -> str:
    """What a block is divided by that is too large: what they are called by."""
    return person.organisation or person.name.given


def is_placeholder(day: date) -> bool:
    """Whether a birthday is likely made up by a form: half of them are on a 1 January."""
    return (day.month, day.day) == (1, 1)


def organisation_key(raw: str | None) -> str | None:
    """The name of a firm without accents, legal form and what else all firms are called."""
    plain = _NOT_PLAIN.sub(" ", search_key(raw or ""))
    return " ".join(_LEGAL_FORMS.sub(" ", plain).split()) or plain.strip() or None


def read_street(raw: str | None) -> Street | None:
    """A street as it is compared: "Số 12/3 đường Lê Lợi" and "12/3 Le Loi" are one."""
    plain = _NOT_ADDRESS.sub(" ", search_key(raw or ""))
    number = _NUMBER.search(plain)
    words = " ".join(_STREET_WORDS.sub(" ", _NUMBER.sub(" ", plain)).replace("/", " ").split())
    return Street(number.group() if number else "", words) if words else None


@lru_cache(maxsize=20_000)
def mailbox(address: str) -> str | None:
    """Whose box it is, whoever keeps it: "lan.nguyen90+shop@gmail.com" is "lannguyen90"."""
    name = address.rpartition("@")[0].partition("+")[0]
    plain = "".join(char for char in name if char.isalnum())
    is_own = len(plain) >= _SHORTEST_MAILBOX and plain not in _SHARED_MAILBOXES
    return plain if is_own else None


def _keys(person: Person) -> Iterator[tuple[BlockKind, str]]:
    for identifier in person.identifiers:
        if identifier.kind == "email":
            yield "email", identifier.value
        else:
            yield "phone", identifier.value
    for name in sorted(person.mailboxes):
        yield "mailbox", name
    if person.tax_code:
        yield "tax_code", person.tax_code.lower()
    if person.organisation:
        yield "organisation", person.organisation.replace(" ", "")
    if person.birth_date:
        yield "birth_date", _birth_key(person.birth_date, person.name)
    if len(person.name.words) > 1:
        yield "name", person.name.key
    if person.ward and person.street and person.street.number:
        yield "street", f"{person.ward}|{person.street.number}|{person.street.words}"
    if person.ward and person.name.words:
        yield "ward", f"{person.ward}|{person.name.given}"


def _birth_key(day: date, name: PersonName) -> str:
    """The same for a day and a month that changed places."""
    low, high = sorted((day.month, day.day))
    return f"{day.year}|{low}|{high}" + (f"|{name.given}" if is_placeholder(day) else "")


def _hashed(kind: str, words: str) -> int:
    """Eight bytes: an index of a million keys stays small. Chance makes two alike do no harm."""
    digest = blake2b(f"{kind}|{words}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
