"""The driver's errors in the words of the toolkit, which the rest of the house understands."""

from collections.abc import Awaitable
from typing import TypeVar

import asyncpg
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)

T = TypeVar("T")

_ERRORS: tuple[tuple[type[Exception], type[DBAPIError]], ...] = (
    (asyncpg.IntegrityConstraintViolationError, IntegrityError),
    (asyncpg.SyntaxOrAccessError, ProgrammingError),
    (asyncpg.DataError, DataError),
    (asyncpg.PostgresError, OperationalError),
    (asyncpg.InterfaceError, InterfaceError),
    (asyncpg.InternalClientError, InterfaceError),
    (OSError, OperationalError),
)
_DRIVER_ERRORS = tuple(theirs for theirs, _ours in _ERRORS)
_CONNECTION_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,
    OSError,
)


async def translated(answer: Awaitable[T], driver: asyncpg.Connection) -> T:
    """What the driver answers.

    Raises DBAPIError as SQLAlchemy would; its `orig` is the driver's error, with `sqlstate`.
    """
    try:
        return await answer
    except _DRIVER_ERRORS as error:
        kind = next(ours for theirs, ours in _ERRORS if isinstance(error, theirs))
        lost = isinstance(error, _CONNECTION_LOST) or driver.is_closed()
        raise kind(None, None, error, connection_invalidated=lost) from error
