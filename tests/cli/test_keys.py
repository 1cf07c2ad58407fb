"""What an operator does about API keys, on a running house."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cli.demo.shop import Shop
from tests.cli.supervisor import careloop
from tests.support.house import House
from tests.support.waiting import eventually

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(house: House, tmp_path) -> Run:
    """Runs a command on the shop's keys."""

    def ran(*words: str) -> subprocess.CompletedProcess[str]:
        return careloop(
            "keys", *words, "--tenant", "sen-da", folder=tmp_path, environment=house.environment
        )

    return ran


@pytest.fixture
def told(run: Run) -> Callable[..., list[dict[str, Any]]]:
    """The rows that a command prints for machines."""

    def rows(*words: str) -> list[dict[str, Any]]:
        done = run(*words, "--json")
        assert done.returncode == 0, done.stderr
        printed: list[dict[str, Any]] = json.loads(done.stdout)
        return printed

    return rows


async def status_with(house: House, key: str) -> int:
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=house.base_url, trust_env=False) as client:
        return (await client.get("/v1/customers?limit=1", headers=headers)).status_code


async def test_a_key_lives_from_its_making_to_its_revocation(
    house: House, shop: Shop, told: Callable[..., list[dict[str, Any]]]
) -> None:
    [made] = told("create", "Till", "--scope", "customers:read", "--days", "30")
    assert await status_with(house, made["key"]) == 200
    [rotated] = told("rotate", made["id"], "--overlap-hours", "1")
    assert rotated["old_secret_until"]
    for key in (made["key"], rotated["key"]):
        assert await status_with(house, key) == 200
    [listed] = [row for row in told("list") if row["id"] == made["id"]]
    assert (listed["name"], listed["scopes"], listed["kind"]) == (
        "Till",
        "customers:read",
        "secret",
    )
    told("revoke", made["id"])
    for key in (made["key"], rotated["key"]):
        await eventually(lambda key=key: status_with(house, key), lambda status: status == 401)
    assert made["id"] not in {row["id"] for row in told("list")}
    assert made["id"] in {row["id"] for row in told("list", "--revoked")}


async def test_what_cannot_be_is_a_sentence(shop: Shop, run: Run) -> None:
    wrong = run("create", "x", "--scope", "customers:everything")
    assert wrong.returncode == 1
    assert "Not a scope that a key can be given" in wrong.stderr
    bare = run("create", "x", "--scope", "inbound:write", "--kind", "publishable")
    assert bare.returncode == 1
    assert "Name the pages that a publishable key is for" in bare.stderr
    nobody = run("revoke", "0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f00")
    assert nobody.returncode == 1
    assert "There is no such API key" in nobody.stderr


async def test_what_the_operator_does_is_in_the_audit_log(
    house: House, shop: Shop, told: Callable[..., list[dict[str, Any]]]
) -> None:
    [made] = told("create", "Audited", "--scope", "customers:read", "--ip", "203.0.113.0/24")
    headers = {"authorization": f"Bearer {shop.api_key}"}
    async with httpx.AsyncClient(
        base_url=house.base_url, headers=headers, trust_env=False
    ) as client:

        async def entries() -> list[dict[str, Any]]:
            answer = await client.get("/v1/audit-log", params={"object_id": made["id"]})
            found: list[dict[str, Any]] = answer.json().get("data", [])
            return [entry for entry in found if made["id"] in json.dumps(entry)]

        [entry] = await eventually(entries)
    assert "careloop keys.create" in json.dumps(entry)
    assert made["key"] not in json.dumps(entry)
