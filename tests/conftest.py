"""The run's servers, a database per test process, a tenant per test."""

import gc
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import structlog
from redis.asyncio import Redis
from xdist.scheduler import LoadScopeScheduling

from cli.interpreter import COLLECT_AFTER
from shared.ids import TenantId, new_id
from tests.architecture.sql.check import faults_of_log
from tests.support.limits import ROOMY_LIMITS
from tests.support.servers import ROOT_KEY, Servers, create_database
from tests.support.statements import StatementLog, read_statements

_TESTS = Path(__file__).parent
_LONG = frozenset(
    {"backup", "cli", "contract", "e2e", "faults", "isolation", "migrations", "scale"}
)
# What their fixtures set up takes longer than most of their tests.
_FURNISHED = frozenset({"isolation"})
_SERVERS = pytest.StashKey[Servers]()
_STATEMENTS = pytest.StashKey[StatementLog]()
_SQL_FAULTS = pytest.StashKey[list[str]]()
_FOR_WORKERS = ("CARELOOP_TEST_POSTGRES", "CARELOOP_TEST_REDIS", "CARELOOP_TEST_STATEMENTS")


def pytest_configure(config: pytest.Config) -> None:
    # The pretty tracebacks of the default take seconds each.
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    defaults = structlog.get_config()["processors"]
    structlog.configure(processors=[*defaults[:-1], plain])
    os.environ.update(ROOMY_LIMITS)
    # As in the house's own processes: thousands of tests leave much and hardly a cycle.
    gc.set_threshold(*COLLECT_AFTER)
    log = config.stash[_STATEMENTS] = StatementLog()
    log.listen()
    if hasattr(config, "workerinput"):
        os.environ.update(config.workerinput["careloop"])
        return
    servers = Servers.start()
    config.stash[_SERVERS] = servers
    os.environ["CARELOOP_TEST_POSTGRES"] = servers.postgres.url()
    os.environ["CARELOOP_TEST_REDIS"] = servers.valkey.url()
    os.environ["CARELOOP_TEST_STATEMENTS"] = tempfile.mkdtemp(prefix="careloop-statements-")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first: what comes last is what one process does while the other has nothing."""
    items.sort(key=lambda item: _first_folder(item) not in _LONG)


def _first_folder(item: pytest.Item) -> str:
    return item.path.relative_to(_TESTS).parts[0]


class OneHouseEach(LoadScopeScheduling):
    """Modules are spread over the processes, but those of one furnished house stay together."""

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.removeprefix("tests/").partition("/")[0]
        return folder if folder in _FURNISHED else str(super()._split_scope(nodeid))


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: much of the time is waiting for servers and processes."""
    return (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return OneHouseEach(config, log)


def pytest_configure_node(node) -> None:
    node.workerinput["careloop"] = {name: os.environ[name] for name in _FOR_WORKERS}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hold the SQL that the parts have run against the rules, once all processes are done."""
    config, folder = session.config, Path(os.environ["CARELOOP_TEST_STATEMENTS"])
    config.stash[_STATEMENTS].write(folder / f"{os.getpid()}.json")
    if hasattr(config, "workerinput"):
        return
    faults = faults_of_log(read_statements(folder), os.environ["CARELOOP_TEST_POSTGRES"])
    config.stash[_SQL_FAULTS] = faults
    if faults:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    faults = config.stash.get(_SQL_FAULTS, [])
    if faults:
        terminalreporter.section("SQL that would not run on several machines", red=True)
        terminalreporter.write("\n".join(faults) + "\n")


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
