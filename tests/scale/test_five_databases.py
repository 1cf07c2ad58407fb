"""The second step of growth: each part on a PostgreSQL of its own, by connection string alone."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from cli.demo.narration import Script, Step
from cli.demo.story import CareLoop
from cli.embedded.postgres import EmbeddedPostgres
from cli.mail_catcher import caught
from migrations.runner import migrate
from shared.settings import SCHEMAS, part_database_url
from tests.support.house import running_house
from tests.support.servers import create_database

SCHEMAS_IN = text(
    "SELECT array_agg(nspname::text ORDER BY nspname) FROM pg_namespace WHERE nspname = ANY(:names)"
)
ROWS_IN = "SELECT count(*) FROM {}.outbox"


@dataclass(frozen=True)
class Servers:
    """Two servers with five databases: the administrator's address of each part's."""

    admin_urls: dict[str, str]

    def part_urls(self, root_key: str) -> dict[str, str]:
        return {
            part: part_database_url(part, admin_url=url, root_key=root_key)
            for part, url in self.admin_urls.items()
        }


@pytest.fixture(scope="module")
def second_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    folder = tmp_path_factory.mktemp("second")
    for readable in (folder, *folder.parents[:2]):
        readable.chmod(0o755)
    with EmbeddedPostgres(folder / "postgres", durable=False) as server:
        yield server


@pytest.fixture(scope="module")
async def servers(second_server: EmbeddedPostgres, root_key: str, worker_number: int) -> Servers:
    first = os.environ["CARELOOP_TEST_POSTGRES"]
    admin_urls = {}
    for number, part in enumerate(SCHEMAS):
        server = first if number % 2 else second_server.url()
        name = f"only_{part}_{worker_number}"
        url = await create_database(server, name, template="template0")
        await migrate(url, root_key=root_key, schemas=[part])
        admin_urls[part] = url
    return Servers(admin_urls)


async def scalar(url: str, statement: str, **parameters: object) -> object:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        found: object = (await connection.execute(text(statement), parameters)).scalar()
    await engine.dispose()
    return found


async def test_the_care_loop_runs_over_five_databases_on_two_servers(
    servers: Servers, redis_url: str, root_key: str, tmp_path: Path
) -> None:
    for part, url in servers.admin_urls.items():
        assert await scalar(url, SCHEMAS_IN.text, names=list(SCHEMAS)) == [part]

    told: list[Step] = []

    class Told:
        def tell(self, step: Step) -> None:
            told.append(step)

    with running_house(
        "all_in_one",
        database_url=None,
        part_urls=servers.part_urls(root_key),
        redis_url=redis_url,
        root_key=root_key,
        folder=tmp_path,
    ) as house:
        async with httpx.AsyncClient(base_url=house.base_url, timeout=30, trust_env=False) as http:
            assert (await http.get("/readyz")).status_code == 200
            await CareLoop(
                http,
                operator_key=house.operator_key,
                mailbox=lambda: caught(house.mail.folder),
                script=Script(Told()),
            ).tell()

    assert [step.error for step in told] == [None] * 10
    for part, url in servers.admin_urls.items():
        assert await scalar(url, ROWS_IN.format(part)), f"{part} has told nothing from its database"
