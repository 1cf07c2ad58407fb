"""One run: a house, a load, trouble by the seed; then peace, and the audit."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from cli.demo.client import Api, until
from cli.demo.shop import Shop, open_shop
from tests.faults.audit.auditor import Auditor
from tests.faults.audit.books import Books, Finding
from tests.faults.client import Client
from tests.faults.fleet import fleet_of
from tests.faults.load import people
from tests.faults.servers import FaultServers
from tests.faults.sink import TroubledSink
from tests.faults.troubles import Troubles
from tests.faults.truth import Truth
from tests.support.fleet import Fleet
from tests.support.house import OPERATOR_KEY, Topology
from tests.support.limits import ROOMY_LIMITS
from tests.support.servers import ROOT_KEY, execute
from tests.support.waiting import eventually

SHOPS = 2
_START_SECONDS = 120
_CALM_REQUESTS = 60
_ANSWER_SECONDS = 90
_SETTLE_SECONDS = 150
# Time passes: waiting for half an hour until a message is tried again would prove nothing more.
_MAKE_DUE = text(
    "UPDATE messaging.message SET due_at = now() WHERE status = 'planned' AND due_at > now()"
)
_END_LEASES = text(
    "UPDATE messaging.message SET lease_until = now() "
    "WHERE status = 'sending' AND attempted_at < :sender_since AND lease_until > now()"
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run has shown."""

    seed: int
    topology: Topology
    seconds: float
    requests: int
    accepted: int
    statuses: dict[str, int]
    troubles: dict[str, int]
    mails: dict[str, int]
    settled_after: float
    findings: list[Finding]
    log_events: dict[str, int]
    diary: list[str]

    @property
    def faults(self) -> int:
        """How much went wrong."""
        return sum(len(finding.faults) for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name != "findings"}
        return {**plain, "faults": self.faults, "findings": [f.as_json() for f in self.findings]}


@dataclass(slots=True)
class House:
    """A running house with what surrounds it."""

    fleet: Fleet
    door: str
    sink: TroubledSink
    servers: FaultServers
    database_url: str
    engine: AsyncEngine
    folder: Path

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[AsyncConnection]:
        """The administrator's connection, in a transaction that is undone."""
        async with self.engine.connect() as connection, connection.begin() as transaction:
            yield connection
            await transaction.rollback()

    def books(self, truth: Truth, outages: tuple[Any, ...] = ()) -> Books:
        """What happened outside, as it stands now."""
        senders = [name for name in self.fleet.names if name in ("worker", "messaging-worker")]
        killed = tuple(at for name in senders for at in self.fleet.killed_at[name])
        return Books(
            truth, dict(self.sink.taken), frozenset(self.sink.undecidable), killed, outages
        )


@asynccontextmanager
async def open_house(
    servers: FaultServers, *, seed: int, topology: Topology
) -> AsyncIterator[House]:
    """A house on an empty database of its own, ready to answer."""
    name = f"seed_{seed}_{time.monotonic_ns()}"
    folder = servers.folder / name
    folder.mkdir()
    database_url = await servers.fresh_database(name)
    async with Redis.from_url(servers.valkey.url()) as redis:
        await redis.flushall()
    sink = TroubledSink(seed)
    environment = environment_of(servers, database_url, folder, sink)
    fleet, door = fleet_of(topology, environment, folder=folder, nursery=servers.nursery)
    engine = create_async_engine(database_url, poolclass=NullPool)
    sink.start()
    try:
        fleet.start_all()
        await eventually(fleet.all_ready, seconds=_START_SECONDS)
        yield House(fleet, door, sink, servers, database_url, engine, folder)
    finally:
        await asyncio.to_thread(fleet.stop)
        await asyncio.to_thread(sink.stop)
        await engine.dispose()
        await asyncio.to_thread(servers.postgres.start)
        await execute(servers.postgres.url(), f"DROP DATABASE {name} WITH (FORCE)")


def environment_of(
    servers: FaultServers, database_url: str, folder: Path, sink: TroubledSink
) -> dict[str, str]:
    """The settings of a house with these surroundings."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": servers.valkey.url(),
        "CARELOOP_SECRET_KEY": ROOT_KEY,
        "CARELOOP_OPERATOR_KEY": OPERATOR_KEY,
        "CARELOOP_HOME": str(folder),
        "CARELOOP_LOG_LEVEL": "warning",
        "CARELOOP_LOG_FORMAT": "json",
        "CARELOOP_ACCESS_LOG": "false",
        "CARELOOP_POOL_SIZE": "4",
        "CARELOOP_DRAIN_SECONDS": "0",
        **ROOMY_LIMITS,
        **sink.environment,
    }


async def open_shops(house: House, seed: int) -> list[Shop]:
    """Shops that every service knows."""
    async with httpx.AsyncClient(base_url=house.door, timeout=30, trust_env=False) as http:
        shops = [
            await open_shop(
                http, operator_key=OPERATOR_KEY, name=f"Hoa {n}", slug=f"hoa-{seed}-{n}"
            )
            for n in range(SHOPS)
        ]
        for shop in shops:
            api = Api(http, shop.api_key)
            for path in ("/v1/automations", "/v1/queues", "/v1/segments"):
                await until(
                    lambda path=path, api=api: api.get(path),
                    lambda page: page["data"],
                    what=f"the shop's {path}",
                    seconds=60,
                )
    return shops


async def run_seed(
    servers: FaultServers, *, seed: int, topology: Topology, seconds: float
) -> Report:
    """Everything about one seed."""
    async with open_house(servers, seed=seed, topology=topology) as house:
        return (await trouble_and_audit(house, seed=seed, topology=topology, seconds=seconds))[0]


async def trouble_and_audit(
    house: House, *, seed: int, topology: Topology, seconds: float
) -> tuple[Report, Books]:
    """Load and trouble for so long, then healing, rest and the audit."""
    truth = Truth()
    shops = await open_shops(house, seed)
    troubles = Troubles(
        seed=seed,
        fleet=house.fleet,
        servers=house.servers,
        sink=house.sink,
        database_url=house.database_url,
        note=truth.note,
    )
    await _load(house, shops, truth, troubles, seed=seed, seconds=seconds)
    auditor = Auditor(redis_url=house.servers.valkey.url())
    began = time.monotonic()
    await _come_to_rest(house, truth, troubles, auditor)
    settled_after = time.monotonic() - began
    findings = await _audit(house, truth, troubles, auditor)
    findings += [await _repeats(house, truth), await _reports(house, shops)]
    findings.append(Finding("troubles", "each was made as planned", 0, list(troubles.broken)))
    report = Report(
        seed=seed,
        topology=topology,
        seconds=seconds,
        requests=sum(ask.tries for ask in truth.asked),
        accepted=sum(ask.accepted is not None for ask in truth.asked),
        statuses=dict(truth.statuses),
        troubles=dict(troubles.done),
        mails={"taken": sum(house.sink.taken.values()), **house.sink.answers},
        settled_after=round(settled_after, 1),
        findings=findings,
        log_events=_log_events(house),
        diary=truth.diary,
    )
    return report, house.books(truth, tuple(troubles.outages))


async def _load(
    house: House,
    shops: list[Shop],
    truth: Truth,
    troubles: Troubles,
    *,
    seed: int,
    seconds: float,
) -> None:
    client, stop = Client(house.door, truth), asyncio.Event()
    lives = [
        asyncio.create_task(person.live(stop))
        for person in people(shops, seed=seed, client=client, truth=truth)
    ]

    async def accepted() -> int:
        return sum(ask.accepted is not None for ask in truth.asked)

    try:
        # Who has nothing yet loses nothing.
        await eventually(accepted, lambda number: number >= _CALM_REQUESTS, seconds=_START_SECONDS)
        await troubles.make(seconds)
        stop.set()
        await troubles.heal()
        await eventually(house.fleet.all_ready, seconds=_START_SECONDS)
        # Who insists is answered now; who is not shows in the audit.
        await asyncio.wait(lives, timeout=_ANSWER_SECONDS)
    finally:
        for life in lives:
            life.cancel()
        outcomes = await asyncio.gather(*lives, return_exceptions=True)
        await client.close()
    truth.surprises += [repr(o) for o in outcomes if isinstance(o, Exception)]


async def _come_to_rest(house: House, truth: Truth, troubles: Troubles, auditor: Auditor) -> None:
    """Wait until nothing is on its way any more; what does not arrive, the audit shows."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    sender = "worker" if "worker" in house.fleet.names else "messaging-worker"
    while time.monotonic() < deadline:
        # Whoever is at work on these messages goes first; there is a next time.
        with contextlib.suppress(DBAPIError):
            async with house.engine.begin() as connection:
                await connection.execute(_MAKE_DUE)
                since = {"sender_since": house.fleet.started_at[sender]}
                await connection.execute(_END_LEASES, since)
        async with house.asking() as connection:
            books = house.books(truth, tuple(troubles.outages))
            left = await auditor.unsettled(connection, books)
        if not left and house.sink.is_idle:
            return
        truth.note(f"on its way: {left[0] if left else 'mail'}, {len(left)} in all")
        await asyncio.sleep(0.3)


async def _audit(house: House, truth: Truth, troubles: Troubles, auditor: Auditor) -> list[Finding]:
    for patience in (2, 0):
        async with house.asking() as connection:
            books = house.books(truth, tuple(troubles.outages))
            findings = await auditor.audit(connection, books)
        if all(finding.ok for finding in findings):
            break
        # A sweep may just have been at work.
        await asyncio.sleep(patience)
    return findings


async def _repeats(house: House, truth: Truth) -> Finding:
    """Long after, the same key still gets the same answer and has no second effect."""
    asks = [ask for ask in truth.asked if ask.key is not None and ask.accepted is not None][::10]
    client = Client(house.door, Truth())
    wrong = []
    try:
        for ask in asks:
            status, answer, replayed = await client.repeat(ask)
            if answer != ask.accepted or not replayed:
                wrong.append(f"{ask.kind} {ask.mark}: {status}, replayed: {replayed}")
    finally:
        await client.close()
    return Finding("repetitions", "the same key gets the same answer again", len(asks), wrong)


async def _reports(house: House, shops: list[Shop]) -> Finding:
    """The house's own equations hold, as an owner sees them."""
    wrong = []
    async with httpx.AsyncClient(base_url=house.door, timeout=30, trust_env=False) as http:
        for shop in shops:
            report = await Api(http, shop.api_key).get("/v1/reports/care-loop")
            wrong += [
                f"{shop.slug}: {e['name']}: {e['left']} = {e['right']}"
                for e in report["reconciliation"]
                if not e["ok"]
            ]
    return Finding("care-loop report", "every equation of the report holds", len(shops), wrong)


def _log_events(house: House) -> dict[str, int]:
    """What the processes complained of; unreadable lines are tracebacks of the start."""
    events: Counter[str] = Counter()
    for name in house.fleet.names:
        log = house.fleet.log_of(name)
        for line in log.read_bytes().splitlines() if log.exists() else ():
            try:
                said = orjson.loads(line)
                events[f"{said['level']} {said['event']}"[:80]] += 1
            except (orjson.JSONDecodeError, KeyError, TypeError):
                events["not a log line"] += 1
    return dict(events.most_common())
