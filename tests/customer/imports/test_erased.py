"""A file from before somebody's data were erased brings nobody back."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import text

from services.customer.imports.repository import ImportRepository
from shared.contracts.audit import AuditRecorded
from shared.ids import TenantId
from shared.jobs.runner import JobRunner
from tests.customer.imports.shop import Importing, Json, table
from tests.support.harness import ServiceHarness

HEAD = ("Tên", "SĐT", "Email", "Mã hội viên")
LAN = ("Lan", "0912345678", "lan@example.com", "M1")
HOA = ("Hoa", "0987654321", "hoa@example.com", "M2")


async def erase(importing: Importing, customer: Json) -> None:
    body = {"kind": "erasure", "customer_id": customer["id"]}
    asked = await importing.client.post("/v1/privacy-requests", json=body)
    assert asked.status_code == 201, asked.text
    path = f"/v1/privacy-requests/{asked.json()['id']}"
    await importing.client.post(f"{path}/identity-check", json={"method": "in_person"})
    answer = await importing.client.post(f"{path}/execution")
    assert answer.is_success, answer.text


@pytest.mark.parametrize(
    "row",
    [LAN, LAN[:2], ("Lan", "", "lan@example.com"), ("", "", "", "M1"), ("Cô Lan", "912345678")],
    ids=["the whole row", "the number", "the address", "the till's id", "another name"],
)
async def test_who_was_erased_is_not_taken_in_again(
    importing: Importing, row: tuple[str, ...]
) -> None:
    await importing.take_in(table(HEAD, LAN, HOA), source="pos")
    lan, hoa = await importing.customers()
    await erase(importing, lan)
    read = await importing.read(table(HEAD, row, HOA), source="pos")
    tried = await importing.run(read, dry_run=True)
    assert (tried["dry_run"]["erased"], tried["dry_run"]["unchanged"]) == (1, 1)
    done = await importing.run(read)
    assert [done["run"][word] for word in ("erased", "unchanged", "created")] == [1, 1, 0]
    outcomes = await importing.outcomes(done)
    assert [line["outcome"] for line in outcomes] == ["erased", "unchanged"]
    assert not any(outcomes[0][name] for name in ("customer_id", "code", "changed"))
    [kept] = await importing.rows(done, outcome="erased")
    assert (kept["customer_id"], kept["changes"], kept["problems"]) == (None, {}, [])
    left = await importing.customers()
    assert [one["name"] for one in left if one["id"] == lan["id"]] in ([], [None])
    assert {one["id"] for one in left} - {lan["id"]} == {hoa["id"]}


async def test_their_code_leads_to_nobody(importing: Importing) -> None:
    await importing.take_in(table(HEAD, LAN), source="pos")
    [lan] = await importing.customers()
    await erase(importing, lan)
    rows = table(("Mã KH", "Tên"), (lan["code"], "Lan"))
    done = await importing.take_in(rows)
    assert (done["run"]["erased"], done["run"]["updated"]) == (1, 0)


async def test_whoever_shares_the_number_stays_theirs(importing: Importing) -> None:
    minh = ("Minh", "0912345678")
    await importing.take_in(table(HEAD, LAN, minh), source="pos")
    lan, _ = await importing.customers()
    await erase(importing, lan)
    done = await importing.take_in(
        table((*HEAD, "Thành phố"), (*minh, "", "", "Huế")), source="pos"
    )
    assert (done["run"]["updated"], done["run"]["erased"]) == (1, 0)


async def test_no_sample_shows_them_any_more(
    importing: Importing, service: ServiceHarness, shop: TenantId
) -> None:
    done = await importing.take_in(table(HEAD, LAN, HOA), source="pos")
    lan, _hoa = await importing.customers()
    others = await importing.take_in(table(HEAD, ("Mai", "0977777777")), source="pos")
    tried = await importing.read(table(HEAD, (*LAN, "x"), ("Lan", *LAN[1:])), source="pos")
    tried = await importing.run(tried, dry_run=True)
    assert "0912345678" in str(await importing.get(done))
    assert lan["id"] in str(tried["dry_run"]["samples"])
    await erase(importing, lan)
    for wanted in (done, tried):
        found = await importing.get(wanted)
        shown = [column["samples"] for column in found["columns"]]
        shown += [found[name]["samples"] for name in ("dry_run", "run") if found[name]]
        assert not any(shown)
    assert (await importing.get(done))["run"]["created"] == 2
    assert await importing.get(others) == others
    async with service.context.units.begin(shop) as uow:
        jobs = await uow.rows(
            text("SELECT state FROM customer.job WHERE tenant_id = :t"), {"t": shop}
        )
    assert not [row for row in jobs if "912345678" in str(row.state)]


async def test_an_import_that_goes_on_shows_nobody_who_was_erased_meanwhile(
    importing: Importing, new_runner: Callable[..., JobRunner], shop: TenantId
) -> None:
    importing.runner = new_runner(1)
    read = await importing.read(table(HEAD, LAN, HOA), source="pos")
    await importing.begin(read)
    assert await importing.runner.step(shop)
    [lan] = await importing.customers()
    await erase(importing, lan)
    await importing.work()
    done = await importing.get(read)
    assert (done["status"], done["run"]["created"]) == ("finished", 2)
    assert lan["id"] not in str(done["run"]["samples"])


async def test_an_erasure_does_not_wait_for_an_import(
    importing: Importing, service: ServiceHarness, shop: TenantId
) -> None:
    done = await importing.take_in(table(HEAD, LAN, HOA), source="pos")
    lan = next(each for each in await importing.customers() if each["name"] == "Lan")
    async with service.context.units.begin(shop) as uow:
        await ImportRepository(uow).get(UUID(done["id"]), lock=True)
        async with asyncio.timeout(30):
            await erase(importing, lan)


async def test_an_erasure_does_not_prolong_what_an_import_keeps_of_others(
    importing: Importing,
) -> None:
    before = await importing.take_in(table(HEAD, LAN, HOA), source="pos")
    lan = next(each for each in await importing.customers() if each["name"] == "Lan")
    await erase(importing, lan)
    after = await importing.get(before)
    assert (before["run"]["samples"] != [], after["run"]["samples"]) == (True, [])
    assert (after["updated_at"], after["version"]) == (before["updated_at"], before["version"])


async def test_the_audit_log_keeps_no_rows_of_an_import_that_was_set_otherwise(
    importing: Importing, service: ServiceHarness, shop: TenantId
) -> None:
    read = await importing.read(table(HEAD, LAN, HOA), source="pos")
    tried = await importing.run(read, dry_run=True)
    assert "lan@example.com" in str(tried["dry_run"]["samples"])
    await importing.change(read, options={"existing": "fill"})
    told = await service.told(shop, AuditRecorded.type)
    [set_] = [each for one in told for each in one["records"] if each["action"] == "imports.update"]
    assert set_["changes"].keys() == {"options"}
    assert set_["changes"]["options"]["new"]["existing"] == "fill"
    assert set_["subjects"] == [{"object": "import", "id": read["id"]}]
