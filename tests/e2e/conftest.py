from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.house import House, running_house
from tests.support.servers import own_database


@pytest.fixture(scope="session")
async def database_url(worker_number: int) -> str:
    return await own_database(f"e2e_{worker_number}")


@pytest.fixture(
    scope="module", params=["all_in_one", pytest.param("split", marks=pytest.mark.split)]
)
def house(
    request: pytest.FixtureRequest,
    database_url: str,
    redis_url: str,
    root_key: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """A whole installation of real processes, in both topologies one after the other."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    with running_house(
        request.param,
        database_url=database_url,
        redis_url=redis_url,
        root_key=root_key,
        folder=folder,
    ) as running:
        yield running
