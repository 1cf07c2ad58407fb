"""The run's servers, a database per test process, a tenant per test."""

import os
import re

import pytest
import structlog
from redis.asyncio import Redis

from shared.ids import TenantId, new_id
from tests.support.servers import ROOT_KEY, Servers, create_database

_SERVERS = pytest.StashKey[Servers]()
# All tests come from one address, and some send a lot: the limits are on, and out of their way.
_ROOMY_LIMITS = {
    f"CARELOOP_RATE_LIMIT_{kind}": "1000000/10"
    for kind in ("KEY", "STAFF", "SHOPPER", "SHOP", "ADDRESS", "PAGE", "HOOK")
}


def pytest_configure(config: pytest.Config) -> None:
    # The pretty tracebacks of the default take seconds each.
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    defaults = structlog.get_config()["processors"]
    structlog.configure(processors=[*defaults[:-1], plain])
    os.environ.update(_ROOMY_LIMITS)
    if hasattr(config, "workerinput"):
        os.environ.update(config.workerinput["careloop"])
        return
    servers = Servers.start()
    config.stash[_SERVERS] = servers
    os.environ["CARELOOP_TEST_POSTGRES"] = servers.postgres.url()
    os.environ["CARELOOP_TEST_REDIS"] = servers.valkey.url()


def pytest_configure_node(node) -> None:
    names = ("CARELOOP_TEST_POSTGRES", "CARELOOP_TEST_REDIS")
    node.workerinput["careloop"] = {name: os.environ[name] for name in names}


def pytest_unconfigure(config: pytest.Config) -> None:
    servers = config.stash.get(_SERVERS, None)
    if servers is not None:
        servers.stop()


@pytest.fixture(scope="session")
def worker_number(worker_id: str) -> int:
    """0 when tests run in one process, else the number of this one among them."""
    return 0 if worker_id == "master" else int(worker_id.removeprefix("gw")) + 1


@pytest.fixture(scope="session")
async def database_url(worker_number: int) -> str:
    """Administrator's URL of this process's own, freshly migrated database."""
    return await create_database(os.environ["CARELOOP_TEST_POSTGRES"], f"test_{worker_number}")


@pytest.fixture(scope="session")
async def redis_url(worker_number: int) -> str:
    """This process's own logical database of the run's Valkey, empty."""
    shared = os.environ["CARELOOP_TEST_REDIS"]
    own = re.sub(r"(\?db=|/)0$", rf"\g<1>{worker_number}", shared)
    async with Redis.from_url(own) as redis:
        await redis.flushdb()
    return own


@pytest.fixture
def tenant() -> TenantId:
    """A tenant that no other test works in."""
    return TenantId(new_id())


@pytest.fixture(scope="session")
def root_key() -> str:
    return ROOT_KEY
