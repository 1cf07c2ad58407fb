"""No personal data leaves without a mark, so that none leaves unmasked and unrecorded."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from shared.pii import MARK
from shared.settings import SCHEMAS
from tests.architecture.parts import operations_of

TELLING = re.compile(
    r"(^|_)(e?mail|phone|mobile|address|street|birth_date|birthday|(customer|sender|full)_name)$"
)
# What looks like it and is not a customer's; each with its reason.
NOT_CUSTOMERS = {
    "EmailChannelRead.sender_address": "the shop's own address",
    "EmailChannelRead.sender_name": "the shop's own name",
    "EventStaff.email": "colleagues know each other's",
    "StaffRead.email": "colleagues know each other's",
}


def properties_of(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Model, name and schema of every property that an answer may have."""
    models = {schema.get("title", "answer"): schema, **schema.get("$defs", {})}
    for model, node in models.items():
        for name, found in node.get("properties", {}).items():
            yield model, name, found


def unmarked() -> set[str]:
    return {
        f"{model}.{name}"
        for schema in SCHEMAS
        for _operation, route in operations_of(schema)
        if route.response_model is not None
        for model, name, found in properties_of(
            TypeAdapter(route.response_model).json_schema(mode="serialization")
        )
        if TELLING.search(name) and MARK not in found and not _is_model(found)
    }


def _is_model(found: Mapping[str, Any]) -> bool:
    """Whether a property is an object, whose own properties are looked at by themselves."""
    return any("$ref" in each for each in (found, *found.get("anyOf", ())))


def test_what_looks_personal_is_marked():
    assert unmarked() - NOT_CUSTOMERS.keys() == set()


def test_every_exception_is_needed():
    assert NOT_CUSTOMERS.keys() - unmarked() == set()


def test_an_object_is_left_to_its_own_properties():
    assert _is_model({"anyOf": [{"$ref": "#/$defs/Address"}, {"type": "null"}]})
    assert not _is_model({"anyOf": [{"type": "string"}, {"type": "null"}]})


def test_the_search_sees_names():
    assert all(map(TELLING.search, ("email", "sender_phone", "address", "customer_name")))
    assert not any(map(TELLING.search, ("emails_verified", "name", "addressed_to")))
