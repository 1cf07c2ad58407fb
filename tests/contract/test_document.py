"""The description of the API, judged by public tools and by what clients need of it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.contract.node import needs_node, run_tool

Document = dict[str, Any]
_METHODS = ("get", "put", "post", "delete", "patch")
_SHORT_FORMATS = {"uuid", "date", "date-time", "time", "email", "ipv4", "ipv6", "ipvanyaddress"}
# What is sent as a file is bounded by the door, whatever it is.
_BOUNDED_ELSEWHERE = {"binary"}


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def test_it_is_openapi(document: Document) -> None:
    faults = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in OpenAPIV31SpecValidator(document).iter_errors()
    ]
    assert faults == []


@needs_node
def test_the_linter_finds_nothing(document_file: Path) -> None:
    run_tool("spectral", "lint", "--fail-severity=hint", "--quiet", str(document_file))


def test_operations_are_called_resource_and_verb(document: Document) -> None:
    """Generated clients name their functions so; a name that changes breaks its callers."""
    named = {place: operation["operationId"] for place, operation in operations(document)}
    odd = {p: n for p, n in named.items() if not re.fullmatch(r"[a-z][A-Za-z]+\.[a-z][A-Za-z]+", n)}
    assert odd == {}


def test_who_may_use_an_operation_stands_with_it(document: Document) -> None:
    for place, operation in operations(document):
        scopes = operation.get("x-required-scopes")
        is_public = scopes in (None, ["public:pages"])
        assert ("security" in operation, operation["security"] == []) == (True, is_public), place
        if scopes and not is_public:
            assert operation["security"][0] == {"bearer": scopes}, place
            assert all(f"`{scope}`" in operation["description"] for scope in scopes), place


def test_only_pages_carry_a_credential_in_their_path(document: Document) -> None:
    with_token = {path for path in document["paths"] if "token}" in path}
    assert {path for path in with_token if not path.startswith("/pages/")} == set()


def test_every_write_can_be_repeated_safely(document: Document) -> None:
    key = {"$ref": "#/components/parameters/Idempotency-Key"}
    for place, operation in operations(document):
        if not place.startswith("GET ") and operation["security"]:
            assert key in operation["parameters"], place


def test_every_operation_says_what_can_go_wrong(document: Document) -> None:
    for place, operation in operations(document):
        stated = operation["responses"].keys()
        assert stated >= {"422", "429", "500", "503"}, place
        if operation["security"]:
            assert stated >= {"401", "403"}, place
        if "requestBody" in operation:
            assert "413" in stated, place
            assert (
                "415" in stated or not place.split()[1].startswith("/v1/") or ("/hooks/" in place)
            ), place


def test_every_example_is_one(document: Document) -> None:
    """What people copy must work."""
    components = {"components": document["components"]}
    wrong = [
        f"{where}: {example!r}: {error.message}"
        for where, schema in _schemas(document, "")
        for example in schema.get("examples", [])
        for error in Draft202012Validator(
            {key: value for key, value in schema.items() if key != "examples"} | components,
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        ).iter_errors(example)
    ]
    assert wrong == []


def test_everything_that_is_sent_is_bounded(document: Document) -> None:
    """OWASP API4: no text, list or number without an end."""
    unbounded = [
        f"{place}: {where}"
        for place, operation in operations(document)
        for part in (
            *operation.get("parameters", []),
            *operation.get("requestBody", {}).get("content", {}).values(),
        )
        if "schema" in part
        for where, schema in _reachable(part["schema"], document)
        if not _is_bounded(schema)
    ]
    assert unbounded == []


def test_no_integer_is_allowed_to_be_longer_than_it_says(document: Document) -> None:
    """Bounds pass the framework as floats, which cannot hold the largest of 64 bits."""
    bounds = {
        schema["maximum"]
        for _, operation in operations(document)
        for content in operation.get("requestBody", {}).get("content", {}).values()
        for _, schema in _reachable(content["schema"], document)
        if schema.get("format") == "int64" and "maximum" in schema
    }
    assert max(bounds) == 2**63 - 1
    assert {type(bound) for bound in bounds} == {int}


def _is_bounded(schema: Document) -> bool:
    kind = schema.get("type")
    if "enum" in schema or "const" in schema or schema.get("readOnly"):
        return True
    if kind == "string":
        short = "maxLength" in schema or schema.get("format") in _SHORT_FORMATS | _BOUNDED_ELSEWHERE
        return short or _has_an_end(schema.get("pattern", "*"))
    if kind == "integer":  # a number of any other kind is a double and no longer than that
        below = {"maximum", "exclusiveMaximum"} & schema.keys()
        above = {"minimum", "exclusiveMinimum"} & schema.keys()
        return bool(below and above)
    if kind == "array":
        return "maxItems" in schema
    if kind == "object" and schema.get("additionalProperties") not in (None, False):
        return "maxProperties" in schema or "enum" in schema.get("propertyNames", {})
    return True


def _has_an_end(pattern: str) -> bool:
    return pattern.startswith("^") and pattern.endswith("$") and not re.search(r"[*+]|,}", pattern)


def _reachable(
    schema: Document, document: Document, seen: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Document]]:
    ref = schema.get("$ref")
    if ref is not None:
        name = ref.rpartition("/")[2]
        if name not in seen:
            inner = document["components"]["schemas"][name]
            yield from _reachable(inner, document, seen | {name})
        return
    for where, each in _schemas(schema, ""):
        if "$ref" in each:
            yield from _reachable(each, document, seen)
        else:
            yield where, each


def _schemas(value: Any, where: str, *, named: bool = False) -> Iterator[tuple[str, Document]]:
    """Everything in a document that is or may be a schema, with its place."""
    if isinstance(value, dict):
        if not named:
            yield where, value
        for key, inner in value.items():
            if named or key not in ("example", "examples", "default", "enum", "const"):
                is_map = not named and key in ("properties", "schemas", "$defs")
                yield from _schemas(inner, f"{where}/{key}", named=is_map)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _schemas(inner, f"{where}/{index}")


@pytest.mark.parametrize("pattern", ["^[a-z]{1,3}$", "^(a|b)$"])
def test_patterns_with_an_end_are_told_from_those_without(pattern: str) -> None:
    assert _has_an_end(pattern)
    assert not _has_an_end(pattern.replace("$", "*$"))
