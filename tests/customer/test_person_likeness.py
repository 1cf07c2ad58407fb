"""How likely two customers are one person: realistic pairs, and what must hold of every pair."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.customer.customers.identity_match import Identifier
from services.customer.duplicate_scans.comparing import Noted, compare_blocks
from services.customer.duplicate_scans.features import (
    BLOCK_KINDS,
    Person,
    block_keys,
    organisation_key,
    person_of,
    read_street,
)
from services.customer.duplicate_scans.notes_repository import Block
from services.customer.duplicate_scans.person_names import compare_names, read_person_name
from services.customer.duplicate_scans.scoring import likely, likeness
from shared.ids import new_id

PHONE, EMAIL, DAY = "+84912345678", "lan.nguyen90@gmail.com", "1990-03-05"
HOME = {"street": "12 Lê Lợi", "ward": "26740", "province": "79"}


def person(name: str | None = None, **known: Any) -> Person:
    """A customer as the scan reads one."""
    identifiers = [
        Identifier(kind, known[kind], "", verified=known.get("verified", False))
        for kind in ("email", "phone")
        if kind in known
    ]
    profile = {"address": known["address"]} if "address" in known else {}
    profile |= {name: known[name] for name in ("tax_code", "birth_date_lunar") if name in known}
    columns = {
        "name": name,
        "kind": known.get("kind", "person"),
        "gender": known.get("gender"),
        "birth_date": date.fromisoformat(known["born"]) if "born" in known else None,
        "province": None,
        "profile": profile,
    }
    return person_of(columns, identifiers)


@dataclass(frozen=True)
class Pair:
    one: Person
    other: Person
    reasons: set[str]


# Written twice: whoever sees the two would say that it is one person.
SAME = {
    "no accents": Pair(
        person("Nguyễn Văn Đức", born=DAY),
        person("nguyen van duc", born=DAY),
        {"same_name", "same_birth_date"},
    ),
    "all capitals": Pair(
        person("TRẦN THỊ MỸ LINH", phone=PHONE),
        person("Trần Thị Mỹ Linh", phone=PHONE),
        {"same_name", "same_phone_claimed"},
    ),
    "accent on the other vowel": Pair(
        person("Lê Thị Thuý Hoà", born=DAY),
        person("Lê Thị Thúy Hòa", born=DAY),
        {"same_name"},
    ),
    "given name first": Pair(
        person("Lan Nguyễn Thị", born=DAY), person("Nguyễn Thị Lan", born=DAY), {"same_name"}
    ),
    "given name first, two words": Pair(
        person("Hùng Trần", phone=PHONE), person("Trần Hùng", phone=PHONE), {"same_name"}
    ),
    "middle name missing": Pair(
        person("Nguyễn Lan", phone=PHONE), person("Nguyễn Thị Lan", phone=PHONE), {"partial_name"}
    ),
    "family name missing": Pair(
        person("Thị Lan", phone=PHONE), person("Nguyễn Thị Lan", phone=PHONE), {"partial_name"}
    ),
    "given name only": Pair(
        person("Lan", phone=PHONE), person("Nguyễn Thị Lan", phone=PHONE), {"partial_name"}
    ),
    "honorific": Pair(
        person("Chị Lan", phone=PHONE), person("Nguyễn Thị Lan", phone=PHONE), {"partial_name"}
    ),
    "honorific without accents": Pair(
        person("anh Tuan", phone=PHONE), person("Phạm Anh Tuấn", phone=PHONE), {"partial_name"}
    ),
    "doctor": Pair(
        person("BS. Trần Quốc Bảo", born=DAY), person("Trần Quốc Bảo", born=DAY), {"same_name"}
    ),
    "remark": Pair(
        person("Lan Anh (khách quen)", phone=PHONE),
        person("Lan Anh", phone=PHONE),
        {"same_name"},
    ),
    "remark behind a dash": Pair(
        person("Đỗ Minh Quân - Shopee", phone=PHONE),
        person("Đỗ Minh Quân", phone=PHONE),
        {"same_name"},
    ),
    "shortened family name": Pair(
        person("Ng. Thị Lan", born=DAY), person("Nguyễn Thị Lan", born=DAY), {"similar_name"}
    ),
    "initials": Pair(
        person("N. T. Lan", phone=PHONE), person("Nguyễn Thị Lan", phone=PHONE), {"similar_name"}
    ),
    "letters exchanged": Pair(
        person("Nguyne Huu Tho", born=DAY), person("Nguyễn Hữu Thọ", born=DAY), {"similar_name"}
    ),
    "letter missing": Pair(
        person("Nguyn Thị Hương", born=DAY), person("Nguyễn Thị Hương", born=DAY), {"similar_name"}
    ),
    "letter doubled": Pair(
        person("Trần Thị Phươngg", born=DAY), person("Trần Thị Phương", born=DAY), {"similar_name"}
    ),
    "no spaces": Pair(
        person("nguyenvanduc", born=DAY), person("Nguyễn Văn Đức", born=DAY), {"same_name"}
    ),
    "day and month exchanged": Pair(
        person("Vũ Thị Ngọc Ánh", born="1990-03-05"),
        person("Vũ Thị Ngọc Ánh", born="1990-05-03"),
        {"swapped_birth_date", "same_name"},
    ),
    "lunar day told as one by the sun": Pair(
        person("Bùi Quang Huy", born="1990-03-05"),
        person("Bùi Quang Huy", born="1990-02-09"),
        {"lunar_birth_date", "same_name"},
    ),
    "same address": Pair(
        person("Huỳnh Tấn Phát", address=HOME),
        person("Huỳnh Tấn Phát", address={**HOME, "street": "Số 12 đường Lê Lợi"}),
        {"same_address", "same_name"},
    ),
    "address without accents, phone too": Pair(
        person("Huỳnh Phát", address=HOME, phone=PHONE),
        person("Huỳnh Tấn Phát", address={**HOME, "street": "12 Le Loi"}, phone=PHONE),
        {"same_address", "same_phone_claimed", "partial_name"},
    ),
    "same mailbox elsewhere": Pair(
        person("Nguyễn Thị Lan", email="lan.nguyen90@gmail.com"),
        person("Nguyễn Thị Lan", email="lannguyen90@yahoo.com.vn"),
        {"same_mailbox", "same_name"},
    ),
    "mailbox with a mark": Pair(
        person("Đặng Thuỳ Trâm", email="thuytram.dang+shop@gmail.com"),
        person("Đặng Thuỳ Trâm", email="thuytramdang@gmail.com"),
        {"same_mailbox", "same_name"},
    ),
    "two digits of the number exchanged": Pair(
        person("Phan Thị Bích Ngọc", phone="+84912345678"),
        person("Phan Thị Bích Ngọc", phone="+84912345687"),
        {"similar_phone", "same_name"},
    ),
    "same e-mail, no name": Pair(
        person(email=EMAIL), person("Nguyễn Thị Lan", email=EMAIL), {"same_email_claimed"}
    ),
    "same number, no names": Pair(person(phone=PHONE), person(phone=PHONE), {"same_phone_claimed"}),
    "tax code": Pair(
        person("Nguyễn Thị Lan", tax_code="0312345678"),
        person("NGUYEN THI LAN", tax_code="0312345678"),
        {"same_tax_code", "same_name"},
    ),
    "firm with and without its form": Pair(
        person("Công ty TNHH Hoa Mai Sài Gòn", kind="organisation"),
        person("CTY Hoa Mai Saigon", kind="organisation", phone=PHONE),
        {"same_organisation"},
    ),
    "firm by its tax code": Pair(
        person("Công ty CP Sữa Ba Vì", kind="organisation", tax_code="0500123456"),
        person("Sữa Ba Vì JSC", kind="organisation", tax_code="0500123456"),
        {"same_tax_code", "same_organisation"},
    ),
}
# Two people, however much they have in common.
DIFFERENT = {
    "nothing in common": Pair(person("Nguyễn Thị Lan"), person("Trần Văn Hùng"), set()),
    "a common name and nothing else": Pair(
        person("Nguyễn Thị Lan"), person("Nguyễn Thị Lan"), {"same_name"}
    ),
    "a common name in one ward": Pair(
        person("Nguyễn Thị Lan", address={"ward": "26740"}),
        person("Nguyễn Thị Lan", address={"ward": "26740"}),
        {"same_name"},
    ),
    "a birthday and nothing else": Pair(
        person("Nguyễn Thị Lan", born=DAY), person("Trần Văn Hùng", born=DAY), {"same_birth_date"}
    ),
    "husband and wife with one number": Pair(
        person("Nguyễn Thị Lan", phone=PHONE, gender="female"),
        person("Trần Văn Hùng", phone=PHONE, gender="male"),
        {"same_phone_claimed", "different_gender"},
    ),
    "husband and wife with one number and address": Pair(
        person("Nguyễn Thị Lan", phone=PHONE, address=HOME),
        person("Trần Văn Hùng", phone=PHONE, address=HOME),
        {"same_phone_claimed", "same_address"},
    ),
    "brothers": Pair(
        person("Nguyễn Văn An", phone=PHONE, born="1990-03-05", address=HOME),
        person("Nguyễn Văn Bình", phone=PHONE, born="1993-11-20", address=HOME),
        {"same_phone_claimed", "same_address", "different_birth_date"},
    ),
    "twins": Pair(
        person("Trần Minh Anh", phone=PHONE, born=DAY, address=HOME),
        person("Trần Minh Châu", phone=PHONE, born=DAY, address=HOME),
        {"same_phone_claimed", "same_birth_date", "same_address"},
    ),
    "mother and daughter": Pair(
        person("Lê Thị Hồng", phone=PHONE, born="1965-02-11"),
        person("Phạm Thị Mai", phone=PHONE, born="1990-08-30"),
        {"same_phone_claimed", "different_birth_date"},
    ),
    "accents make another name": Pair(
        person("Nguyễn Hữu Lân", born=DAY), person("Nguyễn Hữu Lan", born=DAY), {"same_birth_date"}
    ),
    "hung and hưng": Pair(
        person("Trần Văn Hùng", address=HOME),
        person("Trần Văn Hưng", address=HOME),
        {"same_address"},
    ),
    "one syllable off is another name": Pair(
        person("Trần Thị Lan", address=HOME),
        person("Trần Thị Loan", address=HOME),
        {"same_address"},
    ),
    "another middle name": Pair(
        person("Nguyễn Thị Lan", address=HOME),
        person("Nguyễn Ngọc Lan", address=HOME),
        {"same_address"},
    ),
    "another family name": Pair(
        person("Nguyễn Thị Lan", phone=PHONE),
        person("Trần Thị Lan", phone=PHONE),
        {"same_phone_claimed"},
    ),
    "first of January": Pair(
        person("Nguyễn Thị Lan", born="1990-01-01"),
        person("Nguyễn Thị Lan", born="1990-01-01"),
        {"same_birth_date", "same_name"},
    ),
    "same name, other birthday": Pair(
        person("Nguyễn Thị Lan", born="1990-03-05"),
        person("Nguyễn Thị Lan", born="1971-10-22"),
        {"same_name", "different_birth_date"},
    ),
    "same name, a near number, other birthday": Pair(
        person("Nguyễn Thị Lan", born="1990-03-05", phone="+84912345678"),
        person("Nguyễn Thị Lan", born="1971-10-22", phone="+84912345679"),
        {"same_name", "similar_phone", "different_birth_date"},
    ),
    "a shop's mailbox": Pair(
        person("Nguyễn Thị Lan", email="contact@hoamai.vn"),
        person("Nguyễn Thị Lan", email="contact@bavi.vn"),
        {"same_name"},
    ),
    "another house": Pair(
        person("Nguyễn Thị Lan", address=HOME),
        person("Nguyễn Thị Lan", address={**HOME, "street": "120 Lê Lợi"}),
        {"same_name"},
    ),
    "a firm and its owner": Pair(
        person("Công ty TNHH Hoa Mai", kind="organisation", phone=PHONE),
        person("Nguyễn Thị Mai", phone=PHONE),
        {"same_phone_claimed"},
    ),
    "two firms with one accountant's number": Pair(
        person("Công ty TNHH Hoa Mai", kind="organisation", phone=PHONE),
        person("Công ty CP Sữa Ba Vì", kind="organisation", phone=PHONE),
        {"same_phone_claimed"},
    ),
}


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME.keys())
def test_who_is_written_twice_becomes_a_candidate(pair: Pair) -> None:
    found = likeness(pair.one, pair.other)
    assert found.score >= 40, found
    assert pair.reasons <= set(found.reasons)


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_two_people_are_not_taken_for_one(pair: Pair) -> None:
    found = likeness(pair.one, pair.other)
    assert found.score < 40, found
    assert set(found.reasons) == pair.reasons


def test_the_table_is_large_enough_to_say_something() -> None:
    assert len(SAME) + len(DIFFERENT) >= 40


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME.keys())
def test_whoever_may_be_one_has_a_key_in_common(pair: Pair) -> None:
    assert set(block_keys(pair.one)) & set(block_keys(pair.other)) or not pair.one.name.key


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        ("Nguyễn Thị Lan", "nguyen thi lan", "same_name"),
        ("Lan", "Chị Lan", "same_name"),
        ("Chu Văn An", "CHU VAN AN", "same_name"),
        ("Quỳnh", "Quỳhn", "similar_name"),
        ("Linh", "Lin", "doubtful_name"),
        ("Lan", "Loan", "doubtful_name"),
        ("Lan", "Mai", "other_name"),
    ],
)
def test_names_agree_in_degrees(one: str, other: str, code: str) -> None:
    match = compare_names(read_person_name(one), read_person_name(other))
    assert match is not None
    assert match.code == code


@pytest.mark.parametrize("raw", [None, "", "   ", "0912345678", "(…)", "🙂"])
def test_what_is_no_name_is_compared_with_nothing(raw: str | None) -> None:
    assert compare_names(read_person_name(raw), read_person_name("Lan")) is None


def test_streets_and_firms_are_read_without_what_they_have_all() -> None:
    assert read_street("Số nhà 12/3, đường Lê Lợi") == read_street("12/3 le loi")
    assert organisation_key("Công ty TNHH MTV Hoa Mai") == "hoa mai"
    assert organisation_key("TNHH") == "tnhh"


_WORDS = st.sampled_from(
    [
        "Nguyễn",
        "Trần",
        "Thị",
        "Văn",
        "Ngọc",
        "Lan",
        "Lân",
        "Loan",
        "Đức",
        "Duc",
        "nguyen",
        "Ng.",
        "Chị",
        "Anh",
        "Hùng",
        "(VIP)",
    ]
)
_PEOPLE = st.builds(
    lambda name, known: person(name or None, **known),
    st.lists(_WORDS, max_size=5).map(" ".join),
    st.fixed_dictionaries(
        {},
        optional={
            "phone": st.sampled_from([PHONE, "+84912345687", "+84987654321"]),
            "email": st.sampled_from([EMAIL, "lannguyen90@yahoo.com", "hung@example.com"]),
            "born": st.sampled_from([DAY, "1990-05-03", "1990-02-09", "1990-01-01", "1971-10-22"]),
            "gender": st.sampled_from(["female", "male"]),
            "kind": st.sampled_from(["person", "organisation"]),
            "address": st.sampled_from(
                [HOME, {"ward": "26740"}, {"street": "9 Lê Lai", "province": "79"}]
            ),
        },
    ),
)


@given(_PEOPLE, _PEOPLE)
def test_the_order_of_the_two_does_not_matter(one: Person, other: Person) -> None:
    found = likeness(one, other)
    assert found == likeness(other, one)
    assert 1 <= found.score <= 99


@given(_PEOPLE, _PEOPLE, st.integers(1, 99))
def test_what_is_soon_told_apart_is_not_alike(one: Person, other: Person, score: int) -> None:
    found = likeness(one, other)
    assert likely(one, other, min_score=score) == (found if found.score >= score else None)


@given(_PEOPLE)
def test_a_person_is_written_down_and_read_again(one: Person) -> None:
    assert Person.of_plain(one.plain()) == one


@given(st.lists(_PEOPLE, min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_the_pairs_do_not_depend_on_the_order_of_records(people: list[Person], chance) -> None:
    ids = sorted(new_id() for _ in people)
    noted = {i: Noted(one, is_changed=True) for i, one in zip(ids, people, strict=True)}
    by_key: dict[tuple[str, int], list] = {}
    for customer_id, one in noted.items():
        for kind, key in block_keys(one.person):
            by_key.setdefault((kind, key), []).append(customer_id)
    blocks = [Block(key, BLOCK_KINDS.index(kind), i) for (kind, key), i in by_key.items()]
    shuffled = [Block(b.key, b.kind, chance.sample(b.ids, len(b.ids))) for b in blocks]
    chance.shuffle(shuffled)
    found = compare_blocks(blocks, noted, min_score=20, changed_only=False)
    again = compare_blocks(shuffled, noted, min_score=20, changed_only=False)
    assert found.pairs == again.pairs
    assert found.comparisons == again.comparisons
