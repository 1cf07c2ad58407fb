"""Personal data in answers: marked in the schemas, masked for callers without `pii:read`.

A field says what it holds: `email: Annotated[str | None, pii("email")]`. The mark is in the OpenAPI
document as `x-pii`, and the edge masks by it, so no service masks anything itself.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

from pydantic import Field
from pydantic.fields import FieldInfo

PII_READ: Final = "pii:read"
MARK: Final = "x-pii"
_HIDDEN: Final = "***"
_WORD: Final = re.compile(r"\S+")
_PHONE_LIKE: Final = re.compile(r"^\+?[\d\s().-]{6,}$")

PiiKind = Literal[
    "email", "phone", "name", "contact", "address", "date", "words", "document", "sensitive"
]
"""`contact` is an address or a number, whichever it is; `words` may have anything of a person in
them; a `document` is JSON without a schema; of what is `sensitive` nothing is shown."""


def pii(kind: PiiKind) -> FieldInfo:
    """Marks a field of an answer as personal data of a kind."""
    field: FieldInfo = Field(json_schema_extra={MARK: kind})
    return field


def mask(kind: PiiKind, value: Any) -> Any:
    """A value as callers see it who may not see personal data.

    Enough is left to tell two apart while talking about them, not enough to reach anybody.
    """
    if value is None:
        return None
    return _MASKS[kind](value)


def _email(value: Any) -> str:
    local, at, domain = str(value).rpartition("@")
    return f"{local[:1]}{_HIDDEN}@{domain}" if at else _HIDDEN


def _phone(value: Any) -> str:
    return f"{_HIDDEN}{str(value)[-3:]}"


def _name(value: Any) -> str:
    return _WORD.sub(lambda word: f"{word[0][0]}.", str(value))


def _contact(value: Any) -> str:
    text = str(value)
    if "@" in text:
        return _email(text)
    return _phone(text) if _PHONE_LIKE.match(text) else _HIDDEN


def _hidden(_value: Any) -> str:
    return _HIDDEN


def _nothing(_value: Any) -> None:
    """There is no form that hides it and still is one."""


def _document(value: Any) -> Any:
    """Whatever in it has a telling name."""
    if isinstance(value, list):
        return [_document(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {name: _by_name(name, item) for name, item in value.items()}


def kind_by_name(name: str) -> PiiKind | None:
    """The kind of personal data that a field without a schema tells of by its name."""
    return next((kind for ending, kind in _NAMES if name.endswith(ending)), None)


def _by_name(name: str, value: Any) -> Any:
    kind = kind_by_name(name)
    if kind is None:
        return _document(value)
    if isinstance(value, list):
        return [_by_name(name, item) for item in value]
    if isinstance(value, Mapping):
        # A change of the field: both of its values are of its kind.
        return {inner: mask(kind, item) for inner, item in value.items()}
    return mask(kind, value)


_NAMES: Final[tuple[tuple[str, PiiKind], ...]] = (
    ("email", "email"),
    ("phone", "phone"),
    ("address", "contact"),
    ("birth_date", "date"),
    ("street", "address"),
    ("customer_name", "name"),
    ("sender_name", "name"),
    ("first_name", "name"),
    ("last_name", "name"),
    ("given_name", "name"),
    ("recipient_name", "name"),
    ("birth_date_lunar", "sensitive"),
    ("income_band", "sensitive"),
    ("tax_code", "words"),
)

_MASKS: Final[Mapping[PiiKind, Callable[[Any], Any]]] = {
    "email": _email,
    "phone": _phone,
    "name": _name,
    "contact": _contact,
    "address": _hidden,
    "date": _nothing,
    "words": _hidden,
    "document": _document,
    "sensitive": _nothing,
}


_Masking = Callable[[Any], Any]


class MaskPlan:
    """Where in the answers of one JSON schema personal data lie; what has none is passed over."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._definitions: Mapping[str, Any] = schema.get("$defs", {})
        self._compiled: dict[str, _Masking | None] = {}
        self.is_empty = not self._holds(schema, frozenset())
        self._masking = None if self.is_empty else self._compile(schema)

    def apply(self, body: Any) -> Any:
        """The answer with personal data masked; it is not changed itself."""
        return body if self._masking is None else self._masking(body)

    def _holds(self, node: Any, seen: frozenset[str]) -> bool:
        if isinstance(node, list):
            return any(self._holds(item, seen) for item in node)
        if not isinstance(node, Mapping):
            return False
        if MARK in node:
            return True
        name = _reference(node)
        if name is not None:
            return name not in seen and self._holds(self._definitions[name], seen | {name})
        return any(self._holds(item, seen) for key, item in node.items() if key != "$defs")

    def _compile(self, node: Any) -> _Masking | None:
        """How values of a node are masked; None for one without personal data."""
        if not isinstance(node, Mapping):
            return None
        if MARK in node:
            return partial(mask, node[MARK])
        name = _reference(node)
        if name is not None:
            return self._definition(name)
        choices = [
            masking
            for kind in ("anyOf", "oneOf", "allOf")
            for choice in node.get(kind, ())
            if (masking := self._compile(choice)) is not None
        ]
        own = _own_masking(
            {name: self._compile(inner) for name, inner in node.get("properties", {}).items()},
            further=self._compile(node.get("additionalProperties")),
            items=self._compile(node.get("items")),
        )
        steps = [*choices, own] if own is not None else choices
        return steps[0] if len(steps) == 1 else _one_after_the_other(steps)

    def _definition(self, name: str) -> _Masking | None:
        if name in self._compiled:
            return self._compiled[name]
        # Whoever meets the name again inside of it finds the way there once it is known.
        self._compiled[name] = lambda value: self._again(name, value)
        self._compiled[name] = self._compile(self._definitions[name])
        return self._compiled[name]

    def _again(self, name: str, value: Any) -> Any:
        masking = self._compiled[name]
        return value if masking is None else masking(value)


def _own_masking(
    properties: Mapping[str, _Masking | None], *, further: _Masking | None, items: _Masking | None
) -> _Masking | None:
    """Masks what an object's members or a list's items hold."""
    members = [(name, masking) for name, masking in properties.items() if masking is not None]
    if not members and further is None and items is None:
        return None

    def masked(value: Any) -> Any:
        if isinstance(value, list):
            return value if items is None else [items(item) for item in value]
        if not isinstance(value, dict):
            return value
        changed = {name: masking(value[name]) for name, masking in members if name in value}
        if further is not None:
            changed |= {
                name: further(inner) for name, inner in value.items() if name not in properties
            }
        return {**value, **changed}

    return masked


def _one_after_the_other(steps: Sequence[_Masking]) -> _Masking | None:
    if not steps:
        return None

    def masked(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return masked


def _reference(node: Mapping[str, Any]) -> str | None:
    reference: str | None = node.get("$ref")
    return None if reference is None else reference.rpartition("/")[2]
