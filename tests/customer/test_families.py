"""Who stands for whom: one person, many records."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from services.customer.customers.errors import CustomerNotFound
from services.customer.families.family import Families
from shared.ids import new_id

_MERGE = text(
    "UPDATE customer.customer SET parent_id = :root, merged_into = :root "
    "WHERE tenant_id = :tenant AND id = :id"
)


@pytest.fixture
async def people(client):
    """Three records."""
    made = [await client.post("/v1/customers", json={"name": name}) for name in ("An", "Bo", "Ca")]
    return [UUID(answer.json()["id"]) for answer in made]


async def _merge(uow, record, root):
    await uow.execute(_MERGE, {"tenant": uow.tenant_id, "id": record, "root": root})


async def test_any_member_leads_to_its_family(service, shop, people):
    first, second, other = people
    async with service.context.units.begin(shop) as uow:
        await _merge(uow, second, first)
        families = Families(uow)

        by_member, by_root = await families.of(second), await families.of(first)
        assert by_member == by_root
        assert by_root.root_id == first
        assert set(by_root.member_ids) == {first, second}
        assert len((await families.of(other)).member_ids) == 1


async def test_ids_that_nobody_has_lead_nowhere(service, shop, people):
    async with service.context.units.begin(shop) as uow:
        nobody = new_id()
        assert await Families(uow).roots([nobody]) == {}
        for find in (Families(uow).of, Families(uow).lock):
            with pytest.raises(CustomerNotFound):
                await find(nobody)


async def test_who_waits_for_a_family_gets_the_one_that_there_is_then(service, shop, people):
    first, second, _ = people
    async with service.context.units.begin(shop) as merging:
        await Families(merging).lock(second)
        async with service.context.units.begin(shop) as waiting:
            locking = asyncio.create_task(Families(waiting).lock(second))
            await _merge(merging, second, first)
            await merging.commit()
            family = await locking
    assert family.root_id == first
    assert len(family.member_ids) == 2
