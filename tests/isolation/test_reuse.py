"""What one shop was given, in the hands of another: keys of requests, and places in lists."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.isolation.answers import ids_in, ids_of
from tests.isolation.bodies import Bodies, fresh
from tests.isolation.conftest import Neighbours
from tests.isolation.operations import Description
from tests.isolation.requests import Sender, Variant
from tests.isolation.rows import rows_of

WRITES = {
    "gateway": ("/v1/staff", {"name": "Lan", "password": "mot-hai-ba-bon-nam", "role": "agent"}),
    "customer": ("/v1/customers", {"name": "Nguyễn Văn Đức"}),
    "segmentation": (
        "/v1/segments",
        {
            "name": {"vi": "Nhóm", "en": "Group"},
            "rule": {"field": "profile.orders_count", "op": "gte", "value": 3},
        },
    ),
    "support_ticket": (
        "/v1/tickets",
        {
            "subject": "Ấm rò",
            "text": "Ấm bị rò.",
            "requester": {"contact": {"email": "hoa@example.com"}},
        },
    ),
    "messaging": ("/v1/suppressions", {}),
}
UNIQUE = {"gateway": "email", "segmentation": "key", "messaging": "address"}


@pytest.mark.capability(28)
@pytest.mark.parametrize("part", WRITES)
async def test_an_idempotency_key_of_theirs_means_nothing_with_us(
    neighbours: Neighbours, part: str
) -> None:
    ours, theirs = neighbours.ours, neighbours.theirs
    path, body = WRITES[part]
    if part in UNIQUE:
        word = fresh("key")
        body = {**body, UNIQUE[part]: word if part == "segmentation" else f"{word}@example.com"}
    key = {"idempotency-key": fresh("once-")}
    first = await theirs.call("POST", path, json=body, headers=key)
    assert first.status_code == 201, first.text
    same = await ours.call("POST", path, json=body, headers=key)
    assert same.status_code == 201, same.text
    assert "idempotent-replayed" not in same.headers
    assert same.json()["id"] != first.json()["id"]
    for shop, made in ((theirs, first), (ours, same)):
        again = await shop.call("POST", path, json=body, headers=key)
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json()["id"] == made.json()["id"]


@pytest.mark.capability(28)
async def test_a_cursor_of_theirs_shows_nothing_of_theirs(
    neighbours: Neighbours, description: Description, admin: AsyncEngine
) -> None:
    ours, theirs = neighbours.ours, neighbours.theirs
    their_rows = await rows_of(admin, theirs.tenant_id)
    our_rows = await rows_of(admin, ours.tenant_id)
    their_ids, our_ids = (
        set().union(*(ids_of(row) for rows in found.values() for row in rows))
        for found in (their_rows, our_rows)
    )
    with_them = Sender(theirs.http, theirs, Bodies(description))
    with_us = Sender(ours.http, ours, Bodies(description))
    own, used = Variant(frozenset()), 0
    for operation in description.operations():
        if operation.method != "get" or "cursor" not in operation.query:
            continue
        page = await with_them.send(
            operation, own, {}, credential=theirs.credentials["api_key"], query={"limit": "1"}
        )
        cursor = page.answer.json().get("next_cursor") if page.answer.is_success else None
        if cursor is None:
            continue
        used += 1
        sent = await with_us.send(
            operation, own, {}, credential=ours.credentials["api_key"], query={"cursor": cursor}
        )
        assert sent.answer.status_code == 200, f"{operation}: {sent.answer.text}"
        assert theirs.marker not in sent.answer.text, operation
        assert not ids_in(sent.answer) & (their_ids - our_ids), operation
    assert used >= 15, "lists that both shops have a second page of"
