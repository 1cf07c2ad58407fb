"""A new version comes: every process is replaced once, under load, and nobody notices."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from cli.demo.shop import Shop
from cli.ports import LOOPBACK
from tests.faults.audit.auditor import Auditor
from tests.faults.balancer import balancing
from tests.faults.fleet import doubled_fleet
from tests.faults.ports import lasting_port
from tests.faults.run import House, environment_of, open_shops
from tests.faults.servers import FaultServers
from tests.faults.sink import TroubledSink
from tests.faults.truth import Truth
from tests.support.fleet import Fleet
from tests.support.waiting import eventually

pytestmark = [pytest.mark.fault, pytest.mark.split]

_CLIENTS = 6
_DRAIN_SECONDS = 1.5


@asynccontextmanager
async def doubled_house(servers: FaultServers) -> AsyncIterator[House]:
    """Two of each API behind a balancer, ready to answer."""
    folder = servers.folder / "rolling"
    folder.mkdir()
    database_url = await servers.fresh_database("rolling")
    async with Redis.from_url(servers.valkey.url()) as redis:
        await redis.flushall()
    sink, port = TroubledSink(seed=0), lasting_port()
    door = f"http://{LOOPBACK}:{port}"
    environment = environment_of(servers, database_url, folder, sink)
    environment |= {"CARELOOP_POOL_SIZE": "2", "CARELOOP_DRAIN_SECONDS": str(_DRAIN_SECONDS)}
    fleet = doubled_fleet(environment, door=door, folder=folder, nursery=servers.nursery)
    engine = create_async_engine(database_url, poolclass=NullPool)
    sink.start()
    gateways = [fleet.commands[f"gateway-{number}"].url or "" for number in (1, 2)]
    try:
        fleet.start_all()
        await eventually(fleet.all_ready, seconds=120)
        async with balancing(gateways, port):
            yield House(fleet, door, sink, servers, database_url, engine, folder)
    finally:
        await asyncio.to_thread(fleet.stop)
        await asyncio.to_thread(sink.stop)
        await engine.dispose()


@dataclass
class Impatient:
    """Clients that ask once and take no excuse; without keys, so that nobody repeats for them."""

    door: str
    shops: list[Shop]
    answered: int = 0
    failures: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)

    async def ask(self, number: int, stop: asyncio.Event) -> None:
        """Write, read back, search, without a pause."""
        shop = self.shops[number % len(self.shops)]
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3)
        headers = {"Authorization": f"Bearer {shop.api_key}"}
        async with aiohttp.ClientSession(self.door, connector=connector, headers=headers) as http:
            for turn in itertools.count():
                if stop.is_set():
                    return
                person = {"name": f"Khách {number}", "email": f"r{number}-{turn}@example.com"}
                made = await self._once(http.post, "/v1/customers", json=person)
                if made is None:
                    continue
                self.created.append(made["id"])
                about = {"customer_id": made["id"]}
                ticket = {"subject": "Hỏi", "text": "Bao giờ giao?", "requester": about}
                await self._once(http.post, "/v1/tickets", json=ticket)
                await self._once(http.get, f"/v1/customers/{made['id']}")
                await self._once(http.get, "/v1/segments")
                await self._once(http.get, "/v1/messages", params={"limit": 5})

    async def _once(
        self, method: Callable[..., Awaitable[aiohttp.ClientResponse]], path: str, **options
    ):
        try:
            answer = await method(path, **options)
            async with answer:
                if not answer.ok:
                    self.failures.append(f"{path}: {answer.status} {await answer.text()}")
                    return None
                self.answered += 1
                return await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failures.append(f"{path}: {error!r}")
            return None


async def replace(fleet: Fleet, *names: str) -> list[int]:
    """End some processes as a supervisor does, and start them anew; their exit codes."""
    for name in names:
        fleet.ask_to_end(name)
    codes = [await asyncio.to_thread(fleet.wait_for_end, name) for name in names]
    for name in names:
        fleet.start(name)
    await eventually(fleet.all_ready, seconds=60)
    return codes


async def test_every_process_is_replaced_under_load_and_no_request_fails(
    fault_servers: FaultServers,
) -> None:
    async with doubled_house(fault_servers) as house:
        shops, stop = await open_shops(house, seed=0), asyncio.Event()
        clients = Impatient(house.door, shops)
        asking = [asyncio.create_task(clients.ask(number, stop)) for number in range(_CLIENTS)]
        before = {name: house.fleet.pid_of(name) for name in house.fleet.names}
        codes = []
        for wave in ("-1", "-2", "-worker"):
            names = [name for name in house.fleet.names if name.endswith(wave)]
            codes += await replace(house.fleet, *names)
        stop.set()
        await asyncio.gather(*asking)

        assert clients.failures == []
        assert clients.answered > 100
        assert set(codes) == {0}
        assert all(house.fleet.pid_of(name) != pid for name, pid in before.items())

        auditor = Auditor(redis_url=fault_servers.valkey.url())

        async def unsettled() -> list[str]:
            async with house.asking() as connection:
                return await auditor.unsettled(connection, house.books(Truth()))

        await eventually(unsettled, lambda left: not left, seconds=60)
        async with house.asking() as connection:
            kept = {
                str(row.id)
                for row in await connection.exec_driver_sql("SELECT id FROM customer.customer")
            }
        assert kept == set(clients.created)
