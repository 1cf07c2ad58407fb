"""One open transaction of one tenant on one connection of the pool."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import CursorResult, Executable, Row
from sqlalchemy.exc import OperationalError

from shared.db.connections import Connections, Held, Reading
from shared.db.driver_errors import translated
from shared.db.prepared import Bound, Prepared, PreparedStatements, Rows
from shared.ids import TenantId

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
T = TypeVar("T")
_PLAN_ANEW: Final = "SET LOCAL plan_cache_mode = force_custom_plan"


class Transaction:
    """Runs statements between BEGIN and COMMIT; the pool's connections are in autocommit mode."""

    def __init__(
        self, held: Held, *, choice: str, connections: Connections, statements: PreparedStatements
    ) -> None:
        self._held = held
        self._choice = choice
        self._driver = held.driver
        self._connections = connections
        self._statements = statements
        self._reading: Reading | None = None
        self._open = True
        self._is_in_doubt = False
        self._savepoints = 0

    @classmethod
    async def begin(
        cls,
        connections: Connections,
        statements: PreparedStatements,
        *,
        schema: str,
        tenant: TenantId,
        reads_only: bool = False,
        plans_anew: bool = False,
    ) -> "Transaction":
        """Take a connection, begin, and choose the tenant. Raises DBAPIError.

        One that only reads goes on in another of the same tenant, where one was left a moment ago.
        """
        # What is written out is a UUID: a message of several commands takes no parameters.
        choice = f"SELECT {schema}.set_tenant('{UUID(int=tenant.int)}')"
        opening = f"{'BEGIN READ ONLY' if reads_only else 'BEGIN'}; {choice}"
        if plans_anew:
            opening = _with_new_plans(opening)
        held, left = await connections.take(opening if reads_only else None)
        transaction = cls(held, choice=choice, connections=connections, statements=statements)
        if reads_only and held.goes_on(left, opening):
            transaction._reading = left
            return transaction
        if reads_only:
            transaction._reading = Reading(opening, since=asyncio.get_running_loop().time())
        try:
            await transaction._send(opening if left is None else f"ROLLBACK; {opening}")
        except BaseException:
            await connections.discard(held)
            raise
        return transaction

    async def execute(self, statement: Executable, parameters: Parameters) -> int:
        """Run a statement; the number of rows it touched."""
        if isinstance(parameters, Mapping):
            prepared = self._statements.find(statement, parameters)
            if prepared is not None:
                return await self._execute(prepared, prepared.arguments(parameters))
        return (await self._run_by_toolkit(statement, parameters)).rowcount

    async def rows(self, statement: Executable, parameters: Parameters) -> Rows:
        """All rows of a statement."""
        if isinstance(parameters, Mapping):
            prepared = self._statements.find(statement, parameters)
            if prepared is not None:
                return await self._fetch(prepared, prepared.arguments(parameters))
        result = await self._run_by_toolkit(statement, parameters)
        found: Sequence[Row[*tuple[Any, ...]]] = result.all()
        return found

    async def rows_of(self, bound: Bound) -> Rows:
        """All rows of a statement that was bound before."""
        if bound.prepared is None:
            return await self.rows(bound.statement, bound.parameters)
        return await self._fetch(bound.prepared, bound.arguments)

    async def execute_bound(self, bound: Bound) -> int:
        """Run a statement that was bound before; the number of rows it touched."""
        if bound.prepared is None:
            return await self.execute(bound.statement, bound.parameters)
        return await self._execute(bound.prepared, bound.arguments)

    async def plan_anew(self) -> None:
        """Have the statements that follow planned for the values they are asked with."""
        await self._send(_PLAN_ANEW)
        if self._reading is not None:
            opening = _with_new_plans(self._reading.opening)
            self._reading = Reading(opening, since=self._reading.since)

    async def set_savepoint(self) -> str:
        """A point to return to."""
        self._savepoints += 1
        name = f"savepoint_{self._savepoints}"
        await self._send(f"SAVEPOINT {name}")
        return name

    async def return_to(self, savepoint: str) -> None:
        """Undo what was done since, what was set for the statements that follow included."""
        self._reading = None
        await self._send(f"ROLLBACK TO SAVEPOINT {savepoint}")

    async def release(self, savepoint: str) -> None:
        """Keep what was done since."""
        await self._send(f"RELEASE SAVEPOINT {savepoint}")

    async def commit(self) -> None:
        """Make everything durable. Raises DBAPIError, also when the server rolled back instead."""
        self._open, self._is_in_doubt = False, True
        status = await self._send("COMMIT")
        self._is_in_doubt = False
        if status != "COMMIT":
            error = asyncpg.InFailedSQLTransactionError("the transaction had failed before")
            raise OperationalError("COMMIT", None, error)

    async def go_on_writing(self) -> None:
        """Be done with reading, and begin anew on the same connection."""
        self._reading = None
        await self._send(f"ROLLBACK; BEGIN; {self._choice}")

    async def leave(self) -> None:
        """Give the connection back; the transaction, which only read, is ended when it suits."""
        self._open = False
        if self._reading is None:
            await self._connections.end(self._held)
        else:
            await self._connections.leave(self._held, self._reading)

    async def close(self) -> None:
        """Give the connection back; roll back when it was not committed."""
        if self._is_in_doubt:
            await self._connections.discard(self._held)
            return
        if self._open and not self._driver.is_closed():
            self._open = False
            await self._connections.end(self._held)
        else:
            await self._connections.give_back(self._held)

    async def _execute(self, prepared: Prepared, arguments: Sequence[Any]) -> int:
        status = await self._call(self._driver.execute(prepared.sql, *arguments))
        return int(status.rsplit(" ", 1)[-1])

    async def _fetch(self, prepared: Prepared, arguments: Sequence[Any]) -> Rows:
        return prepared.rows(await self._call(self._driver.fetch(prepared.sql, *arguments)))

    async def _send(self, command: str) -> str:
        return await self._call(self._driver.execute(command))

    async def _call(self, answer: Awaitable[T]) -> T:
        try:
            return await translated(answer, self._driver)
        except BaseException:
            self._reading = None
            raise

    async def _run_by_toolkit(
        self, statement: Executable, parameters: Parameters
    ) -> CursorResult[Any]:
        try:
            return await self._held.toolkit.execute(statement, parameters)
        except BaseException:
            self._reading = None
            raise


def _with_new_plans(opening: str) -> str:
    return f"{opening}; {_PLAN_ANEW}"
