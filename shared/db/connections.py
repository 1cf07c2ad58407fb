"""Connections between units of work: taking one from the shelf costs nothing.

The engine's pool opens connections and bounds their number. Taking one from it and giving it back
costs two greenlets and a handful of objects, as much as a round trip; so those that have served
wait here for the next unit of work, the one used last first.

A transaction that only read need not be waited for: whoever comes next ends it with the message
that begins their own, or goes on in it if they would have opened the very same, and if nobody comes
soon, it is ended here.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db.driver_errors import translated
from shared.observability.pools import PoolUsage

_END_AFTER_SECONDS: Final = 0.02
_GO_ON_FOR_SECONDS: Final = 0.05
"""How old one may be in which others go on: until its end it holds up who alters its tables."""

_END_WITHIN_SECONDS: Final = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """A transaction that only reads: the command that opened it, and when that was.

    The command says whose rows it sees, and that it changes none. It is forgotten of one in which
    something failed or was undone: nobody goes on in that.
    """

    opening: str
    since: float


@dataclass(eq=False, slots=True)
class Held:
    """A connection of the pool with the driver's connection in it."""

    toolkit: AsyncConnection
    driver: asyncpg.Connection
    left: Reading | None = None
    """What is still open on it."""
    ending: asyncio.TimerHandle | None = None
    """When that will be ended if nobody takes the connection before."""

    def goes_on(self, reading: Reading | None, opening: str) -> bool:
        """Whether who would open another one by this command may go on in what was left on it."""
        if reading is None or reading.opening != opening or self.driver.is_closed():
            return False
        return asyncio.get_running_loop().time() < reading.since + _GO_ON_FOR_SECONDS


class Connections:
    """Hands out connections that are in no transaction, or in one that only read."""

    def __init__(self, engine: AsyncEngine, *, keep: int) -> None:
        self._engine = engine
        self._keep = keep
        self._idle: list[Held] = []
        self._ending: set[asyncio.Task[None]] = set()
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
            in_use=pool.checkedout() - len(self._idle) - len(self._ending),
            idle=self.idle,
            limit=pool.size() + pool._max_overflow,
            waiting=self._waiting,
        )

    async def take(self, to_read: str | None = None) -> tuple[Held, Reading | None]:
        """A connection, and the transaction that was left open on it, if there is one.

        Best one that is left of those which the command `to_read` opens.
        Raises sqlalchemy.exc.TimeoutError when all stay in use, or DBAPIError.
        """
        if self._idle:
            held = self._idle.pop(self._place(to_read))
            return held, _taken_over(held)
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
        return Held(connection, driver), None

    def _place(self, to_read: str | None) -> int:
        """Where on the shelf the best one lies, the one used last first.

        Who cannot go on in anything leaves what others may go on in, where there is a choice.
        """
        places = range(len(self._idle) - 1, -1, -1)
        if to_read is not None:
            for place in places:
                held = self._idle[place]
                if held.goes_on(held.left, to_read):
                    return place
        return next((place for place in places if self._idle[place].left is None), -1)

    async def ask(self, question: str) -> list[Any]:
        """The first column of a query, outside of any transaction. Raises as `take`."""
        held, left = await self.take()
        try:
            if left is not None:
                await _end(held)
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

    async def leave(self, held: Held, reading: Reading) -> None:
        """Let the next unit of work have it as it is, and end the transaction on it some time."""
        if self._waiting or len(self._idle) >= self._keep or held.driver.is_closed():
            await self.end(held)
            return
        loop = asyncio.get_running_loop()
        held.left = reading
        held.ending = loop.call_later(_END_AFTER_SECONDS, self._end_soon, held)
        self._idle.append(held)

    def _end_soon(self, held: Held) -> None:
        self._idle.remove(held)
        _taken_over(held)
        task = asyncio.create_task(self.end(held))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def end(self, held: Held) -> None:
        """Undo what its transaction has not committed, and let the next unit of work have it."""
        try:
            await _end(held)
        except DBAPIError:
            await self.discard(held)
        except BaseException:
            await self.discard(held)
            raise
        else:
            await self.give_back(held)

    async def discard(self, held: Held) -> None:
        """Close one that is broken or in an unknown state: it must not serve another tenant."""
        try:
            await held.toolkit.invalidate()
        finally:
            await held.toolkit.close()

    async def close(self) -> None:
        """Give everything back to the pool."""
        while self._idle or self._ending:
            if self._ending:
                await asyncio.gather(*self._ending, return_exceptions=True)
            while self._idle:
                held = self._idle.pop()
                if _taken_over(held) is not None:
                    await self.discard(held)
                else:
                    await held.toolkit.close()


def _taken_over(held: Held) -> Reading | None:
    """What was left open on it, and is now for the taker to end or to go on in."""
    left, held.left = held.left, None
    if held.ending is not None:
        held.ending.cancel()
        held.ending = None
    return left


async def _end(held: Held) -> None:
    # The driver first waits until a cancelled statement has been broken off. The end of the
    # connection undoes everything, too.
    ended = held.driver.execute("ROLLBACK", timeout=_END_WITHIN_SECONDS)
    await translated(ended, held.driver)
