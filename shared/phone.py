"""Phone numbers as people type them, read into E.164.

`phonenumbers` knows today's numbering plan. What it does not know is what stands in a shop's
files: Vietnamese mobiles of the eleven-digit plan that ended in 2018, numbers whose leading zero a
spreadsheet ate, two numbers in one cell, a remark beside the number. Those are repaired here first.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import phonenumbers

_MAX_LENGTH: Final = 128  # A longer cell is not a phone number, and reading it costs time.

# Eleven-digit mobiles became ten-digit between 15 September 2018 and 30 June 2019; the last seven
# digits stayed (Ministry of Information and Communications, plan of 2018).
_MOBILE_PREFIXES_OF_2018: Final = {
    # MobiFone
    "0120": "070",
    "0121": "079",
    "0122": "077",
    "0126": "076",
    "0128": "078",
    # VinaPhone
    "0123": "083",
    "0124": "084",
    "0125": "085",
    "0127": "081",
    "0129": "082",
    # Viettel
    "0162": "032",
    "0163": "033",
    "0164": "034",
    "0165": "035",
    "0166": "036",
    "0167": "037",
    "0168": "038",
    "0169": "039",
    # Vietnamobile
    "0186": "056",
    "0188": "058",
    # Gmobile
    "0199": "059",
}
# Before this day 081 to 085 were not mobiles but the start of a landline in Hồ Chí Minh City.
_MOBILES_081_TO_085_SINCE: Final = date(2018, 9, 15)

_FULL_WIDTH_SIGNS: Final = {"\uff0b": "+", "\uff0f": "/"}
_HARD_SEPARATOR: Final = re.compile(r"[^\W\d_]+|[;,|&\r\n]")
_SOFT_SEPARATOR: Final = re.compile(r"/|\s[-\u2010-\u2015]\s")
_SPREADSHEET_DECIMAL: Final = re.compile(r"^(\s*\d+)\.0{1,2}\s*$")
_BETWEEN_DIGITS: Final = str.maketrans("", "", " .-()")
_ONLY_DIGITS: Final = re.compile(r"\+?[0-9]+")
_WITH_COUNTRY_CODE: Final = re.compile(r"(?:\+|00)840?(\d{7,10})")
_WITH_BARE_COUNTRY_CODE: Final = re.compile(r"840?(\d{9,10})")
_WITHOUT_TRUNK_ZERO: Final = re.compile(r"[1-9]\d{8}|1\d{9}")


def _pattern_of_mobiles(region: str) -> str:
    """The library's own; nothing matches when it knows none."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return (metadata and metadata.mobile and metadata.mobile.national_number_pattern) or r"(?!)"


# Most numbers are such, and parsing them costs thirty times as much as this.
_VIETNAMESE_MOBILE: Final = re.compile(f"0(?:{_pattern_of_mobiles('VN')})", re.ASCII)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """What one phone field holds.

    `e164` is the first valid number, or None when there is none; `original` is the field exactly as
    it came; `extras` are the other valid numbers of the field, in E.164, in order.
    """

    e164: str | None
    original: str
    extras: tuple[str, ...] = ()


def normalise_phone(
    raw: str, *, region: str = "VN", recorded_on: date | None = None
) -> PhoneNumber:
    """Read a phone field written in `region` (ISO 3166 code). Never raises: junk has no `e164`.

    `recorded_on` is the day the number was written down, where a file tells it. It decides one
    question that the digits cannot: before 15 September 2018 "08 39303279" was a landline, and
    today the same digits are a mobile.
    """
    if len(raw) > _MAX_LENGTH:
        return PhoneNumber(e164=None, original=raw)
    reader = _Reader(region=region, recorded_on=recorded_on)
    if (whole := reader.read_whole(raw)) is not None:
        return PhoneNumber(e164=whole, original=raw)
    text = _plain(raw)
    # A spreadsheet's ".0" is taken off only where the digits mean nothing with it.
    read = list(reader.read(text)) or list(reader.read(_SPREADSHEET_DECIMAL.sub(r"\1", text)))
    found = list(dict.fromkeys(read))
    return PhoneNumber(e164=found[0] if found else None, original=raw, extras=tuple(found[1:]))


def _plain(raw: str) -> str:
    """Digits of any script as 0-9, full-width signs as ASCII."""
    return "".join(_plain_character(char) for char in raw)


def _plain_character(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    return _FULL_WIDTH_SIGNS.get(char, char) if digit is None else str(digit)


@dataclass(frozen=True, slots=True)
class _Reader:
    region: str
    recorded_on: date | None

    def read_whole(self, raw: str) -> str | None:
        """The number where a cell is nothing but one; what `read` finds first, at less cost."""
        digits = raw.translate(_BETWEEN_DIGITS)
        return self._e164(digits) if _ONLY_DIGITS.fullmatch(digits) else None

    def read(self, text: str) -> Iterator[str]:
        for run in _HARD_SEPARATOR.split(text):
            whole = self._numbers_covering(run)
            parts = [whole] if whole else map(self._numbers_covering, _SOFT_SEPARATOR.split(run))
            for numbers in parts:
                yield from numbers

    def _numbers_covering(self, run: str) -> list[str]:
        """The numbers that together use up every digit of `run`; none if any digit is left over.

        Leaving digits over would read a valid number out of the middle of a mistyped one.
        """
        groups: list[str] = re.findall(r"\+?\d+", run)
        numbers: list[str] = []
        while groups:
            number, groups = self._longest_number(groups)
            if number is None:
                return []
            numbers.append(number)
        return numbers

    def _longest_number(self, groups: list[str]) -> tuple[str | None, list[str]]:
        """The longest number that the first groups of digits make, and the groups after it."""
        for length in range(len(groups), 0, -1):
            number = self._e164("".join(groups[:length]))
            if number is not None:
                return number, groups[length:]
        return None, groups

    def _e164(self, number: str) -> str | None:
        national = self._vietnamese_national(number)
        if national is not None:
            national = self._modernised(national)
            if _VIETNAMESE_MOBILE.fullmatch(national):
                return f"+84{national[1:]}"
            return _valid_e164(national, "VN")
        return _valid_e164(number, self.region)

    def _vietnamese_national(self, number: str) -> str | None:
        """The number with its trunk zero if it is Vietnamese by what it shows, else None."""
        if match := _WITH_COUNTRY_CODE.fullmatch(number):
            return "0" + match[1]
        if self.region != "VN" or number.startswith(("+", "00")):
            return None
        if match := _WITH_BARE_COUNTRY_CODE.fullmatch(number):
            return "0" + match[1]
        return "0" + number if _WITHOUT_TRUNK_ZERO.fullmatch(number) else number

    def _modernised(self, national: str) -> str:
        """Today's form of a national number that an older numbering plan gave out."""
        if len(national) == 11 and national[:4] in _MOBILE_PREFIXES_OF_2018:
            return _MOBILE_PREFIXES_OF_2018[national[:4]] + national[4:]
        if len(national) == 10 and self._is_old_city_landline(national):
            return f"02{national[1:]}"
        return national

    def _is_old_city_landline(self, national: str) -> bool:
        # Area codes of 2017: Hà Nội 04 became 024, Hồ Chí Minh City 08 became 028. No number
        # begins with 04 any more; 081 to 085 do, so only an old date makes a landline of them.
        if national.startswith("04"):
            return True
        before = self.recorded_on is not None and self.recorded_on < _MOBILES_081_TO_085_SINCE
        return before and national[:3] in {"081", "082", "083", "084", "085"}


def _valid_e164(number: str, region: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
