"""What passes the door, to whom, and as whom."""

import base64
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from gateway.upstreams.owners import owner_of
from shared.ids import TenantId, new_id
from shared.security.link_tokens import LinkTarget, LinkTokens
from shared.security.principal import PRINCIPAL_HEADER, Principal, PrincipalKind
from tests.gateway.conftest import Shop, client_of


@pytest.fixture
async def caller(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with await shop.client("customers:read", "customers:write", "jobs:read") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/v1/customers", "customer"),
        ("/v1/customers:batch", "customer"),
        ("/v1/customers/1/timeline", "customer"),
        ("/v1/segments/1/members", "segmentation"),
        ("/v1/sla-policies", "support_ticket"),
        ("/v1/messages", "messaging"),
        ("/v1/automations/1", "messaging"),
        ("/v1/staff", "gateway"),
        ("/v1/jobs/1", "everybody"),
        ("/pages/surveys/x", "support_ticket"),
        ("/pages/unsubscribe/x", "messaging"),
        ("/v1/care-loop-counts", None),
        ("/v1/", None),
        ("/v1//customers", None),
        ("/v2/customers", None),
        ("/", None),
    ],
)
def test_the_first_word_says_whose_a_path_is(path: str, part: str | None) -> None:
    assert owner_of(path) == part


class TestPassing:
    async def test_a_request_reaches_its_part_as_its_caller(
        self, shop: Shop, caller: httpx.AsyncClient
    ) -> None:
        answer = await caller.post("/v1/customers?dry_run=true", json={"name": "Đức"})
        seen = answer.json()
        assert (seen["part"], seen["method"]) == ("customer", "POST")
        assert (seen["path"], seen["query"]) == ("/v1/customers", "dry_run=true")
        assert seen["body"] == '{"name":"Đức"}'
        assert (seen["tenant"], seen["kind"]) == (str(shop.tenant_id), "api_key")
        assert seen["scopes"] == ["customers:read", "customers:write", "jobs:read"]

    async def test_the_credential_ends_at_the_door(self, caller: httpx.AsyncClient) -> None:
        hop_by_hop = {"connection": "close", "te": "trailers", "proxy-authorization": "x"}
        seen = (await caller.get("/v1/customers", headers=hop_by_hop)).json()["headers"]
        assert not seen.keys() & {"authorization", *hop_by_hop}

    async def test_nobody_brings_a_principal_of_their_own(
        self, gateway: FastAPI, shop: Shop, caller: httpx.AsyncClient
    ) -> None:
        forged = gateway.state.context.principals.mint(
            Principal(
                TenantId(new_id()), PrincipalKind.SYSTEM, "evil", frozenset({"staff:write"}), "r"
            )
        )
        answer = await caller.get(
            "/v1/customers",
            headers=[("X-Careloop-Principal", forged), (PRINCIPAL_HEADER, forged)],
        )
        assert answer.json()["tenant"] == str(shop.tenant_id)
        assert len(answer.json()["principal_headers"]) == 1
        async with client_of(gateway) as stranger:
            for path in ("/v1/customers", "/v1/staff", "/v1/auth/me"):
                refused = await stranger.get(path, headers={PRINCIPAL_HEADER: forged})
                assert refused.status_code == 401, path
            outside = await stranger.get("/anything", headers={PRINCIPAL_HEADER: forged})
            assert outside.status_code == 404

    async def test_the_request_id_goes_along_and_comes_back(
        self, caller: httpx.AsyncClient
    ) -> None:
        answer = await caller.get("/v1/customers", headers={"x-request-id": "abc123"})
        assert answer.headers["x-request-id"] == "abc123"
        assert answer.json()["headers"]["x-request-id"] == "abc123"
        fresh = await caller.get("/v1/customers")
        assert fresh.headers["x-request-id"] == fresh.json()["headers"]["x-request-id"]

    async def test_without_a_credential_nothing_passes(self, gateway: FastAPI) -> None:
        async with client_of(gateway) as client:
            answer = await client.get("/v1/customers")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]

    @pytest.mark.parametrize("value", ["Basic YTpi", "Bearer", "Bearer ", "Bearer " + "x" * 5000])
    async def test_a_credential_of_another_kind_is_refused(
        self, anybody: httpx.AsyncClient, value: str
    ) -> None:
        answer = await anybody.get("/v1/customers", headers={"authorization": value})
        assert answer.status_code == 401

    async def test_unknown_paths_are_not_found(self, caller: httpx.AsyncClient) -> None:
        for path in ("/v1/nothing", "/v1/care-loop-counts", "/v1", "/x"):
            answer = await caller.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path

    async def test_answers_tell_browsers_to_be_careful(self, caller: httpx.AsyncClient) -> None:
        headers = (await caller.get("/v1/customers")).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]

    async def test_a_streamed_answer_arrives(self, caller: httpx.AsyncClient) -> None:
        answer = await caller.get("/v1/customers/stream")
        assert answer.text == "line 0\nline 1\nline 2\n"

    async def test_a_crash_of_a_service_in_the_same_process_is_a_problem(
        self, caller: httpx.AsyncClient
    ) -> None:
        answer = await caller.get("/v1/customers/crash")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


class TestLimits:
    async def test_a_large_body_is_refused_before_anybody_reads_it(
        self, caller: httpx.AsyncClient
    ) -> None:
        body = b'"' + b"x" * 1024 * 1024 + b'"'
        answer = await caller.post(
            "/v1/customers", content=body, headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    async def test_a_file_may_be_larger_and_of_any_type(self, caller: httpx.AsyncClient) -> None:
        part = b"x" * 2 * 1024 * 1024
        answer = await caller.put("/v1/imports/1/file?offset=0", content=part)
        assert (answer.status_code, len(answer.json()["body"])) == (200, len(part))
        answer = await caller.put("/v1/imports/1/file", content=b"x" * 17 * 1024 * 1024)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        for path in ("/v1/imports/1/file/2", "/v1/customers/1"):
            answer = await caller.put(path, content=part[:100])
            assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")

    async def test_a_large_body_in_chunks_is_refused_too(self, caller: httpx.AsyncClient) -> None:
        sent = 0

        async def chunks() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(200):
                sent += 1
                yield b"x" * 65536

        answer = await caller.post(
            "/v1/customers", content=chunks(), headers={"content-type": "application/json"}
        )
        assert answer.status_code == 413
        assert sent < 30

    async def test_a_small_body_in_chunks_passes(self, caller: httpx.AsyncClient) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield b'{"name":'
            yield b'"Lan"}'

        answer = await caller.post(
            "/v1/customers", content=chunks(), headers={"content-type": "application/json"}
        )
        assert answer.json()["body"] == '{"name":"Lan"}'
        assert answer.json()["headers"]["content-length"] == "14"

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    @pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
    async def test_writes_are_json(
        self, caller: httpx.AsyncClient, method: str, media_type: str
    ) -> None:
        answer = await caller.request(
            method, "/v1/customers/1", content=b"name=x", headers={"content-type": media_type}
        )
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")

    @pytest.mark.parametrize(
        "media_type", ["application/json; charset=utf-8", "application/merge-patch+json"]
    )
    async def test_kinds_of_json_pass(self, caller: httpx.AsyncClient, media_type: str) -> None:
        answer = await caller.patch(
            "/v1/customers/1", content=b"{}", headers={"content-type": media_type}
        )
        assert answer.status_code == 200

    async def test_a_write_without_a_body_needs_no_type(self, caller: httpx.AsyncClient) -> None:
        assert (await caller.post("/v1/customers/1/verb")).status_code == 200


class TestPages:
    async def test_a_link_opens_its_page_in_the_tenant_it_claims(
        self, gateway: FastAPI, anybody: httpx.AsyncClient, root_key: str
    ) -> None:
        tenant_id = TenantId(uuid4())
        for page, part in (("surveys", "support_ticket"), ("unsubscribe", "messaging")):
            token = LinkTokens(root_key=root_key, purpose="x").mint(LinkTarget(tenant_id, uuid4()))
            form = {"content-type": "application/x-www-form-urlencoded"}
            answer = await anybody.post(f"/pages/{page}/{token}", content=b"score=5", headers=form)
            seen = answer.json()
            assert (seen["part"], seen["kind"], seen["tenant"]) == (part, "public", str(tenant_id))
            assert seen["scopes"] == ["public:pages"]
            assert "form-action 'self'" in answer.headers["content-security-policy"]

    @pytest.mark.parametrize("token", ["", "x", "ü", "%00", base64.b64encode(b"short").decode()])
    async def test_what_is_no_link_is_not_found(
        self, anybody: httpx.AsyncClient, token: str
    ) -> None:
        assert (await anybody.get(f"/pages/surveys/{token}")).status_code == 404


class TestJobs:
    async def test_the_part_that_has_the_job_answers(self, caller: httpx.AsyncClient) -> None:
        answer = await caller.get("/v1/jobs/of-segmentation")
        assert answer.json() == {"id": "of-segmentation", "part": "segmentation"}

    async def test_a_job_that_nobody_has_is_not_found(self, caller: httpx.AsyncClient) -> None:
        answer = await caller.get(f"/v1/jobs/{uuid4()}")
        assert answer.status_code == 404


class TestHealth:
    async def test_the_gateway_says_that_it_lives_and_can_work(
        self, anybody: httpx.AsyncClient
    ) -> None:
        assert (await anybody.get("/healthz")).json() == {"status": "ok"}
        ready = await anybody.get("/readyz")
        assert (ready.status_code, ready.json()["database"]) == (200, True)
