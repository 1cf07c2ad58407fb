"""What leaves is what is promised: the projections against the documented models."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.events.catalogue import (
    _PUBLIC,
    CONTRACTS,
    PUBLIC_TYPES,
    PUBLISHED,
    matching_types,
    unknown_patterns,
)
from shared.contracts.customer import CustomerState
from shared.contracts.event import Event
from shared.contracts.topology import SUBSCRIPTIONS

SECRETIVE = (
    "snapshot",
    "platform",
    "tenant_provisioned",
    "email_channel",
    "survey_invited",
    "lead_confirmation",
    "audit",
)


# Hypothesis can make anything up but the values of a shop's own fields.
st.register_type_strategy(
    CustomerState, st.builds(CustomerState, attributes=st.just({"size": "XL", "tags": ["a"]}))
)
NO_HURRY = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def with_real_money(value: Any) -> Any:
    """Services take only currencies that exist, and amounts that fit."""
    if isinstance(value, dict):
        return {
            key: "VND"
            if key == "currency" and isinstance(inner, str)
            else inner % 10**15
            if key.endswith("_minor")
            else with_real_money(inner)
            for key, inner in value.items()
        }
    return [with_real_money(item) for item in value] if isinstance(value, list) else value


def with_more(value: Any) -> Any:
    """What a contract of a later release may have besides."""
    if isinstance(value, dict):
        return {**{key: with_more(inner) for key, inner in value.items()}, "added_later": 1}
    return [with_more(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.type)
@NO_HURRY
@given(data=st.data())
def test_every_event_leaves_in_its_documented_form(contract: type[Event], data: st.DataObject):
    event = data.draw(st.from_type(contract))
    published = PUBLISHED[event.type]
    public = _PUBLIC[contract]
    told = published.project(with_more(with_real_money(event.model_dump(mode="json"))))
    whole = {
        "id": "0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f00",
        "object": "event",
        "type": published.name,
        "position": 1,
        "occurred_at": "2026-03-01T08:30:00Z",
        "data": told,
    }
    read = public.model_validate_json(public.model_validate(whole).model_dump_json())
    assert read.model_dump(mode="json")["data"].keys() == told.keys()
    assert not set(_keys(read.model_dump()["data"])) ^ set(_keys(told))


def _keys(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [
            found
            for key, inner in value.items()
            for found in [f"{path}/{key}", *_keys(inner, f"{path}/{key}")]
        ]
    return []


def test_an_old_event_without_newer_fields_leaves_in_its_documented_form():
    old = {
        "customer": {
            "customer_id": "0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f00",
            "version": 1,
            "code": "KH000001",
            "stage": "lead",
            "source": "api",
            "created_at": "2026-03-01T08:30:00Z",
            "updated_at": "2026-03-01T08:30:00Z",
            "currency": "VND",
        }
    }
    told = PUBLISHED["customer.updated"].project(old)["customer"]
    assert (told["tags"], told["consents"], told["value_tier"]) == ([], [], "standard")
    assert told["total_spent"] == {"amount": "0", "currency": "VND"}


def test_of_what_may_be_missing_only_what_is_listed_leaves():
    known = {"currency": "VND", "address": {"street": "12 Lê Lợi", "door_code": "4711"}}
    project = PUBLISHED["customer.updated"].project
    told = project({"customer": known})["customer"]
    assert told["address"]["street"] == "12 Lê Lợi"
    assert "door_code" not in told["address"]
    assert project({"customer": known | {"address": None}})["customer"]["address"] is None
    assert told["birth_date_lunar"] is None


def test_a_consent_is_told_with_when_it_ends_and_what_was_promised():
    said = {
        "purpose": "marketing",
        "channel": "email",
        "status": "granted",
        "changed_at": "2026-03-01T08:30:00Z",
    }
    limits = {
        "expires_at": "2027-03-01T08:30:00Z",
        "frequency": {"max_messages": 2, "per_days": 7},
    }
    told = PUBLISHED["customer.updated"].project(
        {"customer": {"currency": "VND", "consents": [said, said | limits]}}
    )
    nothing = dict.fromkeys(limits)
    assert told["customer"]["consents"] == [said | nothing, said | limits]


def test_the_gateway_hears_of_everything_that_it_publishes_and_keeps_the_rest_to_itself():
    heard = {
        event for consumers in SUBSCRIPTIONS.values() for event in consumers.get("gateway", ())
    }
    assert set(PUBLISHED) == heard - {
        "audit.recorded",
        "customer.custom_field_defined",
        "customer.personal_data_requested",
        "customer.erased_person_delivered",
        "customer.source_forgotten",
    }
    assert [name for name in PUBLISHED if any(word in name for word in SECRETIVE)] == []


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["*"], set(PUBLIC_TYPES)),
        (["segment.*"], {"segment.entered", "segment.left"}),
        (["ticket.created", "order.placed"], {"ticket.created", "order.placed"}),
        ([], set()),
    ],
)
def test_patterns_stand_for_types(patterns: list[str], expected: set[str]):
    assert matching_types(patterns) == expected


def test_patterns_that_nothing_matches_are_found():
    assert unknown_patterns(["ticket.*", "tick.*", "order.eaten", "*"]) == ["tick.*", "order.eaten"]
