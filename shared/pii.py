"""Personal data in answers: marked in the schemas, masked for callers without `pii:read`.

A field says what it holds: `email: Annotated[str | None, pii("email")]`. The mark is in the OpenAPI
document as `x-pii`, and the edge masks by it, so no service masks anything itself.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from pydantic import Field
from pydantic.fields import FieldInfo

PII_READ: Final = "pii:read"
MARK: Final = "x-pii"
_HIDDEN: Final = "***"
_WORD: Final = re.compile(r"\S+")
_PHONE_LIKE: Final = re.compile(r"^\+?[\d\s().-]{6,}$")

PiiKind = Literal["email", "phone", "name", "contact", "address", "date", "words", "document"]
"""`contact` is an address or a number, whichever it is; `words` may have anything of a person in
them; a `document` is JSON without a schema."""


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
    """A date has no form that hides it and still is one."""


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
}


class MaskPlan:
    """Where in the answers of one JSON schema personal data lie."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._definitions: Mapping[str, Any] = schema.get("$defs", {})
        self._schema = schema
        self.is_empty = not self._holds(schema, frozenset())

    def apply(self, body: Any) -> Any:
        """The answer with personal data masked."""
        return self._masked(self._schema, body)

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

    def _masked(self, node: Mapping[str, Any], value: Any) -> Any:
        if MARK in node:
            return mask(node[MARK], value)
        name = _reference(node)
        if name is not None:
            return self._masked(self._definitions[name], value)
        for choice in (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())):
            value = self._masked(choice, value)
        if isinstance(value, list):
            items = node.get("items")
            return value if not items else [self._masked(items, item) for item in value]
        if isinstance(value, dict):
            return {key: self._member(node, key, item) for key, item in value.items()}
        return value

    def _member(self, node: Mapping[str, Any], key: str, value: Any) -> Any:
        properties = node.get("properties", {})
        if key in properties:
            return self._masked(properties[key], value)
        further = node.get("additionalProperties")
        return self._masked(further, value) if isinstance(further, dict) else value


def _reference(node: Mapping[str, Any]) -> str | None:
    reference: str | None = node.get("$ref")
    return None if reference is None else reference.rpartition("/")[2]
