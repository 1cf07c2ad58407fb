"""What staff did for customers, per member and day, on the clocks of the shop."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from shared.contracts.gateway import StaffChanged, StaffState
from shared.ids import TenantId, new_id
from shared.security.principal import PrincipalKind, Visibility
from tests.support.harness import ServiceHarness

REPORT = "/v1/interactions/care-statistics"


@pytest.fixture
def hire(service: ServiceHarness, shop: TenantId):
    async def hired(**state: Any) -> str:
        who = new_id()
        known = {"staff_id": who, "name": "Hoa", "email": "hoa@shop.vn", "role": "agent"}
        event = StaffChanged(staff=StaffState(**{**known, **state}))
        await service.receive(shop, "gateway", [(who, event)])
        return str(who)

    return hired


@pytest.fixture
def make(client: httpx.AsyncClient):
    async def made(path: str, **body: Any) -> dict[str, Any]:
        answer = await client.post(f"/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    return made


async def _figures(client: httpx.AsyncClient, **params: Any) -> dict[tuple[str, str], Any]:
    answer = await client.get(REPORT, params=params)
    assert answer.status_code == 200, answer.text
    return {(row["staff_id"], row["day"]): row for row in answer.json()["data"]}


@pytest.mark.capability(118)
async def test_a_day_of_care_adds_up(client, hire, make):
    lan, chi = await hire(), await hire()
    customer = await make("customers", name="Lan")
    of_lan = {"customer_id": customer["id"], "staff_id": lan}
    for n, duration in enumerate((60, None, 30)):
        started = f"2026-03-01T03:0{n}:00Z"
        body = {**of_lan, "kind": "call", "started_at": started}
        await make("interactions", **body, duration_s=duration)
    # 17:00 UTC is the next day in Vietnam.
    await make("interactions", **of_lan, kind="chat", started_at="2026-03-01T17:00:00Z")
    await make("interactions", **{**of_lan, "staff_id": chi}, kind="visit",
               started_at="2026-03-02T16:59:00Z")  # fmt: skip
    await make("interactions", customer_id=customer["id"], kind="visit",
               started_at="2026-03-01T03:00:00Z")  # fmt: skip
    for status in ("kept", "missed", "kept", "planned"):
        met = await make(
            "appointments", **of_lan, title="Thử áo", overbook=True,
            starts_at="2026-03-01T01:00:00Z", ends_at="2026-03-01T02:00:00Z",
        )  # fmt: skip
        await client.patch(f"/v1/appointments/{met['id']}", json={"status": status})
    await make("tasks", title="Trễ", assignee_id=lan, due_at="2026-03-01T05:00:00Z")
    found = await _figures(client, **{"from": "2026-03-01", "to": "2026-03-02"})
    assert set(found) == {(lan, "2026-03-01"), (lan, "2026-03-02"), (chi, "2026-03-02")}
    day = found[lan, "2026-03-01"]
    assert (day["contacts"], day["contact_seconds"]) == (3, 90)
    assert (day["appointments_kept"], day["appointments_missed"]) == (2, 1)
    assert (day["tasks_overdue"], day["tasks_done"], day["response_seconds"]) == (1, 0, None)
    assert found[lan, "2026-03-02"]["contacts"] == found[chi, "2026-03-02"]["contacts"] == 1
    only = await _figures(client, **{"from": "2026-03-01", "to": "2026-03-02", "staff_id": chi})
    assert set(only) == {(chi, "2026-03-02")}


async def test_what_is_done_counts_on_its_day(client, hire, make):
    lan = await hire()
    past, coming = "2026-03-01T05:00:00Z", "2099-03-01T05:00:00Z"
    for due_at in (past, coming, None):
        task = await make("tasks", title="Gọi", assignee_id=lan, due_at=due_at)
        await client.patch(f"/v1/tasks/{task['id']}", json={"status": "done"})
    await make("tasks", title="Mai", assignee_id=lan, due_at=coming)
    [day] = (await _figures(client)).values()
    assert (day["tasks_done"], day["tasks_done_late"], day["tasks_overdue"]) == (3, 1, 0)
    today = datetime.now(UTC).astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()
    assert today - timedelta(days=1) <= datetime.fromisoformat(day["day"]).date() <= today


async def test_response_is_from_being_given_a_customer_to_the_first_contact(client, hire, make):
    lan, chi = await hire(), await hire()
    await make("assignment-rules", name="A", staff_ids=[lan])
    first, second = await make("customers", name="An"), await make("customers", name="Bo")
    await make("interactions", customer_id=first["id"], kind="call", staff_id=chi)
    before = await _figures(client)
    [given] = [row for (who, _), row in before.items() if who == lan]
    assert (given["customers_given"], given["customers_contacted"]) == (2, 0)
    assert given["response_seconds"] is None
    earlier = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for started_at in (None, None, earlier):
        body = {"customer_id": second["id"], "kind": "call", "staff_id": lan}
        await make("interactions", **body, started_at=started_at)
    after = await _figures(client, staff_id=lan)
    [given] = [row for row in after.values() if row["customers_given"]]
    assert (given["customers_given"], given["customers_contacted"]) == (2, 1)
    assert 0 <= given["response_seconds"] < 60


async def test_staff_see_the_figures_of_whom_they_see(client, service, shop, hire, make):
    team = new_id()
    lan, binh = await hire(team_ids=[team]), await hire(team_ids=[team])
    chi = await hire()
    customer = await make("customers", name="Lan")
    for who in (lan, binh, chi):
        await make("interactions", customer_id=customer["id"], kind="call", staff_id=who)
    expected = {
        Visibility.OWN: {lan},
        Visibility.TEAM: {lan, binh},
        Visibility.ALL: {lan, binh, chi},
    }
    for visibility, seen in expected.items():
        async with service.client(
            shop,
            "reports:read",
            kind=PrincipalKind.STAFF,
            actor_id=lan,
            visibility=visibility,
            team_ids=[team],
        ) as viewer:
            assert {who for who, _ in await _figures(viewer)} == seen


@pytest.mark.parametrize(
    "period",
    [{"from": "2026-03-02", "to": "2026-03-01"}, {"from": "2026-03-01", "to": "2026-04-01"}],
)
async def test_a_report_has_a_month_at_most(client, period):
    refused = await client.get(REPORT, params=period)
    assert (refused.status_code, refused.json()["code"]) == (422, "period_not_valid")
