"""No personal data leaves without a mark, so that none leaves unmasked and unrecorded."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter

from gateway.audit_log.masking import masked
from shared.pii import MARK, mask
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


def marked_of_changed() -> Iterator[tuple[str, str]]:
    """Object and name of every marked field of what can be read where it is changed.

    The audit log has such fields with what they were and what they are.
    """
    for schema in SCHEMAS:
        routes = [route for _operation, route in operations_of(schema)]
        changed = {r.path for r in routes if {"PATCH", "PUT", "DELETE"} & set(r.methods or ())}
        for route in routes:
            if "GET" not in (route.methods or ()) or route.path not in changed:
                continue
            if route.response_model is None:
                continue
            answer = TypeAdapter(route.response_model).json_schema(mode="serialization")
            object_ = answer.get("properties", {}).get("object", {}).get("const")
            for _model, name, found in properties_of(answer):
                if MARK in found:
                    yield str(object_), name


AUDITED = sorted(set(marked_of_changed()))
WORDS = "Ngọc Lan lan@example.com"


@pytest.mark.parametrize(("object_", "name"), AUDITED)
def test_what_reads_mask_the_audit_log_masks(object_: str, name: str):
    value = {"hint": WORDS} if name == "attributes" else WORDS
    entry = {
        "subjects": [{"object": object_, "id": "1"}],
        "changes": {name: {"old": value, "new": None}},
        "detail": {},
    }
    told = mask("document", masked(entry)["changes"])
    assert WORDS not in str(told), "say in gateway/audit_log/masking.py what is left of it"


def test_the_walk_finds_what_is_audited():
    assert {("task", "title"), ("contact", "name"), ("customer", "email")} < set(AUDITED)


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
