"""Bringing servers up, several starters at a time."""

import asyncio
import os
import sys

from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from migrations.runner import schemas_behind
from tests.support.parts import create_part
from tests.support.servers import create_database

MIGRATE = """
import asyncio, sys
from migrations.runner import migrate
asyncio.run(migrate(sys.argv[1], root_key=sys.argv[2], schemas=["gateway"]))
"""


async def test_two_databases_of_one_server_are_prepared_at_once(worker_number: int, root_key: str):
    """The roles are shared by both."""
    server, names = os.environ["CARELOOP_TEST_POSTGRES"], ("one", "other", "third")
    urls = [await create_database(server, f"twin_{worker_number}_{name}") for name in names]
    schema = f"twin{worker_number}"
    await asyncio.gather(*(create_part(url, schema, root_key=root_key) for url in urls))


async def test_two_starters_migrate_one_database(worker_number: int, root_key: str):
    server = os.environ["CARELOOP_TEST_POSTGRES"]
    url = await create_database(server, f"migrated_{worker_number}", template="template0")
    starters = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", MIGRATE, url, root_key)
        for _ in range(2)
    ]
    assert [await starter.wait() for starter in starters] == [0, 0]
    engine = create_async_engine(url, poolclass=NullPool)
    assert await schemas_behind(engine, ["gateway"]) == []
    await engine.dispose()
