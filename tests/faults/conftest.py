from collections.abc import Iterator

import pytest

from tests.faults.servers import FaultServers


@pytest.fixture(scope="session")
def fault_servers() -> Iterator[FaultServers]:
    """Servers that only these tests use, and may stop at any moment."""
    servers = FaultServers.start()
    yield servers
    servers.stop()
