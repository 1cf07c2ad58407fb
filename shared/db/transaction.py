"""One open transaction of one tenant on one connection of the pool."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import Executable, Row
from sqlalchemy.exc import DBAPIError, OperationalError

from shared.db.connections import Connections, Held
from shared.db.driver_errors import translated
from shared.db.prepared import PreparedStatements, Rows
from shared.ids import TenantId

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
T = TypeVar("T")

_UNDO_SECONDS = 3


class Transaction:
    """Runs statements between BEGIN and COMMIT; the pool's connections are in autocommit mode."""

    def __init__(
        self, held: Held, *, connections: Connections, statements: PreparedStatements
    ) -> None:
        self._held = held
        self._driver = held.driver
        self._connections = connections
        self._statements = statements
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
    ) -> "Transaction":
        """Take a connection, begin, and choose the tenant. Raises DBAPIError."""
        held = await connections.take()
        transaction = cls(held, connections=connections, statements=statements)
        try:
            # In one message, which takes no parameters: what is written out is a UUID.
            await transaction._send(f"BEGIN; SELECT {schema}.set_tenant('{UUID(int=tenant.int)}')")
        except BaseException:
            await connections.discard(held)
            raise
        return transaction

    async def execute(self, statement: Executable, parameters: Parameters) -> int:
        """Run a statement; the number of rows it touched."""
        if isinstance(parameters, Mapping):
            prepared = self._statements.find(statement, parameters)
            if prepared is not None:
                arguments = prepared.arguments(parameters)
                status = await self._call(self._driver.execute(prepared.sql, *arguments))
                return int(status.rsplit(" ", 1)[-1])
        return (await self._held.toolkit.execute(statement, parameters)).rowcount

    async def rows(self, statement: Executable, parameters: Parameters) -> Rows:
        """All rows of a statement."""
        if isinstance(parameters, Mapping):
            prepared = self._statements.find(statement, parameters)
            if prepared is not None:
                arguments = prepared.arguments(parameters)
                return prepared.rows(await self._call(self._driver.fetch(prepared.sql, *arguments)))
        result = await self._held.toolkit.execute(statement, parameters)
        found: Sequence[Row[*tuple[Any, ...]]] = result.all()
        return found

    async def set_savepoint(self) -> str:
        """A point to return to."""
        self._savepoints += 1
        name = f"savepoint_{self._savepoints}"
        await self._send(f"SAVEPOINT {name}")
        return name

    async def return_to(self, savepoint: str) -> None:
        """Undo what was done since."""
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

    async def close(self) -> None:
        """Give the connection back; roll back when it was not committed."""
        if self._is_in_doubt:
            await self._connections.discard(self._held)
            return
        try:
            if self._open and not self._driver.is_closed():
                self._open = False
                # The driver first waits until a cancelled statement has been broken off. The end
                # of the connection undoes everything, too.
                await self._call(self._driver.execute("ROLLBACK", timeout=_UNDO_SECONDS))
        except DBAPIError:
            await self._connections.discard(self._held)
        except BaseException:
            await self._connections.discard(self._held)
            raise
        else:
            await self._connections.give_back(self._held)

    async def _send(self, command: str) -> str:
        return await self._call(self._driver.execute(command))

    async def _call(self, answer: Awaitable[T]) -> T:
        return await translated(answer, self._driver)
