"""Everything that goes wrong, drawn from a deck that is shuffled by the seed."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Final

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.settings import SCHEMAS, login_role
from tests.faults.servers import FaultServers
from tests.faults.sink import TroubledSink
from tests.support.fleet import Fleet

_LOCKED: Final = (
    "customer.customer",
    "customer.idempotency_key",
    "customer.outbox",
    "gateway.delivery",
    "gateway.stream",
    "segmentation.cursor",
    "segmentation.profile",
    "support_ticket.ticket",
    "support_ticket.tenant",
    "messaging.message",
    "messaging.subscription",
)
_STRANGERS: Final = 90
# What a trouble may meet because another one is at work.
_EXPLAINED: Final = (
    OSError,
    TimeoutError,
    RedisError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)
Trouble = Callable[[Random], Awaitable[None]]


class Troubles:
    """Makes trouble of one house until told to stop, and heals what it has done."""

    def __init__(
        self,
        *,
        seed: int,
        fleet: Fleet,
        servers: FaultServers,
        sink: TroubledSink,
        database_url: str,
        note: Callable[[str], None] = lambda _what: None,
    ) -> None:
        self._note = note
        self._dice = Random(f"troubles:{seed}")
        self._fleet = fleet
        self._servers = servers
        self._sink = sink
        self._dsn = database_url.replace("+asyncpg", "")
        self._redis_url = servers.valkey.url()
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self.done: Counter[str] = Counter()
        self.outages: list[tuple[datetime, datetime]] = []
        """When PostgreSQL did not answer."""
        self.broken: list[str] = []
        """Troubles that could not be made, which is trouble of another kind."""

    async def make(self, seconds: float) -> None:
        """Trouble for so long; several kinds may be at work at once."""
        deadline = asyncio.get_running_loop().time() + seconds
        deck: list[tuple[str, Trouble]] = []
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            if not deck:
                deck = self._deck()
            name, trouble = deck.pop()
            target = name.split()[-1]
            # Dice of its own, so that the plan does not depend on what meets what.
            dice = Random(self._dice.random())
            if target not in self._at_work:
                self._begin(name, target, trouble, dice)
            await asyncio.sleep(min(left, self._dice.uniform(0.3, 1.5)))

    async def heal(self) -> None:
        """Let every trouble end, and have everything run."""
        while self._at_work:
            await asyncio.gather(*self._at_work.values(), return_exceptions=True)
        self._sink.mood = "healthy"
        self._sink.start()
        await asyncio.to_thread(self._servers.postgres.start)
        await asyncio.to_thread(self._servers.valkey.start)
        for name in self._fleet.names:
            self._fleet.thaw(name)
        self._fleet.start_all()

    def _begin(self, name: str, target: str, trouble: Trouble, dice: Random) -> None:
        async def at_work() -> None:
            self._note(f"{name} begins")
            try:
                await trouble(dice)
                self.done[name] += 1
            except _EXPLAINED:
                self.done[f"{name} (met another)"] += 1
            except Exception as error:  # noqa: BLE001  (told at the end; the others go on)
                self.broken.append(f"{name}: {error!r}")
            finally:
                self._note(f"{name} ends")
                del self._at_work[target]

        self._at_work[target] = asyncio.create_task(at_work())

    def _deck(self) -> list[tuple[str, Trouble]]:
        """Each process is killed once a round; the rest comes about as often."""
        deck: list[tuple[str, Trouble]] = [
            (f"kill {name}", partial(self._kill, name)) for name in self._fleet.names
        ]
        frozen = self._dice.choice(self._fleet.names)
        deck += [
            (f"freeze {frozen}", partial(self._freeze, frozen)),
            ("crash postgres", self._crash_postgres),
            ("cut postgres", self._cut_connections),
            ("flood postgres", self._take_up_connections),
            ("lock tables", self._lock_a_table),
            ("lock tables", self._lock_a_table),
            ("flush valkey", self._flush_valkey),
            ("kill valkey", self._kill_valkey),
            ("upset smtp", self._upset_mail_server),
            ("upset smtp", self._upset_mail_server),
            ("stop smtp", self._stop_mail_server),
        ]
        self._dice.shuffle(deck)
        return deck

    async def _kill(self, name: str, dice: Random) -> None:
        self._fleet.kill(name)
        await _for_a_while(dice, 0, 1.5)
        self._fleet.start(name)
        if self._fleet.commands[name].url is None:
            await _for_a_while(dice, 1, 3)
            return
        for _ in range(100):
            if await self._fleet.ready(name):
                return
            await asyncio.sleep(0.2)

    async def _freeze(self, name: str, dice: Random) -> None:
        self._fleet.freeze(name)
        await _for_a_while(dice, 1, 4)
        self._fleet.thaw(name)

    async def _crash_postgres(self, dice: Random) -> None:
        since = datetime.now(UTC)
        await asyncio.to_thread(self._servers.crash_postgres)
        await _for_a_while(dice, 0, 1)
        await asyncio.to_thread(self._servers.postgres.start)
        self.outages.append((since, datetime.now(UTC)))

    async def _cut_connections(self, dice: Random) -> None:
        roles = [login_role(schema) for schema in SCHEMAS]
        async with self._connection() as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY($1)",
                dice.sample(roles, k=dice.randint(1, len(roles))),
            )

    async def _take_up_connections(self, dice: Random) -> None:
        """Strangers who connect and say nothing, until there is no room (or nearly)."""
        since = datetime.now(UTC)
        held: list[asyncpg.Connection] = []
        for _ in range(_STRANGERS // 10):
            opened = await asyncio.gather(
                *(asyncpg.connect(self._dsn) for _ in range(10)), return_exceptions=True
            )
            held += [one for one in opened if isinstance(one, asyncpg.Connection)]
        await _for_a_while(dice, 1, 3)
        await asyncio.gather(*(one.close() for one in held), return_exceptions=True)
        self.outages.append((since, datetime.now(UTC)))

    async def _lock_a_table(self, dice: Random) -> None:
        """Somebody holds what everybody needs; whoever waits for it holds a connection."""
        table = dice.choice(_LOCKED)
        since = datetime.now(UTC)
        async with self._connection() as connection, connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = '3s'")
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            await _for_a_while(dice, 1, 4)
        self.outages.append((since, datetime.now(UTC)))

    async def _flush_valkey(self, _dice: Random) -> None:
        async with Redis.from_url(self._redis_url) as redis:
            await redis.flushall()

    async def _kill_valkey(self, dice: Random) -> None:
        await asyncio.to_thread(self._servers.kill_valkey)
        await _for_a_while(dice, 0.2, 2)
        await asyncio.to_thread(self._servers.valkey.start)

    async def _upset_mail_server(self, dice: Random) -> None:
        self._sink.mood = "troubled"
        await _for_a_while(dice, 2, 5)
        self._sink.mood = "healthy"

    async def _stop_mail_server(self, dice: Random) -> None:
        await asyncio.to_thread(self._sink.stop)
        await _for_a_while(dice, 0.5, 2.5)
        self._sink.start()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self._dsn, timeout=5)
        try:
            yield connection
        finally:
            with contextlib.suppress(asyncpg.PostgresError, OSError):
                await connection.close()


async def _for_a_while(dice: Random, least: float, most: float) -> None:
    await asyncio.sleep(dice.uniform(least, most))
