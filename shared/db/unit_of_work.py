"""One request, job or batch = one unit of work = one commit at the edge.

The only module that opens transactions and the only one that commits.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Executable, Row
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.audit.trail import Actor, AuditEntry, AuditTrail
from shared.clock import Clock
from shared.contracts.event import Event
from shared.db.connections import Connections
from shared.db.outbox import Outbox, written
from shared.db.prepared import Bound, PreparedStatements, Rows
from shared.db.transaction import Parameters, Transaction
from shared.errors import Unavailable
from shared.ids import TenantId
from shared.observability.pools import PoolUsage

AfterCommit = Callable[[], Awaitable[None]]
Announce = Callable[[TenantId], Awaitable[None]]
_log = structlog.get_logger(__name__)
_NONE: Mapping[str, Any] = {}


class UnitOfWork:
    """A transaction of one tenant, opened by its first statement, or gone on in if both only read.

    Nothing is kept unless `commit` is called; the events that were appended are written with it.
    """

    def __init__(
        self,
        *,
        connections: Connections,
        statements: PreparedStatements,
        schema: str,
        tenant_id: TenantId,
        clock: Clock,
        announce: Announce | None = None,
        reads_only: bool = False,
    ) -> None:
        self.tenant_id = tenant_id
        self._reads_only = reads_only
        self.clock = clock
        self._connections = connections
        self._statements = statements
        self._schema = schema
        self._announce = announce
        self._outbox = Outbox(schema, tenant_id)
        self._trail = AuditTrail(schema)
        self._transaction: Transaction | None = None
        self._has_events = False
        self._plans_anew = False
        self._after_commit: list[AfterCommit] = []

    async def execute(self, statement: Executable, parameters: Parameters = None) -> int:
        """Run a statement; the number of rows it touched."""
        transaction = self._transaction or await self._open()
        return await transaction.execute(statement, _NONE if parameters is None else parameters)

    async def rows(self, statement: Executable, parameters: Parameters = None) -> Rows:
        """All rows of a statement."""
        transaction = self._transaction or await self._open()
        return await transaction.rows(statement, _NONE if parameters is None else parameters)

    async def plan_anew(self) -> None:
        """Have the statements that follow planned for the values they are asked with.

        A plan for all values is made for the average tenant. For lists with conditions: planning
        one of those costs less than the wrong plan does for a tenant who is not like the others.
        Said before the first statement, it costs no round trip.
        """
        if not self._plans_anew and self._transaction is not None:
            await self._transaction.plan_anew()
        self._plans_anew = True

    async def execute_with_events(
        self, statement: Executable, parameters: Mapping[str, Any]
    ) -> int:
        """`execute` a statement with `outbox_rows`: it writes the events appended so far."""
        transaction = self._transaction or await self._open()
        return await transaction.execute(statement, {**parameters, **self._take_events()})

    async def rows_with_events(self, statement: Executable, parameters: Mapping[str, Any]) -> Rows:
        """The `rows` of a statement with `outbox_rows`."""
        transaction = self._transaction or await self._open()
        return await transaction.rows(statement, {**parameters, **self._take_events()})

    def bind(
        self,
        statement: Executable,
        parameters: Mapping[str, Any],
        *,
        events: Iterable[tuple[Event, UUID]] | None = None,
    ) -> Bound:
        """Make a statement ready for `rows_of`, in any thread: for many rows that takes a while.

        One with `outbox_rows` is given its `events`, each with its key; those that are appended
        wait for another.
        """
        if events is None:
            return self._statements.bind(statement, parameters)
        told = written(events, occurred_at=self.clock.now())
        return self._statements.bind(statement, {**parameters, **told}, has_events=True)

    async def rows_of(self, bound: Bound) -> Rows:
        """All rows of a statement that was bound before."""
        self._has_events = self._has_events or bound.has_events
        transaction = self._transaction or await self._open()
        return await transaction.rows_of(bound)

    async def execute_bound(self, bound: Bound) -> int:
        """Run a statement that was bound before; the number of rows it touched."""
        self._has_events = self._has_events or bound.has_events
        transaction = self._transaction or await self._open()
        return await transaction.execute_bound(bound)

    async def one(
        self, statement: Executable, parameters: Parameters = None
    ) -> Row[*tuple[Any, ...]]:
        """The only row of a statement. Raises NoResultFound or MultipleResultsFound."""
        row = await self.one_or_none(statement, parameters)
        if row is None:
            raise NoResultFound("No row was found when one was required")
        return row

    async def one_or_none(
        self, statement: Executable, parameters: Parameters = None
    ) -> Row[*tuple[Any, ...]] | None:
        """The only row of a statement, or None. Raises MultipleResultsFound."""
        rows = await self.rows(statement, parameters)
        if len(rows) > 1:
            raise MultipleResultsFound("Multiple rows were found when at most one was required")
        return rows[0] if rows else None

    async def scalar(self, statement: Executable, parameters: Parameters = None) -> Any:
        """The first column of the first row, or None."""
        rows = await self.rows(statement, parameters)
        return rows[0][0] if rows else None

    async def scalars(self, statement: Executable, parameters: Parameters = None) -> Sequence[Any]:
        """The first column of every row."""
        return [row[0] for row in await self.rows(statement, parameters)]

    def append(self, event: Event, *, key: UUID, context: Mapping[str, str] | None = None) -> None:
        """Tell the other services, in order per `key`, once and only if this work commits."""
        self._outbox.append(event, key=key, occurred_at=self.clock.now(), context=context)

    @property
    def actor(self) -> Actor:
        """Who does what is recorded."""
        return self._trail.actor

    def act_for(self, actor: Actor) -> None:
        """Say who does what is recorded from now on; the system itself, if nobody is named."""
        self._trail.act_for(actor)

    def record(self, entry: AuditEntry) -> None:
        """Leave an entry in the shop's audit log, if this work commits."""
        self._trail.record(entry)

    @property
    def has_recorded(self) -> bool:
        """Whether this work has told of itself."""
        return self._trail.has_told

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
        transaction = self._transaction or await self._open()
        mark, trail_mark = self._outbox.mark(), self._trail.mark()
        savepoint = await transaction.set_savepoint()
        try:
            yield
        except BaseException:
            self._outbox.rewind(mark)
            self._trail.rewind(trail_mark)
            self._plans_anew = False
            await transaction.return_to(savepoint)
            raise
        await transaction.release(savepoint)

    async def commit(self) -> None:
        """Make everything durable, then run what waits for that."""
        self._tell_the_audit_log()
        if self._reads_only:
            await self._end_reading()
        if len(self._outbox):
            self._has_events = True
            await self.execute(*self._outbox.flush())
        if self._transaction is not None:
            await self._transaction.commit()
        await self.close()
        has_events, self._has_events = self._has_events, False
        if has_events and self._announce is not None:
            await _run_after_commit(partial(self._announce, self.tenant_id))
        callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            await _run_after_commit(callback)

    async def close(self) -> None:
        """Give the connection back; whatever was not committed is undone."""
        self._plans_anew = False
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            await transaction.close()

    async def _end_reading(self) -> None:
        """Be done with reading; what there is to tell of it is written from now on."""
        self._reads_only = self._plans_anew = False
        if self._transaction is None:
            return
        if len(self._outbox):
            await self._transaction.go_on_writing()
        else:
            transaction, self._transaction = self._transaction, None
            await transaction.leave()

    def _tell_the_audit_log(self) -> None:
        told = self._trail.take(self.clock.now())
        if told is not None:
            self.append(told, key=told.records[0].id)

    def _take_events(self) -> dict[str, Any]:
        self._tell_the_audit_log()
        self._has_events = self._has_events or len(self._outbox) > 0
        return self._outbox.take()

    async def _open(self) -> Transaction:
        # After a restart of the server every connection in the pool is dead. Nothing of this work
        # was done yet, so it may begin again until a living or a new one is found.
        dead_at_most = self._connections.idle
        while self._transaction is None:
            try:
                self._transaction = await self._begin()
            except DBAPIError as error:
                if not error.connection_invalidated or dead_at_most <= 0:
                    raise
                dead_at_most -= 1
        return self._transaction

    async def _begin(self) -> Transaction:
        try:
            return await Transaction.begin(
                self._connections,
                self._statements,
                schema=self._schema,
                tenant=self.tenant_id,
                reads_only=self._reads_only,
                plans_anew=self._plans_anew,
            )
        except (OSError, PoolTimeout) as error:
            raise Unavailable(headers={"Retry-After": "1"}) from error


class UnitsOfWork:
    """Begins units of work of one part; told of commits that appended events."""

    def __init__(
        self, *, engine: AsyncEngine, schema: str, clock: Clock, keep_connections: int = 16
    ) -> None:
        self.engine = engine
        self.schema = schema
        self.clock = clock
        self._connections = Connections(engine, keep=keep_connections)
        self._statements = PreparedStatements(engine.dialect)
        self._announce: Announce | None = None

    def announce_events_to(self, announce: Announce) -> None:
        """Call `announce(tenant)` after each commit that appended events (it wakes the relay)."""
        self._announce = announce

    @asynccontextmanager
    async def begin(
        self, tenant_id: TenantId, *, reads_only: bool = False
    ) -> AsyncIterator[UnitOfWork]:
        """A unit of work that rolls back on leaving unless `commit` was called.

        One that `reads_only` may change nothing, which the server sees to, and so its end is not
        waited for.
        """
        uow = self.unit(tenant_id, reads_only=reads_only)
        try:
            yield uow
        finally:
            await uow.close()

    def unit(self, tenant_id: TenantId, *, reads_only: bool = False) -> UnitOfWork:
        """A unit of work that the caller closes."""
        return UnitOfWork(
            connections=self._connections,
            statements=self._statements,
            schema=self.schema,
            tenant_id=tenant_id,
            clock=self.clock,
            announce=self._announce,
            reads_only=reads_only,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()
        await self.engine.dispose()

    def pool_usage(self) -> PoolUsage:
        """How many of this part's connections are in use."""
        return self._connections.usage()

    async def tenants(self, listing: str) -> list[TenantId]:
        """The tenants that a listing function of the schema names (see `protection.py`)."""
        found = await self.ask(f"SELECT {self.schema}.{listing}()")
        return [TenantId(UUID(str(tenant))) for tenant in found]

    async def ask(self, question: str) -> list[Any]:
        """The first column of a query that is about no tenant, outside of any transaction.

        Over the connections of units of work: those that wait for the next one stay taken from
        the engine's pool, and whoever asked the pool instead could wait for them in vain.
        """
        dead_at_most = self._connections.idle
        while True:
            try:
                return await self._connections.ask(question)
            except DBAPIError as error:
                if not error.connection_invalidated or dead_at_most <= 0:
                    raise
                dead_at_most -= 1


async def _run_after_commit(callback: AfterCommit) -> None:
    try:
        await callback()
    except Exception:  # noqa: BLE001  (whatever it was, the commit stands)
        _log.exception("after_commit_failed")
