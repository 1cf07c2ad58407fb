import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from cli.embedded import EmbeddedPostgres, EmbeddedValkey

PostgresFactory = Callable[..., EmbeddedPostgres]
ValkeyFactory = Callable[..., EmbeddedValkey]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of one installation; its path has a space and letters beyond ASCII."""
    folder = tmp_path / "cửa hàng của tôi"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a PostgreSQL that was started once and stopped."""
    folder = tmp_path_factory.mktemp("cluster")
    with EmbeddedPostgres(folder / "postgres", durable=False):
        pass
    (folder / "postgres.state").unlink()
    return folder


@pytest.fixture
def existing_data(home: Path, cluster: Path) -> None:
    """Spares the test a first start: its PostgreSQL has data already."""
    subprocess.run(["cp", "-a", f"{cluster}/.", home], check=True)


@pytest.fixture
def postgres(home: Path) -> Iterator[PostgresFactory]:
    """Makes instances on one data folder of the test; their server ends with the test."""
    made: list[EmbeddedPostgres] = []

    def make(
        *, durable: bool = False, settings: Mapping[str, str] | None = None
    ) -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(home / "postgres", durable=durable, settings=settings))
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def valkey(home: Path) -> Iterator[ValkeyFactory]:
    """Makes instances on one data folder of the test; their server ends with the test."""
    made: list[EmbeddedValkey] = []

    def make(*, persistent: bool = True) -> EmbeddedValkey:
        made.append(EmbeddedValkey(home / "valkey", persistent=persistent))
        return made[-1]

    yield make
    for server in made:
        server.stop()
