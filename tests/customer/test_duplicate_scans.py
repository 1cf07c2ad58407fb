"""Scans of all customers for duplicates: a job, its findings, and what a shop decides of them."""

import asyncio
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.customer.duplicate_scans.tasks import ScanSweeps
from services.customer.jobs import build_job_kinds
from shared.ids import TenantId, new_id
from shared.jobs.runner import JobRunner
from shared.security.principal import PrincipalKind, Visibility
from tests.support.harness import ServiceHarness

SCOPES = (
    *("customers:read", "customers:write", "duplicates:read", "duplicates:write"),
    *("jobs:read", "jobs:write"),
)


@dataclass
class FixedClock:
    """Stands at a moment that the test sets."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@pytest.fixture
async def client(service: ServiceHarness, shop: TenantId):
    async with service.client(shop, *SCOPES) as client:
        yield client


@pytest.fixture
def runner(service: ServiceHarness) -> JobRunner:
    async def nobody(_tenant: TenantId) -> None:
        """A wake-up that reaches nobody."""

    context = service.context
    settings = context.settings.model_copy(update={"duplicate_scan_page": 3})
    small = replace(context, settings=settings)
    return JobRunner(units=context.units, kinds=build_job_kinds(small), wake=nobody)


async def add(client: httpx.AsyncClient, **known: Any) -> dict[str, Any]:
    answer = await client.post("/v1/customers", json=known)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def scan(client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, **wanted: Any):
    answer = await client.post("/v1/duplicates/scans", json=wanted)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    await runner.go_on(shop.hex)
    found = await client.get(f"/v1/duplicates/scans/{answer.json()['id']}")
    return found.json()


async def candidates(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/duplicates", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def test_one_person_written_twice_is_found(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    first = await add(client, name="Nguyễn Thị Lan", birth_date="1990-02-28")
    for n in range(8):
        await add(client, name=f"Trần Văn {'ABCDEFGH'[n]}n", birth_date=f"198{n}-02-28")
    second = await add(client, name="nguyen thi lan", birth_date="1990-02-28")
    done = await scan(client, runner, shop)
    assert (done["status"], done["mode"], done["customers"]) == ("succeeded", "full", 10)
    assert (done["pairs"], done["new_pairs"]) == (1, 1)
    [pair] = await candidates(client)
    assert (pair["older_id"], pair["newer_id"]) == (first["id"], second["id"])
    assert pair["reasons"] == ["same_birth_date", "same_name"]
    assert pair["score"] > 90


@pytest.mark.capability(119)
async def test_a_dismissed_pair_is_not_proposed_again(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    for name in ("Nguyễn Thị Lan", "nguyen thi lan"):
        await add(client, name=name, birth_date="1990-02-28")
    await scan(client, runner, shop)
    [pair] = await candidates(client)
    await client.patch(f"/v1/duplicates/{pair['id']}", json={"status": "dismissed"})
    done = await scan(client, runner, shop)
    assert (done["pairs"], done["new_pairs"]) == (1, 0)
    assert await candidates(client) == []


async def test_a_family_with_one_number_is_not_proposed(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    address = {"full_address": "12 Lê Lợi, P. Bến Nghé, Q.1, TP.HCM", "is_primary": True}
    for name in ("Nguyễn Văn An", "Nguyễn Thị Bình"):
        one = await add(client, name=name, birth_date="1990-02-28")
        await client.post(f"/v1/customers/{one['id']}/addresses", json=address)
    done = await scan(client, runner, shop)
    assert (done["comparisons"], done["pairs"]) == (1, 0)


async def test_records_of_one_person_are_one(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, service: ServiceHarness
) -> None:
    """A merged record is left out, and lends the person its number."""
    root = await add(client, name="Nguyễn Thị Lan", birth_date="1990-02-28")
    merged = await add(client, name="nguyen thi lan", phone="0912345678")
    other = await add(client, name="Chị Lan", phone="0912345678")
    async with service.context.units.begin(shop) as uow:
        statement = text(
            "UPDATE customer.customer SET merged_into = :root, parent_id = :root "
            "WHERE tenant_id = :tenant AND id = :merged"
        )
        ids = {"root": root["id"], "merged": merged["id"], "tenant": shop}
        await uow.execute(statement, ids)
        await uow.commit()
    done = await scan(client, runner, shop)
    assert (done["customers"], done["pairs"], done["new_pairs"]) == (2, 1, 1)
    newest, _ = await candidates(client, min_score=50)
    assert (newest["older_id"], newest["newer_id"]) == (root["id"], other["id"])


async def test_a_killed_scan_goes_on_where_it_was(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    for given in ("An", "Cúc", "Diệp", "Giang", "Hà", "Kha", "Mai"):
        await add(client, name=f"Đặng Thị {given}", birth_date="1990-02-28")
    twice = [await add(client, name="Vũ Ngọc Ánh", birth_date="1988-08-08") for _ in range(2)]
    job = (await client.post("/v1/duplicates/scans", json={})).json()
    statuses = []
    while await runner.step(shop):  # Each step by a worker of its own, as far as it can tell.
        statuses.append((await client.get(f"/v1/jobs/{job['id']}")).json())
    assert len(statuses) > 3
    assert [status["done"] for status in statuses] == sorted(s["done"] for s in statuses)
    assert statuses[-1]["done"] == statuses[-2]["total"] == 18
    [pair] = await candidates(client)
    assert [pair["older_id"], pair["newer_id"]] == [one["id"] for one in twice]


async def test_only_one_scan_runs_at_a_time(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    answers = await asyncio.gather(
        *(client.post("/v1/duplicates/scans", json={}) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    begun = next(answer.json() for answer in answers if answer.status_code == 202)
    assert refused["code"] == "duplicate_scan_running"
    assert refused["scan_id"] == begun["id"]
    await runner.go_on(shop.hex)
    assert (await client.post("/v1/duplicates/scans", json={})).status_code == 202


async def test_a_cancelled_scan_leaves_nothing_behind_and_can_be_done_again(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, service: ServiceHarness
) -> None:
    for _ in range(5):
        await add(client, name="Nguyễn Thị Lan", birth_date="1990-02-28")
    job = (await client.post("/v1/duplicates/scans", json={})).json()
    for _ in range(2):
        await runner.step(shop)
    assert await remains(service, shop) > 0
    await client.post(f"/v1/jobs/{job['id']}/cancel")
    await runner.go_on(shop.hex)
    cancelled = (await client.get(f"/v1/duplicates/scans/{job['id']}")).json()
    assert cancelled["status"] == "cancelled"
    assert cancelled["finished_at"] is not None
    sweeps = ScanSweeps(service.context.units, build_job_kinds(service.context))
    await sweeps.tidy_of(shop)
    assert await remains(service, shop) == 0

    await client.post(f"/v1/jobs/{job['id']}/retry")
    await runner.go_on(shop.hex)
    done = (await client.get(f"/v1/duplicates/scans/{job['id']}")).json()
    assert (done["status"], done["pairs"]) == ("succeeded", 10)
    assert await remains(service, shop) == 0


async def test_a_scan_of_changes_compares_who_was_changed(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    for name in ("Nguyễn Thị Lan", "nguyen thi lan", "Trần Văn Hùng"):
        await add(client, name=name, birth_date="1990-02-28")
    await scan(client, runner, shop, mode="changed", min_score=99)
    third = await add(client, name="Lan Nguyễn Thị", birth_date="1990-02-28")
    done = await scan(client, runner, shop, mode="changed")
    assert (done["customers"], done["comparisons"]) == (4, 3)
    pairs = await candidates(client)
    assert {pair["newer_id"] for pair in pairs} == {third["id"]}
    assert len(pairs) == 2


async def test_a_number_of_everybodys_says_nothing(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    """The shop's own number, filled in for whoever gave none."""
    for n in range(22):
        await add(client, name=f"{'ABCDEGHKLMNOPQRSTUVXYI'[n]}", phone="02838291234")
    lan = [await add(client, name="Phùng Diệu Lan", phone="02838291234") for _ in range(2)]
    done = await scan(client, runner, shop)
    assert done["skipped"] == [{"kind": "phone", "blocks": 1, "customers": 24}]
    told = {customer["id"] for customer in lan}
    assert not [pair for pair in await candidates(client, min_score=50) if pair["newer_id"] in told]


async def test_too_large_a_block_is_divided_by_what_they_are_called_by(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    given = "An Bảo Cúc Diệp Giang Hà Kha Lan Mai Nga Oanh Phú Quý Sơn Tú Uyên Vy Xuân Yến Đức Khôi"
    names = [f"{family} {one}" for one in given.split() for family in ("Ngô Thị", "Hồ Văn")]
    for name in names[:41]:
        await add(client, name=name, birth_date="1990-02-28")
    twice = await add(client, name="NGO THI GIANG", birth_date="1990-02-28")
    done = await scan(client, runner, shop)
    assert done["skipped"] == []
    assert done["comparisons"] < 100
    [pair] = await candidates(client)
    assert pair["newer_id"] == twice["id"]


async def test_candidates_are_listed_by_score_and_reason(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    for name in ("Nguyễn Thị Lan", "Nguyen Thi Lan"):
        await add(client, name=name, birth_date="1990-02-28")
    for _ in range(2):
        await add(client, phone="0912345678")
    await scan(client, runner, shop)
    assert [pair["score"] for pair in await candidates(client, sort="-score")] == [94, 40]
    assert [pair["score"] for pair in await candidates(client, min_score=41)] == [94]
    [pair] = await candidates(client, reason="same_phone_claimed")
    assert pair["score"] == 40
    first = await client.get("/v1/duplicates", params={"sort": "-score", "limit": 1})
    cursor = first.json()["next_cursor"]
    [second] = await candidates(client, sort="-score", limit=1, cursor=cursor)
    assert second["id"] == pair["id"]


async def test_a_scan_tells_what_it_found(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, service: ServiceHarness
) -> None:
    for _ in range(2):
        await add(client, name="Nguyễn Thị Lan", birth_date="1990-02-28")
    done = await scan(client, runner, shop, min_score=60)
    [told] = await service.told(shop, "customer.duplicates_scanned")
    assert told["scan"]["scan_id"] == done["id"]
    assert (told["scan"]["pairs"], told["scan"]["min_score"]) == (1, 60)
    listed = await client.get("/v1/duplicates/scans")
    assert listed.json()["data"] == [done]
    job = (await client.get(f"/v1/jobs/{done['id']}")).json()
    assert job["detail"]["new_pairs"] == 1


async def test_the_shop_decides_about_its_nights(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, service: ServiceHarness
) -> None:
    path = "/v1/duplicates/policy"
    assert (await client.get(path)).json()["nightly"] is False
    sweeps = ScanSweeps(service.context.units, build_job_kinds(service.context))
    assert not await sweeps.start_nightly_of(shop)
    decided = await client.put(path, json={"nightly": True, "min_score": 70})
    assert (decided.json()["version"], decided.headers["etag"]) == (1, '"1"')
    stale = await client.put(path, json={"nightly": False}, headers={"if-match": '"7"'})
    assert stale.status_code == 412

    clock = FixedClock(datetime(2027, 3, 1, 18, 59, tzinfo=UTC))  # 1:59 in Vietnam.
    units = copy(service.context.units)
    units.clock = clock
    sweeps = ScanSweeps(units, build_job_kinds(service.context))
    assert not await sweeps.start_nightly_of(shop)
    clock.at += timedelta(minutes=2)
    begun = await asyncio.gather(*(sweeps.start_nightly_of(shop) for _ in range(3)))
    assert sorted(begun) == [False, False, True]
    await runner.go_on(shop.hex)
    assert not await sweeps.start_nightly_of(shop)
    [done] = (await client.get("/v1/duplicates/scans")).json()["data"]
    assert (done["mode"], done["min_score"], done["status"]) == ("changed", 70, "succeeded")


async def test_scans_are_for_those_who_see_everybody(
    service: ServiceHarness, shop: TenantId
) -> None:
    async with service.client(
        shop, *SCOPES, kind=PrincipalKind.STAFF, visibility=Visibility.OWN, actor_id=str(new_id())
    ) as agent:
        assert (await agent.post("/v1/duplicates/scans", json={})).status_code == 403
        answer = await agent.put("/v1/duplicates/policy", json={"nightly": True})
        assert answer.status_code == 403


async def test_another_shop_has_no_part_in_it(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, service, open_shop
) -> None:
    other_shop = await open_shop()
    async with service.client(other_shop, *SCOPES) as other:
        await add(other, name="Nguyễn Thị Lan", birth_date="1990-02-28")
        await add(client, name="Nguyễn Thị Lan", birth_date="1990-02-28")
        done = await scan(client, runner, shop)
        assert (done["customers"], done["pairs"]) == (1, 0)
        assert (await other.get(f"/v1/duplicates/scans/{done['id']}")).status_code == 404
        assert (await other.get("/v1/duplicates/scans")).json()["data"] == []


async def remains(service: ServiceHarness, shop: TenantId) -> int:
    """How much scans have noted that is still there."""
    count = 0
    async with service.context.units.begin(shop) as uow:
        for table in ("person", "key", "pair"):
            count += await uow.scalar(
                text(f"SELECT count(*) FROM customer.duplicate_scan_{table} WHERE tenant_id = :t"),
                {"t": shop},
            )
    return count


async def test_a_number_that_was_somebodys_once_speaks_for_nobody(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    first = await add(client, phone="0912345678")
    identities = f"/v1/customers/{first['id']}/identities"
    [number] = (await client.get(identities)).json()["data"]
    ended = {"valid_until": "2026-01-01T00:00:00Z"}
    answer = await client.patch(f"{identities}/{number['id']}", json=ended)
    assert answer.status_code == 200, answer.text
    await add(client, phone="0912345678")
    assert await candidates(client) == []
    await scan(client, runner, shop)
    assert await candidates(client) == []


async def test_who_is_erased_while_a_scan_runs_is_no_candidate(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, service: ServiceHarness
) -> None:
    twice = [
        await add(client, name="Nguyễn Thị Lan", birth_date="1990-02-28", province=each)
        for each in ("Huế", "Hà Nội")
    ]
    job = (await client.post("/v1/duplicates/scans", json={})).json()
    pairs = text("SELECT count(*) FROM customer.duplicate_scan_pair WHERE tenant_id = :tenant")
    found = 0
    while not found:
        assert await runner.step(shop), "the pair was found and is not proposed yet"
        async with service.context.units.begin(shop) as uow:
            found = await uow.scalar(pairs, {"tenant": shop})
    assert await candidates(client) == []
    async with service.client(shop, "privacy:read", "privacy:write", "customers:read") as officer:
        asked = {"kind": "erasure", "customer_id": twice[1]["id"]}
        request = (await officer.post("/v1/privacy-requests", json=asked)).json()
        where = f"/v1/privacy-requests/{request['id']}"
        await officer.post(f"{where}/identity-check", json={"method": "in_person"})
        assert (await officer.post(f"{where}/execution")).status_code == 202
    await runner.go_on(shop.hex)
    assert (await client.get(f"/v1/jobs/{job['id']}")).json()["status"] == "succeeded"
    assert await candidates(client) == []
