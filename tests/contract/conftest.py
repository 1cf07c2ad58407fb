"""The document that the gateway serves, and installations that live up to it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.app import create_app
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import InProcessUpstream
from shared.settings import SERVICES
from tests.architecture.parts import app_of
from tests.contract.fuzzing import UNLIMITED
from tests.support.house import House, running_house
from tests.support.servers import own_database

PUBLIC_URL = "https://care.example.com"


@pytest.fixture(scope="session")
async def document(root_key: str) -> dict[str, Any]:
    """The merged document of the gateway and the real services; nothing is connected."""
    settings = GatewaySettings(
        secret_key=root_key,
        public_url=PUBLIC_URL,
        admin_database_url="postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
        _env_file=None,
    )
    app = create_app(settings, {name: InProcessUpstream(app_of(name)) for name in SERVICES})
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        answer = await client.get("/openapi.json")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="session")
def document_file(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document as a file, for tools that read one."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
async def database_url(worker_number: int) -> str:
    return await own_database(f"contract_{worker_number}")


@pytest.fixture(scope="module")
def house(
    database_url: str, redis_url: str, root_key: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A running installation of real processes, without limits on how often it is asked."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in UNLIMITED.items():
            patch.setenv(name, value)
        with running_house(
            "all_in_one",
            database_url=database_url,
            redis_url=redis_url,
            root_key=root_key,
            folder=tmp_path_factory.mktemp("house"),
        ) as running:
            yield running
