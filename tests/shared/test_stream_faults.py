"""Nothing lost, nothing doubled, order kept: with real processes that are killed in mid-work."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import monotonic

import orjson
import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cli.embedded.valkey import EmbeddedValkey
from shared.ids import TenantId, new_id
from shared.queue.producer import Queue, queue_name
from shared.settings import login_role
from shared.stream.relay import DELIVER
from tests.support.connections import drop_connections
from tests.support.parts import create_part
from tests.support.stream_parts import SINK, SOURCE, Configuration
from tests.support.waiting import eventually

pytestmark = pytest.mark.fault

CHAOS_SECONDS = 5
AT_LEAST = 101
"""Changes that are to be made in the midst of trouble, however long a slow machine needs."""
WRITERS = ("writer", "other writer")
ROOT = Path(__file__).parents[2]
WRITTEN = text(f"SELECT tenant_id, key, last FROM {SOURCE}.counter")
EFFECTS = text(f"SELECT tenant_id, key, numbers FROM {SINK}.effect")


class Processes:
    """Writers, source worker and sink worker; each is killed and started anew at will."""

    def __init__(self, configuration: Configuration) -> None:
        self._environment = configuration.environment()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, role: str) -> None:
        self._running[role] = subprocess.Popen(
            [sys.executable, "-m", "tests.support.stream_parts", role],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self, role: str) -> None:
        """`kill -9`."""
        process = self._running.pop(role)
        assert process.poll() is None, f"{role} ended by itself"
        process.kill()
        process.wait()

    def kill_all(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()


class Network:
    """Redis, and what can go wrong with what is in it."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url)
        self._queue = Queue(url)
        self._seen: list[str] = []
        self.repeated = 0

    async def flush(self) -> None:
        await self._redis.flushall()

    async def listen(self) -> None:
        """Keep some of the batches that are on their way."""
        async for key in self._redis.scan_iter("arq:job:*"):
            raw = await self._redis.get(key)
            job = orjson.loads(raw) if raw else {"f": None}
            if job["f"] == DELIVER:
                self._seen.append(job["a"][0])
        self._seen = self._seen[-200:]

    async def repeat_out_of_order(self) -> None:
        """Send batches once more, new ones and very old ones, in any order."""
        await self.listen()
        for batch in random.sample(self._seen, k=min(len(self._seen), 15)):
            await self._queue.enqueue(SINK, DELIVER, batch)
            self.repeated += 1

    async def is_quiet(self) -> bool:
        """Whether the sink has taken every batch."""
        return await self._redis.zcard(queue_name(SINK)) == 0

    async def close(self) -> None:
        await self._queue.close()
        await self._redis.aclose()


@pytest.fixture
def valkey_url(tmp_path: Path) -> Iterator[str]:
    """A Valkey that only this test uses, and may empty."""
    tmp_path.chmod(0o755)
    with EmbeddedValkey(tmp_path / "valkey", persistent=False) as valkey:
        yield valkey.url()


@pytest.fixture
async def configuration(database_url: str, valkey_url: str, root_key: str) -> Configuration:
    """Both parts, in the run's PostgreSQL, with two tenants."""
    for schema in (SOURCE, SINK):
        await create_part(database_url, schema, root_key=root_key)
    tenants = (TenantId(new_id()).hex, TenantId(new_id()).hex)
    return Configuration(database_url, valkey_url, root_key, tenants)


@asynccontextmanager
async def running(configuration: Configuration):
    processes, network = Processes(configuration), Network(configuration.redis_url)
    engine = create_async_engine(configuration.database_url)
    try:
        for role in (SOURCE, SINK, *WRITERS):
            processes.start(role)
        yield processes, network, engine
    finally:
        processes.kill_all()
        await network.close()
        await engine.dispose()


@dataclass(frozen=True)
class Faults:
    """How many changes of all objects did not take effect, did twice, or in the wrong order."""

    lost: int
    doubled: int
    disordered: int


async def faults(engine: AsyncEngine) -> Faults:
    async with engine.connect() as connection:
        written = {row.key: row.last for row in await connection.execute(WRITTEN)}
        effects = {row.key: row.numbers for row in await connection.execute(EFFECTS)}
    lost = doubled = disordered = 0
    for key, last in written.items():
        numbers = effects.get(key, [])
        lost += last - len(set(numbers))
        doubled += len(numbers) - len(set(numbers))
        disordered += sum(one > two for one, two in pairwise(numbers))
    return Faults(lost, doubled, disordered)


async def changes(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return sum(row.last for row in await connection.execute(WRITTEN))


async def make_trouble(processes: Processes, network: Network, database_url: str) -> None:
    """Everything that may go wrong, once, in an order nobody knows."""

    async def kill(role: str) -> None:
        processes.kill(role)
        processes.start(role)

    async def keep_the_sink_down() -> None:
        processes.kill(SINK)
        await asyncio.sleep(1.5)
        # Nobody takes the batches now: the one moment at which some are sure to be seen.
        await network.listen()
        processes.start(SINK)

    async def cut_every_connection() -> None:
        await drop_connections(database_url, login_role(SOURCE), login_role(SINK))

    troubles: list[Callable[[], Awaitable[None]]] = [
        lambda: kill("writer"),
        lambda: kill(SOURCE),
        lambda: kill(SINK),
        keep_the_sink_down,
        cut_every_connection,
        network.flush,
        network.repeat_out_of_order,
    ]
    for trouble in random.sample(troubles, k=len(troubles)):
        await network.listen()
        await trouble()
        await asyncio.sleep(random.uniform(0.1, 0.9))


async def test_nothing_is_lost_doubled_or_disordered_whatever_is_killed(
    configuration: Configuration,
):
    async with running(configuration) as (processes, network, engine):
        await eventually(lambda: changes(engine), seconds=30)
        deadline = monotonic() + CHAOS_SECONDS
        while monotonic() < deadline or await changes(engine) < AT_LEAST:
            await make_trouble(processes, network, configuration.database_url)
        for writer in WRITERS:
            processes.kill(writer)
        await eventually(lambda: faults(engine), lambda found: found.lost == 0, seconds=40)
        # What killed workers had begun would lie there for a minute.
        await network.flush()
        # Repetitions that come long after everything was done change nothing either.
        await network.repeat_out_of_order()
        await eventually(network.is_quiet)
        assert await faults(engine) == Faults(lost=0, doubled=0, disordered=0)
        assert network.repeated > 0
