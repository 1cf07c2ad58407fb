"""After a rotation nothing needs the old key, wherever it was sealed."""

import os
import re
from collections import Counter

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from cli.backup.databases import connect
from cli.backup.telling import Silence
from cli.secrets.columns import SealedColumn, sealed_columns
from cli.secrets.rotation import rotate
from shared.ids import new_id
from shared.security.keys import KeyRing, SecretBox
from shared.settings import SCHEMAS
from tests.migrations.rows import Filler
from tests.support.servers import create_database

OLD, NEW, LOST = ("-".join([name, "root-key", "0" * 32]) for name in ("old", "new", "lost"))
MOVED = KeyRing(NEW, (OLD,))
TOKEN = re.compile(r"gAAAA[A-Za-z0-9_=-]{40,}")


@pytest.fixture
async def url(worker_number: int) -> str:
    """A database whose sealed columns all hold something that the old key has sealed."""
    name = f"sealed_{worker_number}_{new_id().hex}"
    url = await create_database(os.environ["CARELOOP_TEST_POSTGRES"], name)
    engine = create_async_engine(url, poolclass=NullPool)
    for schema in SCHEMAS:
        await Filler(schema).fill(engine, tenants=1)
    await engine.dispose()
    connection = await connect(url)
    for column in sealed_columns():
        await put(connection, column, SecretBox(OLD).seal({"password": column.full_name}))
    await connection.close()
    return url


async def put(connection: asyncpg.Connection, column: SealedColumn, sealed: str) -> None:
    """Keep a sealed value in every row."""
    value = {
        "text": f"'{sealed}'",
        "json": f"""'{{"a": [{{"sealed": "{sealed}"}}], "b": "plain"}}'""",
        "bytes": f"'{sealed}'::bytea",
    }[column.kind]
    await connection.execute(f"UPDATE {column.schema}.{column.table} SET {column.name} = {value}")


async def tokens(url: str) -> Counter[str]:
    """Which key opens what is sealed, counted over the database."""
    connection, found = await connect(url), Counter()
    for column in sealed_columns():
        shown = f"encode({column.name}, 'escape')" if column.kind == "bytes" else column.name
        rows = await connection.fetch(
            f"SELECT {shown}::text AS value FROM {column.schema}.{column.table}"
        )
        for row in rows:
            for token in TOKEN.findall(row["value"] or ""):
                for name, key in (("old", OLD), ("new", NEW), ("lost", LOST)):
                    if SecretBox(key).is_current(token):
                        found[name] += 1
                        assert SecretBox(key).open(token) == {"password": column.full_name}
    await connection.close()
    return found


async def run(url: str, ring: KeyRing = MOVED, **options):
    return await rotate(
        urls=dict.fromkeys(SCHEMAS, url), root_key=ring, telling=Silence(), **options
    )


def test_every_part_that_keeps_secrets_is_known():
    known = {column.full_name for column in sealed_columns()}
    assert {
        "gateway.connection.sealed_secret",
        "gateway.connection.sealed_previous_secret",
        "gateway.second_factor.sealed_secret",
        "messaging.email_channel.sealed_credentials",
        "messaging.message.variables",
        "customer.idempotency_key.body",
        "gateway.outbox.data",
        "messaging.dead_letter.event",
    } <= known


async def test_everything_is_sealed_with_the_new_key(url: str):
    before = await tokens(url)
    assert before["old"] > 20
    outcomes = await run(url)
    assert await tokens(url) == Counter(new=before["old"])
    assert sum(outcome.renewed for outcome in outcomes) == before["old"]
    assert sum(outcome.unreadable for outcome in outcomes) == 0


async def test_what_is_not_sealed_stays(url: str):
    await run(url)
    connection = await connect(url)
    plain = await connection.fetchval("SELECT DISTINCT data ->> 'b' FROM gateway.outbox")
    await connection.close()
    assert plain == "plain"


async def test_again_it_finds_nothing_to_do(url: str):
    await run(url)
    again = await run(url)
    assert sum(outcome.renewed for outcome in again) == 0
    assert sum(outcome.current for outcome in again) == (await tokens(url))["new"]


async def test_a_dry_run_only_counts(url: str):
    before = await tokens(url)
    outcomes = await run(url, dry_run=True)
    assert sum(outcome.renewed for outcome in outcomes) == before["old"]
    assert await tokens(url) == before


async def test_what_no_key_opens_is_left_and_told(url: str):
    connection = await connect(url)
    [column] = [
        one for one in sealed_columns() if one.full_name == "gateway.connection.sealed_secret"
    ]
    await put(connection, column, SecretBox(LOST).seal({"password": column.full_name}))
    await connection.close()
    lost = (await tokens(url))["lost"]
    outcomes = await run(url)
    assert lost
    assert {o.column.full_name: o.unreadable for o in outcomes if o.unreadable} == {
        column.full_name: lost
    }
    assert (await tokens(url))["lost"] == lost
