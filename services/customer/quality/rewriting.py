"""How numbers and addresses were rewritten when they came in: told from both ends. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

Rewriting = Literal[
    "phone_as_given",
    "phone_tidied",
    "phone_country_code_added",
    "phone_leading_zero_added",
    "phone_eleven_digits_converted",
    "phone_area_code_converted",
    "phone_first_of_several",
    "email_as_given",
    "email_tidied",
    "address_resolved_to_ward",
    "address_converted_to_ward_of_now",
    "address_likeliest_ward",
    "address_province_only",
    "address_not_resolved",
    "address_abroad",
]
REWRITINGS: Final[tuple[Rewriting, ...]] = get_args(Rewriting)
_ELEVEN: Final = re.compile(r"(?:0|84|0084|840)?1[2689]\d{8}")
_LONGEST: Final = 15
_NOT_DIGITS: Final = re.compile(r"\D+")


def phone_rewriting(original: str, value: str) -> Rewriting:
    """What became of a number: `original` as it came, `value` in E.164."""
    digits, kept = _NOT_DIGITS.sub("", original), value.removeprefix("+")
    if original == value:
        return "phone_as_given"
    if kept.startswith("84"):
        return _vietnamese(digits, kept.removeprefix("84"))
    return "phone_country_code_added" if len(digits) < len(kept) else "phone_tidied"


def _vietnamese(digits: str, national: str) -> Rewriting:
    """What became of the digits that somebody wrote, by the number without its country code."""
    plain: Mapping[str, Rewriting] = {
        f"84{national}": "phone_tidied",
        f"0084{national}": "phone_tidied",
        f"0{national}": "phone_country_code_added",
        national: "phone_leading_zero_added",
    }
    if digits in plain:
        return plain[digits]
    if _ELEVEN.fullmatch(digits) and digits.endswith(national[-7:]):
        return "phone_eleven_digits_converted"
    if national.startswith("2") and digits.endswith(national[2:]):
        return "phone_area_code_converted"
    return "phone_first_of_several" if len(digits) > _LONGEST else "phone_tidied"


def email_rewriting(original: str, value: str) -> Rewriting:
    """What became of an e-mail address."""
    return "email_as_given" if original == value else "email_tidied"


def address_rewriting(address: Mapping[str, Any]) -> Rewriting:
    """How far an address was understood; one with a district is of before July 2025."""
    if address["country"] not in {None, "VN"}:
        return "address_abroad"
    if address["vn34_ward_code"] is None:
        known = address["vn34_province_code"] is not None
        return "address_province_only" if known else "address_not_resolved"
    if not address["vn34_ward_is_certain"]:
        return "address_likeliest_ward"
    if address["vn63_ward_code"] is not None:
        return "address_converted_to_ward_of_now"
    return "address_resolved_to_ward"
