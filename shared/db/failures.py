"""What a database error means for those who may try again. Decided by SQLSTATE, not by text."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from shared.errors import LostRace, Unavailable

ResultT = TypeVar("ResultT")

# Serialisation failure, deadlock, lock not available: the server has undone the transaction.
CONFLICTS = frozenset({"40001", "40P01", "55P03"})
# Connection trouble, too few resources, a server that stops, starts or cannot read its disk.
_OUTAGE_CLASSES = frozenset({"08", "53", "58"})
_READ_ONLY = "25006"
_OUTAGES = frozenset({"57P01", "57P02", "57P03", _READ_ONLY})
# A NUL, in text or in JSON.
_UNSTORABLE_TEXT = frozenset({"22021", "22P05"})

ATTEMPTS = 4
_FIRST_PAUSE_SECONDS = 0.005
_log = structlog.get_logger(__name__)


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE of an error, whether or not SQLAlchemy has wrapped it."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(origin, "sqlstate", None)
    return state if isinstance(state, str) else None


def is_conflict(error: BaseException) -> bool:
    """Whether the work was undone because of concurrent work, and may succeed when run again."""
    return isinstance(error, LostRace) or sqlstate(error) in CONFLICTS


def is_outage(error: BaseException) -> bool:
    """Whether the server could not do its work; later the same work may succeed.

    When it happens during a commit, nobody knows whether the work is done.
    """
    if isinstance(error, Unavailable):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = sqlstate(error) or ""
    return state in _OUTAGES or state[:2] in _OUTAGE_CLASSES


def is_refused_write(error: BaseException) -> bool:
    """Whether something was to be written where only reading is allowed.

    The server may be a standby; where a unit of work itself only reads, it is our mistake.
    """
    return sqlstate(error) == _READ_ONLY


def is_unstorable_text(error: BaseException) -> bool:
    """Whether a value holds what PostgreSQL keeps in no text: a NUL."""
    return sqlstate(error) in _UNSTORABLE_TEXT


async def again_on_conflict(
    work: Callable[[], Awaitable[ResultT]],
    *,
    while_possible: Callable[[], bool] = lambda: True,
) -> ResultT:
    """Run a whole unit of work, and run it again (three times at most) when it lost a conflict.

    Raises what the last attempt raised.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return await work()
        except Exception as error:
            if not (is_conflict(error) and while_possible()):
                raise
            _log.info("conflict_lost", attempt=attempt, reason=sqlstate(error) or repr(error)[:100])
        # Those who met in a conflict must not meet again in step.
        spread = random.uniform(0.5, 1.5)  # noqa: S311  (no secret depends on it)
        await asyncio.sleep(_FIRST_PAUSE_SECONDS * 4 ** (attempt - 1) * spread)
    return await work()
