from datetime import date

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.phone import PhoneNumber, normalise_phone

# The plan of 2018 as published: operator, eleven-digit prefix, ten-digit prefix.
PLAN_OF_2018 = """
MobiFone 0120 070, MobiFone 0121 079, MobiFone 0122 077, MobiFone 0126 076, MobiFone 0128 078,
VinaPhone 0123 083, VinaPhone 0124 084, VinaPhone 0125 085, VinaPhone 0127 081, VinaPhone 0129 082,
Viettel 0162 032, Viettel 0163 033, Viettel 0164 034, Viettel 0165 035, Viettel 0166 036,
Viettel 0167 037, Viettel 0168 038, Viettel 0169 039,
Vietnamobile 0186 056, Vietnamobile 0188 058, Gmobile 0199 059
"""
PREFIXES = [tuple(row.split()[1:]) for row in PLAN_OF_2018.split(",")]


def e164(raw: str) -> str | None:
    return normalise_phone(raw).e164


class TestOldMobiles:
    def test_the_plan_has_21_rows(self) -> None:
        assert len(PREFIXES) == 21

    @pytest.mark.parametrize(("old", "new"), PREFIXES)
    def test_each_old_prefix_becomes_its_new_one(self, old: str, new: str) -> None:
        assert e164(f"{old}5678945") == f"+84{new[1:]}5678945"

    @pytest.mark.parametrize(
        "raw",
        [
            "01695678945",
            "1695678945",
            "841695678945",
            "+841695678945",
            "0084 169 567 8945",
            "0169.567.8945",
            "0169-5678-945",
            "(0169) 567 8945",
            "+84 (0) 169 567 8945",
            "84 0169 567 8945",
            "\uff10\uff11\uff16\uff19 567 8945",
        ],
    )
    def test_every_spelling_of_an_old_mobile(self, raw: str) -> None:
        assert normalise_phone(raw) == PhoneNumber(e164="+84395678945", original=raw)


class TestSpellings:
    @pytest.mark.parametrize(
        "raw",
        [
            "0912345678",
            "912345678",
            "912345678.0",
            "84912345678",
            "+84912345678",
            "+840912345678",
            "840912345678",
            "0084912345678",
            "00840912345678",
            "+84 (0)912 345 678",
            "0912 345 678 (Zalo)",
            "Zalo: 0912.345.678",
            "0912345678 gọi sau 5h",
            "tel:+84-912-345-678;ext=12",
            "\uff10\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
            "\uff0b\uff18\uff14 912 345 678",
            "\u202a0912\u00a0345\u2011678\u202c",
            "\u0660\u0669\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
            "+84.912.345.678 (chị Hoa)",
        ],
    )
    def test_one_mobile_in_any_dress(self, raw: str) -> None:
        assert normalise_phone(raw) == PhoneNumber(e164="+84912345678", original=raw)

    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            ("028 3930 3279", "+842839303279"),
            ("2839303279", "+842839303279"),
            ("(024) 3825 5599", "+842438255599"),
            ("18001234", "+8418001234"),
            ("1900 1234 56", "+841900123456"),
            ("841234567", "+84841234567"),
            ("+44 (0)20 7946 0958", "+442079460958"),
            ("\uff0b1 613 612 0707", "+16136120707"),
            ("+1 613 612 0707", "+16136120707"),
            ("001 613 612 0707", "+16136120707"),
            ("+65 6123 4567", "+6561234567"),
        ],
    )
    def test_numbers_that_are_not_vietnamese_mobiles(self, raw: str, expected: str) -> None:
        assert e164(raw) == expected

    def test_numbers_are_read_as_written_in_the_given_region(self) -> None:
        assert normalise_phone("(613) 612-0707", region="CA").e164 == "+16136120707"
        assert normalise_phone("030/123456", region="DE").e164 == "+4930123456"
        assert normalise_phone("+841695678945", region="US").e164 == "+84395678945"
        assert normalise_phone("1695678945", region="US").e164 is None


class TestSeveralNumbersInACell:
    @pytest.mark.parametrize(
        "raw",
        [
            "0912345678, 0987654321",
            "0912345678; 0987654321",
            "0912345678/0987654321",
            "0912 345 678 | 0987 654 321",
            "0912345678 - 0987654321",
            "0912345678-0987654321",
            "0912345678 \u2013 0987654321",
            "0912345678 0987654321",
            "0912345678\n0987654321",
            "0912345678 hoặc 0987654321 (Zalo)",
            "+84912345678+84987654321",
            "nhà / 0912345678 / 0987654321 / 0912 345 678",
        ],
    )
    def test_the_first_is_the_number_and_the_others_are_kept(self, raw: str) -> None:
        expected = PhoneNumber(e164="+84912345678", original=raw, extras=("+84987654321",))
        assert normalise_phone(raw) == expected

    def test_shorthand_for_a_second_line_keeps_the_first(self) -> None:
        for raw in ("0903123456/57", "0903123456\uff0f57"):
            assert normalise_phone(raw) == PhoneNumber(e164="+84903123456", original=raw)

    def test_an_invalid_number_does_not_hide_a_valid_one(self) -> None:
        assert normalise_phone("0123 / 0912345678").e164 == "+84912345678"


class TestOldCityLandlines:
    def test_ten_digits_after_08_are_a_mobile_today(self) -> None:
        assert e164("08 39303279") == "+84839303279"

    def test_they_were_a_landline_when_written_before_the_new_mobiles(self) -> None:
        written = normalise_phone("08 39303279", recorded_on=date(2018, 9, 14))
        assert written.e164 == "+842839303279"
        written = normalise_phone("08 39303279", recorded_on=date(2018, 9, 15))
        assert written.e164 == "+84839303279"

    def test_086_088_and_089_were_mobiles_before_that_too(self) -> None:
        for prefix in ("086", "088", "089"):
            raw = f"{prefix}8123456"
            assert normalise_phone(raw, recorded_on=date(2017, 1, 1)).e164 == f"+84{raw[1:]}"

    def test_04_was_ha_noi_and_is_nothing_else(self) -> None:
        assert e164("04 38255599") == "+842438255599"

    def test_a_spreadsheet_may_have_eaten_their_zero(self) -> None:
        assert e164("438255599") == "+842438255599"
        written = normalise_phone("839303279", recorded_on=date(2017, 1, 1))
        assert written.e164 == "+842839303279"


class TestJunk:
    @pytest.mark.parametrize(
        "raw",
        [
            "",
            " ",
            "không có",
            "0",
            "123",
            "0000000000",
            "0912 345 678 9",
            "555-625-1199",
            "555-555-SHIP",
            "******64",
            "+",
            "++84",
            "0912+345678",
            "2018-09-15",
            "a@b.vn",
            "\ud800",
            "\x00",
            "0" * 5_000,
            "0912345678 " * 100,
        ],
    )
    def test_has_no_number_and_keeps_the_original(self, raw: str) -> None:
        assert normalise_phone(raw) == PhoneNumber(e164=None, original=raw)

    @given(st.text(alphabet=st.characters(codec=None)))
    def test_never_raises(self, raw: str) -> None:
        assert normalise_phone(raw).original == raw

    @given(st.text(alphabet="0123456789+()-./ ,;", max_size=60))
    def test_every_number_found_is_valid_and_reads_back_as_itself(self, raw: str) -> None:
        phone = normalise_phone(raw)
        found = [number for number in (phone.e164, *phone.extras) if number is not None]
        assert len(set(found)) == len(found)
        for number in found:
            assert phonenumbers.is_valid_number(phonenumbers.parse(number))
            assert normalise_phone(number, region="US") == PhoneNumber(number, original=number)


national_mobiles = st.builds(
    "{}{:07d}".format,
    st.sampled_from(["032", "039", "056", "070", "079", "083", "084", "085", "090", "098"]),
    st.integers(0, 9_999_999),
)


@st.composite
def written(draw: st.DrawFn, national: str) -> str:
    """`national` (with its zero) in one of the ways people write it."""
    old = {new: old for old, new in PREFIXES}
    if national[:3] in old and draw(st.booleans()):
        national = old[national[:3]] + national[3:]
    start = draw(st.sampled_from(["0", "", "84", "+84", "0084", "+840", "+84 (0)", "(+84) "]))
    digits = start + national[1:]
    for _ in range(draw(st.integers(0, 3))):
        cut = draw(st.integers(len(start) + 1, len(digits) - 1))
        digits = digits[:cut] + draw(st.sampled_from(" .-\u00a0")) + digits[cut:]
    return digits + draw(st.sampled_from(["", " ", " (Zalo)", " chị Hoa", "\t"]))


@given(st.data(), national_mobiles)
def test_a_mobile_is_read_back_from_any_way_of_writing_it(data: st.DataObject, mobile: str) -> None:
    raw = data.draw(written(mobile))
    assert normalise_phone(raw) == PhoneNumber(e164=f"+84{mobile[1:]}", original=raw)


@given(st.data(), st.lists(national_mobiles, min_size=2, max_size=4, unique=True))
def test_several_mobiles_are_read_in_order(data: st.DataObject, mobiles: list[str]) -> None:
    separator = st.sampled_from([", ", "; ", "/", " / ", " - ", "\n", " hoặc "])
    raw = data.draw(written(mobiles[0]))
    for mobile in mobiles[1:]:
        raw += data.draw(separator) + data.draw(written(mobile))
    phone = normalise_phone(raw)
    assert [phone.e164, *phone.extras] == [f"+84{mobile[1:]}" for mobile in mobiles]


@given(
    st.sampled_from(["VN", "DE", "US"]),
    st.sampled_from(["", "0", "84", "+84", "0084", "+49", "("]),
    st.text("0123456789 .-()", min_size=5, max_size=16),
)
def test_a_cell_that_is_one_number_is_read_as_among_others(
    region: str, start: str, rest: str
) -> None:
    """The short way for most numbers finds what the long one does."""
    raw = f"{start}{rest}"
    among_others = normalise_phone(f"{raw};", region=region)
    if among_others.e164 is not None:
        found = normalise_phone(raw, region=region)
        assert (found.e164, found.extras) == (among_others.e164, among_others.extras)
