"""One request, job or batch = one unit of work = one commit at the edge.

The only module that opens transactions and the only one that commits.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Executable, Row, text
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.clock import Clock
from shared.contracts.event import Event
from shared.db.outbox import Outbox
from shared.ids import TenantId

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
AfterCommit = Callable[[], Awaitable[None]]
Announce = Callable[[TenantId], Awaitable[None]]
_log = structlog.get_logger(__name__)


class UnitOfWork:
    """A transaction of one tenant, opened by its first statement.

    Nothing is kept unless `commit` is called; the events that were appended are written with it.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        schema: str,
        tenant_id: TenantId,
        clock: Clock,
        announce: Announce | None = None,
    ) -> None:
        self.tenant_id = tenant_id
        self.clock = clock
        self._engine = engine
        self._announce = announce
        self._set_tenant = _set_tenant_statement(schema)
        self._outbox = Outbox(schema, tenant_id)
        self._connection: AsyncConnection | None = None
        self._after_commit: list[AfterCommit] = []

    async def execute(self, statement: Executable, parameters: Parameters = None) -> int:
        """Run a statement; the number of rows it touched."""
        return (await self._run(statement, parameters)).rowcount

    async def rows(
        self, statement: Executable, parameters: Parameters = None
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """All rows of a statement."""
        return (await self._run(statement, parameters)).all()

    async def one(
        self, statement: Executable, parameters: Parameters = None
    ) -> Row[*tuple[Any, ...]]:
        """The only row of a statement. Raises NoResultFound or MultipleResultsFound."""
        return (await self._run(statement, parameters)).one()

    async def one_or_none(
        self, statement: Executable, parameters: Parameters = None
    ) -> Row[*tuple[Any, ...]] | None:
        """The only row of a statement, or None. Raises MultipleResultsFound."""
        return (await self._run(statement, parameters)).one_or_none()

    async def scalar(self, statement: Executable, parameters: Parameters = None) -> Any:
        """The first column of the first row, or None."""
        return (await self._run(statement, parameters)).scalar()

    async def scalars(self, statement: Executable, parameters: Parameters = None) -> Sequence[Any]:
        """The first column of every row."""
        return (await self._run(statement, parameters)).scalars().all()

    def append(self, event: Event, *, key: UUID, context: Mapping[str, str] | None = None) -> None:
        """Tell the other services, in order per `key`, once and only if this work commits."""
        self._outbox.append(event, key=key, occurred_at=self.clock.now(), context=context)

    def after_commit(self, callback: AfterCommit) -> None:
        """Await `callback` once the work is durable; it never runs after a rollback.

        Its failure is logged and not raised: the work is done, and what a callback does (waking
        a worker) is a convenience for which there is a sweep.
        """
        self._after_commit.append(callback)

    @property
    def appended_events(self) -> int:
        """How many events wait to be written with the commit."""
        return len(self._outbox)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo only what happened inside when the block raises."""
        mark = self._outbox.mark()
        try:
            async with (await self._open()).begin_nested():
                yield
        except BaseException:
            self._outbox.rewind(mark)
            raise

    async def commit(self) -> None:
        """Make everything durable, then run what waits for that."""
        has_events = len(self._outbox) > 0
        if has_events:
            statement, parameters = self._outbox.flush()
            await self._run(statement, parameters)
        if self._connection is not None:
            await self._connection.commit()
            await self.close()
        if has_events and self._announce is not None:
            await _run_after_commit(partial(self._announce, self.tenant_id))
        callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            await _run_after_commit(callback)

    async def close(self) -> None:
        """Give the connection back; whatever was not committed is undone."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def _run(self, statement: Executable, parameters: Parameters) -> CursorResult[Any]:
        connection = self._connection or await self._open()
        return await connection.execute(statement, parameters)

    async def _open(self) -> AsyncConnection:
        if self._connection is None:
            try:
                await self._begin()
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                # The pool held connections from before the server's restart and has dropped them
                # all now. Nothing of this work was done yet, so it may begin again.
                await self._begin()
        assert self._connection is not None  # noqa: S101
        return self._connection

    async def _begin(self) -> None:
        connection = await self._engine.connect()
        try:
            await connection.execute(self._set_tenant, {"tenant": self.tenant_id})
        except BaseException:
            await connection.close()
            raise
        self._connection = connection


class UnitsOfWork:
    """Begins units of work of one part; told of commits that appended events."""

    def __init__(self, *, engine: AsyncEngine, schema: str, clock: Clock) -> None:
        self.engine = engine
        self.schema = schema
        self.clock = clock
        self._announce: Announce | None = None

    def announce_events_to(self, announce: Announce) -> None:
        """Call `announce(tenant)` after each commit that appended events (it wakes the relay)."""
        self._announce = announce

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId) -> AsyncIterator[UnitOfWork]:
        """A unit of work that rolls back on leaving unless `commit` was called."""
        uow = self.unit(tenant_id)
        try:
            yield uow
        finally:
            await uow.close()

    def unit(self, tenant_id: TenantId) -> UnitOfWork:
        """A unit of work that the caller closes."""
        return UnitOfWork(
            engine=self.engine,
            schema=self.schema,
            tenant_id=tenant_id,
            clock=self.clock,
            announce=self._announce,
        )

    async def tenants(self, listing: str) -> list[TenantId]:
        """The tenants that a listing function of the schema names (see `protection.py`)."""
        async with self.engine.connect() as connection:
            found = await connection.execute(text(f"SELECT {self.schema}.{listing}()"))
            return [TenantId(tenant) for tenant in found.scalars()]


async def _run_after_commit(callback: AfterCommit) -> None:
    try:
        await callback()
    except Exception:  # noqa: BLE001  (whatever it was, the commit stands)
        _log.exception("after_commit_failed")


_SET_TENANT: dict[str, Executable] = {}


def _set_tenant_statement(schema: str) -> Executable:
    statement = _SET_TENANT.get(schema)
    if statement is None:
        statement = _SET_TENANT[schema] = text(f"SELECT {schema}.set_tenant(:tenant)")
    return statement
