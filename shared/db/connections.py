"""Connections between units of work: taking one from the shelf costs nothing.

The engine's pool opens connections and bounds their number. Taking one from it and giving it back
costs two greenlets and a handful of objects, as much as a round trip; so those that have served
wait here for the next unit of work, the one used last first.
"""

from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy.exc import InterfaceError, InternalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db.driver_errors import translated
from shared.observability.pools import PoolUsage


@dataclass(frozen=True, slots=True)
class Held:
    """A connection of the pool with the driver's connection in it."""

    toolkit: AsyncConnection
    driver: asyncpg.Connection


class Connections:
    """Hands out connections that are in no transaction."""

    def __init__(self, engine: AsyncEngine, *, keep: int) -> None:
        self._engine = engine
        self._keep = keep
        self._idle: list[Held] = []
        self._waiting = 0

    @property
    def idle(self) -> int:
        """How many connections are open and unused, here and in the pool."""
        pooled: int = self._engine.pool.checkedin()  # type: ignore[attr-defined]
        return len(self._idle) + pooled

    def usage(self) -> PoolUsage:
        """How many there are and what they do."""
        pool: Any = self._engine.pool
        return PoolUsage(
            in_use=pool.checkedout() - len(self._idle),
            idle=self.idle,
            limit=pool.size() + pool._max_overflow,
            waiting=self._waiting,
        )

    async def take(self) -> Held:
        """A connection. Raises sqlalchemy.exc.TimeoutError when all stay in use, or DBAPIError."""
        if self._idle:
            return self._idle.pop()
        self._waiting += 1
        try:
            connection = await self._engine.connect()
        except (asyncpg.InterfaceError, asyncpg.InternalClientError, InternalError) as error:
            # The server went away between the greeting and the first question, or in the middle
            # of it: the driver lost count of where it was, and the toolkit passes that on.
            raise InterfaceError("CONNECT", None, error, connection_invalidated=True) from error
        finally:
            self._waiting -= 1
        driver = (await connection.get_raw_connection()).driver_connection
        if driver is None:
            await connection.close()
            raise InterfaceError("CONNECT", None, asyncpg.InterfaceError("no connection"))
        return Held(connection, driver)

    async def ask(self, question: str) -> list[Any]:
        """The first column of a query, outside of any transaction. Raises as `take`."""
        held = await self.take()
        try:
            rows = await translated(held.driver.fetch(question), held.driver)
        except BaseException:
            await self.discard(held)
            raise
        await self.give_back(held)
        return [row[0] for row in rows]

    async def give_back(self, held: Held) -> None:
        """Let the next unit of work have it. It must be in no transaction."""
        # Whoever waits, waits at the pool: what is laid on the shelf now would not reach them.
        if self._waiting or len(self._idle) >= self._keep or held.driver.is_closed():
            await held.toolkit.close()
        else:
            self._idle.append(held)

    async def discard(self, held: Held) -> None:
        """Close one that is broken or in an unknown state: it must not serve another tenant."""
        try:
            await held.toolkit.invalidate()
        finally:
            await held.toolkit.close()

    async def close(self) -> None:
        """Give everything back to the pool."""
        while self._idle:
            await self._idle.pop().toolkit.close()
