"""What an operator does about events, on a running house with real faults in its streams."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from cli.demo.client import Api
from cli.demo.shop import Shop
from shared.ids import new_id
from shared.settings import SCHEMAS
from tests.cli.supervisor import careloop
from tests.support.house import House
from tests.support.waiting import eventually

CONSUMERS = ("messaging", "segmentation", "support_ticket")
Careloop = Callable[..., subprocess.CompletedProcess[str]]
Json = dict[str, Any]


@pytest.fixture
def operator(house: House, shop: Shop, tmp_path) -> Careloop:
    """Runs a command about the shop."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        arguments = (*words, "--tenant", shop.tenant_id)
        return careloop(*arguments, folder=tmp_path, environment=house.environment)

    return run


class Administrator:
    """Who may look into every schema, and spoil it."""

    def __init__(self, url: str, tenant_id: str) -> None:
        self._engine = create_async_engine(url, poolclass=NullPool)
        self._tenant_id = UUID(tenant_id)

    async def runs(self, statement: str, **parameters: Any) -> list[Any]:
        """Rows of a statement, committed."""
        async with self._engine.begin() as connection:
            result = await connection.execute(
                text(statement), {**parameters, "tenant": self._tenant_id}
            )
            return list(result.all()) if result.returns_rows else []

    async def spoils_the_stream(self) -> None:
        """An event that no consumer can read is committed by the customer service."""
        await self.runs(
            """
            INSERT INTO customer.outbox
                (tenant_id, id, split, key, type, data, context, occurred_at)
            VALUES (:tenant, :id, 0, :id, 'customer.updated', '{"customer": "no state"}', '{}',
                    now())
            """,
            id=new_id(),
        )

    async def lets_time_pass(self) -> None:
        """The source's patience with its silent consumers is over."""
        await self.runs(
            "UPDATE customer.subscription SET sent_at = sent_at - interval '1 minute' "
            "WHERE tenant_id = :tenant AND acked < sent"
        )

    async def set_aside(self) -> int:
        """How many consumers have given up on an event."""
        union = " UNION ALL ".join(
            f"SELECT id FROM {part}.dead_letter WHERE tenant_id = :tenant" for part in CONSUMERS
        )
        await self.lets_time_pass()
        return len(await self.runs(union))

    async def untold(self) -> int:
        """How much is still on its way between any two parts."""
        union = " UNION ALL ".join(
            f"SELECT 1 FROM {part}.outbox WHERE tenant_id = :tenant AND position IS NULL "
            f"UNION ALL SELECT 1 FROM {part}.subscription JOIN {part}.stream "
            f"USING (tenant_id, split) WHERE tenant_id = :tenant AND acked < last_position"
            for part in SCHEMAS
        )
        return len(await self.runs(union))


@dataclass(frozen=True)
class Accident:
    """A spoiled stream: what was known before it, what was told after it."""

    before: Json
    after: Json
    ticket: Json


@pytest.fixture(scope="module")
def administrator(house_database: str, shop: Shop) -> Administrator:
    return Administrator(house_database, shop.tenant_id)


@pytest.fixture(scope="module")
async def accident(house: House, shop: Shop, administrator: Administrator) -> Accident:
    """A customer and their ticket, a poison event, another customer; every consumer gave up."""
    async with httpx.AsyncClient(base_url=house.base_url, timeout=30, trust_env=False) as http:
        api = Api(http, shop.api_key)
        before = await api.post("/v1/customers", {"name": "Trước", "email": "a@example.com"})
        await administrator.spoils_the_stream()
        after = await api.post("/v1/customers", {"name": "Sau", "email": "b@example.com"})
        await eventually(administrator.set_aside, lambda count: count == 3, seconds=30)
        ticket = await api.post(
            "/v1/tickets",
            {"subject": "?", "text": "?", "requester": {"customer_id": before["id"]}},
        )
    return Accident(before, after, ticket)


@pytest.fixture
async def api(house: House, shop: Shop):
    async with httpx.AsyncClient(base_url=house.base_url, timeout=30, trust_env=False) as http:
        yield Api(http, shop.api_key)


@pytest.mark.usefixtures("accident")
def test_what_was_set_aside_is_listed_with_its_whole_id_and_reason(operator: Careloop) -> None:
    machine = operator("dead-letters", "list", "messaging", "--json")
    assert machine.returncode == 0, machine.stderr
    (letter,) = json.loads(machine.stdout)
    assert (letter["source"], letter["type"], letter["attempts"]) == (
        "customer",
        "customer.updated",
        5,
    )
    assert "validation error for CustomerUpdated" in letter["error"]
    person = operator("dead-letters", "list", "messaging").stdout
    assert letter["id"] in person, "an id cut short is of no use"
    assert "validation error for CustomerUpdated" in person


async def test_the_stream_goes_on_without_the_event(
    accident: Accident, operator: Careloop, api: Api
) -> None:
    ticket = await api.post(
        "/v1/tickets",
        {"subject": "!", "text": "!", "requester": {"customer_id": accident.after["id"]}},
    )
    found = await api.get(f"/v1/tickets/{ticket['id']}")
    assert found["customer"]["name"] == "Sau"

    async def standing() -> list[Json]:
        answer = await asyncio.to_thread(operator, "stream", "status", "--json")
        assert answer.returncode == 0, answer.stderr
        rows: list[Json] = json.loads(answer.stdout)
        return [row for row in rows if not row["acknowledged"] == row["sent"] == row["last"]]

    await eventually(standing, lambda rows: rows == [], seconds=20)
    shown = operator("stream", "status").stdout
    for consumer in CONSUMERS:
        assert consumer in shown


@pytest.mark.usefixtures("accident")
async def test_a_replay_that_fails_again_is_a_sentence_and_loses_nothing(
    operator: Careloop, administrator: Administrator
) -> None:
    answer = operator("dead-letters", "replay", "segmentation")
    assert answer.returncode == 1
    assert "stays set aside" in answer.stderr
    assert "Traceback" not in answer.stderr
    open_ones = (
        "SELECT id FROM segmentation.dead_letter WHERE tenant_id = :tenant AND replayed_at IS NULL"
    )
    assert len(await administrator.runs(open_ones)) == 1


async def test_a_mended_event_is_replayed_once(
    accident: Accident, operator: Careloop, api: Api, administrator: Administrator
) -> None:
    await administrator.runs(
        """
        UPDATE support_ticket.dead_letter SET event = jsonb_set(event, '{data}', (
            SELECT jsonb_set(jsonb_set(data, '{customer,name}', '"Đã sửa"'),
                             '{customer,version}', '1000')
            FROM customer.outbox
            WHERE tenant_id = :tenant AND key = :customer AND type = 'customer.created'
        )) WHERE tenant_id = :tenant
        """,
        customer=UUID(accident.before["id"]),
    )
    ((letter_id,),) = await administrator.runs(
        "SELECT id FROM support_ticket.dead_letter WHERE tenant_id = :tenant"
    )
    replay = ("dead-letters", "replay", "support_ticket", "--id", str(letter_id))
    done = operator(*replay)
    assert (done.returncode, done.stdout) == (0, "1 replayed.\n"), done.stderr
    ticket = await api.get(f"/v1/tickets/{accident.ticket['id']}")
    assert ticket["customer"]["name"] == "Đã sửa"
    assert operator("dead-letters", "list", "support_ticket").stdout == "Nothing is set aside.\n"
    again = operator(*replay)
    assert again.returncode == 1
    assert f"Nothing with the id {letter_id}" in again.stderr


async def test_a_rebuild_of_a_sound_projection_changes_nothing(
    operator: Careloop, api: Api, administrator: Administrator
) -> None:
    customer = await api.post("/v1/customers", {"name": "Người mua", "email": "c@example.com"})
    total = {"amount": "150000", "currency": "VND"}
    await api.post(
        "/v1/orders",
        {
            "customer_id": customer["id"],
            "source": "pos",
            "external_id": "POS-1",
            "number": "POS-1",
            "financial_status": "paid",
            "total": total,
            "lines": [{"title": "Áo", "quantity": 1, "unit_price": total, "total": total}],
        },
    )

    async def memberships() -> Json:
        return await api.get("/v1/segment-memberships", customer_id=customer["id"])

    await eventually(administrator.untold, lambda count: count == 0)
    before = await memberships()
    assert "new_customers" in {m["segment_key"] for m in before["data"]}
    moved = "SELECT count(*) FROM segmentation.outbox WHERE tenant_id = :tenant AND type LIKE :type"
    told = await administrator.runs(moved, type="segmentation.segment_%")
    answer = await asyncio.to_thread(operator, "stream", "rebuild", "segmentation")
    assert (answer.returncode, answer.stdout) == (0, "Rebuild succeeded.\n"), answer.stderr
    assert (await memberships())["data"] == before["data"]
    assert await administrator.runs(moved, type="segmentation.segment_%") == told


def test_a_part_that_is_none_and_a_shop_that_is_none(
    house: House, tmp_path, operator: Careloop
) -> None:
    answer = operator("dead-letters", "list", "nobody")
    assert answer.returncode == 2
    assert "segmentation" in answer.stderr, "the possible ones are named"
    stranger = ("stream", "status", "--tenant", str(new_id()))
    answer = careloop(*stranger, folder=tmp_path, environment=house.environment)
    assert (answer.returncode, answer.stdout) == (0, "No part has told anything of this shop.\n")


def test_without_a_database_a_command_says_so(house: House, tmp_path, operator: Careloop) -> None:
    environment = {**house.environment, "DATABASE_URL": "postgresql+asyncpg://x:y@127.0.0.1:1/z"}
    status = ("stream", "status", "--tenant", str(new_id()))
    answer = careloop(*status, folder=tmp_path, environment=environment)
    assert answer.returncode == 1
    assert "careloop doctor" in answer.stderr
    assert "Traceback" not in answer.stderr
