"""People who are merged while a file about them is taken in."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from shared.ids import TenantId
from shared.jobs.runner import JobRunner
from tests.customer.imports.shop import Importing, table

PAIRS = 12


@pytest.mark.capability(120)
async def test_a_merge_during_a_running_import_loses_nothing(
    importing: Importing, new_runner: Callable[..., JobRunner], shop: TenantId
) -> None:
    """Two of each pair become one while the file says something of both."""
    people = [(f"Khách {n}", f"M{n}") for n in range(2 * PAIRS)]
    await importing.take_in(table(("Tên", "Mã hội viên"), *people), source="pos")
    customers = await importing.customers()
    head = ("Mã hội viên", "Thành phố", "Nghề nghiệp", "Nhóm", "SĐT", "Ghi chú")
    rows = [
        # The one that stays is told of a city, the one that goes of what they do.
        (f"M{n}", "Huế" if n % 2 == 0 else "", "Thợ" if n % 2 else "", f"t{n}", f"09123456{n:02}")
        for n in range(2 * PAIRS)
    ]
    importing.runner = new_runner(3)
    read = await importing.read(
        table(head, *[(*row, f"ghi {n}") for n, row in enumerate(rows)]), source="pos"
    )
    await importing.begin(read)

    async def merge(pair: int) -> None:
        stays, goes = customers[2 * pair : 2 * pair + 2]
        answer = await importing.client.post(
            f"/v1/customers/{stays['id']}/merges", json={"customer_ids": [goes["id"]]}
        )
        assert answer.status_code == 201, answer.text

    async def merge_all() -> None:
        for pair in reversed(range(PAIRS)):
            await merge(pair)

    await asyncio.gather(importing.work(), merge_all())
    done = await importing.get(read)
    assert (done["status"], done["run"]["rows"], done["run"]["invalid"]) == (
        *("finished", 2 * PAIRS),
        0,
    )
    for pair in range(PAIRS):
        stays, goes = customers[2 * pair : 2 * pair + 2]
        one = await found(importing.client, stays["id"])
        assert await found(importing.client, goes["id"]) == one
        assert (one["city"], one["occupation"]) == ("Huế", "Thợ")
        assert set(one["tags"]) == {f"t{2 * pair}", f"t{2 * pair + 1}"}
        path = f"/v1/customers/{stays['id']}"
        identities = (await importing.client.get(f"{path}/identities")).json()["data"]
        phones = {i["value"] for i in identities if i["kind"] == "phone"}
        assert phones == {f"+849123456{n:02}" for n in (2 * pair, 2 * pair + 1)}
        notes = (await importing.client.get(f"{path}/notes")).json()["data"]
        assert {note["text"] for note in notes} == {f"ghi {2 * pair}", f"ghi {2 * pair + 1}"}


async def found(client: httpx.AsyncClient, customer_id: str) -> dict[str, object]:
    answer = await client.get(f"/v1/customers/{customer_id}")
    customer: dict[str, object] = answer.json()
    return customer
