"""The words that a shop has for what came of calls, tasks and appointments."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.contracts.gateway import StaffChanged, StaffState
from shared.ids import TenantId, new_id
from shared.security.principal import PrincipalKind
from tests.support.harness import ServiceHarness

CALLS = ["interaction.call", "task.call"]


@pytest.fixture
async def client(service: ServiceHarness, shop: TenantId):
    resources = ("customers", "tasks", "interactions", "appointments", "outcomes", "reports")
    scopes = [f"{resource}:{verb}" for resource in resources for verb in ("read", "write")]
    async with service.client(shop, *scopes) as client:
        yield client


@pytest.fixture
async def lan(client) -> str:
    made: str = (await client.post("/v1/customers", json={"name": "Lan"})).json()["id"]
    return made


async def _define(client, key: str, applies_to: list[str] = CALLS, **said: Any) -> Any:
    body = {"key": key, "label": {"vi": f"Kết quả {key}"}, "applies_to": applies_to, **said}
    answer = await client.post("/v1/outcomes", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _post(client, path: str, **body: Any) -> Any:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _tasks(client, customer_id: str, status: str = "open") -> list[Any]:
    query = {"customer_id": customer_id, "status": status}
    found: list[Any] = (await client.get("/v1/tasks", params=query)).json()["data"]
    return found


async def _hire(service: ServiceHarness, shop: TenantId) -> str:
    staff_id = new_id()
    await _tell_of(service, shop, staff_id)
    return str(staff_id)


async def _tell_of(service: ServiceHarness, shop: TenantId, staff_id: UUID, **state: Any) -> None:
    staff = StaffState(
        staff_id=staff_id,
        name="Hoa",
        email="hoa@example.com",
        role="agent",
        **{"version": 1, "active": True, **state},
    )
    await service.receive(shop, "gateway", [(staff_id, StaffChanged(staff=staff))])


async def test_an_outcome_is_defined_changed_and_deleted(client):
    follow_up = {"after_minutes": 60, "kind": "call", "title": None}
    made = await _define(client, "call_again", tone="neutral", follow_up=follow_up)
    path = f"/v1/outcomes/{made['id']}"
    assert (await client.get(path)).json() == made
    assert made["follow_up"] == follow_up
    changed = await client.patch(
        path, json={"label": {"vi": "Gọi lại sau"}, "follow_up": None}, headers={"if-match": '"1"'}
    )
    assert (changed.json()["label"]["vi"], changed.json()["follow_up"]) == ("Gọi lại sau", None)
    stale = await client.patch(path, json={"active": False}, headers={"if-match": '"1"'})
    assert stale.status_code == 412
    body = {"key": "call_again", "label": {"vi": "Khác"}, "applies_to": ["task"]}
    taken = await client.post("/v1/outcomes", json=body)
    assert (taken.status_code, taken.json()["code"]) == (409, "outcome_key_taken")
    assert [each["key"] for each in (await client.get("/v1/outcomes")).json()["data"]] == [
        "call_again"
    ]
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


async def test_what_a_change_says_of_a_follow_up_is_all_there_is_of_it(client):
    follow_up = {"after_minutes": 5, "kind": "call", "title": "Gọi ngay"}
    made = await _define(client, "call_again", follow_up=follow_up)
    path = f"/v1/outcomes/{made['id']}"
    changed = await client.patch(path, json={"follow_up": {"after_minutes": 60}})
    assert changed.status_code == 200, changed.text
    whole = {"after_minutes": 60, "kind": "follow_up", "title": None}
    assert (changed.json()["follow_up"], changed.json()["version"]) == (whole, 2)
    same = await client.patch(path, json={"label": {"vi": made["label"]["vi"]}})
    assert same.json()["version"] == 2


async def test_without_definitions_every_word_will_do_and_with_them_only_the_shops(client, lan):
    free = {"customer_id": lan, "kind": "call", "outcome": "whatever"}
    first = await _post(client, "/v1/interactions", **free)
    await _define(client, "reached", tone="positive")
    await _define(client, "wrong_number", tone="negative")
    refused = await client.post("/v1/interactions", json=free)
    assert (refused.status_code, refused.json()["code"]) == (422, "outcome_not_defined")
    assert refused.json()["allowed"] == ["reached", "wrong_number"]
    [fault] = refused.json()["errors"]
    assert fault["pointer"] == "/body/outcome"
    await _post(client, "/v1/interactions", **{**free, "outcome": "reached"})
    await _post(client, "/v1/interactions", **{**free, "kind": "visit"})
    # What was written before stays, and can be completed.
    path = f"/v1/interactions/{first['id']}"
    assert (await client.patch(path, json={"duration_s": 60})).json()["outcome"] == "whatever"
    assert (await client.patch(path, json={"outcome": "other"})).status_code == 422

    task = await _post(client, "/v1/tasks", customer_id=lan, kind="call", title="Gọi")
    path = f"/v1/tasks/{task['id']}"
    refused = await client.patch(path, json={"result_code": "nope"})
    assert refused.json()["errors"][0]["pointer"] == "/body/result_code"
    done = await client.patch(path, json={"status": "done", "result_code": "reached"})
    assert done.status_code == 200, done.text


async def test_what_is_not_active_is_not_accepted_and_none_active_leaves_words_free(client, lan):
    made = await _define(client, "reached", ["interaction"])
    await _define(client, "busy", ["interaction"])
    said = {"customer_id": lan, "kind": "chat", "outcome": "reached"}
    await client.patch(f"/v1/outcomes/{made['id']}", json={"active": False})
    refused = await client.post("/v1/interactions", json=said)
    assert refused.json()["allowed"] == ["busy"]
    for each in (await client.get("/v1/outcomes")).json()["data"]:
        await client.patch(f"/v1/outcomes/{each['id']}", json={"active": False})
    await _post(client, "/v1/interactions", **said)


async def test_an_outcome_makes_the_next_task_by_itself_once(client, service, shop, lan):
    staff_id = await _hire(service, shop)
    follow_up = {"after_minutes": 120, "kind": "call", "title": "Gọi lại"}
    await _define(client, "call_again", follow_up=follow_up)
    task = await _post(
        client, "/v1/tasks", customer_id=lan, kind="call", title="Gọi", assignee_id=staff_id
    )
    path = f"/v1/tasks/{task['id']}"
    before = datetime.now(UTC)
    ended = {"status": "done", "result_code": "call_again"}
    answers = await asyncio.gather(*(client.patch(path, json=ended) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    # Opened again by mistake, and done again.
    await client.patch(path, json={"status": "open"})
    await client.patch(path, json={"status": "done"})
    [next_task] = await _tasks(client, lan)
    assert (next_task["title"], next_task["kind"]) == ("Gọi lại", "call")
    assert (next_task["assignee_id"], next_task["customer_id"]) == (staff_id, lan)
    due = datetime.fromisoformat(next_task["due_at"])
    assert timedelta(minutes=119) < due - before < timedelta(minutes=125)

    said = {"customer_id": lan, "kind": "call", "staff_id": staff_id}
    spoken = await _post(client, "/v1/interactions", **said, outcome="call_again")
    assert len(await _tasks(client, lan)) == 2
    await client.patch(f"/v1/interactions/{spoken['id']}", json={"text": "Bận"})
    assert len(await _tasks(client, lan)) == 2


async def test_what_follows_is_for_nobody_who_has_left(client, service, shop, lan):
    hoa, mai = [await _hire(service, shop) for _ in range(2)]
    await _define(client, "call_again", follow_up={"after_minutes": 60, "kind": "call"})
    calls = [
        await _post(client, "/v1/tasks", title="Gọi", kind="call", customer_id=lan, assignee_id=who)
        for who in (hoa, mai)
    ]
    await _tell_of(service, shop, UUID(hoa), version=2, active=False)
    for call in calls:
        done = {"status": "done", "result_code": "call_again"}
        assert (await client.patch(f"/v1/tasks/{call['id']}", json=done)).status_code == 200
    assert [task["assignee_id"] for task in await _tasks(client, lan)] == [mai, None]


async def test_a_wrong_number_calls_off_the_other_calls_of_the_person(client, lan):
    await _define(client, "wrong_number", tone="negative", ends_calls=True)
    other = (await client.post("/v1/customers", json={"name": "Lan Nguyễn"})).json()["id"]
    merges = f"/v1/customers/{lan}/merges"
    assert (await client.post(merges, json={"customer_ids": [other]})).status_code == 201
    made = [
        await _post(client, "/v1/tasks", customer_id=whose, kind=kind, title="Việc")
        for whose, kind in ((lan, "call"), (other, "call"), (lan, "message"))
    ]
    ended = {"status": "done", "result_code": "wrong_number"}
    assert (await client.patch(f"/v1/tasks/{made[0]['id']}", json=ended)).status_code == 200
    statuses = [(await client.get(f"/v1/tasks/{task['id']}")).json()["status"] for task in made]
    assert statuses == ["done", "cancelled", "open"]


async def test_an_appointment_has_a_result_and_what_follows(client, lan):
    await _define(
        client, "not_there", ["appointment"], follow_up={"after_minutes": 0, "kind": "call"}
    )
    met = await _post(
        client,
        "/v1/appointments",
        customer_id=lan,
        title="Thử áo",
        starts_at="2026-03-01T09:00:00Z",
        ends_at="2026-03-01T10:00:00Z",
    )
    path = f"/v1/appointments/{met['id']}"
    refused = await client.patch(path, json={"status": "missed", "result_code": "bought"})
    assert (refused.status_code, refused.json()["allowed"]) == (422, ["not_there"])
    missed = await client.patch(path, json={"status": "missed", "result_code": "not_there"})
    assert missed.json()["result_code"] == "not_there"
    [call] = await _tasks(client, lan)
    assert (call["kind"], call["title"]) == ("call", "Kết quả not_there")


async def test_statistics_count_by_outcome(client, service, shop, lan):
    staff_id = await _hire(service, shop)
    for outcome in ("reached", "reached", "busy", None):
        await _post(
            client,
            "/v1/interactions",
            customer_id=lan,
            kind="call",
            staff_id=staff_id,
            outcome=outcome,
        )
    task = await _post(
        client, "/v1/tasks", customer_id=lan, kind="call", title="Gọi", assignee_id=staff_id
    )
    ended = {"status": "done", "result_code": "reached"}
    await client.patch(f"/v1/tasks/{task['id']}", json=ended)
    query = {"staff_id": staff_id, "per": "period"}
    report = await client.get("/v1/interactions/care-statistics", params=query)
    [figures] = report.json()["data"]
    assert [
        (each["of"], each["kind"], each["outcome"], each["count"]) for each in figures["outcomes"]
    ] == [
        ("interaction", "call", "reached", 2),
        ("interaction", "call", "busy", 1),
        ("task", "call", "reached", 1),
    ]


async def test_staff_who_see_their_own_follow_up_their_own(client, service, shop, lan):
    staff_id = await _hire(service, shop)
    await _define(client, "call_again", follow_up={"after_minutes": 5})
    scopes = ("interactions:write", "customers:read", "tasks:read")
    who = {"kind": PrincipalKind.STAFF, "actor_id": staff_id}
    async with service.client(shop, *scopes, **who) as hoa:
        await _post(hoa, "/v1/interactions", customer_id=lan, kind="call", outcome="call_again")
    [task] = await _tasks(client, lan)
    assert UUID(task["assignee_id"]) == UUID(staff_id)
