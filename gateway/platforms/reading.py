"""Reading what platforms send: leniently, because a delivery must not be lost over a detail.

Numbers are exact (integers of any size, decimals), blanks are None, text is one line of NFC.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

from shared.moments import YEARS
from shared.money import Money, MoneyError
from shared.text import tidy

Payload = Mapping[str, Any]

MAX_ID: Final = 200
MAX_NAME: Final = 200
MAX_TEXT: Final = 255
MAX_NOTE: Final = 2000
MAX_TAGS: Final = 50
MAX_QUANTITY: Final = 10**9
MAX_LINES: Final = 1000
MAX_PARTS: Final = 200
MOST_MINOR: Final = 10**15
"""Of one amount: some thousands of them still add up to what a column holds."""


class PayloadNotUnderstood(ValueError):
    """The delivery lacks what it cannot do without; the reason names it."""


def decode(body: bytes) -> Payload:
    """The JSON object of a delivery. Raises PayloadNotUnderstood when it is none."""
    try:
        payload = json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise PayloadNotUnderstood("the body is not JSON") from error
    if not isinstance(payload, dict):
        raise PayloadNotUnderstood("the body is not a JSON object")
    return payload


def as_object(value: object) -> Payload:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_objects(value: object) -> list[Payload]:
    """The objects of a list; none for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_text(value: object, *, max_length: int = MAX_TEXT) -> str | None:
    """One tidy line, or None when there is nothing to read."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return tidy(str(value), max_length=max_length)
    return tidy(value, max_length=max_length) if isinstance(value, str) else None


def as_id(value: object) -> str | None:
    """A platform's id as text; None when it is missing, empty or zero."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    text = as_text(value, max_length=MAX_ID)
    return None if text in (None, "0") else text


def required_id(payload: Payload, name: str = "id") -> str:
    """Raises PayloadNotUnderstood without one."""
    found = as_id(payload.get(name))
    if found is None:
        raise PayloadNotUnderstood(f"no {name}")
    return found


def as_instant(value: object) -> datetime | None:
    """A moment with its offset, as UTC; one without an offset is UTC already.

    None for one long ago or far away: some say so (0001-01-01) where there was none.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        known = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return known if known.year in YEARS else None


def as_quantity(value: object) -> int:
    """A whole number of pieces; 0 when it is none."""
    text = as_text(value)
    try:
        quantity = int(Decimal(text)) if text else 0
    except (ArithmeticError, ValueError):
        return 0
    return max(-MAX_QUANTITY, min(quantity, MAX_QUANTITY))


def as_minor(value: object, currency: str) -> int | None:
    """An amount in minor units; None when it is missing or no number.

    Raises PayloadNotUnderstood when nobody could mean it.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        minor = Money.from_platform(value, currency).amount_minor
    except MoneyError:
        return None
    return within_range(minor)


def within_range(amount_minor: int) -> int:
    """An amount. Raises PayloadNotUnderstood when nobody could mean it."""
    if abs(amount_minor) > MOST_MINOR:
        raise PayloadNotUnderstood("an amount is out of range")
    return amount_minor


def required_minor(payload: Payload, name: str, currency: str) -> int:
    """Raises PayloadNotUnderstood without one."""
    found = as_minor(payload.get(name), currency)
    if found is None:
        raise PayloadNotUnderstood(f"no {name}")
    return found


def required_currency(payload: Payload) -> str:
    """An ISO 4217 code in capitals. Raises PayloadNotUnderstood without one."""
    code = (as_text(payload.get("currency")) or "").upper()
    try:
        Money.zero(code)
    except MoneyError as error:
        raise PayloadNotUnderstood("no currency") from error
    return code


def as_day(value: object) -> date | None:
    """A day, also out of a moment; None for anything else."""
    text = as_text(value)
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None


def as_words(value: object) -> str | None:
    """A note, bounded; line breaks become spaces."""
    return as_text(value, max_length=MAX_NOTE)


def as_tags(value: object) -> tuple[str, ...]:
    """Tags come as one string with commas between them."""
    tags = (
        (as_text(tag, max_length=64) for tag in value.split(",")) if isinstance(value, str) else ()
    )
    return tuple(dict.fromkeys(tag for tag in tags if tag))[:MAX_TAGS]


def full_name(person: Payload) -> str | None:
    """First and last name in the platform's order."""
    names = [as_text(person.get(part), max_length=MAX_NAME) for part in ("first_name", "last_name")]
    return tidy(" ".join(name for name in names if name), max_length=MAX_NAME)


def first_text(*values: object, max_length: int = MAX_TEXT) -> str | None:
    """The first that can be read."""
    return next((text for value in values if (text := as_text(value, max_length=max_length))), None)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
