"""What a shop has marked of its own fields is masked in the feed, in deliveries and in the log."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from shared.contracts.audit import AuditRecord, AuditRecorded, AuditSubject, FieldChange
from shared.contracts.customer import (
    CustomerUpdated,
    CustomFieldDefined,
    CustomFieldState,
    FieldSensitivity,
)
from shared.contracts.event import Event
from shared.ids import new_id
from tests.gateway.conftest import Shop
from tests.gateway.happenings import AT, customer, listener
from tests.gateway.test_event_stream import arrived, listening
from tests.support.harness import ServiceHarness
from tests.support.serving import serving

SECRET = "hen suyễn 7193"
OWN = {"allergy": SECRET, "salary": f"{SECRET} triệu", "size": 39}
MASKED = {"salary": "***", "size": 39}


@pytest.fixture(scope="module")
def services(gateway: FastAPI) -> ServiceHarness:
    return listener(gateway)


def defined(
    key: str, sensitivity: FieldSensitivity, *, field_id: UUID | None = None, version: int = 1
) -> tuple[UUID, Event]:
    field = CustomFieldState(
        field_id=field_id or new_id(), key=key, sensitivity=sensitivity, version=version
    )
    return field.field_id, CustomFieldDefined(field=field)


def somebody() -> tuple[UUID, Event]:
    state = customer().model_copy(update={"attributes": OWN})
    return state.customer_id, CustomerUpdated(customer=state)


@pytest.fixture
async def reader(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who reads everything and may not see personal data."""
    async with await shop.client("events:read", "audit:read", "webhooks:read") as client:
        yield client


async def newest(client: httpx.AsyncClient) -> dict[str, Any]:
    """The attributes in the newest event, in the list and by itself."""
    listed = (await client.get("/v1/events")).json()["data"][-1]
    single = (await client.get(f"/v1/events/{listed['id']}")).json()
    assert single == listed
    attributes: dict[str, Any] = listed["data"]["customer"]["attributes"]
    return attributes


async def test_events_are_masked_by_the_shops_marks(
    services: ServiceHarness, shop: Shop, reader: httpx.AsyncClient
) -> None:
    marks = [defined("allergy", "sensitive"), defined("salary", "personal")]
    await services.receive(shop.tenant_id, "customer", [*marks, somebody()])
    assert await newest(reader) == MASKED
    async with await shop.client("events:read", "pii:read") as client:
        assert await newest(client) == OWN


async def test_a_mark_covers_what_was_told_before_it(
    services: ServiceHarness, shop: Shop, reader: httpx.AsyncClient
) -> None:
    await services.receive(shop.tenant_id, "customer", [somebody()])
    assert await newest(reader) == OWN
    marks = [defined("allergy", "sensitive"), defined("salary", "personal")]
    await services.receive(shop.tenant_id, "customer", marks)
    assert await newest(reader) == MASKED


async def test_the_newest_word_on_the_latest_field_of_a_key_counts(
    services: ServiceHarness, shop: Shop, reader: httpx.AsyncClient
) -> None:
    first, second = new_id(), new_id()
    told = [
        somebody(),
        defined("allergy", "sensitive", field_id=first, version=3),
        # Told late, or told again.
        defined("allergy", "none", field_id=first, version=2),
        defined("salary", "sensitive", field_id=second, version=1),
        defined("salary", "none", field_id=first, version=9),
    ]
    await services.receive(shop.tenant_id, "customer", told)
    assert await newest(reader) == {"size": 39}
    again = [
        defined("allergy", "none", field_id=first, version=4),
        defined("salary", "none", field_id=second, version=2),
    ]
    await services.receive(shop.tenant_id, "customer", again)
    assert await newest(reader) == OWN


async def test_a_stream_is_masked_by_marks_that_come_while_it_is_open(
    gateway: FastAPI, services: ServiceHarness, shop: Shop
) -> None:
    key = await shop.key("events:read")
    async with serving(gateway) as url, listening(url, key) as heard:
        await services.receive(shop.tenant_id, "customer", [somebody()])
        await arrived(heard, 1)
        marks = [defined("allergy", "sensitive"), defined("salary", "personal")]
        await services.receive(shop.tenant_id, "customer", [*marks, somebody()])
        await arrived(heard, 2)
    told = [event["data"]["customer"]["attributes"] for event in heard.events]
    assert told == [OWN, MASKED]


async def test_what_is_sent_to_an_endpoint_is_shown_masked(
    services: ServiceHarness, shop: Shop, reader: httpx.AsyncClient
) -> None:
    endpoint = {"url": "https://1.1.1.1/in"}
    made = await shop.owner.post("/v1/webhook-endpoints", json=endpoint)
    assert made.status_code == 201, made.text
    marks = [defined("allergy", "sensitive"), defined("salary", "personal")]
    await services.receive(shop.tenant_id, "customer", [*marks, somebody()])
    path = f"/v1/webhook-endpoints/{made.json()['id']}/deliveries"
    (delivery,) = (await reader.get(path)).json()["data"]
    detail = await reader.get(f"{path}/{delivery['id']}")
    assert detail.status_code == 200, detail.text
    assert SECRET not in detail.text
    whole = await shop.owner.get(f"{path}/{delivery['id']}")
    assert SECRET in json.dumps(whole.json(), ensure_ascii=False)


async def test_changes_in_the_audit_log_are_masked_by_the_shops_marks(
    services: ServiceHarness, shop: Shop, reader: httpx.AsyncClient
) -> None:
    change = FieldChange(old=OWN, new={**OWN, "allergy": f"không {SECRET}"})
    record = AuditRecord(
        id=new_id(),
        at=AT,
        kind="change",
        action="customers.update",
        actor_kind="staff",
        actor_id="anna",
        subjects=(AuditSubject(object="customer", id="c1"),),
        changes={"attributes": change},
    )
    marks = [defined("allergy", "sensitive"), defined("salary", "personal")]
    told = [*marks, (record.id, AuditRecorded(records=(record,)))]
    await services.receive(shop.tenant_id, "customer", told)
    asked = {"object_id": "c1"}
    (entry,) = (await reader.get("/v1/audit-log", params=asked)).json()["data"]
    assert entry["changes"] == {"attributes": {"old": MASKED, "new": MASKED}}
    (entry,) = (await shop.owner.get("/v1/audit-log", params=asked)).json()["data"]
    assert entry["changes"] == {"attributes": change.model_dump()}
