"""What makes data good: rules, problems, and how numbers and addresses were rewritten."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.customer.quality.rewriting import address_rewriting, phone_rewriting
from services.customer.quality.rules import (
    FIELDS,
    PROBLEMS,
    WEIGHTS,
    Known,
    judge,
    mending,
)
from services.customer.quality.schemas import QualityWeights
from services.customer.quality.texts import HOW_TO_MEND
from shared.phone import normalise_phone

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
RESOLVED = {
    "country": "VN",
    "vn63_ward_code": None,
    "vn34_province_code": "79",
    "vn34_ward_code": "26740",
    "vn34_ward_is_certain": True,
    "is_primary": True,
}


def known(**differing: Any) -> Known:
    """Somebody of whom everything is known, but for what differs."""
    best: dict[str, Any] = {
        "kind": "person",
        "name": "Nguyễn Thị Lan",
        "email": "lan@example.com",
        "phone": "+84912345678",
        "birth_date": date(1990, 2, 28),
        "lunar_birthday": None,
        "has_platform_id": True,
        "is_verified": True,
        "has_consents": True,
        "address": RESOLVED,
        "heard_of_at": NOW,
    }
    return Known(**{**best, **differing})


def problems(**differing: Any) -> list[str]:
    return list(judge(known(**differing), weights=WEIGHTS, now=NOW).problems)


def score(**differing: Any) -> int:
    return judge(known(**differing), weights=WEIGHTS, now=NOW).score


def test_weights_problems_fields_and_texts_are_complete() -> None:
    assert sum(WEIGHTS.values()) == 100
    assert QualityWeights().model_dump() == WEIGHTS
    assert set(FIELDS) == set(HOW_TO_MEND) == set(PROBLEMS)
    assert all(set(words) == {"vi", "en"} for words in HOW_TO_MEND.values())


def test_who_is_known_in_full_has_no_problem() -> None:
    assert (score(), problems()) == (100, [])


def test_nothing_known_is_worth_nothing() -> None:
    nothing = dict.fromkeys(("name", "email", "phone", "birth_date", "address"))
    stranger = known(
        **nothing,
        has_platform_id=False,
        is_verified=False,
        has_consents=False,
        heard_of_at=NOW - timedelta(days=731),
    )
    judged = judge(stranger, weights=WEIGHTS, now=NOW)
    assert judged.score == 0
    assert judged.problems == [
        *("no_contact", "missing_name", "missing_phone", "missing_email", "missing_birth_date"),
        *("missing_address", "consent_unknown", "out_of_date"),
    ]


@pytest.mark.parametrize(
    ("differing", "expected", "points"),
    [
        ({"name": "0912 345 678"}, "name_is_a_phone_number", 85),
        ({"name": "lan@example.com"}, "name_is_an_email", 85),
        ({"name": "KHÁCH LẺ"}, "placeholder_name", 85),
        ({"name": "???"}, "placeholder_name", 85),
        ({"name": "Lan"}, "incomplete_name", 93),
        ({"name": None}, "missing_name", 85),
        ({"phone": None}, "missing_phone", 90),
        ({"phone": "+84900000000"}, "placeholder_phone", 90),
        ({"phone": "+842838291234"}, "phone_not_mobile", 95),
        ({"email": None}, "missing_email", 90),
        ({"email": "khongco@gmail.com"}, "placeholder_email", 90),
        ({"email": "lan@gmial.com"}, "mistyped_email", 90),
        ({"email": "lan@yopmail.com"}, "disposable_email", 90),
        ({"email": "lan..x@example.com"}, "invalid_email", 90),
        ({"birth_date": None}, "missing_birth_date", 95),
        ({"birth_date": date(1990, 1, 1)}, "placeholder_birth_date", 98),
        ({"birth_date": date(1890, 5, 5)}, "implausible_birth_date", 95),
        ({"birth_date": date(2026, 5, 5)}, "implausible_birth_date", 95),
        ({"address": None}, "missing_address", 90),
        ({"address": {**RESOLVED, "vn34_ward_code": None}}, "address_not_resolved", 95),
        ({"address": {**RESOLVED, "vn34_ward_is_certain": False}}, "address_ward_uncertain", 95),
        ({"is_verified": False}, "unverified_contact", 85),
        ({"has_consents": False}, "consent_unknown", 95),
        ({"heard_of_at": NOW - timedelta(days=731)}, "out_of_date", 95),
    ],
)
def test_each_problem_is_told_and_costs_its_weight(
    differing: dict[str, Any], expected: str, points: int
) -> None:
    assert problems(**differing) == [expected]
    assert score(**differing) == points


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        (date(2021, 11, 22), []),
        (date(2021, 11, 23), ["implausible_birth_date"]),
        (date(1915, 11, 23), []),
        (date(1915, 11, 22), ["implausible_birth_date"]),
    ],
)
def test_an_age_is_plausible_to_the_day(born: date, expected: list[str]) -> None:
    assert problems(birth_date=born) == expected


def test_rules_that_do_not_apply_do_not_count() -> None:
    assert score(kind="organisation", name="Vinamilk", birth_date=None) == 100
    assert problems(address={**RESOLVED, "country": "FR", "vn34_ward_code": None}) == []
    assert problems(birth_date=None, lunar_birthday={"day": 15, "month": 8}) == []


def test_weights_are_the_shops() -> None:
    only_phone = {**dict.fromkeys(WEIGHTS, 0), "phone_usable": 7}
    assert judge(known(phone=None), weights=only_phone, now=NOW).score == 0
    assert judge(known(name=None), weights=only_phone, now=NOW).score == 100
    nothing = dict.fromkeys(WEIGHTS, 0)
    assert judge(known(name=None), weights=nothing, now=NOW).score == 100


def test_a_mistyped_domain_has_a_suggestion() -> None:
    assert mending("mistyped_email", known(email="lan@gmial.com")) == "lan@gmail.com"
    assert mending("missing_name", known()) is None


@pytest.mark.parametrize(
    ("original", "rewriting"),
    [
        ("+84912345678", "phone_as_given"),
        ("+84 912 345 678", "phone_tidied"),
        ("0084912345678", "phone_tidied"),
        ("0912.345.678", "phone_country_code_added"),
        ("912345678", "phone_leading_zero_added"),
        ("01695678945", "phone_eleven_digits_converted"),
        ("+84 1695678945", "phone_eleven_digits_converted"),
        ("1695678945", "phone_eleven_digits_converted"),
        ("04 38291234", "phone_area_code_converted"),
        ("0912345678 / 0987654321", "phone_first_of_several"),
        ("+1 650 253 0000", "phone_tidied"),
    ],
)
def test_what_became_of_a_number_is_told(original: str, rewriting: str) -> None:
    value = normalise_phone(original).e164
    assert value is not None
    assert phone_rewriting(original, value) == rewriting


@pytest.mark.parametrize(
    ("differing", "rewriting"),
    [
        ({}, "address_resolved_to_ward"),
        ({"vn63_ward_code": "26740"}, "address_converted_to_ward_of_now"),
        ({"vn34_ward_is_certain": False}, "address_likeliest_ward"),
        ({"vn34_ward_code": None}, "address_province_only"),
        ({"vn34_ward_code": None, "vn34_province_code": None}, "address_not_resolved"),
        ({"country": "FR"}, "address_abroad"),
    ],
)
def test_what_became_of_an_address_is_told(differing: dict[str, Any], rewriting: str) -> None:
    assert address_rewriting({**RESOLVED, **differing}) == rewriting
