"""A pytest plugin for the release before: its tests get databases that this release migrated.

It is loaded into the older checkout (`-p new_schema`), so it may use nothing of this one but its
command, and only these of the older one's names: `tests.support.servers` with `_make_template`,
`_execute` or `execute`, `database_url`, `TEMPLATE` and `ROOT_KEY`.
"""

import asyncio
import os
import subprocess
import sys

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    from tests.support import servers  # noqa: PLC0415  (the older checkout's)

    execute = getattr(servers, "execute", None) or servers._execute

    async def make_template(url: str) -> None:
        await execute(url, f"CREATE DATABASE {servers.TEMPLATE}")
        await asyncio.to_thread(_migrate, servers.database_url(url, servers.TEMPLATE))

    def _migrate(url: str) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "CARELOOP_SECRET_KEY": servers.ROOT_KEY,
            "CARELOOP_HOME": os.environ["NEW_RELEASE_HOME"],
        }
        subprocess.run(
            [sys.executable, "-m", "cli.main", "migrate"],
            cwd=os.environ["NEW_RELEASE"],
            env={name: value for name, value in environment.items() if name != "PYTHONPATH"},
            check=True,
        )

    servers._make_template = make_template
