from collections.abc import Iterator

import httpx
import pytest

from cli.demo.client import Api, until
from cli.demo.shop import Shop, open_shop
from tests.support.house import House, running_house
from tests.support.servers import own_database


@pytest.fixture(scope="package")
async def house_database(worker_number: int) -> str:
    return await own_database(f"cli_{worker_number}")


@pytest.fixture(scope="package")
def house(
    house_database: str,
    redis_url: str,
    root_key: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """A running installation for the operator's commands to work on."""
    with running_house(
        "all_in_one",
        database_url=house_database,
        redis_url=redis_url,
        root_key=root_key,
        folder=tmp_path_factory.mktemp("operator's house"),
    ) as running:
        yield running


@pytest.fixture(scope="package")
async def shop(house: House) -> Shop:
    """A shop of that house whose defaults have reached every part."""
    async with httpx.AsyncClient(base_url=house.base_url, timeout=30, trust_env=False) as http:
        shop = await open_shop(http, operator_key=house.operator_key, name="Sen Đá", slug="sen-da")
        api = Api(http, shop.api_key)
        for path in ("/v1/segments", "/v1/queues", "/v1/automations"):
            await until(lambda path=path: api.get(path), lambda page: page["data"], what=path)
    return shop
