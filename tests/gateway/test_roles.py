"""Who may do what: built-in roles, roles of the shop's own, and what nobody can give."""

from datetime import timedelta
from uuid import uuid4

import pytest

from gateway.access.scopes import GRANTABLE, ROLE_SCOPES, Role
from tests.gateway.conftest import Shop, TestClock, make_shop
from tests.gateway.staff import Member, hire, log_in, member, staff_told

NIGHT = {"name": "Ca đêm", "scopes": ["tickets:read", "tickets:write"], "visibility": "team"}


async def make_role(shop: Shop, **fields) -> dict:
    answer = await shop.owner.post("/v1/roles", json={**NIGHT, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


class TestBuiltInRoles:
    @pytest.mark.parametrize("role", Role)
    async def test_each_has_its_scopes(self, shop: Shop, role: Role) -> None:
        someone = await member(shop, role=role.value)
        me = await someone.me()
        assert set(me["scopes"]) == ROLE_SCOPES[role]
        assert (me["visibility"], me["team_ids"]) == ("all", [])

    async def test_only_owner_and_admin_see_the_audit_log_and_analysts_no_contact_data(
        self,
    ) -> None:
        assert [role for role in Role if "audit:read" in ROLE_SCOPES[role]] == ["owner", "admin"]
        assert [role for role in Role if "pii:read" not in ROLE_SCOPES[role]] == ["analyst"]
        assert ROLE_SCOPES[Role.OWNER] == ROLE_SCOPES[Role.ADMIN] == GRANTABLE

    async def test_they_can_be_looked_up(self, shop: Shop) -> None:
        listed = (await shop.owner.get("/v1/roles/built-in")).json()["data"]
        assert {each["name"]: set(each["scopes"]) for each in listed} == ROLE_SCOPES


class TestOwnRoles:
    async def test_a_member_has_what_the_role_gives(self, shop: Shop) -> None:
        role = await make_role(shop)
        someone = await member(shop, role=role["id"])
        me = await someone.me()
        assert set(me["scopes"]) == {"tickets:read", "tickets:write"}
        assert me["visibility"] == "team"
        assert me["staff"]["role"] == role["id"]
        assert (await someone.client.get("/v1/staff")).status_code == 403
        seen = (await someone.client.get("/v1/tickets")).json()
        assert (seen["scopes"], seen["visibility"]) == (["tickets:read", "tickets:write"], "team")

    async def test_the_services_hear_of_a_built_in_role_that_resembles_it(self, shop: Shop) -> None:
        answering = await make_role(shop)
        looking = await make_role(shop, name="Kiểm tra", scopes=["tickets:read"])
        for role, resembled in ((answering, "agent"), (looking, "analyst")):
            hired = await hire(shop, role=role["id"])
            (told,) = await staff_told(shop, hired["id"])
            assert (told["role"], told["role_id"]) == (resembled, role["id"])
            assert told["visibility"] == "team"

    async def test_a_change_is_felt_by_who_is_logged_in_and_told(
        self, shop: Shop, clock: TestClock
    ) -> None:
        role = await make_role(shop)
        someone = await member(shop, role=role["id"])
        assert (await someone.me())["visibility"] == "team"
        change = {"scopes": ["tickets:read"], "visibility": "own"}
        answer = await shop.owner.patch(f"/v1/roles/{role['id']}", json=change)
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
        clock.ahead = timedelta(seconds=4)
        me = await someone.me()
        assert (me["scopes"], me["visibility"]) == (["tickets:read"], "own")
        told = await staff_told(shop, someone.id)
        assert [(each["version"], each["visibility"], each["role"]) for each in told] == [
            (1, "team", "agent"),
            (2, "own", "agent"),
        ]

    async def test_a_name_names_one_role_however_it_is_written(self, shop: Shop) -> None:
        role = await make_role(shop)
        again = await shop.owner.post("/v1/roles", json={**NIGHT, "name": "CA  ĐÊM"})
        assert (again.status_code, again.json()["code"]) == (409, "role_name_taken")
        other = await make_role(shop, name="Ca ngày")
        path = f"/v1/roles/{other['id']}"
        renamed = await shop.owner.patch(path, json={"name": "ca dem"})
        assert (renamed.status_code, renamed.json()["code"]) == (409, "role_name_taken")
        same = await shop.owner.patch(f"/v1/roles/{role['id']}", json={"name": "ca đêm"})
        assert same.status_code == 200

    async def test_one_that_somebody_has_cannot_be_deleted(self, shop: Shop) -> None:
        role = await make_role(shop)
        path = f"/v1/roles/{role['id']}"
        hired = await hire(shop, role=role["id"])
        refused = await shop.owner.delete(path)
        assert (refused.status_code, refused.json()["code"]) == (409, "role_in_use")
        moved = await shop.owner.patch(f"/v1/staff/{hired['id']}", json={"role": "agent"})
        assert moved.json()["role"] == "agent"
        assert (await shop.owner.delete(path)).status_code == 204
        assert (await shop.owner.get(path)).status_code == 404

    async def test_a_stale_change_is_refused(self, shop: Shop) -> None:
        path = f"/v1/roles/{(await make_role(shop))['id']}"
        stale = {"if-match": '"1"'}
        assert (await shop.owner.patch(path, json={"description": "x"}, headers=stale)).is_success
        refused = await shop.owner.patch(path, json={"description": None}, headers=stale)
        assert refused.status_code == 412

    async def test_the_list_pages_from_the_newest(self, shop: Shop) -> None:
        made = [(await make_role(shop, name=f"Role {n}"))["id"] for n in range(3)]
        first = (await shop.owner.get("/v1/roles?limit=2")).json()
        rest = (await shop.owner.get(f"/v1/roles?limit=2&cursor={first['next_cursor']}")).json()
        assert [role["id"] for role in first["data"] + rest["data"]] == made[::-1]

    @pytest.mark.parametrize(
        "change",
        [{"scopes": ["tickets:fly"]}, {"scopes": ["tenants:write"]}, {"visibility": "none"}],
    )
    async def test_what_nobody_can_have_cannot_be_put_in(self, shop: Shop, change: dict) -> None:
        assert (await shop.owner.post("/v1/roles", json={**NIGHT, **change})).status_code == 422

    async def test_another_shops_role_is_nobodys(self, gateway, shop: Shop) -> None:
        role = await make_role(await make_shop(gateway))
        assert (await shop.owner.get(f"/v1/roles/{role['id']}")).status_code == 404
        body = {"name": "X", "email": "x@example.com", "role": role["id"]}
        refused = await shop.owner.post("/v1/staff", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_role")
        assert refused.json()["errors"][0]["pointer"] == "/body/role"


class TestNobodyGivesWhatTheyDoNotHave:
    @pytest.fixture
    async def clerk(self, shop: Shop) -> Member:
        """Somebody who deals with staff, may read tickets, and sees the work of a team."""
        scopes = ["staff:read", "staff:write", "tickets:read"]
        role = await make_role(shop, name="Nhân sự", scopes=scopes)
        return await member(shop, role=role["id"])

    async def test_no_scope_that_the_giver_lacks(self, clerk: Member) -> None:
        role = {"name": "Mine", "visibility": "own", "scopes": ["tickets:read"]}
        assert (await clerk.client.post("/v1/roles", json=role)).status_code == 201
        more = {**role, "name": "More", "scopes": ["tickets:read", "pii:read"]}
        refused = await clerk.client.post("/v1/roles", json=more)
        assert (refused.status_code, refused.json()["code"]) == (403, "role_not_grantable")
        assert refused.json()["missing_scopes"] == ["pii:read"]

    async def test_no_wider_view_than_the_givers(self, clerk: Member) -> None:
        role = {"name": "Wide", "visibility": "all", "scopes": ["tickets:read"]}
        assert (await clerk.client.post("/v1/roles", json=role)).status_code == 403
        widened = await clerk.client.patch(f"/v1/staff/{clerk.id}", json={"visibility": "all"})
        assert (widened.status_code, widened.json()["code"]) == (403, "role_not_grantable")

    async def test_no_hand_on_who_has_more(self, shop: Shop, clerk: Member) -> None:
        agent = await hire(shop, role="agent")
        path = f"/v1/staff/{agent['id']}"
        for change in ({"password": "mot mat khau khac"}, {"active": False}, {"name": "X"}):
            refused = await clerk.client.patch(path, json=change)
            assert (refused.status_code, refused.json()["code"]) == (403, "role_not_grantable")
        assert (await clerk.client.delete(f"{path}/sessions")).status_code == 403
        assert (await clerk.client.delete(f"{path}/second-factor")).status_code == 403
        assert (await clerk.client.post(f"{path}/invitations")).status_code == 403

    async def test_no_change_to_a_role_that_can_do_more(self, shop: Shop, clerk: Member) -> None:
        role = await make_role(shop, name="Trưởng ca", visibility="all")
        path = f"/v1/roles/{role['id']}"
        assert (await clerk.client.patch(path, json={"scopes": []})).status_code == 403
        assert (await clerk.client.delete(path)).status_code == 403

    async def test_an_admin_makes_admins_and_no_owners(self, shop: Shop) -> None:
        admin = await member(shop, role="admin")
        body = {"name": "Hoa", "password": "nam-sau-bay-tam"}
        for role, status in (("admin", 201), ("owner", 403)):
            given = {**body, "email": f"{uuid4().hex}@example.com", "role": role}
            assert (await admin.client.post("/v1/staff", json=given)).status_code == status
        owner = (await shop.owner.get("/v1/auth/me")).json()["staff"]
        taken = await admin.client.patch(f"/v1/staff/{owner['id']}", json={"password": "x" * 30})
        assert taken.status_code in (403, 422)
        locked = await admin.client.patch(f"/v1/staff/{owner['id']}", json={"active": False})
        assert (locked.status_code, locked.json()["code"]) == (403, "role_not_grantable")

    async def test_a_key_appoints_no_one_who_can_do_more_than_it(self, shop: Shop) -> None:
        body = {"name": "Hoa", "email": f"{uuid4().hex}@example.com", "password": "nam-sau-bay-tam"}
        async with await shop.client("staff:write") as program:
            refused = await program.post("/v1/staff", json={**body, "role": "agent"})
            assert refused.status_code == 403
            role = await make_role(shop, scopes=[], name="Nobody")
            hired = await program.post("/v1/staff", json={**body, "role": role["id"]})
        assert hired.status_code == 201


class TestVisibility:
    async def test_a_member_may_see_less_than_their_role(
        self, shop: Shop, clock: TestClock
    ) -> None:
        someone = await member(shop, role="agent", visibility="own")
        assert (await someone.me())["visibility"] == "own"
        path = f"/v1/staff/{someone.id}"
        back = await shop.owner.patch(path, json={"visibility": None})
        assert (back.json()["visibility"], back.json()["visibility_is_own"]) == ("all", False)
        clock.ahead = timedelta(seconds=4)
        assert (await someone.me())["visibility"] == "all"

    async def test_the_shop_says_what_its_agents_see(self, shop: Shop, clock: TestClock) -> None:
        agent = await member(shop, role="agent")
        admin = await member(shop, role="admin", visibility="own")
        policy = await shop.owner.get("/v1/settings/staff")
        assert policy.json()["visibility"] == {"manager": "all", "agent": "all", "analyst": "all"}
        change = {"visibility": {"agent": "team"}}
        answer = await shop.owner.patch("/v1/settings/staff", json=change)
        assert answer.json()["visibility"]["agent"] == "team"
        clock.ahead = timedelta(seconds=4)
        assert (await agent.me())["visibility"] == "team"
        # Whoever answers for the shop sees it.
        assert (await admin.me())["visibility"] == "all"
        assert [t["visibility"] for t in await staff_told(shop, agent.id)] == ["all", "team"]
        assert len(await staff_told(shop, admin.id)) == 1
        hired = await hire(shop, role="agent")
        assert hired["visibility"] == "team"

    async def test_it_is_felt_at_once_where_it_was_decided(self, shop: Shop) -> None:
        role = await make_role(shop)
        agent, night = await member(shop, role="agent"), await member(shop, role=role["id"])
        assert (await agent.me())["visibility"] == "all"
        assert (await night.me())["scopes"] == NIGHT["scopes"]
        narrowed = {"visibility": {"agent": "own"}}
        assert (await shop.owner.patch("/v1/settings/staff", json=narrowed)).is_success
        assert (await agent.me())["visibility"] == "own"
        path = f"/v1/roles/{role['id']}"
        assert (await shop.owner.patch(path, json={"scopes": ["tickets:read"]})).is_success
        assert (await night.me())["scopes"] == ["tickets:read"]
        required = {"second_factor_for": ["agent", role["id"]]}
        assert (await shop.owner.patch("/v1/settings/staff", json=required)).is_success
        assert (await agent.me())["scopes"] == (await night.me())["scopes"] == []

    async def test_only_who_keeps_the_shop_changes_the_policy(self, shop: Shop) -> None:
        manager = await member(shop, role="manager")
        assert (await manager.client.get("/v1/settings/staff")).status_code == 200
        refused = await manager.client.patch("/v1/settings/staff", json={})
        assert refused.status_code == 403

    async def test_a_policy_names_roles_that_exist(self, shop: Shop) -> None:
        change = {"second_factor_for": [str(uuid4())]}
        refused = await shop.owner.patch("/v1/settings/staff", json=change)
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_role")

    async def test_a_stale_policy_is_refused(self, shop: Shop) -> None:
        stale = {"if-match": '"0"'}
        change = {"visibility": {"analyst": "own"}}
        first = await shop.owner.patch("/v1/settings/staff", json=change, headers=stale)
        assert first.headers["etag"] == '"1"'
        second = await shop.owner.patch("/v1/settings/staff", json=change, headers=stale)
        assert second.status_code == 412


async def test_somebody_with_a_custom_role_logs_in_after_it_lost_its_scopes(shop: Shop) -> None:
    role = await make_role(shop, scopes=[])
    hired = await hire(shop, role=role["id"])
    answer = await log_in(shop.app, shop, hired["email"])
    assert answer.status_code == 200
