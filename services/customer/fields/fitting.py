"""Whether the parts of a definition fit together. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.errors import FieldError

_WITH_OPTIONS: Final = frozenset({"enum", "multi_enum"})
_CAN_BE_UNIQUE: Final = frozenset({"text", "url"})


def faults_of(definition: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with a definition, by the place in the body that said it."""
    return [*_options(definition), *_currency(definition), *_unique(definition)]


def _options(definition: Mapping[str, Any]) -> Iterator[FieldError]:
    options = definition["options"]
    if (definition["type"] in _WITH_OPTIONS) != bool(options):
        detail = "enum and multi_enum have options, others none"
        yield FieldError("/body/options", "options", detail)
    counted = Counter(option["value"] for option in options)
    for value, count in counted.items():
        if count > 1:
            yield FieldError("/body/options", "repeated", f"Each value once: {value}")


def _currency(definition: Mapping[str, Any]) -> Iterator[FieldError]:
    if definition["currency"] is not None and definition["type"] != "money":
        yield FieldError("/body/currency", "not_money", "Only money has a currency")


def _unique(definition: Mapping[str, Any]) -> Iterator[FieldError]:
    if definition["is_unique"] and definition["type"] not in _CAN_BE_UNIQUE:
        yield FieldError("/body/unique", "unique", "Only texts and web addresses can be unique")
