"""What a client may rely on at the edge of every part."""

import asyncio
import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.db.paging import MAX_LIMIT, PageRequest, encode_cursor, next_cursor, page
from shared.ids import TenantId, new_id
from shared.part.context import PartContext, build_context
from shared.security.keys import derive_key
from shared.security.principal import PRINCIPAL_HEADER, Principal, PrincipalKind, PrincipalTokens
from shared.stream.handlers import EventHandlers
from shared.web.idempotency import KEY_LIFE, forget_old_keys
from tests.support.edge_part import COMMIT_TROUBLES, EDGE, ORDER, THING, create_edge_app
from tests.support.harness import ServiceHarness
from tests.support.parts import create_part, part_settings

THINGS = "/v1/things"
ALL = ("things:read", "things:write", "jobs:read")
POOL = 2


@pytest.fixture(scope="session")
async def edge(database_url: str, redis_url: str, root_key: str):
    """The part behind HTTP, with so small a pool that nobody may hold two connections."""
    await create_part(database_url, EDGE, root_key=root_key)
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.begin() as connection:
        for statement in COMMIT_TROUBLES:
            await connection.execute(text(statement))
    await engine.dispose()
    settings = part_settings(
        EDGE, root_key=root_key, database_url=database_url, redis_url=redis_url
    )
    context: PartContext[Any] = build_context(settings.model_copy(update={"pool_size": POOL}))
    yield ServiceHarness(create_edge_app(context), context, EventHandlers())
    await context.close()


@pytest.fixture
async def client(edge: ServiceHarness, tenant: TenantId):
    async with edge.client(tenant, *ALL) as client:
        yield client


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that a response must be."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["type"] == f"urn:careloop:problem:{code}"
    assert body["request_id"] == response.headers["x-request-id"]
    return body


async def names(client: httpx.AsyncClient) -> list[str]:
    response = await client.get(THINGS, params={"limit": MAX_LIMIT})
    assert response.status_code == 200, response.text
    return [thing["name"] for thing in response.json()["data"]]


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def claims_of(tenant: TenantId, **changed: Any) -> dict[str, Any]:
    """What a good identity token says, but for what is `changed`; None leaves a claim out."""
    good = {
        "exp": datetime.now(UTC) + timedelta(seconds=30),
        "tid": tenant.hex,
        "knd": "staff",
        "sub": "anna",
        "scp": "things:read",
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def sealed(root_key: str, identity: str) -> str:
    """A principal token of request `r` from 192.0.2.1."""
    token = f"{identity}~r~192.0.2.1"
    seal = hmac.digest(derive_key(root_key, "principal-seal"), token.encode(), "sha256")
    return f"{token}~{seal.hex()}"


class TestPrincipal:
    async def test_none_is_refused(self, edge, tenant):
        async with edge.client(tenant) as client:
            del client.headers[PRINCIPAL_HEADER]
            answer = await client.get(THINGS)
        problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"

    @pytest.mark.parametrize(
        "claims",
        [
            pytest.param({"exp": 1}, id="expired"),
            pytest.param({"exp": None}, id="never expires"),
            pytest.param({"tid": "nobody"}, id="no tenant"),
            pytest.param({"knd": "god"}, id="unknown kind"),
        ],
    )
    async def test_a_token_that_is_not_in_order_is_refused(self, edge, tenant, root_key, claims):
        key = derive_key(root_key, "principal-token")
        identity = jwt.encode(claims_of(tenant, **claims), key)
        await self._refuse(edge, tenant, sealed(root_key, identity))

    async def test_a_token_signed_with_another_key_is_refused(self, edge, tenant, root_key):
        key = derive_key(root_key, "link-token:survey")
        identity = jwt.encode(claims_of(tenant), key)
        await self._refuse(edge, tenant, sealed(root_key, identity))

    async def test_an_unsigned_token_is_refused(self, edge, tenant, root_key):
        identity = jwt.encode(claims_of(tenant), "", algorithm="none")
        await self._refuse(edge, tenant, sealed(root_key, identity))

    async def test_a_token_without_our_seal_is_refused(self, edge, tenant, root_key):
        identity = jwt.encode(claims_of(tenant), derive_key(root_key, "principal-token"))
        await self._refuse(edge, tenant, sealed("0" * 32, identity))
        await self._refuse(edge, tenant, identity)

    async def test_a_seal_holds_for_one_request_id_and_client(self, edge, tenant, root_key):
        identity = jwt.encode(claims_of(tenant), derive_key(root_key, "principal-token"))
        token = sealed(root_key, identity)
        await self._refuse(edge, tenant, token.replace("~r~", "~s~"))
        await self._refuse(edge, tenant, token.replace("~192.0.2.1~", "~192.0.2.2~"))
        async with edge.client(tenant) as client:
            client.headers[PRINCIPAL_HEADER] = token
            assert (await client.get(THINGS)).status_code == 200

    async def test_its_life_is_measured_on_the_injected_clock(self, root_key, tenant):
        class Clock:
            instant = datetime(2020, 1, 1, tzinfo=UTC)

            def now(self) -> datetime:
                return self.instant

        clock = Clock()
        tokens = PrincipalTokens(root_key=root_key, clock=clock)
        principal = Principal(tenant, PrincipalKind.STAFF, "anna", frozenset({"a:read"}), "r")
        token = tokens.mint(principal)
        assert tokens.verify(token) == principal
        clock.instant += timedelta(seconds=61)
        with pytest.raises(Exception, match="expired"):
            tokens.verify(token)

    async def test_a_missing_scope_is_named(self, edge, tenant):
        async with edge.client(tenant, "things:read") as client:
            answer = await client.post(THINGS, json={"name": "a"})
            body = problem(answer, 403, "forbidden")
            assert body["missing_scopes"] == ["things:write"]
            assert await names(client) == []

    async def test_scopes_are_checked_before_the_body(self, edge, tenant):
        async with edge.client(tenant) as client:
            problem(await client.post(THINGS, content=b"{"), 403, "forbidden")

    async def _refuse(self, edge: ServiceHarness, tenant: TenantId, token: str) -> None:
        async with edge.client(tenant) as client:
            client.headers[PRINCIPAL_HEADER] = token
            problem(await client.get(THINGS), 401, "unauthenticated")


class TestValidation:
    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/body/name"),
            ({"name": ""}, "/body/name"),
            ({"name": "a", "code": 7}, "/body/code"),
            ({"name": "a", "colour": "red"}, "/body/colour"),
            ({"name": "a", "a/b~c": 1}, "/body/a~1b~0c"),
        ],
    )
    async def test_the_field_at_fault_is_pointed_at(self, client, body, pointer):
        faults = problem(await client.post(THINGS, json=body), 422, "invalid")["errors"]
        assert [fault["pointer"] for fault in faults] == [pointer]
        assert all(fault["code"] and fault["detail"] for fault in faults)

    async def test_every_fault_is_told(self, client):
        answer = await client.post(THINGS, json={"name": "", "code": "c" * 51, "x": 1})
        assert len(problem(answer, 422, "invalid")["errors"]) == 3

    async def test_a_path_that_is_no_id_is_pointed_at(self, client):
        [fault] = problem(await client.get(f"{THINGS}/7"), 422, "invalid")["errors"]
        assert fault["pointer"] == "/path/thing_id"

    async def test_broken_json_is_told(self, client):
        headers = {"content-type": "application/json"}
        answer = await client.post(THINGS, content=b'{"name": ', headers=headers)
        assert problem(answer, 422, "invalid")["errors"][0]["code"] == "json_invalid"

    @pytest.mark.parametrize("name", [rb'"a\u0000b"', rb'"\ud800"', b'"\xff"', b"1e999", b"NaN"])
    async def test_text_that_cannot_be_kept_is_the_clients_fault(self, client, name):
        headers = {"content-type": "application/json"}
        answer = await client.post(THINGS, content=b'{"name": ' + name + b"}", headers=headers)
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_unknown_paths_and_methods_are_problems_too(self, client):
        problem(await client.get("/v1/nothing"), 404, "not_found")
        refused = await client.put(THINGS)
        problem(refused, 405, "method_not_allowed")
        assert refused.headers["allow"] == "GET, POST", "all, not one route's"

    async def test_a_path_of_its_own_is_not_taken_for_one_with_an_id(self, client):
        refused = await client.patch(f"{THINGS}/crash", json={"name": "n"})
        problem(refused, 405, "method_not_allowed")
        assert refused.headers["allow"] == "POST"


class TestCommit:
    async def test_what_is_answered_is_durable(self, client):
        answer = await client.post(THINGS, json={"name": "a"})
        assert answer.status_code == 201
        assert (await client.get(answer.headers["location"])).json() == answer.json()

    async def test_a_constraint_that_fails_at_commit_is_never_a_success(self, client):
        assert (await client.post(THINGS, json={"name": "a"})).status_code == 201
        answer = await client.post(THINGS, json={"name": "a"})
        assert problem(answer, 500, "internal_error")["detail"] == "Something went wrong"
        assert await names(client) == ["a"]

    async def test_a_refusal_undoes_what_was_done_before_it(self, client):
        problem(await client.post(THINGS, json={"name": "taken"}), 409, "conflict")
        assert await names(client) == []

    async def test_a_connection_lost_at_commit_is_not_a_success(self, client):
        answer = await client.post(THINGS, json={"name": "cut off"})
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"
        assert await names(client) == []

    async def test_another_tenants_things_are_not_there(self, edge, client):
        location = (await client.post(THINGS, json={"name": "a"})).headers["location"]
        async with edge.client(TenantId(new_id()), *ALL) as stranger:
            problem(await stranger.get(location), 404, "not_found")
            assert await names(stranger) == []


class TestConflicts:
    @pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
    @pytest.mark.parametrize("headers", [{}, keyed("k")], ids=["plain", "with a key"])
    async def test_a_lost_conflict_is_run_again_as_a_whole(self, client, state, headers):
        name = f"twice:{state}"
        answer = await client.post(THINGS, json={"name": name}, headers=headers)
        assert answer.status_code == 201, answer.text
        assert await names(client) == [name]

    async def test_not_for_ever(self, client):
        answer = await client.post(THINGS, json={"name": "always:40001"})
        problem(answer, 503, "unavailable")
        assert await names(client) == []

    async def test_not_for_other_errors(self, client):
        problem(await client.post(THINGS, json={"name": "twice:23514"}), 500, "internal_error")
        # Two of three fail: were it tried again, the sequence would stand elsewhere.
        problem(await client.post(THINGS, json={"name": "twice:23514"}), 500, "internal_error")
        assert (await client.post(THINGS, json={"name": "twice:23514"})).status_code == 201

    async def test_a_service_may_ask_to_be_run_again(self, edge, client):
        edge.app.state.runs = 0
        answer = await client.post(f"{THINGS}/race", json={"name": "2"})
        assert answer.json() == {"runs": 3}
        assert await names(client) == ["2 3"]

    async def test_and_is_told_when_it_loses_every_time(self, edge, client):
        edge.app.state.runs = 0
        answer = await client.post(f"{THINGS}/race", json={"name": "99"})
        problem(answer, 409, "concurrent_change")
        assert await names(client) == []

    async def test_an_upload_is_not_read_twice(self, edge, client):
        edge.app.state.uploads = 0
        answer = await client.post(f"{THINGS}/upload", files={"file": b"rows"})
        problem(answer, 503, "unavailable")
        assert edge.app.state.uploads == 1


class TestIdempotencyKey:
    async def test_a_repetition_gets_the_first_answer(self, client):
        first = await client.post(THINGS, json={"name": "a"}, headers=keyed("k"))
        again = await client.post(THINGS, json={"name": "a"}, headers=keyed("k"))
        assert first.status_code == again.status_code == 201
        assert first.content == again.content
        for header in ("location", "etag", "content-type"):
            assert first.headers[header] == again.headers[header]
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert await names(client) == ["a"]

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [("POST", THINGS, {"name": "b"}), ("POST", f"{THINGS}?x=1", {"name": "a"})],
    )
    async def test_another_request_with_the_key_is_refused(self, client, method, path, body):
        await client.post(THINGS, json={"name": "a"}, headers=keyed("k"))
        answer = await client.request(method, path, json=body, headers=keyed("k"))
        [fault] = problem(answer, 422, "idempotency_key_reused")["errors"]
        assert fault["pointer"] == "/header/idempotency-key"
        assert await names(client) == ["a"]

    @pytest.mark.parametrize("body", [{"name": "a"}, {"name": "a", "code": "c"}])
    async def test_concurrent_repetitions_have_one_effect_and_one_answer(self, client, body):
        """With and without a constraint that refuses the second before its key is looked at."""
        answers = await asyncio.gather(
            *(client.post(THINGS, json=body, headers=keyed("k")) for _ in range(8))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        replayed = [answer for answer in answers if "idempotent-replayed" in answer.headers]
        assert len(replayed) == 7
        assert await names(client) == ["a"]

    async def test_a_repetition_that_fails_because_the_first_succeeded_is_replayed(self, client):
        body = {"name": "a", "code": "c"}
        first = await client.post(THINGS, json=body, headers=keyed("k"))
        again = await client.post(THINGS, json=body, headers=keyed("k"))
        assert again.content == first.content
        problem(await client.post(THINGS, json=body, headers=keyed("l")), 500, "internal_error")

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            (THINGS, {"name": "taken"}, 409),
            (THINGS, {"name": ""}, 422),
            (THINGS, {"name": "always:23514"}, 500),
            (f"{THINGS}/crash", {}, 500),
        ],
    )
    async def test_the_key_of_a_request_that_failed_is_free(self, client, path, body, status):
        failed = await client.post(path, json=body, headers=keyed("k"))
        assert failed.status_code == status
        answer = await client.post(THINGS, json={"name": "good"}, headers=keyed("k"))
        assert answer.status_code == 201
        assert "idempotent-replayed" not in answer.headers

    async def test_keys_of_other_actors_and_tenants_are_others(self, edge, client, tenant):
        await client.post(THINGS, json={"name": "a"}, headers=keyed("k"))
        colleague = edge.client(tenant, *ALL, actor_id="colleague")
        stranger = edge.client(TenantId(new_id()), *ALL)
        async with colleague, stranger:
            for other in (colleague, stranger):
                answer = await other.post(THINGS, json={"name": "b"}, headers=keyed("k"))
                assert answer.status_code == 201
            assert await names(colleague) == ["a", "b"]
            assert await names(stranger) == ["b"]

    async def test_a_change_is_replayed_and_not_refused_as_stale(self, client):
        location = (await client.post(THINGS, json={"name": "a"})).headers["location"]
        headers = {**keyed("k"), "If-Match": '"1"'}
        first = await client.patch(location, json={"name": "b"}, headers=headers)
        again = await client.patch(location, json={"name": "b"}, headers=headers)
        assert first.status_code == again.status_code == 200
        assert again.headers["etag"] == '"2"'

    @pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9", "a\tb"])
    async def test_a_key_that_is_none_is_refused(self, client, key):
        headers = [(b"idempotency-key", key.encode("latin-1"))]
        answer = await client.post(THINGS, json={"name": "a"}, headers=headers)
        problem(answer, 422, "invalid")
        assert await names(client) == []

    async def test_reading_needs_no_key_and_keeps_none(self, client):
        await client.get(THINGS, headers=keyed("k"))
        await client.post(THINGS, json={"name": "a"}, headers=keyed("k"))
        assert await names(client) == ["a"]

    async def test_keys_are_kept_for_a_day(self, edge, client, tenant):
        for key in ("old", "new"):
            await client.post(THINGS, json={"name": key}, headers=keyed(key))
        async with edge.context.units.begin(tenant) as uow:
            statement = text(
                "UPDATE edge.idempotency_key SET created_at = :then "
                "WHERE tenant_id = :tenant AND key = 'old'"
            )
            then = datetime.now(UTC) - KEY_LIFE - timedelta(seconds=1)
            await uow.execute(statement, {"tenant": tenant, "then": then})
            await uow.commit()
        await forget_old_keys(edge.context.units)
        again = await client.post(THINGS, json={"name": "new"}, headers=keyed("new"))
        assert again.headers["idempotent-replayed"] == "true"
        other = await client.post(THINGS, json={"name": "other"}, headers=keyed("old"))
        assert other.status_code == 201


class TestFailures:
    async def test_nothing_is_said_but_the_request_id(self, client):
        answer = await client.post(f"{THINGS}/crash", headers={"x-request-id": "abc-123"})
        assert problem(answer, 500, "internal_error") == {
            "type": "urn:careloop:problem:internal_error",
            "title": "Something went wrong",
            "status": 500,
            "detail": "Something went wrong",
            "code": "internal_error",
            "request_id": "abc-123",
            "errors": [],
        }
        assert "42" not in answer.text

    async def test_an_absent_database_is_an_outage(self, tmp_path, root_key, tenant, redis_url):
        nowhere = f"postgresql+asyncpg://nobody@/nothing?host={tmp_path}"
        settings = part_settings(EDGE, root_key=root_key, database_url=nowhere, redis_url=redis_url)
        context: PartContext[Any] = build_context(settings)
        edge = ServiceHarness(create_edge_app(context), context, EventHandlers())
        async with edge.client(tenant, *ALL) as client:
            problem(await client.get(THINGS), 503, "unavailable")
            ready = await client.get("/readyz")
            assert (await client.get("/healthz")).status_code == 200
        assert ready.status_code == 503
        assert ready.json() == {"status": "unavailable", "database": False, "redis": True}
        await context.close()


class TestRequestId:
    @pytest.mark.parametrize("given", ["abc123", "550e8400-e29b-41d4-a716-446655440000"])
    async def test_a_sane_one_is_kept(self, client, given):
        answer = await client.get(THINGS, headers={"x-request-id": given})
        assert answer.headers["x-request-id"] == given

    @pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a<b>", None])
    async def test_else_a_new_one_is_made(self, client, given):
        headers = {} if given is None else {"x-request-id": given}
        ids = {(await client.get(THINGS, headers=headers)).headers["x-request-id"] for _ in "ab"}
        assert len(ids) == 2
        assert given not in ids


async def test_a_parameter_that_there_is_not_is_refused(client):
    """A filter that is misspelt would let everybody through."""
    answer = await client.get(THINGS, params={"limit": 3, "nmae": "a", "name[is]": "b"})
    assert answer.status_code == 422
    faults = answer.json()["errors"]
    assert [(fault["pointer"], fault["code"]) for fault in faults] == [
        ("/query/nmae", "unknown_parameter"),
        ("/query/name[is]", "unknown_parameter"),
    ]


class TestPages:
    @pytest.mark.parametrize("limit", [1, 3, 7, 200])
    async def test_no_row_twice_and_none_missed_while_others_are_added(self, client, limit):
        old = [f"{number:02}" for number in range(0, 40, 2)]
        for name in reversed(old):
            await client.post(THINGS, json={"name": name})
        seen: list[str] = []
        cursor, added = None, 1
        while True:
            asked = {"limit": limit} | ({"cursor": cursor} if cursor else {})
            body = (await client.get(THINGS, params=asked)).json()
            seen += [thing["name"] for thing in body["data"]]
            cursor = body["next_cursor"]
            if cursor is None:
                break
            assert len(body["data"]) == limit
            await client.post(THINGS, json={"name": f"{added:02}"})
            added += 2
        assert seen == sorted(set(seen))
        assert set(old) <= set(seen)

    async def test_equal_sort_values_are_told_apart_by_id(self, edge, client, tenant):
        async with edge.context.units.begin(tenant) as uow:
            # Both rows of a name live only inside this transaction: the constraint is deferred.
            for _ in range(5):
                await uow.execute(
                    text("INSERT INTO edge.thing VALUES (:tenant, :id, 'same', NULL, 1)"),
                    {"tenant": tenant, "id": new_id()},
                )
            ids, cursor = [], None
            while True:
                everything = select(THING).where(THING.c.tenant_id == tenant)
                rows = await uow.rows(page(everything, ORDER, PageRequest(2, cursor)))
                kept, cursor = next_cursor(rows, ORDER, 2)
                ids += [row.id for row in kept]
                if cursor is None:
                    break
        assert len(ids) == len(set(ids)) == 5

    @pytest.mark.parametrize(
        "cursor",
        [
            "nonsense",
            "!!!",
            encode_cursor(["a"]),
            encode_cursor(["a", "not an id"]),
            encode_cursor(["a", 7]),
            encode_cursor(["a", None]),
            encode_cursor(["a", "01a1ffe4-00ce-7663-8077-b9f7dd85a636", 1]),
            base64.urlsafe_b64encode(b"7").decode(),
            base64.urlsafe_b64encode(b'{"a":1}').decode(),
            base64.urlsafe_b64encode(
                rb'["\u0000","01a1ffe4-00ce-7663-8077-b9f7dd85a636"]'
            ).decode(),
            "é",
        ],
    )
    async def test_a_bad_cursor_is_the_clients_fault(self, client, cursor):
        answer = await client.get(THINGS, params={"cursor": cursor})
        problem(answer, 422, "invalid")

    @pytest.mark.parametrize("limit", ["0", "-1", str(MAX_LIMIT + 1), "many"])
    async def test_a_limit_has_its_bounds(self, client, limit):
        [fault] = problem(await client.get(THINGS, params={"limit": limit}), 422, "invalid")[
            "errors"
        ]
        assert fault["pointer"] == "/query/limit"

    async def test_the_largest_limit_is_allowed(self, client):
        answer = await client.get(THINGS, params={"limit": MAX_LIMIT})
        assert answer.json() == {"data": [], "next_cursor": None}


class TestVersions:
    @pytest.fixture
    async def location(self, client) -> str:
        answer = await client.post(THINGS, json={"name": "a"})
        location: str = answer.headers["location"]
        return location

    @pytest.mark.parametrize("expected", ['"1"', 'W/"1"', "*", None])
    async def test_a_change_of_the_current_version_is_made(self, client, location, expected):
        headers = {} if expected is None else {"If-Match": expected}
        answer = await client.patch(location, json={"name": "b"}, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["etag"] == '"2"'
        assert (await client.get(location)).headers["etag"] == '"2"'

    async def test_a_change_of_an_older_version_is_refused(self, client, location):
        await client.patch(location, json={"name": "b"})
        answer = await client.patch(location, json={"name": "c"}, headers={"If-Match": '"1"'})
        assert problem(answer, 412, "stale_version")["current_version"] == 2
        assert await names(client) == ["b"]

    @pytest.mark.parametrize("expected", ["1", '"abc"', '"-1"', f'"{"9" * 30}"'])
    async def test_what_is_no_tag_is_refused(self, client, location, expected):
        answer = await client.patch(location, json={"name": "b"}, headers={"If-Match": expected})
        [fault] = problem(answer, 422, "invalid")["errors"]
        assert fault["pointer"] == "/header/if-match"


class TestOperations:
    async def test_health_needs_no_principal(self, edge):
        transport = httpx.ASGITransport(app=edge.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as client:
            assert (await client.get("/healthz")).json() == {"status": "ok"}
            ready = await client.get("/readyz")
            assert ready.status_code == 200
            assert ready.json() == {"status": "ok", "database": True, "redis": True}
            await client.get(THINGS)
            metrics = await client.get("/metrics")
        assert metrics.headers["content-type"].startswith("text/plain")
        labels = 'method="GET",part="edge",route="/v1/things",status="401"'
        assert f"careloop_http_requests_total{{{labels}}}" in metrics.text
        assert "careloop_http_request_seconds_bucket" in metrics.text

    async def test_a_job_can_be_looked_at(self, edge, client, tenant):
        started = await client.post(f"{THINGS}/jobs")
        answer = await client.get(f"/v1/jobs/{started.json()['id']}")
        job = answer.json()
        assert job["status"] == "queued"
        assert job["kind"] == "counting"
        assert job["detail"]["of"] == "sheep"
        assert job["finished_at"] is None
        async with edge.client(TenantId(new_id()), *ALL) as stranger:
            problem(await stranger.get(f"/v1/jobs/{job['id']}"), 404, "job_not_found")
        async with edge.client(tenant, "things:read") as other:
            problem(await other.get(f"/v1/jobs/{job['id']}"), 403, "forbidden")

    async def test_the_api_document_tells_scopes_and_problems(self, edge):
        operation = edge.app.openapi()["paths"][THINGS]["post"]
        assert operation["x-required-scopes"] == ["things:write"]
        for status in ("401", "403", "404", "409", "412", "422", "503"):
            assert "application/problem+json" in operation["responses"][status]["content"]
        assert "Problem" in edge.app.openapi()["components"]["schemas"]
