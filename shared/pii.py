"""Personal data in answers: marked in the schemas, masked for callers without `pii:read`.

A field says what it holds: `email: Annotated[str | None, pii("email")]`. The mark is in the OpenAPI
document as `x-pii`, and the edge masks by it, so no service masks anything itself. Of the fields
that a shop has defined itself no schema knows: the edge is told the shop's own marks with each
answer (`shared/web/field_marks.py`).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    "email",
    "phone",
    "name",
    "contact",
    "address",
    "date",
    "words",
    "document",
    "attributes",
    "sensitive",
]
"""`contact` is an address or a number, whichever it is; `words` may have anything of a person in
them; a `document` is JSON without a schema; `attributes` are the shop's own fields by their keys;
of what is `sensitive` nothing is shown."""

FieldMark = Literal["personal", "sensitive"]
FieldMarks = Mapping[str, FieldMark]
"""Which of its own fields a shop has marked, by their keys."""

NO_MARKS: Final[FieldMarks] = {}
ATTRIBUTES: Final = "attributes"
_ATTRIBUTE: Final = "attributes."
_CHANGE: Final = frozenset({"old", "new"})


def pii(kind: PiiKind) -> FieldInfo:
    """Marks a field of an answer as personal data of a kind."""
    field: FieldInfo = Field(json_schema_extra={MARK: kind})
    return field


def mask(kind: PiiKind, value: Any, marks: FieldMarks | None = None) -> Any:
    """A value as callers see it who may not see personal data.

    Enough is left to tell two apart while talking about them, not enough to reach anybody. Where
    the shop's `marks` are not known, nothing of its own fields is shown.
    """
    if value is None:
        return None
    if kind == "document":
        return _document(value, marks)
    if kind == "attributes":
        return _attributes(value, marks)
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


def _document(value: Any, marks: FieldMarks | None) -> Any:
    """Whatever in it has a telling name, or one that the shop has marked."""
    if isinstance(value, list):
        return [_document(item, marks) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {name: _by_name(name, item, marks) for name, item in value.items()}


def kind_by_name(name: str) -> PiiKind | None:
    """The kind of personal data that a field without a schema tells of by its name."""
    return next((kind for ending, kind in _NAMES if name.endswith(ending)), None)


def _by_name(name: str, value: Any, marks: FieldMarks | None) -> Any:
    if name == ATTRIBUTES:
        return _own_fields(value, marks)
    if name.startswith(_ATTRIBUTE):
        kind = _kind_of_own(name.removeprefix(_ATTRIBUTE), marks)
    else:
        kind = kind_by_name(name)
    if kind is None:
        return _document(value, marks)
    if isinstance(value, list):
        return [_by_name(name, item, marks) for item in value]
    if isinstance(value, Mapping):
        # A change of the field: both of its values are of its kind.
        return {inner: mask(kind, item) for inner, item in value.items()}
    return mask(kind, value)


def _own_fields(value: Any, marks: FieldMarks | None) -> Any:
    """Fields of the shop's own, or a change of them: what they were and what they are."""
    is_change = isinstance(value, Mapping) and value.keys() == _CHANGE
    if is_change and all(item is None or isinstance(item, Mapping) for item in value.values()):
        return {name: mask("attributes", item, marks) for name, item in value.items()}
    return mask("attributes", value, marks)


def _attributes(value: Any, marks: FieldMarks | None) -> Any:
    """What is sensitive is left out: that there is something would be told by a null."""
    if marks is None or not isinstance(value, Mapping):
        return {}
    return {
        name: _own_field(name, item, marks)
        for name, item in value.items()
        if marks.get(name) != "sensitive"
    }


def _own_field(name: str, value: Any, marks: FieldMarks) -> Any:
    kind = _kind_of_own(name, marks)
    if kind is None:
        return _document(value, marks)
    if isinstance(value, list) and kind != "words":
        return [mask(kind, item) for item in value]
    return mask(kind, value)


def _kind_of_own(key: str, marks: FieldMarks | None) -> PiiKind | None:
    """How a field of the shop's own is masked; None for one that is shown."""
    mark = "sensitive" if marks is None else marks.get(key)
    if mark == "sensitive":
        return "sensitive"
    return kind_by_name(key) or ("words" if mark == "personal" else None)


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
    "sensitive": _nothing,
}


_Masking = Callable[[Any, FieldMarks | None], Any]


class MaskPlan:
    """Where in the answers of one JSON schema personal data lie; what has none is passed over."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._definitions: Mapping[str, Any] = schema.get("$defs", {})
        self._compiled: dict[str, _Masking | None] = {}
        marked = set(self._marked(schema, (), set()))
        self.is_empty = not marked
        self._masking = None if self.is_empty else self._compile(schema)
        # Of a page its rows are looked at, each by itself.
        places = {(path[1:] if path[:1] == ("data",) else path, kind) for path, kind in marked}
        self._sensitive = sorted(path for path, kind in places if path and kind == "sensitive")
        self._own = sorted(path for path, kind in places if path and kind == "attributes")
        self.asks_for_marks = any(kind in {"attributes", "document"} for _, kind in marked)
        """Whether fields of the shop's own may be in it."""

    def apply(self, body: Any, marks: FieldMarks | None = None) -> Any:
        """The answer with personal data masked; it is not changed itself."""
        return body if self._masking is None else self._masking(body, marks)

    def sensitive_in(self, rows: Sequence[Mapping[str, Any]], marks: FieldMarks) -> set[str]:
        """The names of the sensitive fields in which one of these objects has something."""
        found = {
            path[-1] for path in self._sensitive if any(_at(row, path) is not None for row in rows)
        }
        own = [key for key, mark in marks.items() if mark == "sensitive"]
        for path in self._own if own else ():
            shown = [fields for row in rows if isinstance(fields := _at(row, path), dict)]
            found |= {f"{_ATTRIBUTE}{key}" for key in own if any(key in each for each in shown)}
        return found

    def _marked(
        self, node: Any, path: tuple[str, ...], seen: set[str]
    ) -> Iterator[tuple[tuple[str, ...], PiiKind]]:
        """Every mark in a schema, with the names of the fields that lead to it."""
        if isinstance(node, list):
            for item in node:
                yield from self._marked(item, path, seen)
        if not isinstance(node, Mapping):
            return
        if MARK in node:
            yield path, node[MARK]
            return
        referred = _reference(node)
        if referred is not None and referred not in seen:
            seen.add(referred)
            yield from self._marked(self._definitions[referred], path, seen)
        for key, item in node.items():
            if key == "properties":
                for name, inner in item.items():
                    yield from self._marked(inner, (*path, name), seen)
            elif key != "$defs":
                yield from self._marked(item, path, seen)

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
        self._compiled[name] = lambda value, marks: self._again(name, value, marks)
        self._compiled[name] = self._compile(self._definitions[name])
        return self._compiled[name]

    def _again(self, name: str, value: Any, marks: FieldMarks | None) -> Any:
        masking = self._compiled[name]
        return value if masking is None else masking(value, marks)


def _at(row: Any, path: Sequence[str]) -> Any:
    """What an object has there; None for nothing."""
    for name in path:
        row = row.get(name) if isinstance(row, dict) else None
    return row


def _own_masking(
    properties: Mapping[str, _Masking | None], *, further: _Masking | None, items: _Masking | None
) -> _Masking | None:
    """Masks what an object's members or a list's items hold."""
    members = [(name, masking) for name, masking in properties.items() if masking is not None]
    if not members and further is None and items is None:
        return None

    def masked(value: Any, marks: FieldMarks | None) -> Any:
        if isinstance(value, list):
            return value if items is None else [items(item, marks) for item in value]
        if not isinstance(value, dict):
            return value
        changed = {name: masking(value[name], marks) for name, masking in members if name in value}
        if further is not None:
            changed |= {
                name: further(inner, marks)
                for name, inner in value.items()
                if name not in properties
            }
        return {**value, **changed}

    return masked


def _one_after_the_other(steps: Sequence[_Masking]) -> _Masking | None:
    if not steps:
        return None

    def masked(value: Any, marks: FieldMarks | None) -> Any:
        for step in steps:
            value = step(value, marks)
        return value

    return masked


def _reference(node: Mapping[str, Any]) -> str | None:
    reference: str | None = node.get("$ref")
    return None if reference is None else reference.rpartition("/")[2]
