"""What an import changed is forgotten when nobody may take it back any more."""

from datetime import timedelta

from sqlalchemy import text

from services.customer.imports.forgetting import TO_FORGET, ImportForgetting
from shared.ids import TenantId
from tests.customer.imports.shop import Importing, Json, table
from tests.support.harness import ServiceHarness

KEPT = timedelta(days=90)
PEOPLE = [(f"Khách {n}", f"09333333{n:02}") for n in range(7)]
CONTENT = table(("Tên", "SĐT"), *PEOPLE)
WITH_CITIES = table(("Tên", "SĐT", "Thành phố"), *[(*who, "Huế") for who in PEOPLE], ("", "x", ""))


async def age(service: ServiceHarness, shop: TenantId, by: timedelta) -> None:
    """Have something been done with the imports of a shop last so long ago."""
    units = service.context.units
    async with units.begin(shop) as uow:
        older = text("UPDATE customer.customer_import SET updated_at = :at WHERE tenant_id = :t")
        await uow.execute(older, {"at": uow.clock.now() - by, "t": shop})
        await uow.commit()


async def forget(service: ServiceHarness, *, batch: int = 3) -> None:
    await ImportForgetting(service.context.units, kept=KEPT, batch=batch).sweep()


def samples_of(found: Json) -> list[Json]:
    shown = [counts["samples"] for counts in (found["dry_run"], found["run"]) if counts]
    return [*shown, *(column["samples"] for column in found["columns"])]


async def test_only_counts_and_outcomes_stay(
    importing: Importing, service: ServiceHarness, shop: TenantId
) -> None:
    await importing.take_in(CONTENT, source="pos")
    read = await importing.read(WITH_CITIES, source="pos")
    await importing.run(read, dry_run=True)
    done = await importing.run(read)
    before = await importing.rows(done)
    assert sum(bool(row["changes"]) for row in before) == 7
    assert all(samples_of(done))

    await age(service, shop, KEPT - timedelta(hours=1))
    await forget(service)
    assert await importing.get(done) == {
        **done,
        "updated_at": (await importing.get(done))["updated_at"],
    }

    await age(service, shop, KEPT + timedelta(hours=1))
    await forget(service)
    found = await importing.get(done)
    assert found["forgotten_at"] is not None
    assert not any(samples_of(found))
    assert (found["version"], found["allowed_transitions"]) == (done["version"], [])
    assert [found["run"][word] for word in ("rows", "updated", "invalid")] == [8, 7, 1]
    after = await importing.rows(done)
    assert after == [{**row, "changes": {}} for row in before]


async def test_a_forgotten_import_is_not_taken_back(
    importing: Importing, service: ServiceHarness, shop: TenantId
) -> None:
    done = await importing.take_in(CONTENT)
    await age(service, shop, KEPT + timedelta(hours=1))
    await forget(service)
    answer = await importing.client.post(f"/v1/imports/{done['id']}/undo")
    assert (answer.status_code, answer.json()["code"]) == (409, "import_transition_not_allowed")
    assert answer.json()["allowed_transitions"] == []
    names = {customer["name"] for customer in await importing.customers()}
    assert names == {f"Khách {n}" for n in range(7)}


async def test_a_shop_is_listed_while_it_has_something_to_forget(
    importing: Importing, service: ServiceHarness, shop: TenantId
) -> None:
    units = service.context.units
    await importing.take_in(CONTENT)
    assert shop not in await units.tenants(TO_FORGET)
    await age(service, shop, KEPT + timedelta(hours=1))
    assert shop in await units.tenants(TO_FORGET)
    await forget(service)
    assert shop not in await units.tenants(TO_FORGET)


async def test_one_that_is_being_worked_on_waits(
    importing: Importing, service: ServiceHarness, shop: TenantId
) -> None:
    read = await importing.read(CONTENT)
    await importing.begin(read)
    await age(service, shop, KEPT + timedelta(hours=1))
    await forget(service)
    assert (await importing.get(read))["forgotten_at"] is None
    await importing.work()
    done = await importing.get(read)
    assert (done["status"], done["forgotten_at"]) == ("finished", None)
    assert (await importing.undo(done))["undo"]["removed"] == 7
