"""Services in processes of their own: here real servers on loopback."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from gateway.app import create_app
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import HttpUpstream
from shared.settings import SERVICES
from tests.gateway.conftest import Shop, client_of, make_shop
from tests.gateway.echo import create_echo


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """A real server for `app`; its base URL."""
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@pytest.fixture(scope="session")
async def split(gateway_settings: GatewaySettings) -> AsyncIterator[FastAPI]:
    """The gateway with one server behind it that stands in for all four services."""
    echo = create_echo("customer", gateway_settings.root_key)
    async with serving(echo) as url:
        upstreams = {
            name: HttpUpstream(url, connect_seconds=1, silence_seconds=1) for name in SERVICES
        }
        app = create_app(gateway_settings, upstreams)
        app.state.echo = echo
        async with app.router.lifespan_context(app):
            yield app


@pytest.fixture(scope="session")
async def split_shop(split: FastAPI) -> Shop:
    return await make_shop(split)


@pytest.fixture
async def caller(split_shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with await split_shop.client("customers:read", "jobs:read") as client:
        yield client


async def test_a_request_reaches_its_part_as_its_caller(
    split_shop: Shop, caller: httpx.AsyncClient
) -> None:
    answer = await caller.post("/v1/customers/%C4%90%2F1?q=a%20b&q=c", json={"name": "Đức"})
    seen = answer.json()
    assert (seen["path"], seen["query"]) == ("/v1/customers/Đ/1", "q=a%20b&q=c")
    assert seen["body"] == '{"name":"Đức"}'
    assert (seen["tenant"], seen["scopes"]) == (
        str(split_shop.tenant_id),
        ["customers:read", "jobs:read"],
    )
    assert "authorization" not in seen["headers"]
    assert len(seen["principal_headers"]) == 1
    assert answer.headers["x-request-id"] == seen["headers"]["x-request-id"]


async def test_a_large_body_streams_through(caller: httpx.AsyncClient) -> None:
    name = "x" * 900_000
    answer = await caller.post("/v1/customers", json={"name": name})
    assert answer.json()["body"] == f'{{"name":"{name}"}}'


async def test_a_streamed_answer_arrives(caller: httpx.AsyncClient) -> None:
    answer = await caller.get("/v1/customers/stream")
    assert answer.text == "line 0\nline 1\nline 2\n"
    assert "transfer-encoding" not in answer.headers


async def test_errors_of_a_part_come_through(caller: httpx.AsyncClient) -> None:
    answer = await caller.get(f"/v1/jobs/{uuid4()}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await caller.head("/v1/customers")).status_code == 405
    assert (await caller.delete("/v1/customers/1")).status_code == 200


async def test_a_job_is_found_over_http(caller: httpx.AsyncClient) -> None:
    assert (await caller.get("/v1/jobs/of-customer")).json()["part"] == "customer"


class TestFailures:
    @contextlib.asynccontextmanager
    async def behind(self, settings: GatewaySettings, url: str) -> AsyncIterator[httpx.AsyncClient]:
        upstreams = {
            name: HttpUpstream(url, connect_seconds=0.5, silence_seconds=0.3) for name in SERVICES
        }
        app = create_app(settings, upstreams)
        async with app.router.lifespan_context(app):
            shop = await make_shop(app)
            async with client_of(app, await shop.key("customers:read", "jobs:read")) as client:
                yield client

    async def test_a_part_that_is_down_is_unavailable(
        self, gateway_settings: GatewaySettings
    ) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with self.behind(gateway_settings, url) as client:
            answer = await client.get("/v1/customers")
            job = await client.get(f"/v1/jobs/{uuid4()}")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"] == "1"
        assert job.status_code == 503

    async def test_a_part_that_says_nothing_times_out(
        self, gateway_settings: GatewaySettings
    ) -> None:
        async def silent(_scope, _receive, _send) -> None:
            await asyncio.sleep(1)

        async with (
            serving(silent) as url,
            self.behind(gateway_settings, url) as client,
        ):
            answer = await client.get("/v1/customers")
        assert (answer.status_code, answer.json()["code"]) == (504, "gateway_timeout")

    async def test_a_part_that_breaks_off_is_a_bad_gateway(
        self, gateway_settings: GatewaySettings
    ) -> None:
        async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"not http at all\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, self.behind(gateway_settings, url) as client:
            answer = await client.get("/v1/customers")
        assert (answer.status_code, answer.json()["code"]) == (502, "bad_gateway")
