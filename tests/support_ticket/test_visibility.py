"""Whose tickets staff see: everybody's, their teams', their own."""

import random
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from shared.ids import new_id
from shared.security.principal import Visibility
from tests.support_ticket.shop import Shop

READS = ("", "/messages", "/sla", "/episodes", "/resolution")
WRITES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("PATCH", "", {"subject": "Khác"}),
    ("POST", "/transitions", {"to": "open"}),
    ("POST", "/replies", {"text": "Chào anh"}),
    ("POST", "/notes", {"text": "Nhớ gọi lại"}),
    ("POST", "/resolution", {"kind": "answer"}),
)

ADD_QUEUE = text(
    "INSERT INTO support_ticket.queue (tenant_id, id, name, is_default, team_id, created_at)"
    " VALUES (:tenant, CAST(:queue AS uuid), 'Another', false, CAST(:team AS uuid), now())"
)
PLAN = text(
    "UPDATE support_ticket.ticket SET queue_id = CAST(:queue AS uuid),"
    " team_id = CAST(:team AS uuid), assignee_id = CAST(:assignee AS uuid),"
    " created_by = CAST(:creator AS uuid) WHERE tenant_id = :tenant AND id = CAST(:ticket AS uuid)"
)


@dataclass
class Desk:
    """A shop with two teams: Lan and Bình in the first, Chi in the second, Dung in none."""

    shop: Shop
    first: UUID
    second: UUID
    lan: UUID
    binh: UUID
    chi: UUID
    dung: UUID
    queue: str

    def sees(self, who: UUID, visibility: Visibility, *teams: UUID) -> httpx.AsyncClient:
        return self.shop.agent(who, visibility=visibility, teams=teams)

    async def ticket(self, **planned: Any) -> str:
        """A ticket that came in by itself and was then planned by somebody who sees all."""
        ticket = await self.shop.ticket()
        changes = {"assignee_id": None, **planned}
        body = {name: str(value) if value else None for name, value in changes.items()}
        async with self.shop.api() as api:
            answer = await api.patch(f"/v1/tickets/{ticket['id']}", json=body)
        assert answer.status_code == 200, answer.text
        ticket_id: str = ticket["id"]
        return ticket_id

    async def queue_is_of(self, team: UUID | None) -> dict[str, Any]:
        async with self.shop.api() as api:
            answer = await api.patch(
                f"/v1/queues/{self.queue}", json={"team_id": str(team) if team else None}
            )
        assert answer.status_code == 200, answer.text
        changed: dict[str, Any] = answer.json()
        return changed


@pytest.fixture
async def desk(shop: Shop) -> Desk:
    first, second = new_id(), new_id()
    staff = {
        "lan": await shop.hires("Lan", team_ids=(first,)),
        "binh": await shop.hires("Bình", team_ids=(first,)),
        "chi": await shop.hires("Chi", team_ids=(second,)),
        "dung": await shop.hires("Dung"),
    }
    [queue] = (await shop.get("/v1/queues"))["data"]
    return Desk(shop, first, second, queue=queue["id"], **staff)


async def listed(client: httpx.AsyncClient, **query: Any) -> list[str]:
    """All tickets that somebody lists, page by page."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        asked = {"limit": 2, **query, **({"cursor": cursor} if cursor else {})}
        answer = await client.get("/v1/tickets", params=asked)
        assert answer.status_code == 200, answer.text
        found += [ticket["id"] for ticket in answer.json()["data"]]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


async def test_own_is_what_is_assigned_to_me_and_what_i_opened(desk: Desk) -> None:
    mine = await desk.ticket(assignee_id=desk.lan)
    await desk.ticket(assignee_id=desk.binh)
    await desk.ticket()
    await desk.ticket(team_id=desk.first)
    async with desk.sees(desk.lan, Visibility.OWN) as lan:
        body = {
            "subject": "Khách gọi",
            "text": "Khách hỏi giờ mở cửa.",
            "requester": {"contact": {"email": "hoa@example.com"}},
        }
        opened = (await lan.post("/v1/tickets", json=body)).json()
        async with desk.shop.api() as api:
            await api.patch(f"/v1/tickets/{opened['id']}", json={"assignee_id": str(desk.chi)})
        assert await listed(lan) == [opened["id"], mine]
        assert opened["created_by"] == str(desk.lan)
        for ticket_id in (opened["id"], mine):
            assert (await lan.get(f"/v1/tickets/{ticket_id}")).status_code == 200


async def test_team_is_also_my_teams_my_teammates_and_nobodys(desk: Desk) -> None:
    seen = [
        await desk.ticket(assignee_id=desk.lan),
        await desk.ticket(assignee_id=desk.binh),
        await desk.ticket(team_id=desk.first),
        await desk.ticket(team_id=desk.first, assignee_id=desk.chi),
        await desk.ticket(),
    ]
    unseen = [
        await desk.ticket(assignee_id=desk.chi),
        await desk.ticket(assignee_id=desk.dung),
        await desk.ticket(team_id=desk.second),
    ]
    async with desk.sees(desk.lan, Visibility.TEAM, desk.first) as lan:
        assert await listed(lan) == seen[::-1]
        for ticket_id in seen:
            assert (await lan.get(f"/v1/tickets/{ticket_id}")).status_code == 200
        for ticket_id in unseen:
            assert (await lan.get(f"/v1/tickets/{ticket_id}")).status_code == 404
    async with desk.sees(desk.lan, Visibility.TEAM, desk.first, desk.second) as both:
        assert set(await listed(both)) == {*seen, *unseen} - {unseen[1]}
    async with desk.sees(desk.lan, Visibility.ALL) as everything:
        assert len(await listed(everything)) == len(seen) + len(unseen)


async def test_a_queue_of_a_team_is_the_teams_whoever_works_on_its_tickets(desk: Desk) -> None:
    before = await desk.ticket(assignee_id=desk.chi)
    changed = await desk.queue_is_of(desk.first)
    assert (changed["team_id"], changed["version"]) == (str(desk.first), 2)
    inherited = await desk.shop.ticket()
    assert inherited["team_id"] == str(desk.first)
    async with desk.sees(desk.lan, Visibility.TEAM, desk.first) as lan:
        assert await listed(lan) == [inherited["id"], before]
    async with desk.sees(desk.chi, Visibility.TEAM, desk.second) as chi:
        assert before in await listed(chi), "it is still assigned to her"
    # What waits in a queue of others is theirs, not everybody's.
    waiting = await desk.ticket(team_id=None)
    async with desk.sees(desk.dung, Visibility.TEAM) as dung:
        assert (await dung.get(f"/v1/tickets/{waiting}")).status_code == 404
        await desk.queue_is_of(None)
        assert (await dung.get(f"/v1/tickets/{waiting}")).status_code == 200


@pytest.mark.parametrize("visibility", [Visibility.OWN, Visibility.TEAM])
async def test_what_is_not_seen_does_not_exist(desk: Desk, visibility: Visibility) -> None:
    hidden, missing = await desk.ticket(assignee_id=desk.chi), str(new_id())
    before = await desk.shop.get(f"/v1/tickets/{hidden}")
    requests = [("GET", path, None) for path in READS] + list(WRITES)
    async with desk.sees(desk.lan, visibility, desk.first) as lan:
        for method, path, body in requests:
            for headers in ({}, {"if-match": '"1"'}):
                answers = [
                    await lan.request(
                        method, f"/v1/tickets/{ticket_id}{path}", json=body, headers=headers
                    )
                    for ticket_id in (hidden, missing)
                ]
                told = [(a.status_code, a.json()["code"], a.json()["detail"]) for a in answers]
                assert told[0] == told[1], f"{method} {path}"
                assert told[0][:2] == (404, "ticket_not_found"), f"{method} {path}"
        for query in ({"assignee": str(desk.chi)}, {"code": before["code"]}, {"status": "new"}):
            assert await listed(lan, **query) == []
    assert await desk.shop.get(f"/v1/tickets/{hidden}") == before


async def test_filters_narrow_what_is_seen(desk: Desk) -> None:
    urgent = await desk.ticket(assignee_id=desk.binh)
    other = await desk.ticket(team_id=desk.first)
    async with desk.sees(desk.lan, Visibility.TEAM, desk.first) as lan:
        assert await listed(lan, assignee=str(desk.binh)) == [urgent]
        assert await listed(lan, team_id=str(desk.first)) == [other]
        assert await listed(lan, assignee="none") == [other]


async def test_what_follows_from_tickets_is_seen_as_they_are(desk: Desk) -> None:
    mine, hidden = await desk.ticket(assignee_id=desk.lan), await desk.ticket(assignee_id=desk.chi)
    for ticket_id in (mine, hidden):
        await desk.shop.resolve(ticket_id)
    period = {"since": "2020-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"}
    for visibility, expected in ((Visibility.OWN, 1), (Visibility.TEAM, 1), (Visibility.ALL, 2)):
        async with desk.sees(desk.lan, visibility, desk.first) as lan:
            surveys = (await lan.get("/v1/surveys")).json()["data"]
            assert len(surveys) == expected
            totals = await lan.get("/v1/ticket-reports/resolutions", params=period)
            assert sum(row["count"] for row in totals.json()["data"]) == expected


async def test_the_count_of_a_customers_open_tickets_is_of_those_seen(desk: Desk) -> None:
    customer = await desk.shop.knows()
    requester = {"requester": {"customer_id": str(customer)}}
    for assignee in (desk.lan, desk.chi):
        ticket = await desk.shop.ticket(**requester)
        async with desk.shop.api() as api:
            path = f"/v1/tickets/{ticket['id']}"
            await api.patch(path, json={"assignee_id": str(assignee)})
    async with desk.sees(desk.lan, Visibility.OWN) as lan:
        [mine] = await listed(lan)
        detail = (await lan.get(f"/v1/tickets/{mine}")).json()
    assert detail["customer"]["open_tickets"] == 1


async def test_a_ticket_and_a_queue_are_for_teams_that_have_members(desk: Desk) -> None:
    ticket = await desk.ticket()
    async with desk.shop.api() as api:
        for path in (f"/v1/tickets/{ticket}", f"/v1/queues/{desk.queue}"):
            answer = await api.patch(path, json={"team_id": str(new_id())})
            assert (answer.status_code, answer.json()["code"]) == (422, "unknown_team")
            assert answer.json()["errors"][0]["pointer"] == "/body/team_id"


async def test_teams_follow_the_staff(desk: Desk) -> None:
    """Who leaves a team takes their tickets along."""
    ticket = await desk.ticket(assignee_id=desk.binh)
    async with desk.sees(desk.lan, Visibility.TEAM, desk.first) as lan:
        assert await listed(lan) == [ticket]
        await desk.shop.hires("Bình", staff_id=desk.binh, team_ids=(desk.second,), version=2)
        assert await listed(lan) == []


async def test_a_queue_is_changed_by_one_at_a_time(desk: Desk) -> None:
    async with desk.shop.api() as api:
        path = f"/v1/queues/{desk.queue}"
        tag = (await api.get(path)).headers["etag"]
        renamed = await api.patch(path, json={"name": "Cửa hàng"}, headers={"if-match": tag})
        assert (renamed.status_code, renamed.json()["name"]) == (200, "Cửa hàng")
        late = await api.patch(path, json={"name": "Khác"}, headers={"if-match": tag})
        assert late.status_code == 412
        assert (await api.patch(path, json={"name": None})).status_code == 422
        assert (await api.get(f"/v1/queues/{new_id()}")).json()["code"] == "queue_not_found"


async def test_pages_are_what_the_conditions_say_one_ticket_at_a_time(desk: Desk) -> None:
    """The pages are merged out of index scans; each ticket is also asked for by itself."""
    chance = random.Random(20270301)
    queues = [desk.queue, str(new_id()), str(new_id())]
    teams = [desk.first, desk.second, None]
    people = [desk.lan, desk.binh, desk.chi, desk.dung, None]
    tickets = [(await desk.shop.ticket())["id"] for _ in range(24)]
    units = desk.shop.service.context.units
    tenant = desk.shop.tenant
    async with units.begin(tenant) as uow:
        for queue, team in zip(queues[1:], teams, strict=False):
            await uow.execute(ADD_QUEUE, {"tenant": tenant, "queue": queue, "team": team})
        for ticket in tickets:
            plan = {
                "queue": chance.choice(queues),
                "team": chance.choice(teams),
                "assignee": chance.choice(people),
                "creator": chance.choice(people),
            }
            await uow.execute(PLAN, {"tenant": tenant, "ticket": ticket, **plan})
        await uow.commit()
    sights = [
        (desk.lan, Visibility.OWN, ()),
        (desk.lan, Visibility.TEAM, ()),
        (desk.lan, Visibility.TEAM, (desk.first,)),
        (desk.dung, Visibility.TEAM, (desk.first, desk.second)),
        (new_id(), Visibility.TEAM, (desk.second,)),
    ]
    seen_by_any: set[str] = set()
    for who, visibility, teams_of_viewer in sights:
        async with desk.sees(who, visibility, *teams_of_viewer) as viewer:
            answers = {t: (await viewer.get(f"/v1/tickets/{t}")).status_code for t in tickets}
            seen = [ticket for ticket in reversed(tickets) if answers[ticket] == 200]
            assert set(answers.values()) <= {200, 404}
            assert await listed(viewer) == seen
            seen_by_any |= set(seen)
    assert 0 < len(seen_by_any) <= len(tickets)


async def test_a_ticket_is_no_way_to_look_at_a_customer_whom_one_does_not_see(desk: Desk) -> None:
    of_binh = await desk.shop.knows(name="Hoa", owner_id=desk.binh, email="hoa@example.com")
    of_lan = await desk.shop.knows(name="Mai", owner_id=desk.lan)
    of_nobody = await desk.shop.knows(name="Tú")
    merged = await desk.shop.knows(owner_id=desk.lan)
    await desk.shop.merges(merged, of_binh, owner_id=desk.lan)
    own, team = (desk.lan, Visibility.OWN), (desk.lan, Visibility.TEAM, desk.first)

    def asked_by(**requester: Any) -> dict[str, Any]:
        return {"subject": "Khách gọi", "text": "Hỏi giờ mở cửa.", "requester": requester}

    async def opened(who: Any, customer_id: UUID) -> str | None:
        """How the customer of a new ticket is called."""
        async with desk.sees(*who) as client:
            answer = await client.post("/v1/tickets", json=asked_by(customer_id=str(customer_id)))
            if answer.status_code == 404:
                return None
            assert answer.status_code == 201, answer.text
            made = (await client.get(f"/v1/tickets/{answer.json()['id']}")).json()
            name: str = made["customer"]["name"]
            return name

    assert [await opened(own, each) for each in (of_lan, of_nobody)] == ["Mai", "Tú"]
    assert [await opened(own, each) for each in (of_binh, merged)] == [None, None]
    assert [await opened(team, each) for each in (of_binh, merged)] == ["Hoa", "Hoa"]
    async with desk.sees(*own) as lan:
        body = asked_by(contact={"email": "hoa@example.com"})
        by_address = (await lan.post("/v1/tickets", json=body)).json()
        where = f"/v1/tickets/{by_address['id']}"
        assert by_address["customer_id"] == str(of_binh)
        assert (await lan.get(where)).json()["customer"] is None
        assert (await desk.shop.get(where))["customer"]["name"] == "Hoa"
        # Somebody else looks after her from now on.
        await desk.shop.knows(of_binh, version=2, name="Hoa", owner_id=desk.lan)
        assert (await lan.get(where)).json()["customer"]["name"] == "Hoa"
