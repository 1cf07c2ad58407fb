"""Holds statements against the rules, with what a real server knows of its functions."""

import asyncio
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.architecture.sql.rules import faults_of
from tests.architecture.sql.tree import NotSql

# A function that has a form which is not IMMUTABLE counts: types are not known here.
_MUTABLE = text("SELECT DISTINCT proname FROM pg_proc WHERE provolatile <> 'i' AND prokind = 'f'")
# Statements that break a rule and may; each with its reason. A part of the text names them.
EXCEPTIONS: Mapping[str, str] = {}


def faults_of_log(statements: Mapping[str, str], database_url: str) -> list[str]:
    """What is wrong with the statements that parts have run, each with where it comes from."""
    if not statements:
        return []
    mutable = asyncio.run(mutable_functions(database_url))
    return [
        f"{origin}\n  {fault}\n  {' '.join(sql.split())[:300]}"
        for sql, origin in sorted(statements.items(), key=lambda pair: pair[1])
        for fault in faults(sql, mutable)
    ]


def faults(sql: str, mutable: frozenset[str]) -> list[str]:
    """What is wrong with a statement, exceptions aside."""
    if any(part in sql for part in EXCEPTIONS):
        return []
    try:
        return faults_of(sql, mutable=mutable)
    except NotSql as error:
        return [f"0: {error}"]


async def mutable_functions(database_url: str) -> frozenset[str]:
    """The functions whose value may change between two calls, or between two servers."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = frozenset((await connection.execute(_MUTABLE)).scalars())
    await engine.dispose()
    return found
