"""Tasks over the API, and the follow-up that an unhappy answer makes."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from shared.contracts.support_ticket import SurveyAnswered
from shared.ids import new_id
from tests.customer.told import DAY, ticket


@pytest.fixture
async def customer_id(client):
    return UUID((await client.post("/v1/customers", json={"name": "Lan"})).json()["id"])


@pytest.fixture
def tasks(client):
    async def read(**params):
        answer = await client.get("/v1/tasks", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    return read


@pytest.mark.capability(22)
async def test_a_task_is_created_done_and_reopened(client, customer_id, tasks):
    body = {
        "customer_id": str(customer_id),
        "kind": "call",
        "title": "Gọi lại cho chị Lan",
        "due_at": "2026-12-01T02:00:00Z",
        "assignee_role": "agent",
    }
    created = await client.post("/v1/tasks", json=body)
    assert created.status_code == 201
    task = created.json()
    assert {name: task[name] for name in body} == body
    path = created.headers["location"]
    assert (await client.get(path)).json() == task
    done = (await client.patch(path, json={"status": "done"})).json()
    assert done["done_at"] is not None
    assert await tasks(status="open") == []
    assert [t["id"] for t in await tasks(status="done,cancelled")] == [task["id"]]
    reopened = (await client.patch(path, json={"status": "open", "due_at": None})).json()
    assert (reopened["done_at"], reopened["due_at"], reopened["version"]) == (None, None, 3)
    timeline = (await client.get(f"/v1/customers/{customer_id}/timeline")).json()["data"]
    assert [e["type"] for e in timeline[:2]] == ["task.done", "task.created"]


async def test_a_task_is_given_to_nobody_who_does_not_work_here(client, tasks):
    stranger = {"assignee_id": str(new_id())}
    made = (await client.post("/v1/tasks", json={"title": "Gọi lại"})).json()
    for refused in (
        await client.post("/v1/tasks", json={"title": "Gọi lại", **stranger}),
        await client.patch(f"/v1/tasks/{made['id']}", json=stranger),
    ):
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_staff")
        assert refused.json()["errors"][0]["pointer"] == "/body/assignee_id"
    assert await tasks() == [made]


async def test_words_of_a_person_are_masked(client, service, shop, customer_id):
    known = {"customer_id": str(customer_id), "title": "Gọi chị Lan, 0912 345 678"}
    await client.post("/v1/tasks", json={**known, "note": "Hỏi chị về đơn của mẹ"})
    day = {"starts_at": "2027-03-01T02:00:00Z", "ends_at": "2027-03-01T03:00:00Z"}
    made = await client.post("/v1/appointments", json={**known, **day})
    assert made.status_code == 201, made.text
    scopes = ("tasks:read", "appointments:read")
    async with service.client(shop, *scopes, sees_pii=False) as analyst:
        [task] = (await analyst.get("/v1/tasks")).json()["data"]
        meeting = (await analyst.get(made.headers["location"])).json()
    assert (task["title"], task["note"], meeting["title"]) == ("***", "***", "***")


async def test_lists_are_filtered(client, customer_id, tasks):
    for role in ("agent", "manager"):
        await client.post("/v1/tasks", json={"title": role, "assignee_role": role})
    await client.post("/v1/tasks", json={"title": "của Lan", "customer_id": str(customer_id)})
    assert [t["title"] for t in await tasks(assignee_role="manager")] == ["manager"]
    assert [t["title"] for t in await tasks(customer_id=str(customer_id))] == ["của Lan"]
    assert [t["title"] for t in await tasks()] == ["của Lan", "manager", "agent"]
    assert (await client.get("/v1/tasks", params={"status": "lost"})).status_code == 422


async def test_a_stale_change_is_refused(client):
    path = (await client.post("/v1/tasks", json={"title": "A"})).headers["location"]
    await client.patch(path, json={"title": "B"}, headers={"if-match": '"1"'})
    stale = await client.patch(path, json={"title": "C"}, headers={"if-match": '"1"'})
    assert stale.status_code == 412


@pytest.mark.parametrize("body", [{"title": None}, {"status": None}, {"status": "lost"}])
async def test_what_no_task_can_be_is_refused(client, body):
    path = (await client.post("/v1/tasks", json={"title": "A"})).headers["location"]
    assert (await client.patch(path, json=body)).status_code == 422


async def test_a_task_for_nobody_we_know_is_refused(client):
    refused = await client.post("/v1/tasks", json={"title": "A", "customer_id": str(new_id())})
    assert refused.status_code == 404


async def test_another_shop_cannot_reach_a_task(client, service, open_shop):
    path = (await client.post("/v1/tasks", json={"title": "A"})).headers["location"]
    async with service.client(await open_shop(), "tasks:read", "tasks:write") as other:
        assert (await other.get(path)).status_code == 404
        assert (await other.patch(path, json={"status": "done"})).status_code == 404
        assert (await other.get("/v1/tasks")).json()["data"] == []


class TestFollowUp:
    @pytest.fixture
    def answered(self, service, shop):
        """Tells of answers to surveys; each `(score, customer)` a survey of its own."""

        async def told(score, customer_id, *, scale_max=5, survey_id=None):
            event = SurveyAnswered(
                survey_id=survey_id or new_id(),
                ticket=ticket(customer_id),
                score=score,
                scale_max=scale_max,
                comment="Chờ quá lâu",
                answered_at=DAY,
            )
            await service.receive(shop, "support_ticket", [(new_id(), event)])
            return event

        return told

    @pytest.mark.capability(65)
    async def test_an_unhappy_answer_gives_the_lead_something_to_do(
        self, client, customer_id, answered, tasks
    ):
        event = await answered(2, customer_id)
        [task] = await tasks(status="open")
        assert task["kind"] == "follow_up"
        assert task["assignee_role"] == "manager"
        assert task["customer_id"] == str(customer_id)
        assert task["ticket_id"] == str(event.ticket.ticket_id)
        assert task["note"] == "Chờ quá lâu"
        created, due = (datetime.fromisoformat(task[name]) for name in ("created_at", "due_at"))
        assert due - created == timedelta(days=1)
        assert task["reminder_at"] == task["due_at"]
        timeline = (await client.get(f"/v1/customers/{customer_id}/timeline")).json()["data"]
        assert {"survey.answered", "task.created"} <= {entry["type"] for entry in timeline}

    @pytest.mark.parametrize(
        ("score", "scale_max", "follow_ups"), [(3, 5, 0), (4, 10, 1), (5, 10, 0)]
    )
    async def test_the_scale_is_respected(
        self, customer_id, answered, tasks, score, scale_max, follow_ups
    ):
        await answered(score, customer_id, scale_max=scale_max)
        assert len(await tasks()) == follow_ups

    async def test_one_survey_makes_one_task(self, customer_id, answered, tasks):
        event = await answered(1, customer_id)
        await answered(1, customer_id, survey_id=event.survey_id)
        assert len(await tasks()) == 1

    async def test_an_unhappy_stranger_is_followed_up_too(self, answered, tasks):
        await answered(1, new_id())
        [task] = await tasks()
        assert task["customer_id"] is None
