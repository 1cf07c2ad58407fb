"""What staff did for customers, per member and day, on the clocks of the shop."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest

from shared.contracts.gateway import StaffChanged, StaffState
from shared.contracts.support_ticket import (
    Recipient,
    SurveyAnswered,
    TicketCreated,
    TicketReplied,
    TicketResolved,
    TicketState,
    TicketUpdated,
)
from shared.ids import TenantId, new_id
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.told import DAY, later, ticket
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


async def test_who_was_given_one_record_may_get_in_touch_by_another_of_the_person(
    client, hire, make
):
    lan = await hire()
    await make("assignment-rules", name="A", staff_ids=[lan])
    given, stays = await make("customers", name="An"), await make("customers", name="An Lê")
    unmoved = await make("customers", name="Bo")

    async def answered() -> tuple[int, int, bool]:
        [day] = (await _figures(client, staff_id=lan)).values()
        contacted = day["customers_contacted"]
        return day["customers_given"], contacted, day["response_seconds"] is not None

    merge = f"customers/{stays['id']}/merges"
    made = await make(merge, customer_ids=[given["id"]])
    assert await answered() == (3, 0, False)
    await make("interactions", customer_id=stays["id"], kind="call", staff_id=lan)
    assert await answered() == (3, 2, True)
    await make("interactions", customer_id=unmoved["id"], kind="call", staff_id=lan)
    await make("interactions", customer_id=given["id"], kind="call", staff_id=lan)
    assert await answered() == (3, 3, True)
    undone = await client.post(f"/v1/merges/{made['id']}/undo")
    assert undone.status_code == 200, undone.text
    assert await answered() == (3, 3, True)


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


@pytest.fixture
def told(service: ServiceHarness, shop: TenantId):
    """Has the support service tell of tickets."""

    async def tell(*events: Any) -> None:
        keyed = [(event.ticket.ticket_id, event) for event in events]
        await service.receive(shop, "support_ticket", keyed)

    return tell


def _states(staff: str | None, **first: Any) -> list[TicketState]:
    """A ticket of the first of March: new, given to somebody, answered, resolved."""
    new = ticket(None, opened_at=DAY, resolution_due_at=later(hours=4), **first)
    given = new.model_copy(update={"version": 2, "assignee_id": staff and UUID(staff)})
    answered = given.model_copy(update={"version": 3, "first_responded_at": later(minutes=30)})
    resolved = answered.model_copy(
        update={"version": 4, "status": "resolved", "resolved_at": later(hours=5)}
    )
    return [new, given, answered, resolved]


def _answer(state: TicketState, score: int, *, scale_max: int = 5) -> SurveyAnswered:
    return SurveyAnswered(
        survey_id=new_id(), ticket=state, score=score, scale_max=scale_max,
        answered_at=later(hours=6),
    )  # fmt: skip


@pytest.mark.capability(118)
async def test_a_report_has_contacts_tickets_response_satisfaction_and_what_is_overdue(
    client, hire, make, told
):
    here, there = str(new_id()), str(new_id())
    lan = await hire(team_ids=[UUID(here)])
    chi = await hire(team_ids=[UUID(here), UUID(there)])
    # What they can do, and when they work: the first of March 2026 is a Sunday.
    shift = {"weekday": 7, "starts": "08:00", "ends": "12:30"}
    for who, skills in ((lan, ["tiếng Anh"]), (chi, ["tiếng Anh", "may đo"])):
        await client.put(f"/v1/assignment-rules/shifts/{who}", json={"shifts": [shift]})
        await client.put(f"/v1/assignment-rules/skills/{who}", json={"skills": skills})
    customer = await make("customers", name="Mai")
    for who in (lan, chi):
        call = {"customer_id": customer["id"], "staff_id": who, "kind": "call"}
        await make("interactions", **call, started_at="2026-03-01T03:00:00Z", duration_s=60)
    await make("tasks", title="Trễ", assignee_id=lan, due_at="2026-03-01T05:00:00Z")
    new, given, answered, resolved = _states(lan, first_response_due_at=later(minutes=20))
    await told(
        TicketCreated(ticket=new), TicketUpdated(ticket=given), TicketUpdated(ticket=answered),
        TicketResolved(ticket=resolved), _answer(resolved, 5), _answer(resolved, 2),
    )  # fmt: skip
    _, owed, *_ = _states(chi)
    await told(TicketCreated(ticket=owed), TicketUpdated(ticket=owed))
    asked = {"from": "2026-03-01", "to": "2026-03-01"}
    [day] = (await _figures(client, **asked, staff_id=lan)).values()
    assert (day["contacts"], day["contact_seconds"], day["tasks_overdue"]) == (1, 60, 1)
    assert (day["tickets_answered"], day["tickets_answered_late"]) == (1, 1)
    assert day["first_answer_seconds"] == 1800
    assert (day["tickets_resolved"], day["tickets_resolved_late"]) == (1, 1)
    assert day["tickets_overdue"] == 0, "it is resolved"
    assert (day["ratings"], day["csat_percent"], day["rating_average"]) == (2, 50, 3.5)
    assert (day["shift_minutes"], day["skills"]) == (270, ["tiếng Anh"])
    [day] = (await _figures(client, **asked, staff_id=chi)).values()
    assert (day["contacts"], day["tickets_resolved"], day["tickets_overdue"]) == (1, 0, 1)
    assert (day["ratings"], day["csat_percent"], day["rating_average"]) == (0, None, None)
    # A shop's branch is a team; the whole week at once.
    answer = await client.get(
        REPORT, params={"from": "2026-02-23", "to": "2026-03-01", "by": "team", "per": "period"}
    )
    teams = {row["team_id"]: row for row in answer.json()["data"]}
    assert set(teams) == {here, there}
    assert [teams[here][f] for f in ("contacts", "ratings", "shift_minutes")] == [2, 2, 540]
    assert [teams[there][f] for f in ("contacts", "ratings", "shift_minutes")] == [1, 0, 270]
    assert {(row["staff_id"], row["day"]) for row in teams.values()} == {(None, None)}
    for narrower, expected in (
        ({"skill": "may đo"}, {chi}), ({"skill": "tiếng Anh"}, {lan, chi}),
        ({"team_id": there}, {chi}), ({"skill": "bay"}, set()),
    ):  # fmt: skip
        assert {who for who, _ in await _figures(client, **asked, **narrower)} == expected


async def test_the_shifts_of_a_team_are_of_whom_the_report_is_about(
    client, service, shop, hire, make
):
    team = new_id()
    lan, chi = [await hire(team_ids=[team]) for _ in range(2)]
    for who, ends in ((lan, "09:00"), (chi, "12:00")):
        shift = {"weekday": 7, "starts": "08:00", "ends": ends}
        await client.put(f"/v1/assignment-rules/shifts/{who}", json={"shifts": [shift]})
        await client.put(f"/v1/assignment-rules/skills/{who}", json={"skills": [ends]})
        await make("tasks", title="Trễ", assignee_id=who, due_at="2026-03-01T05:00:00Z")
    asked = {"from": "2026-03-01", "to": "2026-03-01", "by": "team"}

    async def minutes(reader: httpx.AsyncClient, **narrower: str) -> tuple[int, int]:
        answer = await reader.get(REPORT, params={**asked, **narrower})
        [row] = answer.json()["data"]
        return row["tasks_overdue"], row["shift_minutes"]

    assert await minutes(client) == await minutes(client, team_id=str(team)) == (2, 300)
    assert await minutes(client, staff_id=lan) == (1, 60)
    assert await minutes(client, skill="12:00", team_id=str(team)) == (1, 240)
    for visibility, expected in ((Visibility.OWN, (1, 60)), (Visibility.TEAM, (2, 300))):
        async with service.client(
            shop, "reports:read", kind=PrincipalKind.STAFF, actor_id=lan,
            visibility=visibility, team_ids=[team],
        ) as member:  # fmt: skip
            assert await minutes(member) == expected


async def test_what_was_told_before_counts_once_and_in_its_order(client, hire, told):
    lan, chi = await hire(), await hire()
    states = _states(lan)
    await told(*(TicketUpdated(ticket=state) for state in states))
    again = [state.model_copy(update={"assignee_id": UUID(chi)}) for state in states[1:]]
    await told(*(TicketUpdated(ticket=state) for state in again))
    found = await _figures(client, **{"from": "2026-03-01", "to": "2026-03-01"})
    [day] = found.values()
    assert day["staff_id"] == lan, "who did it has done it, whoever has the ticket later"
    assert [day[f"tickets_{what}"] for what in ("answered", "resolved", "overdue")] == [1, 1, 0]
    # Reopened and resolved by somebody else, it was resolved twice and answered first once.
    reopened = states[3].model_copy(
        update={
            "version": 5, "status": "open", "assignee_id": UUID(chi), "resolved_at": None,
            "first_responded_at": None,
        }
    )  # fmt: skip
    closed = reopened.model_copy(
        update={"version": 7, "status": "resolved", "resolved_at": later(hours=7),
                "first_responded_at": later(hours=6)}
    )  # fmt: skip
    await told(TicketUpdated(ticket=reopened))
    found = await _figures(client, **{"from": "2026-03-01", "to": "2026-03-01"})
    assert {row["staff_id"]: row["tickets_overdue"] for row in found.values()} == {lan: 0, chi: 1}
    await told(TicketResolved(ticket=closed))
    found = await _figures(client, **{"from": "2026-03-01", "to": "2026-03-01"})
    figures = {
        row["staff_id"]: (row["tickets_answered"], row["tickets_resolved"], row["tickets_overdue"])
        for row in found.values()
    }
    assert figures == {lan: (1, 1, 0), chi: (0, 1, 0)}


async def test_tickets_of_nobody_are_nobodys_work(client, told):
    _, given, _, resolved = _states(None)
    await told(TicketUpdated(ticket=given), TicketResolved(ticket=resolved), _answer(resolved, 3))
    assert await _figures(client, **{"from": "2026-03-01", "to": "2026-03-01"}) == {}


async def test_what_was_done_while_nobody_had_a_ticket_stays_nobodys(client, hire, told):
    lan = await hire()
    _, given, answered, resolved = _states(None)
    replied = TicketReplied(
        ticket=answered, message_id=new_id(), agent_name="Chi", body="Vâng", recipient=Recipient()
    )
    await told(TicketUpdated(ticket=given), replied, TicketResolved(ticket=resolved))
    theirs = resolved.model_copy(update={"version": 5, "assignee_id": UUID(lan)})
    await told(TicketUpdated(ticket=theirs))
    assert await _figures(client, **{"from": "2026-03-01", "to": "2026-03-01"}) == {}
    [day] = (await _figures(client)).values()
    assert [day[f"tickets_{what}"] for what in ("given", "answered", "resolved")] == [1, 0, 0]


async def test_a_scale_of_ten_counts_like_one_of_five(client, hire, told):
    lan = await hire()
    resolved = _states(lan)[3]
    await told(*(_answer(resolved, score, scale_max=10) for score in (10, 8, 4)))
    found = await _figures(client, **{"from": "2026-03-01", "to": "2026-03-01"})
    [day] = [row for row in found.values() if row["ratings"]]
    assert (day["ratings"], day["csat_percent"], day["rating_average"]) == (3, 67, 3.67)
