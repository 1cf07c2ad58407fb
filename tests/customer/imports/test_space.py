"""How much may lie in files that were not taken in."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from services.customer.imports.file_repository import ImportFileRepository
from services.customer.imports.space import ImportLimits
from shared.ids import TenantId
from tests.customer.imports.shop import Importing, Json, table
from tests.support.harness import ServiceHarness

LAN = table(("Tên", "SĐT"), ("Lan", "0912345678"))


@pytest.fixture
def narrow(service: ServiceHarness) -> Iterator[ImportLimits]:
    """An installation with little room."""
    state = service.app.state
    usual, state.import_limits = state.import_limits, ImportLimits(files=3, bytes=1000)
    yield state.import_limits
    state.import_limits = usual


async def begun(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/v1/imports", json={"file_name": "khach.csv"})


async def sent(client: httpx.AsyncClient, made: Json, size: int, **query: object) -> httpx.Response:
    content = LAN + b"x,1\n" * ((size - len(LAN)) // 4)
    return await client.put(f"/v1/imports/{made['id']}/file", content=content, params=query)


def refused(answer: httpx.Response) -> tuple[int, str, str, int]:
    problem = answer.json()
    return answer.status_code, problem["code"], problem["limit"], problem["at_most"]


async def test_so_many_files_may_wait(
    client: httpx.AsyncClient, importing: Importing, narrow: ImportLimits
) -> None:
    first, *_ = [(await begun(client)).json() for _ in range(narrow.files)]
    assert refused(await begun(client)) == (409, "import_space_used_up", "files", 3)
    # Taking one in makes room.
    assert (await sent(client, first, 100)).status_code == 200
    await importing.work()
    await importing.run(first)
    assert (await begun(client)).status_code == 201
    assert (await begun(client)).status_code == 409


async def test_so_many_bytes_may_wait(client: httpx.AsyncClient, narrow: ImportLimits) -> None:
    made, other = (await begun(client)).json(), (await begun(client)).json()
    assert (await sent(client, made, 700)).status_code == 200
    answer = await sent(client, other, 400)
    assert refused(answer) == (409, "import_space_used_up", "bytes", 1000)
    assert (await client.get(f"/v1/imports/{other['id']}")).json()["received_bytes"] == 0
    assert (await sent(client, other, 300)).status_code == 200


async def test_a_file_that_is_sent_anew_counts_once(
    client: httpx.AsyncClient, narrow: ImportLimits
) -> None:
    made = (await begun(client)).json()
    for _ in range(3):
        assert (await sent(client, made, 600, complete="false")).status_code == 200


async def test_those_who_come_at_once_do_not_share_the_last_room(
    client: httpx.AsyncClient, narrow: ImportLimits
) -> None:
    answers = await asyncio.gather(*(begun(client) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 5
    made = [answer.json() for answer in answers if answer.status_code == 201]
    answers = await asyncio.gather(*(sent(client, each, 400) for each in made))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 409]


async def test_discarding_makes_room(
    client: httpx.AsyncClient,
    importing: Importing,
    service: ServiceHarness,
    shop: TenantId,
    narrow: ImportLimits,
) -> None:
    read = await importing.read(LAN + b"x,1\n" * 200)
    other = (await begun(client)).json()
    assert (await sent(client, other, 400)).status_code == 409
    assert "discard" in read["allowed_transitions"]
    given_up = await client.delete(f"/v1/imports/{read['id']}/file")
    assert given_up.status_code == 200, given_up.text
    assert (given_up.json()["status"], given_up.json()["allowed_transitions"]) == ("cancelled", [])
    async with service.context.units.begin(shop) as uow:
        files = ImportFileRepository(uow)
        assert await files.pieces(UUID(read["id"]), 0, 9) == []
        assert await files.chunk(UUID(read["id"]), 0) is None
    assert (await sent(client, other, 400)).status_code == 200


async def test_another_file_can_be_sent_after_one_was_discarded(
    client: httpx.AsyncClient, importing: Importing
) -> None:
    made = (await begun(client)).json()
    assert (await sent(client, made, 100, complete="false")).status_code == 200
    discarded = (await client.delete(f"/v1/imports/{made['id']}/file")).json()
    assert (discarded["status"], discarded["received_bytes"]) == ("cancelled", 0)
    assert discarded["allowed_transitions"] == ["upload"]
    assert (await client.put(f"/v1/imports/{made['id']}/file", content=LAN)).status_code == 200
    await importing.work()
    read = await importing.get(made)
    assert (read["status"], read["rows"]) == ("ready", 1)
