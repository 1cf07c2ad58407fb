"""How good what we know of a customer is: stated rules, a score, and what is wrong. Pure functions.

Each rule looks at one thing and says how far it is met (0, a half, or 1) and which problems it
found. The score is the share of the weights of the rules that apply, from 0 to 100.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, get_args

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from services.customer.customers.identities import is_placeholder_email
from services.customer.customers.lunar import LunarBirthday
from shared.text import search_key

RuleName = Literal[
    "contact_reachable",
    "contact_verified",
    "name_complete",
    "phone_usable",
    "email_usable",
    "birth_date_plausible",
    "address_resolved",
    "consent_known",
    "fresh",
]
RULES: Final[tuple[RuleName, ...]] = get_args(RuleName)
WEIGHTS: Final[Mapping[RuleName, int]] = {
    "contact_reachable": 25,
    "contact_verified": 15,
    "name_complete": 15,
    "phone_usable": 10,
    "email_usable": 10,
    "birth_date_plausible": 5,
    "address_resolved": 10,
    "consent_known": 5,
    "fresh": 5,
}
Problem = Literal[
    "no_contact",
    "unverified_contact",
    "missing_name",
    "incomplete_name",
    "name_is_a_phone_number",
    "name_is_an_email",
    "placeholder_name",
    "missing_phone",
    "placeholder_phone",
    "phone_not_mobile",
    "missing_email",
    "placeholder_email",
    "invalid_email",
    "mistyped_email",
    "disposable_email",
    "missing_birth_date",
    "placeholder_birth_date",
    "implausible_birth_date",
    "missing_address",
    "address_not_resolved",
    "address_ward_uncertain",
    "consent_unknown",
    "out_of_date",
]
PROBLEMS: Final[tuple[Problem, ...]] = get_args(Problem)
FIELDS: Final[Mapping[Problem, str]] = {
    "no_contact": "phone",
    "unverified_contact": "phone",
    "missing_name": "name",
    "incomplete_name": "name",
    "name_is_a_phone_number": "name",
    "name_is_an_email": "name",
    "placeholder_name": "name",
    "missing_phone": "phone",
    "placeholder_phone": "phone",
    "phone_not_mobile": "phone",
    "missing_email": "email",
    "placeholder_email": "email",
    "invalid_email": "email",
    "mistyped_email": "email",
    "disposable_email": "email",
    "missing_birth_date": "birth_date",
    "placeholder_birth_date": "birth_date",
    "implausible_birth_date": "birth_date",
    "missing_address": "address",
    "address_not_resolved": "address",
    "address_ward_uncertain": "address",
    "consent_unknown": "consents",
    "out_of_date": "updated_at",
}
"""The field of the customer that a problem is one of."""

_OUT_OF_DATE: Final = timedelta(days=730)
_OLDEST: Final = 110
_YOUNGEST: Final = 5
_DIGITS: Final = re.compile(r"\d")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_PLACEHOLDER_NAMES: Final = frozenset(
    {
        *("khach", "khach le", "khach hang", "khach vang lai", "khach moi", "vang lai", "no name"),
        *("guest", "test", "customer", "unknown", "null", "none", "na", "n/a", "abc", "xxx"),
        *("khong ten", "khong co", "khong", "an danh", "anonymous", "user", "chua co"),
    }
)
_DISPOSABLE: Final = frozenset(
    {
        *("mailinator.com", "guerrillamail.com", "10minutemail.com", "temp-mail.org"),
        *("tempmail.com", "yopmail.com", "trashmail.com", "sharklasers.com", "getnada.com"),
        *("dispostable.com", "maildrop.cc", "throwawaymail.com", "fakeinbox.com", "mohmal.com"),
        *("emailondeck.com", "moakt.com", "mintemail.com", "mailnesia.com", "tempail.com"),
    }
)
_MISTYPED: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("gmial.com", "gmai.com", "gmal.com", "gmail.con", "gmail.co", "gamil.com", "gmail.cm"),
        "gmail.com",
    ),
    **dict.fromkeys(("gmail.com.vn", "gmaill.com", "gnail.com", "gmil.com"), "gmail.com"),
    **dict.fromkeys(("yaho.com", "yahooo.com", "yahoo.con", "yhoo.com"), "yahoo.com"),
    **dict.fromkeys(("yahoo.com.vm", "yaho.com.vn"), "yahoo.com.vn"),
    **dict.fromkeys(("hotmial.com", "hotmal.com", "hotmail.con"), "hotmail.com"),
    **dict.fromkeys(("outlok.com", "outlook.con"), "outlook.com"),
    **dict.fromkeys(("iclould.com", "icloud.con", "icoud.com"), "icloud.com"),
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a person through all their records."""

    kind: str
    name: str | None
    email: str | None
    phone: str | None
    birth_date: date | None
    lunar_birthday: Mapping[str, Any] | None
    has_platform_id: bool
    """A platform knows them, so that they can be written to there."""
    is_verified: bool
    """One of their addresses or numbers was confirmed."""
    has_consents: bool
    address: Mapping[str, Any] | None
    """The columns of the address that says most."""
    heard_of_at: datetime
    """When anything was last heard of them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says: how far it is met, in halves, and what is wrong."""

    rule: RuleName
    halves: int
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """The score of a customer (0 to 100), rule by rule."""

    score: int
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, in the order of the rules."""
        return [problem for finding in self.findings for problem in finding.problems]


def judge(known: Known, *, weights: Mapping[RuleName, int], now: datetime) -> Judgement:
    """Apply every rule that applies. Without any weight there is nothing wrong: 100."""
    findings = tuple(_findings(known, now))
    whole = sum(weights[finding.rule] for finding in findings)
    met = sum(weights[finding.rule] * finding.halves for finding in findings)
    # Halves rounded half up, in whole numbers.
    score = (100 * met + whole) // (2 * whole) if whole else 100
    return Judgement(score, findings)


def mending(problem: Problem, known: Known) -> str | None:
    """What the field should most likely be, where that can be told."""
    if problem == "mistyped_email" and known.email:
        name, _, domain = known.email.rpartition("@")
        return f"{name}@{_MISTYPED[domain]}"
    return None


def _findings(known: Known, now: datetime) -> Iterator[Finding]:
    yield _contact(known)
    yield _verified(known)
    yield Finding("name_complete", *_name(known))
    yield Finding("phone_usable", *_phone(known.phone))
    yield Finding("email_usable", *_email(known.email))
    if known.kind == "person":
        yield Finding("birth_date_plausible", *_birth_date(known, now.date()))
    yield Finding("address_resolved", *_address(known.address))
    missing: tuple[Problem, ...] = () if known.has_consents else ("consent_unknown",)
    yield Finding("consent_known", 0 if missing else 2, missing)
    is_fresh = now - known.heard_of_at <= _OUT_OF_DATE
    yield Finding("fresh", 2 if is_fresh else 0, () if is_fresh else ("out_of_date",))


_Found = tuple[int, tuple[Problem, ...]]
_MET: Final[_Found] = (2, ())


def _contact(known: Known) -> Finding:
    if known.phone or known.email:
        return Finding("contact_reachable", 2)
    if known.has_platform_id:
        return Finding("contact_reachable", 1)
    return Finding("contact_reachable", 0, ("no_contact",))


def _verified(known: Known) -> Finding:
    if known.is_verified:
        return Finding("contact_verified", 2)
    has_contact = known.phone or known.email
    return Finding("contact_verified", 0, ("unverified_contact",) if has_contact else ())


def _name(known: Known) -> _Found:
    name = (known.name or "").strip()
    if not name:
        return 0, ("missing_name",)
    if "@" in name:
        return 0, ("name_is_an_email",)
    words = _LETTERS.findall(name)
    if len(_DIGITS.findall(name)) >= 8:
        return 0, ("name_is_a_phone_number",)
    if search_key(name) in _PLACEHOLDER_NAMES or not words:
        return 0, ("placeholder_name",)
    if len(words) < 2 and known.kind == "person":
        return 1, ("incomplete_name",)
    return _MET


def _phone(phone: str | None) -> _Found:
    if phone is None:
        return 0, ("missing_phone",)
    digits = phone.removeprefix("+84")
    if len(set(digits[-7:])) == 1 or digits[-9:] in {"123456789", "987654321"}:
        return 0, ("placeholder_phone",)
    return _MET if _is_mobile(phone) else (1, ("phone_not_mobile",))


def _is_mobile(phone: str) -> bool:
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return False
    return kind in {
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    }


def _email(email: str | None) -> _Found:
    if email is None:
        return 0, ("missing_email",)
    if is_placeholder_email(email):
        return 0, ("placeholder_email",)
    domain = email.rpartition("@")[2]
    if domain in _MISTYPED:
        return 0, ("mistyped_email",)
    if domain in _DISPOSABLE:
        return 0, ("disposable_email",)
    try:
        validate_email(email, check_deliverability=False)
    except EmailNotValidError:
        return 0, ("invalid_email",)
    return _MET


def _birth_date(known: Known, today: date) -> _Found:
    day = known.birth_date
    if day is None:
        lunar = known.lunar_birthday
        known_otherwise = lunar is not None and LunarBirthday.model_validate(lunar)
        return (1, ()) if known_otherwise else (0, ("missing_birth_date",))
    years = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
    if not _YOUNGEST <= years <= _OLDEST:
        return 0, ("implausible_birth_date",)
    if (day.month, day.day) == (1, 1):
        return 1, ("placeholder_birth_date",)
    return _MET


def _address(address: Mapping[str, Any] | None) -> _Found:
    if address is None:
        return 0, ("missing_address",)
    if address["country"] not in {None, "VN"}:
        return _MET
    if address["vn34_ward_code"] is None:
        return 1 if address["vn34_province_code"] else 0, ("address_not_resolved",)
    if not address["vn34_ward_is_certain"]:
        return 1, ("address_ward_uncertain",)
    return _MET


def best_address(addresses: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The primary one; else the one that is known most exactly, the oldest of those."""

    def exactness(address: Mapping[str, Any]) -> tuple[bool, bool, bool, bool]:
        return (
            address["is_primary"],
            address["vn34_ward_is_certain"],
            address["vn34_ward_code"] is not None,
            address["vn34_province_code"] is not None,
        )

    return max(addresses, key=exactness, default=None)
