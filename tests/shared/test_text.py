import unicodedata
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.text import NormalisedStr, Prose, TextRule, nfc, search_key, tidy

VIETNAMESE_LETTERS = (
    "aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệghiìíỉĩịklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvxyỳýỷỹỵ"
)
vietnamese = st.text(alphabet=VIETNAMESE_LETTERS + VIETNAMESE_LETTERS.upper() + "  \t")


def error_of(annotation: Any, value: object) -> str:
    with pytest.raises(ValidationError) as refusal:
        TypeAdapter(annotation).validate_python(value)
    return refusal.value.errors()[0]["type"]


class TestSearchKey:
    @pytest.mark.parametrize(
        ("text", "key"),
        [
            ("Nguyễn Văn Đức", "nguyen van duc"),
            ("NGUYỄN VĂN ĐỨC", "nguyen van duc"),
            ("ĐẶNG", "dang"),
            ("hoà", "hoa"),
            ("hòa", "hoa"),
            ("  Trần\u00a0 Thị\tHương\n", "tran thi huong"),
            ("Nguyễn\u200b Văn", "nguyen van"),
            ("\uff10\uff19\uff11 \uff21", "091 a"),
            ("", ""),
            ("Straße", "strasse"),
        ],
    )
    def test_forgets_accents_case_and_spacing(self, text: str, key: str) -> None:
        assert search_key(text) == key

    def test_swapped_marks_that_nfc_cannot_repair_are_still_found(self) -> None:
        swapped = "Nguye\u0303\u0302n"
        assert nfc(swapped) != nfc("Nguyễn")
        assert search_key(swapped) == search_key("Nguyễn")

    def test_keeps_letters_that_are_not_accents(self) -> None:
        assert search_key("กิน") != search_key("กน")
        assert search_key("한국") == "한국"

    @given(vietnamese)
    def test_composed_and_decomposed_text_have_one_key(self, text: str) -> None:
        decomposed = unicodedata.normalize("NFD", text)
        assert search_key(decomposed) == search_key(nfc(text))

    @given(vietnamese)
    def test_every_vietnamese_text_has_a_plain_ascii_key(self, text: str) -> None:
        base = {letter: letter_of_key(letter) for letter in VIETNAMESE_LETTERS}
        oracle = "".join(base.get(char.lower(), " ") for char in text)
        assert search_key(text) == " ".join(oracle.split())

    def test_every_letter_of_the_alphabets_has_one_key(self) -> None:
        for char in map(chr, range(0x3000)):
            key = search_key(f"a{char}b")
            assert search_key(key) == key
            assert search_key(unicodedata.normalize("NFD", f"a{char}b")) == key

    @given(st.text())
    def test_the_key_of_a_key_is_itself(self, text: str) -> None:
        assert search_key(search_key(text)) == search_key(text)

    @given(st.text())
    def test_no_normal_form_changes_the_key(self, text: str) -> None:
        keys = {
            search_key(unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKC", "NFKD")
        }
        assert keys == {search_key(text)}


def letter_of_key(letter: str) -> str:
    """The base letter, read off Unicode's own name: LATIN SMALL LETTER E WITH CIRCUMFLEX..."""
    return unicodedata.name(letter).removeprefix("LATIN SMALL LETTER ")[0].lower()


class TestTextRule:
    def test_stores_decomposed_input_composed_and_trimmed(self) -> None:
        value = TypeAdapter(NormalisedStr).validate_python(
            unicodedata.normalize("NFD", "  Nguyễn ")
        )
        assert value == "Nguyễn"

    def test_counts_length_after_composing(self) -> None:
        six = TypeAdapter(Annotated[str, TextRule(6)])
        assert six.validate_python(unicodedata.normalize("NFD", "Nguyễn")) == "Nguyễn"

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            ("a\x00b", "text_control_character"),
            ("a\x07b", "text_control_character"),
            ("a\u2028b", "text_control_character"),
            ("a\nb", "text_control_character"),
            ("a\ud800b", "text_not_unicode"),
            ("   ", "string_too_short"),
            ("\u200b", "string_too_short"),
            (" \u202e\u2060\u00ad ", "string_too_short"),
            ("\u3164\u2800\ufe0f", "string_too_short"),
            ("x" * 256, "string_too_long"),
            (7, "string_type"),
        ],
    )
    def test_refuses_what_cannot_be_stored_or_shown(self, value: object, code: str) -> None:
        assert error_of(NormalisedStr, value) == code

    def test_one_line_loses_what_turns_the_direction_of_text(self) -> None:
        sent = "\u2067Lan\u202e gpj\u202c\u2069 \u200fשלום"
        assert TypeAdapter(NormalisedStr).validate_python(sent) == "Lan gpj \u200fשלום"
        assert TypeAdapter(Prose).validate_python(sent) == sent
        assert error_of(Prose, "\u202e\u200b") == "string_too_short"

    def test_what_joins_what_is_seen_stays(self) -> None:
        family = "👨\u200d👩\u200d👧 \u0e01\u0e34\u200b\u0e19"
        assert TypeAdapter(NormalisedStr).validate_python(family) == family

    def test_prose_keeps_its_lines_with_one_kind_of_line_end(self) -> None:
        prose = TypeAdapter(Prose).validate_python("một\r\nhai\rba\n\tbốn\n")
        assert prose == "một\nhai\nba\n\tbốn"
        assert error_of(Prose, "một\x00hai") == "text_control_character"

    def test_the_bounds_are_in_the_json_schema(self) -> None:
        class Note(BaseModel):
            title: Annotated[str, TextRule(80)]

        title = Note.model_json_schema()["properties"]["title"]
        assert (title["minLength"], title["maxLength"]) == (1, 80)

    @given(st.text(alphabet=st.characters(codec=None)))
    def test_what_passes_is_storable_and_passes_again_unchanged(self, text: str) -> None:
        rule = TypeAdapter(NormalisedStr)
        try:
            value = rule.validate_python(text)
        except ValidationError:
            return
        assert "\x00" not in value
        assert value.encode("utf-8").decode("utf-8") == nfc(value) == value
        assert len(value.splitlines()) == 1
        assert rule.validate_python(value) == value


class TestTidy:
    def test_makes_one_clean_line_of_what_a_platform_sent(self) -> None:
        sent = " Nguye\u0302\u0303n\x00\r\n Văn\u2028\ud800Đức "
        assert tidy(sent, max_length=200) == "Nguyễn Văn Đức"

    def test_what_turns_or_hides_text_is_not_kept(self) -> None:
        assert tidy("\u202eLan\u2066 Anh", max_length=200) == "Lan Anh"
        for unseen in ("\u200b", "\u202e", "\u3164 \u2800", "\u200b" * 300):
            assert tidy(unseen, max_length=200) is None

    def test_nothing_left_is_unknown(self) -> None:
        assert tidy(None, max_length=5) is None
        assert tidy(" \x00 ", max_length=5) is None

    @given(st.text(alphabet=st.characters(codec=None)), st.integers(1, 40))
    def test_always_gives_what_a_text_rule_accepts(self, text: str, max_length: int) -> None:
        tidied = tidy(text, max_length=max_length)
        if tidied is not None:
            rule = TypeAdapter(Annotated[str, TextRule(max_length)])
            assert rule.validate_python(tidied) == tidied
