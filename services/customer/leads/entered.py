"""What somebody entered into a form, read as what its fields mean. Pure; never raises."""

import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email

from services.customer.customers.identities import normalise_email
from services.customer.lead_forms.record import LeadForm
from shared.moments import YEARS
from shared.phone import normalise_phone
from shared.text import nfc, tidy

MAX_LINE: Final = 255
MAX_NAME: Final = 200
MAX_WORDS: Final = 1000
MAX_MESSAGE: Final = 5000
_MAX_EMAIL: Final = 254
_MAX_NUMBER: Final = 2**53
_YES: Final = frozenset({"yes", "true", "1", "on"})
_GENDERS: Final = frozenset({"female", "male", "other"})


class _Fault(Exception):
    """A field cannot be read; the argument is the fault's code."""


@dataclass(frozen=True, slots=True)
class Entered:
    """Values by field, those left empty not among them; and codes of faults by field."""

    values: dict[str, Any]
    faults: dict[str, str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What it takes to read a phone number and a day."""

    region: str
    today: date


_Read = Callable[[str, Surroundings], Any]


def read_entered(form: LeadForm, raw: Mapping[str, Any], around: Surroundings) -> Entered:
    """Read what was entered, by the names and keys of the form's fields.

    The codes of faults: `required`, `contact`, `unknown_field`, `email`, `phone`, `date`, `number`,
    `choice`, `too_long`.
    """
    values: dict[str, Any] = {}
    faults = dict.fromkeys(raw.keys() - _names(form), "unknown_field")
    for name, required, read in _readers(form):
        text = _plain(raw.get(name))
        try:
            value = read(text, around) if text else None
        except _Fault as fault:
            faults[name] = str(fault)
            continue
        if value is not None:
            values[name] = value
        elif required:
            faults[name] = "required"
    contacts = [field["name"] for field in form.fields if field["name"] in {"email", "phone"}]
    if not any(name in values or name in faults for name in contacts):
        faults[contacts[0]] = "contact"
    return Entered(values, faults)


def _names(form: LeadForm) -> set[str]:
    return {f["name"] for f in form.fields} | {f["key"] for f in form.own_fields}


def _readers(form: LeadForm) -> list[tuple[str, bool, _Read]]:
    known = [(f["name"], f["required"], _KNOWN[f["name"]]) for f in form.fields]
    own = [(f["key"], f["required"], _own_reader(f)) for f in form.own_fields]
    return [*known, *own]


def _own_reader(field: Mapping[str, Any]) -> _Read:
    if field["type"] == "choice":
        return _choice(frozenset(option["value"] for option in field["options"]))
    return _OWN[field["type"]]


def _plain(value: Any) -> str:
    """What was entered as printable text; a yes of JSON as the word."""
    if value is None or value is False:
        return ""
    text = "yes" if value is True else str(value)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    return nfc("".join(kept).strip())


def _line(most: int) -> _Read:
    def read(text: str, _around: Surroundings) -> str | None:
        if len(text) > most:
            raise _Fault("too_long")
        return tidy(text, max_length=most)

    return read


def _words(most: int) -> _Read:
    def read(text: str, _around: Surroundings) -> str:
        if len(text) > most:
            raise _Fault("too_long")
        return text

    return read


def _email(text: str, _around: Surroundings) -> str:
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        raise _Fault("email") from error
    if len(text) > _MAX_EMAIL or normalise_email(text) is None:
        raise _Fault("email")
    return text


def _phone(text: str, around: Surroundings) -> str:
    if len(text) > MAX_LINE or normalise_phone(text, region=around.region).e164 is None:
        raise _Fault("phone")
    return text


def _day(text: str, _around: Surroundings) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise _Fault("date") from error
    if day.year not in YEARS:
        raise _Fault("date")
    return day.isoformat()


def _birth_date(text: str, around: Surroundings) -> str:
    day = _day(text, around)
    if date.fromisoformat(day) > around.today:
        raise _Fault("date")
    return day


def _number(text: str, _around: Surroundings) -> int | float:
    try:
        number = float(text.replace(",", "."))
    except ValueError as error:
        raise _Fault("number") from error
    if not math.isfinite(number) or abs(number) > _MAX_NUMBER:
        raise _Fault("number")
    return int(number) if number.is_integer() else number


def _choice(values: frozenset[str]) -> _Read:
    def read(text: str, _around: Surroundings) -> str:
        if text not in values:
            raise _Fault("choice")
        return text

    return read


def _yes_no(text: str, _around: Surroundings) -> bool | None:
    return True if text.lower() in _YES else None


_KNOWN: Final[Mapping[str, _Read]] = {
    "name": _line(MAX_NAME),
    "email": _email,
    "phone": _phone,
    "birth_date": _birth_date,
    "gender": _choice(_GENDERS),
    "city": _line(MAX_LINE),
    "province": _line(MAX_LINE),
    "message": _words(MAX_MESSAGE),
}
_OWN: Final[Mapping[str, _Read]] = {
    "text": _line(MAX_LINE),
    "long_text": _words(MAX_WORDS),
    "number": _number,
    "date": _day,
    "yes_no": _yes_no,
}
