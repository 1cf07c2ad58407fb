"""Two furnished shops in one running installation, on servers that the whole run shares."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from shared.ids import TenantId, new_id
from tests.isolation.furnishing import Shop, furnish, open_shop
from tests.isolation.operations import Description
from tests.support.house import House, running_house
from tests.support.outbound import LOOPBACK
from tests.support.receiver import Receiver, receiving
from tests.support.servers import own_database

# What is asked here in a minute is more than any shop may ask.
SETTINGS = {
    "CARELOOP_RATE_LIMITS": "false",
    "CARELOOP_LOGIN_FAILURES_PER_CLIENT": "100000",
    "CARELOOP_OUTBOUND_ALLOW": LOOPBACK,
}


@dataclass(frozen=True)
class Neighbours:
    """Ours attacks, theirs is attacked."""

    ours: Shop
    theirs: Shop


@pytest.fixture(scope="session")
async def database_url(worker_number: int) -> str:
    return await own_database(f"isolation_{worker_number}")


@pytest.fixture(scope="package")
def house(
    database_url: str,
    redis_url: str,
    root_key: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """The gateway with all services in one process, and a worker: real, on loopback."""
    folder: Path = tmp_path_factory.mktemp("isolation")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        with running_house(
            "all_in_one",
            database_url=database_url,
            redis_url=redis_url,
            root_key=root_key,
            folder=folder,
        ) as running:
            yield running


@pytest.fixture(scope="package")
async def receiver() -> AsyncIterator[Receiver]:
    """Takes the webhooks of both shops."""
    async with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="package")
async def admin(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The administrator, whom no policy holds back."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="package")
async def http(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=house.base_url, timeout=15, trust_env=False) as client:
        yield client


@pytest.fixture(scope="package")
async def neighbours(
    house: House, http: httpx.AsyncClient, admin: AsyncEngine, receiver: Receiver, root_key: str
) -> Neighbours:
    """Two shops with one of everything."""
    shops = []
    for side in ("ours", "theirs"):
        marker = f"{side}{new_id().hex[-8:]}"
        shop = await open_shop(http, operator_key=house.operator_key, marker=marker)
        if side == "theirs":
            await _number_apart(admin, shop.tenant_id)
        await furnish(shop, admin, root_key=root_key, receiver=receiver.base_url)
        shops.append(shop)
    return Neighbours(*shops)


@pytest.fixture(scope="package")
async def description(http: httpx.AsyncClient) -> Description:
    """What the installation says of itself."""
    return Description((await http.get("/openapi.json")).json())


async def _number_apart(admin: AsyncEngine, tenant_id: TenantId) -> None:
    """Have a shop count its customers and tickets from where the other one never comes."""
    async with admin.begin() as connection:
        for schema, kind in (("customer", "customer"), ("support_ticket", "ticket")):
            await connection.execute(
                text(f"INSERT INTO {schema}.code_counter VALUES (:tenant, :kind, 700001)"),
                {"tenant": tenant_id, "kind": kind},
            )
