"""Cells of columns that go to the shop's own fields, read by the field's type. Pure functions."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from services.customer.fields.record import CustomField, FieldType
from services.customer.fields.values import LONGEST_TEXT, ValueFault, read_value
from services.customer.imports.cells import (
    CellProblem,
    DateOrder,
    read_answer,
    read_day,
    split_tags,
)
from shared.money import currency_exponent
from shared.text import search_key

_CURRENCY_SIGNS: Final[Mapping[str, tuple[str, ...]]] = {
    "VND": ("vnđ", "₫", "đ"),
    "USD": ("$",),
    "EUR": ("€",),
}
_SPACES: Final = re.compile(r"[\s\u00a0']+")
_NUMBER: Final = re.compile(r"-?\d+(?:[.,]\d+)*")
_GROUPS_OF_THREE: Final = re.compile(r"-?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")


def read_attribute(cell: str, field: CustomField | None, *, order: DateOrder) -> Any:
    """A cell as the attributes of a customer keep it. Raises CellProblem.

    Without a field it is a text.
    """
    if field is None:
        if len(cell) > LONGEST_TEXT:
            raise CellProblem("too_long")
        return cell
    if field.archived_at is not None:
        raise CellProblem("archived")
    raw = _RAW[field.type](cell, field, order)
    try:
        return read_value(field, raw).kept
    except ValueFault as fault:
        raise CellProblem(fault.code) from fault


def _as_it_is(cell: str, _field: CustomField, _order: DateOrder) -> str:
    return cell


def _number(cell: str, _field: CustomField, _order: DateOrder) -> int | float:
    text = _plain_number(_SPACES.sub("", cell), has_fractions=True)
    return float(text) if "." in text else int(text)


def _money(cell: str, field: CustomField, _order: DateOrder) -> str:
    currency = field.currency or ""
    text = _SPACES.sub("", cell).casefold()
    for sign in (currency.casefold(), *_CURRENCY_SIGNS.get(currency, ())):
        text = text.removeprefix(sign).removesuffix(sign)
    return _plain_number(text, has_fractions=currency_exponent(currency) > 0)


def _plain_number(text: str, *, has_fractions: bool) -> str:
    """A number with a point, or none, whatever signs it was written with. Raises CellProblem.

    1.234 is a thousand to some and a fraction to others: where it can be either, it is not guessed.
    """
    if not _NUMBER.fullmatch(text):
        raise CellProblem("number")
    signs = [char for char in text if char in ".,"]
    grouped = _GROUPS_OF_THREE.fullmatch(text)
    if grouped and (len(signs) > 1 or not has_fractions):
        return text.replace(grouped[1], "")
    if grouped and not text.removeprefix("-").startswith("0"):
        raise CellProblem("number_not_clear")
    if len(signs) < 2:
        return text.replace(",", ".")
    whole, _, fraction = text.rpartition(signs[-1])
    if signs[-1] == signs[0] or not _GROUPS_OF_THREE.fullmatch(whole):
        raise CellProblem("number")
    whole = whole.replace(signs[0], "")
    return whole if not has_fractions and not fraction.strip("0") else f"{whole}.{fraction}"


def _date(cell: str, _field: CustomField, order: DateOrder) -> str:
    return read_day(cell, order=order).isoformat()


def _boolean(cell: str, _field: CustomField, _order: DateOrder) -> bool:
    return read_answer(cell)


def _option(cell: str, field: CustomField, _order: DateOrder) -> str:
    return _option_of(cell.strip(), field)


def _chosen(cell: str, field: CustomField, _order: DateOrder) -> list[str]:
    return [_option_of(one, field) for one in split_tags(cell)]


def _option_of(word: str, field: CustomField) -> str:
    """The option that somebody means by its value or a label, spelt as it is before any other way.

    A word that several options could be meant by is none of them.
    """
    for spelt in (str, str.casefold, search_key):
        for words_of in (_values, _labels):
            meant = [o["value"] for o in field.options if spelt(word) in map(spelt, words_of(o))]
            if meant:
                return meant[0] if len(meant) == 1 else word
    return word


def _values(option: Mapping[str, Any]) -> tuple[str, ...]:
    return (option["value"],)


def _labels(option: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(filter(None, option["label"].values()))


_RAW: Final[Mapping[FieldType, Callable[[str, CustomField, DateOrder], Any]]] = {
    "text": _as_it_is,
    "url": _as_it_is,
    "number": _number,
    "money": _money,
    "date": _date,
    "boolean": _boolean,
    "enum": _option,
    "multi_enum": _chosen,
}
