"""Teams, and who is in them."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.gateway.conftest import Shop, TestClock, make_shop
from tests.gateway.staff import Member, hire, member, staff_told


async def make_team(shop: Shop, name: str = "Sài Gòn") -> str:
    answer = await shop.owner.post("/v1/teams", json={"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_member_carries_their_teams_and_the_services_are_told(
    shop: Shop, clock: TestClock
) -> None:
    lan = await member(shop, role="agent")
    saigon, hanoi = await make_team(shop), await make_team(shop, "Hà Nội")
    for team in (saigon, hanoi):
        joined = await shop.owner.put(f"/v1/teams/{team}/members/{lan.id}")
        assert joined.json()["staff_id"] == lan.id
    assert (await lan.me())["team_ids"] == sorted([saigon, hanoi])
    assert (await lan.client.get("/v1/tickets")).json()["teams"] == sorted([saigon, hanoi])

    left = await shop.owner.delete(f"/v1/teams/{saigon}/members/{lan.id}")
    assert left.status_code == 204
    clock.ahead = timedelta(seconds=8)
    assert (await lan.me())["team_ids"] == [hanoi]
    told = await staff_told(shop, lan.id)
    assert [each["team_ids"] for each in told] == [
        [],
        [saigon],
        sorted([saigon, hanoi]),
        [hanoi],
    ]
    assert [each["version"] for each in told] == [1, 2, 3, 4]


async def test_joining_twice_is_joining_once(shop: Shop) -> None:
    lan = await hire(shop)
    path = f"/v1/teams/{await make_team(shop)}/members/{lan['id']}"
    answers = await asyncio.gather(*(shop.owner.put(path) for _ in range(3)))
    assert len({answer.json()["joined_at"] for answer in answers}) == 1
    assert len(await staff_told(shop, lan["id"])) == 2
    for _ in range(2):
        assert (await shop.owner.delete(path)).status_code == 204
    assert len(await staff_told(shop, lan["id"])) == 3


async def test_a_dissolved_team_lets_its_members_go(shop: Shop) -> None:
    team = await make_team(shop)
    people = [(await hire(shop))["id"] for _ in range(3)]
    for staff_id in people:
        await shop.owner.put(f"/v1/teams/{team}/members/{staff_id}")
    listed = (await shop.owner.get(f"/v1/teams/{team}/members?limit=2")).json()
    more = f"/v1/teams/{team}/members?limit=2&cursor={listed['next_cursor']}"
    found = listed["data"] + (await shop.owner.get(more)).json()["data"]
    assert [each["staff_id"] for each in found] == people[::-1]

    assert (await shop.owner.delete(f"/v1/teams/{team}")).status_code == 204
    assert (await shop.owner.get(f"/v1/teams/{team}/members")).status_code == 404
    for staff_id in people:
        assert (await staff_told(shop, staff_id))[-1]["team_ids"] == []


async def test_the_staff_can_be_listed_by_team(shop: Shop) -> None:
    team, lan, _other = await make_team(shop), await hire(shop), await hire(shop)
    await shop.owner.put(f"/v1/teams/{team}/members/{lan['id']}")
    listed = (await shop.owner.get("/v1/staff", params={"team_id": team})).json()["data"]
    assert [(each["id"], each["team_ids"]) for each in listed] == [(lan["id"], [team])]


async def test_a_name_names_one_team(shop: Shop) -> None:
    saigon, hanoi = await make_team(shop), await make_team(shop, "Hà Nội")
    again = await shop.owner.post("/v1/teams", json={"name": "sai gon"})
    assert (again.status_code, again.json()["code"]) == (409, "team_name_taken")
    renamed = await shop.owner.patch(f"/v1/teams/{hanoi}", json={"name": "SÀI GÒN"})
    assert (renamed.status_code, renamed.json()["code"]) == (409, "team_name_taken")
    same = await shop.owner.patch(
        f"/v1/teams/{saigon}", json={"description": "Ca sáng"}, headers={"if-match": '"1"'}
    )
    assert (same.json()["description"], same.headers["etag"]) == ("Ca sáng", '"2"')


async def test_a_member_is_in_twenty_teams_at_most(shop: Shop) -> None:
    lan = await hire(shop)
    for number in range(20):
        team = await make_team(shop, f"Team {number}")
        joined = await shop.owner.put(f"/v1/teams/{team}/members/{lan['id']}")
        assert joined.status_code == 200
    one_more = await shop.owner.put(f"/v1/teams/{await make_team(shop)}/members/{lan['id']}")
    assert (one_more.status_code, one_more.json()["code"]) == (409, "too_many_teams")


@pytest.mark.parametrize("absent", ["team", "member"])
async def test_what_is_not_there_cannot_be_joined(shop: Shop, absent: str) -> None:
    team = str(uuid4()) if absent == "team" else await make_team(shop)
    staff_id = str(uuid4()) if absent == "member" else (await hire(shop))["id"]
    assert (await shop.owner.put(f"/v1/teams/{team}/members/{staff_id}")).status_code == 404


async def test_another_shops_people_and_teams_are_nobodys(gateway, shop: Shop) -> None:
    other = await make_shop(gateway)
    theirs, lan = await make_team(other), await hire(other)
    assert (await shop.owner.get(f"/v1/teams/{theirs}")).status_code == 404
    assert (await shop.owner.delete(f"/v1/teams/{theirs}")).status_code == 404
    joined = await shop.owner.put(f"/v1/teams/{await make_team(shop)}/members/{lan['id']}")
    assert joined.status_code == 404


async def test_who_may_not_deal_with_staff_makes_no_teams(shop: Shop) -> None:
    agent = await member(shop, role="agent")
    assert (await agent.client.post("/v1/teams", json={"name": "X"})).status_code == 403
    assert (await agent.client.get("/v1/teams")).status_code == 200


async def test_joining_and_leaving_are_felt_at_once_where_they_were_done(
    shop: Shop, other_node, clock: TestClock
) -> None:
    lan, team = await member(shop), await make_team(shop)
    for method, teams in (("PUT", [team]), ("DELETE", [])):
        before = (await lan.me(other_node))["team_ids"]
        assert (await lan.me())["team_ids"] == before
        await shop.owner.request(method, f"/v1/teams/{team}/members/{lan.id}")
        assert (await lan.me())["team_ids"] == teams
        clock.ahead += timedelta(seconds=4)
        assert (await lan.me(other_node))["team_ids"] == teams


class TestNobodyWidensTheirView:
    @pytest.fixture
    async def clerk(self, shop: Shop) -> Member:
        """Somebody who deals with staff, may read tickets, and sees the work of their teams."""
        scopes = ["staff:read", "staff:write", "tickets:read"]
        role = {"name": "Nhân sự", "scopes": scopes, "visibility": "team"}
        made = (await shop.owner.post("/v1/roles", json=role)).json()
        return await member(shop, role=made["id"])

    async def test_by_joining_or_leaving_a_team_that_is_not_theirs(
        self, shop: Shop, clerk: Member
    ) -> None:
        path = f"/v1/teams/{await make_team(shop)}"
        for method, rest in (("PUT", f"/members/{clerk.id}"), ("DELETE", "")):
            refused = await clerk.client.request(method, f"{path}{rest}")
            assert (refused.status_code, refused.json()["code"]) == (403, "team_not_yours")
        own = (await clerk.client.post("/v1/teams", json={"name": "Của tôi"})).json()["id"]
        assert (await clerk.client.put(f"/v1/teams/{own}/members/{clerk.id}")).status_code == 403

    async def test_but_they_fill_and_empty_their_own(self, shop: Shop, clerk: Member) -> None:
        team = await make_team(shop)
        await shop.owner.put(f"/v1/teams/{team}/members/{clerk.id}")
        role = {"name": "Đọc", "scopes": ["tickets:read"], "visibility": "own"}
        made = (await shop.owner.post("/v1/roles", json=role)).json()
        hoa = await hire(shop, role=made["id"])
        path = f"/v1/teams/{team}/members/{hoa['id']}"
        assert (await clerk.client.put(path)).status_code == 200
        assert (await clerk.client.delete(path)).status_code == 204

    async def test_nor_do_they_move_who_can_do_more(self, shop: Shop, clerk: Member) -> None:
        team, agent = await make_team(shop), await hire(shop, role="agent")
        await shop.owner.put(f"/v1/teams/{team}/members/{clerk.id}")
        path = f"/v1/teams/{team}/members/{agent['id']}"
        refused = await clerk.client.put(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "role_not_grantable")
        await shop.owner.put(path)
        for each in (path, f"/v1/teams/{team}"):
            refused = await clerk.client.delete(each)
            assert (refused.status_code, refused.json()["code"]) == (403, "role_not_grantable")
