"""How likely two customers are one person: evidence is added up, contradictions are taken off.

Each agreement speaks for one person by its weight in bits, the binary logarithm of how much more
often it is found among records of one person than among records of two (Fellegi and Sunter, "A
Theory for Record Linkage", 1969). The sum, less what it takes to begin with, becomes a score from
1 to 99. One shared claimed identifier alone has the score that `identity_match` gives it. The
order of the two does not matter.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import log2
from typing import Final

from lunar_vn import solar_to_lunar
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from services.customer.customers.identity_match import Evidence
from services.customer.duplicate_scans.features import Person, Street, is_placeholder
from services.customer.duplicate_scans.person_names import NameMatch, compare_names

# What the evidence has to outweigh: how seldom two customers taken at random are one person.
_AT_RANDOM: Final = -12.0
# Families share numbers, addresses and days: with another name they prove a family.
MOST_OF_OTHERS: Final = 15
_AT_MOST_DOUBTFUL_NAME: Final = 60
_FURTHER_IDENTIFIER: Final = 2.0
_DIFFERENT_BIRTH_DATE: Final = -5.0
_DIFFERENT_GENDER: Final = -3.0
_OTHER_KIND: Final = -6.0
_ALIKE_STREETS: Final = 85
_OLDEST: Final = date(1900, 2, 1)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How likely two customers are one (1 to 99), and why, the weightiest first."""

    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Evidence:
    code: str
    bits: float


def likely(one: Person, other: Person, *, min_score: int) -> Likeness | None:
    """What `likeness` says of two customers, if that is enough; most are soon told apart."""
    name = compare_names(one.name, other.name)
    if name is not None and name.code == "other_name" and min_score > MOST_OF_OTHERS:
        return None
    found = _judged(one, other, name)
    return found if found.score >= min_score else None


def likeness(one: Person, other: Person) -> Likeness:
    """Compare two customers."""
    return _judged(one, other, compare_names(one.name, other.name))


def _judged(one: Person, other: Person, name: NameMatch | None) -> Likeness:
    found = [
        *_identifiers(one, other),
        *_names(one, other, name),
        *_birth_dates(one, other),
        *_places(one, other),
    ]
    if one.gender and other.gender and one.gender != other.gender:
        found.append(_Evidence("different_gender", _DIFFERENT_GENDER))
    bits = _AT_RANDOM + sum(each.bits for each in found)
    score = round(100 / (1 + 2.0**-bits))
    bounded = max(1, min(score, 99, _at_most(one, other, name)))
    found.sort(key=lambda each: (-each.bits, each.code))
    return Likeness(bounded, tuple(each.code for each in found if each.code))


def _at_most(one: Person, other: Person, name: NameMatch | None) -> int:
    if name is not None and name.code == "other_name":
        return MOST_OF_OTHERS
    if name is not None and name.code == "doubtful_name":
        return _AT_MOST_DOUBTFUL_NAME
    has_other_name = (
        one.organisation and other.organisation and not _alike_firms(one.organisation, other)
    )
    return _AT_MOST_DOUBTFUL_NAME if has_other_name else 99


def _identifiers(one: Person, other: Person) -> Iterator[_Evidence]:
    """The strongest counts in full: who has the number of somebody often has the address, too."""
    evidence = [
        Evidence(mine.kind, mine.trusted, theirs.trusted)
        for mine in one.identifiers
        for theirs in other.identifiers
        if mine.value == theirs.value and mine.kind == theirs.kind
    ]
    evidence.sort(key=lambda each: (-each.weight, each.code))
    for number, each in enumerate(evidence):
        chance = each.weight / 100
        full = log2(chance / (1 - chance)) - _AT_RANDOM
        yield _Evidence(each.code, _FURTHER_IDENTIFIER if number else full)
    if one.tax_code and other.tax_code and one.tax_code.lower() == other.tax_code.lower():
        yield _Evidence("same_tax_code", 13.0)
    kinds = {each.kind for each in evidence}
    if "email" not in kinds and one.mailboxes & other.mailboxes:
        yield _Evidence("same_mailbox", 6.0)
    if "phone" not in kinds and _have_alike_phones(one, other):
        yield _Evidence("similar_phone", 5.0)


def _have_alike_phones(one: Person, other: Person) -> bool:
    """One digit mistyped, or two that changed places."""
    return any(
        len(mine) == len(theirs) and OSA.distance(mine, theirs, score_cutoff=1) == 1
        for mine in one.values_of("phone")
        for theirs in other.values_of("phone")
    )


def _names(one: Person, other: Person, match: NameMatch | None) -> Iterator[_Evidence]:
    if one.is_organisation != other.is_organisation:
        yield _Evidence("", _OTHER_KIND)
    if match is not None:
        is_reason = match.code in {"same_name", "similar_name", "partial_name"}
        yield _Evidence(match.code if is_reason else "", match.bits)
    if one.organisation and other.organisation:
        if one.organisation.replace(" ", "") == other.organisation.replace(" ", ""):
            yield _Evidence("same_organisation", 12.0)
        elif _alike_firms(one.organisation, other):
            yield _Evidence("same_organisation", 8.0)
        else:
            yield _Evidence("", _OTHER_KIND)


def _alike_firms(name: str, other: Person) -> bool:
    theirs = other.organisation or ""
    is_spaced_otherwise = name.replace(" ", "") == theirs.replace(" ", "")
    return is_spaced_otherwise or fuzz.token_sort_ratio(name, theirs) >= 90


def _birth_dates(one: Person, other: Person) -> Iterator[_Evidence]:
    mine, theirs = one.birth_date, other.birth_date
    if mine is not None and theirs is not None:
        evidence = _days(mine, theirs)
        if evidence is not None:
            yield evidence
    elif one.lunar_birthday is not None and one.lunar_birthday == other.lunar_birthday:
        yield _Evidence("lunar_birth_date", 5.0)


def _days(mine: date, theirs: date) -> _Evidence | None:
    """What two birthdays by the sun say; nothing, when one of them says nothing itself."""
    if mine == theirs:
        return _Evidence("same_birth_date", 1.5 if is_placeholder(mine) else 9.0)
    if is_placeholder(mine) or is_placeholder(theirs):
        return None
    if (mine.year, mine.month, mine.day) == (theirs.year, theirs.day, theirs.month):
        return _Evidence("swapped_birth_date", 7.5)
    if _is_lunar(mine, theirs) or _is_lunar(theirs, mine):
        return _Evidence("lunar_birth_date", 7.0)
    if OSA.distance(mine.isoformat(), theirs.isoformat(), score_cutoff=1) == 1:
        return _Evidence("close_birth_date", 3.5)
    return _Evidence("different_birth_date", _DIFFERENT_BIRTH_DATE)


def _is_lunar(day: date, told: date) -> bool:
    """Whether `told` is the lunar day of `day`, written as if it were one by the sun."""
    if not 0 < (day - told).days < 80 or day < _OLDEST:
        return False
    lunar = solar_to_lunar(day)
    return (lunar.year, lunar.month, lunar.day) == (told.year, told.month, told.day)


def _places(one: Person, other: Person) -> Iterator[_Evidence]:
    same_ward = one.ward is not None and one.ward == other.ward
    same_province = one.province is not None and one.province == other.province
    if one.street and other.street and (same_ward or same_province):
        evidence = _streets(one.street, other.street, same_ward=same_ward)
        if evidence is not None:
            yield evidence
            return
    if same_ward:
        yield _Evidence("", 1.0)
    elif one.province and other.province and not same_province:
        yield _Evidence("", -0.5)


def _streets(mine: Street, theirs: Street, *, same_ward: bool) -> _Evidence | None:
    if mine.number != theirs.number:
        return None
    if mine.words == theirs.words and mine.number:
        return _Evidence("same_address", 6.5) if same_ward else _Evidence("similar_address", 5.0)
    if fuzz.ratio(mine.words, theirs.words) >= _ALIKE_STREETS:
        return _Evidence("similar_address", 4.5 if mine.number else 2.0)
    return None
