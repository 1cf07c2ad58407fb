"""What an operator does about webhooks, on a running house."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import httpx
import pytest
from aiohttp import web

from cli.demo.client import Api
from cli.demo.shop import Shop
from tests.cli.supervisor import careloop
from tests.support.house import House
from tests.support.receiver import Received, Receiver, receiving
from tests.support.waiting import eventually

Careloop = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def operator(house: House, shop: Shop, tmp_path) -> Careloop:
    """Runs a command about the shop."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        arguments = ("webhooks", *words, "--tenant", shop.tenant_id)
        return careloop(*arguments, folder=tmp_path, environment=house.environment)

    return run


@pytest.fixture
async def api(house: House, shop: Shop) -> AsyncIterator[Api]:
    async with httpx.AsyncClient(base_url=house.base_url, timeout=30, trust_env=False) as http:
        yield Api(http, shop.api_key)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def answers(operator: Careloop, *words: str) -> list[dict[str, Any]]:
    """The rows that a command prints. Run beside the receiver, which shares this process."""
    done = await asyncio.to_thread(operator, *words, "--json")
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


async def test_an_operator_sees_tests_and_replays(
    operator: Careloop, api: Api, receiver: Receiver
) -> None:
    endpoint = await api.post(
        "/v1/webhook-endpoints", {"url": receiver.url(), "event_types": ["customer.*"]}
    )
    [tested] = await answers(operator, "test", endpoint["id"])
    assert (tested["status"], tested["http_status"]) == ("succeeded", 200)

    receiver.answer = gone
    await api.post("/v1/customers", {"name": "Đức", "email": "duc@example.com"})
    read = partial(api.get, f"/v1/webhook-endpoints/{endpoint['id']}")
    await eventually(read, lambda found: not found["enabled"], seconds=20)
    [listed] = await answers(operator, "list")
    assert (listed["id"], listed["enabled"], listed["reason"]) == (endpoint["id"], False, "gone")
    unsent = await answers(operator, "deliveries", endpoint["id"], "--status", "failed")
    assert unsent[0]["type"].startswith("customer.")
    refused = operator("replay", endpoint["id"])
    assert (refused.returncode, "enable it first" in refused.stderr) == (1, True)

    receiver.answer = taken
    receiver.received.clear()
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    await api._call("PATCH", path, json={"enabled": True})
    done = operator("replay", endpoint["id"])
    assert done.stdout.strip().endswith("queued.")
    looks = partial(answers, operator, "deliveries", endpoint["id"])
    await eventually(looks, lambda rows: {row["status"] for row in rows} == {"succeeded"})
    assert {request.json["type"] for request in receiver.received} <= {
        "customer.created",
        "customer.updated",
    }


def test_an_endpoint_that_is_not_there_is_a_sentence(operator: Careloop, shop: Shop) -> None:
    done = operator("test", shop.tenant_id)
    assert (done.returncode, done.stderr.strip()) == (1, "There is no such webhook endpoint")


def gone(_request: Received) -> Any:
    return web.Response(status=410)


def taken(_request: Received) -> Any:
    return web.Response()
