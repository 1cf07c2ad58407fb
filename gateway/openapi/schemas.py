"""Small work on JSON Schemas as they stand in an OpenAPI document. Pure functions."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

REF: Final = "#/components/schemas/"
RESPONSE_REF: Final = "#/components/responses/"
_MOST: Final = 2**63 - 1
_NULL: Final = {"type": "null"}
# Below these keys stand schemas by a name of somebody's choice.
_NAMED: Final = frozenset({"properties", "$defs", "patternProperties", "schemas"})
# Below these stand values, which only look like schemas.
_VALUES: Final = frozenset({"default", "example", "examples", "enum", "const", "mapping"})


def refs(value: Any, *, to: str = REF) -> Iterator[str]:
    """The names of the schemas, or of other components, that a value refers to."""
    if isinstance(value, dict):
        ref = value.get("$ref")
        if isinstance(ref, str) and ref.startswith(to):
            yield ref.removeprefix(to)
        for inner in value.values():
            yield from refs(inner, to=to)
    elif isinstance(value, list):
        for inner in value:
            yield from refs(inner, to=to)


def closure(names: Iterable[str], schemas: Mapping[str, Any]) -> list[str]:
    """The names with everything that their schemas refer to, in alphabetical order."""
    found: set[str] = set()
    waiting = [name for name in names if name in schemas]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [ref for ref in refs(schemas[name]) if ref in schemas]
    return sorted(found)


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A copy in which every reference has its new name; discriminators refer, too."""
    if isinstance(value, dict):
        return {key: renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [renamed(inner, names) for inner in value]
    if isinstance(value, str) and value.startswith(REF):
        name = value.removeprefix(REF)
        return f"{REF}{names.get(name, name)}"
    return value


def without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter: one is there or absent, and cannot be sent as null."""
    if "anyOf" not in schema:
        return dict(schema)
    kept = [each for each in schema["anyOf"] if each != _NULL]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if rest.get("default", ...) is None:
        del rest["default"]
    return {**kept[0], **rest} if len(kept) == 1 else {**rest, "anyOf": kept}


def tidied(value: Any, *, named: bool = False) -> Any:
    """A copy without the titles that only repeat names, in which integers say how long they are.

    `named` says that the keys of `value` are names of somebody's choice.
    """
    if isinstance(value, list):
        return [tidied(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if named:
        return {key: tidied(inner) for key, inner in value.items()}
    kept = {
        key: inner if key in _VALUES else tidied(inner, named=key in _NAMED)
        for key, inner in value.items()
        if key != "title"
    }
    if kept.get("type") == "integer":
        kept = {key: _whole(inner) for key, inner in kept.items()} | {
            "format": kept.get("format", "int64")
        }
        if kept["format"] == "int64" and "maximum" in kept:
            # As a float, which is how the framework has it, the last integer is rounded up.
            kept["maximum"] = min(kept["maximum"], _MOST)
    return kept


def _whole(value: Any) -> Any:
    """The bounds of an integer, which the framework writes as 5.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def complete_answers(schemas: dict[str, Any], sent: Iterable[str]) -> dict[str, Any]:
    """The schemas, in which an answer has every field that it always has.

    A default makes a field optional for who sends it, not for who reads it. `sent` are the names
    that requests refer to; what they reach stays as it is.
    """
    of_requests = set(closure(sent, schemas))
    return {
        name: schema if name in of_requests else _always_whole(schema)
        for name, schema in schemas.items()
    }


def _always_whole(schema: dict[str, Any]) -> dict[str, Any]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    stated = schema.get("required", [])
    needed = [name for name in properties if name in stated or "default" in properties[name]]
    return {**schema, "required": needed} if needed else schema
