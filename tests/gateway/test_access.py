"""Who gets in, and with what rights."""

import asyncio
import json
import time
from datetime import timedelta
from operator import itemgetter
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from gateway.access.opaque import OpaqueToken, secret_matches
from gateway.access.scopes import GRANTABLE, ROLE_SCOPES, Role
from shared.ids import TenantId, new_id
from tests.gateway.conftest import OPERATOR_KEY, Shop, TestClock, client_of, make_shop

NEW_OWNER = {"name": "Lan", "email": "lan@example.com", "password": "mot-hai-ba-bon"}


async def told(app: FastAPI, tenant_id: TenantId) -> list[tuple[str, dict]]:
    async with app.state.context.units.begin(tenant_id) as uow:
        rows = await uow.rows(
            text(
                "SELECT type, data FROM gateway.outbox "
                "WHERE tenant_id = :t AND type LIKE 'gateway.%' ORDER BY id"
            ),
            {"t": tenant_id},
        )
    return [(row.type, row.data) for row in rows]


async def test_an_opaque_token_says_where_to_look_and_keeps_its_secret() -> None:
    tenant_id = TenantId(new_id())
    token = OpaqueToken.issue("cl", tenant_id)
    again = OpaqueToken.parse(token.text, prefix="cl")
    assert again == token
    assert secret_matches(token.secret, token.digest)
    assert not secret_matches(token.secret[::-1], token.digest)
    assert OpaqueToken.parse(token.text, prefix="clr") is None
    assert OpaqueToken.parse("cl_" + "z" * 43 + "_" + "0" * 33, prefix="cl") is None


class TestShops:
    async def test_the_operator_creates_a_shop_and_the_services_are_told(
        self, gateway: FastAPI, shop: Shop
    ) -> None:
        events = await told(gateway, shop.tenant_id)
        assert [kind for kind, _ in events] == [
            "gateway.tenant_provisioned",
            "gateway.staff_changed",
        ]
        assert events[0][1]["tenant"]["slug"] == shop.slug
        assert events[1][1]["staff"]["role"] == "owner"

    async def test_a_slug_names_one_shop(self, gateway: FastAPI, shop: Shop) -> None:
        async with client_of(gateway, OPERATOR_KEY) as operator:
            answer = await operator.post(
                "/v1/tenants", json={"name": "Other", "slug": shop.slug, "owner": NEW_OWNER}
            )
        assert (answer.status_code, answer.json()["code"]) == (409, "slug_taken")
        assert len(await told(gateway, shop.tenant_id)) == 2

    async def test_of_two_creations_at_once_one_wins(self, gateway: FastAPI) -> None:
        body = {"name": "Twice", "slug": f"twice-{uuid4().hex[:8]}", "owner": NEW_OWNER}
        async with client_of(gateway, OPERATOR_KEY) as operator:
            answers = await asyncio.gather(
                *(operator.post("/v1/tenants", json=body) for _ in range(3))
            )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]

    async def test_a_creation_that_broke_off_can_be_taken_up(self, gateway: FastAPI) -> None:
        slug = f"broken-{uuid4().hex[:8]}"
        claimed = await gateway.state.house.directory.claim("shop", slug, TenantId(new_id()))
        async with client_of(gateway, OPERATOR_KEY) as operator:
            body = {"name": "Again", "slug": slug, "owner": NEW_OWNER}
            answer = await operator.post("/v1/tenants", json=body)
        assert (answer.status_code, answer.json()["id"]) == (201, str(claimed))

    async def test_the_same_idempotency_key_creates_one_shop(self, gateway: FastAPI) -> None:
        body = {"name": "Once", "slug": f"once-{uuid4().hex[:8]}", "owner": NEW_OWNER}
        headers = {"idempotency-key": uuid4().hex}
        async with client_of(gateway, OPERATOR_KEY) as operator:
            first = await operator.post("/v1/tenants", json=body, headers=headers)
            second = await operator.post("/v1/tenants", json=body, headers=headers)
        assert first.status_code == second.status_code == 201
        assert first.json() == second.json()

    @pytest.mark.parametrize("credential", [None, "wrong-operator-key", OPERATOR_KEY + "x"])
    async def test_nobody_else_creates_shops(
        self, gateway: FastAPI, credential: str | None
    ) -> None:
        async with client_of(gateway, credential) as client:
            answer = await client.post("/v1/tenants", json={})
        assert answer.status_code == 401

    async def test_an_owner_is_not_the_operator(self, shop: Shop) -> None:
        answer = await shop.owner.post("/v1/tenants", json={})
        assert answer.status_code == 403

    async def test_the_operator_key_opens_nothing_else(self, gateway: FastAPI) -> None:
        async with client_of(gateway, OPERATOR_KEY) as operator:
            assert (await operator.get("/v1/staff")).status_code == 403

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("timezone", "Asia/Saigon2"),
            ("currency", "XXX"),
            ("slug", "Hoa Sen"),
            ("country", "vn"),
            ("unknown", 1),
        ],
    )
    async def test_what_is_wrong_is_named(
        self, gateway: FastAPI, field: str, value: object
    ) -> None:
        body = {"name": "Hoa Sen", "slug": "hoa-sen-x", "owner": NEW_OWNER, field: value}
        async with client_of(gateway, OPERATOR_KEY) as operator:
            answer = await operator.post("/v1/tenants", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"/body/{field}"


class TestLogin:
    async def test_the_answer_says_who_it_is(self, shop: Shop) -> None:
        me = (await shop.owner.get("/v1/auth/me")).json()
        assert me["kind"] == "staff"
        assert me["staff"]["email"] == shop.email
        assert me["shop"]["slug"] == shop.slug
        assert set(me["scopes"]) == GRANTABLE

    async def test_capitals_in_the_address_do_not_matter(
        self, anybody: httpx.AsyncClient, shop: Shop
    ) -> None:
        body = {"email": shop.email.upper(), "password": shop.password}
        assert (await anybody.post("/v1/auth/login", json=body)).status_code == 200

    async def test_unknown_address_and_wrong_password_look_the_same(
        self, anybody: httpx.AsyncClient, shop: Shop
    ) -> None:
        async def attempt(email: str) -> tuple[httpx.Response, float]:
            started = time.perf_counter()
            body = {"email": email, "password": "not the password"}
            answer = await anybody.post("/v1/auth/login", json=body)
            return answer, time.perf_counter() - started

        async def quickest(email: str) -> tuple[httpx.Response, float]:
            return min([await attempt(email) for _ in range(3)], key=itemgetter(1))

        await attempt("warm@example.com")
        wrong, wrong_seconds = await quickest(shop.email)
        unknown, unknown_seconds = await quickest("nobody@example.com")
        for answer in (wrong, unknown):
            assert answer.status_code == 401
        drop = {"request_id"}
        assert {k: v for k, v in wrong.json().items() if k not in drop} == {
            k: v for k, v in unknown.json().items() if k not in drop
        }
        # A hashing takes tens of milliseconds; without one the answer would come in two or three.
        assert unknown_seconds > wrong_seconds / 3

    @pytest.mark.parametrize(
        "change",
        [{"email": "a\u0000@example.com"}, {"shop": "\u0000"}, {"email": "\ud800@example.com"}],
    )
    async def test_what_no_database_keeps_is_refused(
        self, anybody: httpx.AsyncClient, change: dict[str, str]
    ) -> None:
        body = json.dumps({"email": "lan@example.com", "password": "x", **change})
        headers = {"content-type": "application/json"}
        answer = await anybody.post("/v1/auth/login", content=body, headers=headers)
        assert answer.status_code == 422

    async def test_who_guesses_is_slowed_down_whether_the_address_exists_or_not(
        self, anybody: httpx.AsyncClient, shop: Shop, clock: TestClock
    ) -> None:
        right = {"email": shop.email, "password": shop.password}
        nobody = f"nobody-{uuid4().hex[:8]}@example.com"
        for email in (shop.email, nobody):
            wrong = {"email": email, "password": "guess"}
            clock.ahead = timedelta()
            waits = []
            for guess in range(1, 12):
                assert (await anybody.post("/v1/auth/login", json=wrong)).status_code == 401
                if guess < 5:
                    continue
                refused = await anybody.post("/v1/auth/login", json=wrong)
                assert (refused.status_code, refused.json()["code"]) == (429, "too_many_logins")
                waits.append(int(refused.headers["retry-after"]))
                clock.ahead += timedelta(seconds=waits[-1])
            assert waits == [1, 2, 4, 8, 16, 300, 600], email
        clock.ahead -= timedelta(minutes=1)
        assert (await anybody.post("/v1/auth/login", json=right)).status_code == 429
        clock.ahead += timedelta(minutes=1)
        assert (await anybody.post("/v1/auth/login", json=right)).status_code == 200

    async def test_who_works_for_several_shops_names_one(
        self, gateway: FastAPI, anybody: httpx.AsyncClient
    ) -> None:
        email = f"both-{uuid4().hex[:8]}@example.com"
        first, second = await make_shop(gateway, email=email), await make_shop(gateway, email=email)
        body = {"email": email, "password": first.password}
        unclear = await anybody.post("/v1/auth/login", json=body)
        assert (unclear.status_code, unclear.json()["code"]) == (409, "shop_required")
        assert set(unclear.json()["shops"]) == {first.slug, second.slug}
        wrong = await anybody.post("/v1/auth/login", json={**body, "password": "no"})
        assert wrong.status_code == 401
        chosen = await anybody.post("/v1/auth/login", json={**body, "shop": second.slug})
        me = await client_of(gateway, chosen.json()["access_token"]).get("/v1/auth/me")
        assert me.json()["shop"]["slug"] == second.slug

    async def test_the_password_decides_between_shops(
        self, gateway: FastAPI, anybody: httpx.AsyncClient
    ) -> None:
        email = f"two-{uuid4().hex[:8]}@example.com"
        await make_shop(gateway, email=email, password="first-password")
        second = await make_shop(gateway, email=email, password="second-password")
        answer = await anybody.post(
            "/v1/auth/login", json={"email": email, "password": "second-password"}
        )
        me = await client_of(gateway, answer.json()["access_token"]).get("/v1/auth/me")
        assert me.json()["shop"]["slug"] == second.slug

    async def test_an_access_token_ends(self, shop: Shop, clock: TestClock) -> None:
        clock.ahead = timedelta(minutes=14)
        assert (await shop.owner.get("/v1/auth/me")).status_code == 200
        clock.ahead = timedelta(minutes=15, seconds=1)
        assert (await shop.owner.get("/v1/auth/me")).status_code == 401

    async def test_a_forged_token_is_refused(self, gateway: FastAPI, shop: Shop) -> None:
        head, body, signature = shop.access_token.split(".")
        for forged in (f"{head}.{body}.{signature[::-1]}", f"{head}.{body}.", "a.b.c", "é.é.é"):
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app=gateway), base_url="http://careloop"
            ) as client:
                answer = await client.get(
                    "/v1/auth/me", headers={"authorization": f"Bearer {forged}".encode("latin-1")}
                )
            assert answer.status_code == 401, forged


class TestRefresh:
    @pytest.fixture
    async def session(self, anybody: httpx.AsyncClient, shop: Shop) -> dict:
        body = {"email": shop.email, "password": shop.password, "shop": shop.slug}
        return (await anybody.post("/v1/auth/login", json=body)).json()

    async def refresh(self, anybody: httpx.AsyncClient, token: str) -> httpx.Response:
        return await anybody.post("/v1/auth/refresh", json={"refresh_token": token})

    async def test_a_refresh_token_gives_new_tokens(
        self, gateway: FastAPI, anybody: httpx.AsyncClient, session: dict
    ) -> None:
        renewed = await self.refresh(anybody, session["refresh_token"])
        assert renewed.status_code == 200
        assert renewed.json()["refresh_token"] != session["refresh_token"]
        me = await client_of(gateway, renewed.json()["access_token"]).get("/v1/auth/me")
        assert me.status_code == 200

    async def test_a_spent_token_ends_the_session(
        self, anybody: httpx.AsyncClient, session: dict
    ) -> None:
        renewed = (await self.refresh(anybody, session["refresh_token"])).json()
        stolen = await self.refresh(anybody, session["refresh_token"])
        assert (stolen.status_code, stolen.json()["code"]) == (401, "refresh_token_refused")
        after = await self.refresh(anybody, renewed["refresh_token"])
        assert after.status_code == 401

    async def test_one_of_two_at_once_is_refused(
        self, anybody: httpx.AsyncClient, session: dict
    ) -> None:
        answers = await asyncio.gather(
            *(self.refresh(anybody, session["refresh_token"]) for _ in range(2))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 401]

    async def test_logging_out_ends_the_session(
        self, anybody: httpx.AsyncClient, session: dict
    ) -> None:
        body = {"refresh_token": session["refresh_token"]}
        assert (await anybody.post("/v1/auth/logout", json=body)).status_code == 204
        assert (await self.refresh(anybody, session["refresh_token"])).status_code == 401

    async def test_a_refresh_token_ends(
        self, anybody: httpx.AsyncClient, session: dict, clock: TestClock
    ) -> None:
        clock.ahead = timedelta(days=14, seconds=1)
        assert (await self.refresh(anybody, session["refresh_token"])).status_code == 401

    @pytest.mark.parametrize("token", ["", "clr_x", "x" * 190])
    async def test_nonsense_is_refused(self, anybody: httpx.AsyncClient, token: str) -> None:
        assert (await self.refresh(anybody, token)).status_code == 401

    async def test_another_secret_for_the_same_token_is_refused(
        self, anybody: httpx.AsyncClient, session: dict
    ) -> None:
        token = session["refresh_token"]
        assert (await self.refresh(anybody, token[:-33] + "0" * 33)).status_code == 401
        assert (await self.refresh(anybody, token)).status_code == 200


class TestStaff:
    async def hire(self, shop: Shop, **fields: str) -> httpx.Response:
        body = {
            "name": "Trần Thị Lan",
            "email": f"lan-{uuid4().hex[:8]}@example.com",
            "password": "nam-sau-bay-tam",
            **fields,
        }
        return await shop.owner.post("/v1/staff", json=body)

    async def log_in(self, shop: Shop, email: str, password: str) -> httpx.Response:
        async with client_of(shop.app) as client:
            return await client.post(
                "/v1/auth/login", json={"email": email, "password": password, "shop": shop.slug}
            )

    async def test_a_new_member_can_log_in_and_the_services_are_told(self, shop: Shop) -> None:
        lan = (await self.hire(shop, role="agent")).json()
        session = await self.log_in(shop, lan["email"], "nam-sau-bay-tam")
        assert session.status_code == 200
        kind, event = (await told(shop.app, shop.tenant_id))[-1]
        assert (kind, event["staff"]["staff_id"]) == ("gateway.staff_changed", lan["id"])
        assert "password" not in str(event)

    async def test_an_address_logs_in_once_per_shop(self, shop: Shop) -> None:
        again = await self.hire(shop, email=shop.email.upper())
        assert (again.status_code, again.json()["code"]) == (409, "staff_email_taken")

    async def test_roles_have_their_scopes(self, shop: Shop) -> None:
        for role in (Role.AGENT, Role.ANALYST, Role.MANAGER):
            member = (await self.hire(shop, role=role.value)).json()
            token = (await self.log_in(shop, member["email"], "nam-sau-bay-tam")).json()
            async with client_of(shop.app, token["access_token"]) as client:
                me = (await client.get("/v1/auth/me")).json()
                assert set(me["scopes"]) == ROLE_SCOPES[role]
                hired = await client.post("/v1/staff", json={})
                assert (hired.status_code, hired.json()["code"]) == (403, "forbidden")

    async def test_an_admin_cannot_make_an_owner(self, shop: Shop) -> None:
        admin = (await self.hire(shop, role="admin")).json()
        token = (await self.log_in(shop, admin["email"], "nam-sau-bay-tam")).json()
        async with client_of(shop.app, token["access_token"]) as client:
            answer = await client.patch(f"/v1/staff/{admin['id']}", json={"role": "owner"})
        assert (answer.status_code, answer.json()["code"]) == (403, "role_not_grantable")

    async def test_the_last_owner_stays(self, shop: Shop) -> None:
        owner = (await shop.owner.get("/v1/auth/me")).json()["staff"]
        for change in ({"active": False}, {"role": "admin"}):
            answer = await shop.owner.patch(f"/v1/staff/{owner['id']}", json=change)
            assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")

    async def test_who_is_locked_out_cannot_come_back(self, shop: Shop) -> None:
        lan = (await self.hire(shop)).json()
        session = (await self.log_in(shop, lan["email"], "nam-sau-bay-tam")).json()
        await shop.owner.patch(f"/v1/staff/{lan['id']}", json={"active": False})
        async with client_of(shop.app) as client:
            body = {"refresh_token": session["refresh_token"]}
            assert (await client.post("/v1/auth/refresh", json=body)).status_code == 401
        assert (await self.log_in(shop, lan["email"], "nam-sau-bay-tam")).status_code == 401

    async def test_a_stale_change_is_refused(self, shop: Shop) -> None:
        lan = (await self.hire(shop)).json()
        path, stale = f"/v1/staff/{lan['id']}", {"if-match": '"1"'}
        first = await shop.owner.patch(path, json={"name": "Lan Anh"}, headers=stale)
        assert (first.status_code, first.headers["etag"]) == (200, '"2"')
        second = await shop.owner.patch(path, json={"name": "Lan"}, headers=stale)
        assert second.status_code == 412

    async def test_the_list_pages_from_the_newest(self, shop: Shop) -> None:
        hired = [(await self.hire(shop)).json()["id"] for _ in range(3)]
        first = (await shop.owner.get("/v1/staff?limit=2")).json()
        rest = (await shop.owner.get(f"/v1/staff?limit=2&cursor={first['next_cursor']}")).json()
        ids = [member["id"] for member in first["data"] + rest["data"]]
        assert ids[:3] == hired[::-1]
        assert len(ids) == 4
        assert rest["next_cursor"] is None

    async def test_another_shop_sees_nobody(self, gateway: FastAPI, shop: Shop) -> None:
        lan = (await self.hire(shop)).json()
        other = await make_shop(gateway)
        assert (await other.owner.get(f"/v1/staff/{lan['id']}")).status_code == 404
        assert len((await other.owner.get("/v1/staff")).json()["data"]) == 1


class TestApiKeys:
    async def test_a_key_acts_with_its_scopes_and_no_more(self, shop: Shop) -> None:
        async with await shop.client("staff:read") as client:
            assert (await client.get("/v1/staff")).status_code == 200
            refused = await client.post("/v1/staff", json={})
            assert refused.status_code == 403
            assert refused.json()["missing_scopes"] == ["staff:write"]
            assert (await client.get("/v1/auth/me")).json()["kind"] == "api_key"

    async def test_the_secret_is_told_once(self, shop: Shop) -> None:
        key = await shop.key("staff:read")
        listed = (await shop.owner.get("/v1/api-keys")).json()["data"]
        assert len(listed) == 1
        assert key not in str(listed)
        assert listed[0]["hint"].endswith(key[-4:])

    async def test_a_repeated_request_is_told_the_same_secret_which_nobody_keeps_in_plain(
        self, shop: Shop
    ) -> None:
        body = {"name": "once", "scopes": ["staff:read"]}
        headers = {"idempotency-key": uuid4().hex}
        first = await shop.owner.post("/v1/api-keys", json=body, headers=headers)
        again = await shop.owner.post("/v1/api-keys", json=body, headers=headers)
        assert first.json() == again.json()
        assert again.headers["idempotent-replayed"] == "true"
        async with shop.app.state.context.units.begin(shop.tenant_id) as uow:
            kept = await uow.one(
                text("SELECT body FROM gateway.idempotency_key WHERE tenant_id = :t"),
                {"t": shop.tenant_id},
            )
        secret = first.json()["key"].rsplit("_", 1)[1]
        assert secret.encode() not in kept.body

    async def test_nobody_gives_what_they_do_not_have(self, shop: Shop) -> None:
        async with await shop.client("api_keys:write", "staff:read") as client:
            body = {"name": "more", "scopes": ["staff:read", "tickets:write"]}
            answer = await client.post("/v1/api-keys", json=body)
        assert (answer.status_code, answer.json()["scopes"]) == (403, ["tickets:write"])

    @pytest.mark.parametrize(
        "scope", ["tickets:own", "loyalty:own", "privacy:own", "public:pages", "tenants:write", "x"]
    )
    async def test_scopes_come_from_the_catalogue(self, shop: Shop, scope: str) -> None:
        answer = await shop.owner.post("/v1/api-keys", json={"name": "x", "scopes": [scope]})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/body/scopes/0"

    async def test_a_key_expires(self, shop: Shop, clock: TestClock) -> None:
        soon = (clock.now() + timedelta(minutes=5)).isoformat()
        key = await shop.key("staff:read", expires_at=soon)
        async with client_of(shop.app, key) as client:
            assert (await client.get("/v1/staff")).status_code == 200
            clock.ahead = timedelta(minutes=5, seconds=1)
            assert (await client.get("/v1/staff")).status_code == 401

    async def test_a_revoked_key_is_refused_at_once_here(self, shop: Shop) -> None:
        key = await shop.key("staff:read")
        key_id = (await shop.owner.get("/v1/api-keys")).json()["data"][0]["id"]
        async with client_of(shop.app, key) as client:
            assert (await client.get("/v1/staff")).status_code == 200
            assert (await shop.owner.delete(f"/v1/api-keys/{key_id}")).status_code == 204
            assert (await client.get("/v1/staff")).status_code == 401
        again = await shop.owner.delete(f"/v1/api-keys/{key_id}")
        assert again.status_code == 404

    async def test_a_key_revoked_elsewhere_is_refused_within_five_seconds(
        self, shop: Shop, clock: TestClock
    ) -> None:
        key = await shop.key("staff:read")
        async with client_of(shop.app, key) as client:
            assert (await client.get("/v1/staff")).status_code == 200
            async with shop.app.state.context.units.begin(shop.tenant_id) as uow:
                await uow.execute(
                    text("UPDATE gateway.api_key SET revoked_at = now() WHERE tenant_id = :t"),
                    {"t": shop.tenant_id},
                )
                await uow.commit()
            clock.ahead = timedelta(seconds=5)
            assert (await client.get("/v1/staff")).status_code == 401

    async def test_another_secret_or_tenant_is_refused(self, gateway: FastAPI, shop: Shop) -> None:
        key = await shop.key("staff:read")
        token = OpaqueToken.parse(key, prefix="cl")
        assert token is not None
        moved = OpaqueToken("cl", TenantId(new_id()), token.id, token.secret).text
        for wrong in (key[:-1] + ("0" if key[-1] != "0" else "1"), moved, "cl_", key + "x"):
            async with client_of(gateway, wrong) as client:
                assert (await client.get("/v1/staff")).status_code == 401, wrong


class TestShopperTokens:
    async def test_a_shopper_token_carries_its_customer(self, shop: Shop) -> None:
        customer = str(uuid4())
        async with await shop.client("shopper_tokens:write") as backend:
            body = {"customer_id": customer, "ttl": 600}
            answer = await backend.post("/v1/shopper-tokens", json=body)
        assert (answer.status_code, answer.json()["expires_in"]) == (201, 600)
        async with client_of(shop.app, answer.json()["token"]) as shopper:
            seen = (await shopper.get("/v1/tickets")).json()
        assert (seen["kind"], seen["customer"]) == ("shopper", customer)
        assert sorted(seen["scopes"]) == [
            "loyalty:own",
            "privacy:own",
            "reviews:own",
            "tickets:own",
        ]
        assert seen["tenant"] == str(shop.tenant_id)

    async def test_it_ends(self, shop: Shop, clock: TestClock) -> None:
        async with await shop.client("shopper_tokens:write") as backend:
            body = {"customer_id": str(uuid4()), "ttl": 60}
            token = (await backend.post("/v1/shopper-tokens", json=body)).json()["token"]
        clock.ahead = timedelta(seconds=61)
        async with client_of(shop.app, token) as shopper:
            assert (await shopper.get("/v1/tickets")).status_code == 401

    async def test_only_with_the_scope(self, shop: Shop) -> None:
        async with await shop.client("tickets:read") as backend:
            answer = await backend.post("/v1/shopper-tokens", json={"customer_id": str(uuid4())})
        assert answer.status_code == 403
