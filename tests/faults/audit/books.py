"""What the auditor compares the state of the house with, and the form of what it finds."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.faults.truth import Truth

Rows = Sequence[Row[*tuple[Any, ...]]]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Books:
    """Our own record of a run."""

    truth: Truth
    mails_taken: dict[str, int]
    mails_undecidable: frozenset[str]
    senders_killed_at: tuple[datetime, ...] = ()
    """When whoever sends mail was killed or frozen."""
    outages: tuple[tuple[datetime, datetime], ...] = ()
    """When PostgreSQL could not be asked."""


@dataclass(slots=True)
class Finding:
    """The result of one check."""

    name: str
    promise: str
    examined: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the promise was kept."""
        return not self.faults

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "check": self.name,
            "promise": self.promise,
            "examined": self.examined,
            "faults": len(self.faults),
            "examples": self.faults[:_SHOWN],
        }


@dataclass(frozen=True, slots=True)
class Examined:
    """How many things a check looked at, and what was wrong with them."""

    count: int
    faults: list[str]


Look = Callable[[AsyncConnection, Books], Awaitable[Examined]]


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, and how to see whether it was kept."""

    name: str
    promise: str
    look: Look

    async def __call__(self, connection: AsyncConnection, books: Books) -> Finding:
        """Look."""
        seen = await self.look(connection, books)
        return Finding(self.name, self.promise, seen.count, seen.faults)


async def rows(connection: AsyncConnection, statement: str) -> Rows:
    """All rows of a statement about all shops; the auditor is the administrator."""
    return (await connection.execute(text(statement))).all()


async def count(connection: AsyncConnection, statement: str) -> int:
    """The number that a statement tells."""
    return int((await connection.execute(text(statement))).scalar_one())


def asks(name: str, promise: str, *, of: str, faults: str) -> Check:
    """A check in SQL: `of` counts what is looked at, `faults` lists what is wrong."""

    async def look(connection: AsyncConnection, _books: Books) -> Examined:
        wrong = [_line(row) for row in await rows(connection, faults)]
        return Examined(await count(connection, f"SELECT count(*) FROM {of}"), wrong)

    return Check(name, promise, look)


def same(name: str, promise: str, *, source: str, copy: str) -> Check:
    """A check that a copy has the same rows as its source."""

    async def look(connection: AsyncConnection, _books: Books) -> Examined:
        lost = await rows(connection, f"({source}) EXCEPT ALL ({copy})")
        extra = await rows(connection, f"({copy}) EXCEPT ALL ({source})")
        wrong = [f"not in the copy: {_line(row)}" for row in lost]
        wrong += [f"only in the copy: {_line(row)}" for row in extra]
        return Examined(await count(connection, f"SELECT count(*) FROM ({source}) AS s"), wrong)

    return Check(name, promise, look)


def _line(row: Row[*tuple[Any, ...]]) -> str:
    return " ".join(f"{name}={value}" for name, value in row._mapping.items())
