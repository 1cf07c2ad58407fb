"""Erasures while the same people are merged, parted and told of: nobody half gone, nobody back."""

import asyncio
from uuid import UUID

import pytest

from services.customer.erased.identities import IdentityDigests
from services.customer.privacy.erasing import Erasing
from services.customer.privacy.wiring import customer_privacy
from shared.contracts.gateway import PlatformIdentity
from shared.ids import new_id
from shared.security.keys import SecretBox
from tests.customer.merging import Merging
from tests.customer.told import later, platform_customer, platform_order
from tests.support.locks import somebody_waits


@pytest.fixture
def people(client) -> Merging:
    return Merging(client)


@pytest.fixture
def asked_to_erase(client):
    """Where to post for somebody to be erased at once."""

    async def asked(customer):
        body = {"kind": "erasure", "customer_id": customer["id"]}
        made = (await client.post("/v1/privacy-requests", json=body)).json()
        where = f"/v1/privacy-requests/{made['id']}"
        checked = await client.post(f"{where}/identity-check", json={"method": "in_person"})
        assert checked.status_code == 200, checked.text
        return f"{where}/execution"

    return asked


async def test_who_is_erased_while_they_are_merged_is_erased_whole_or_alone(
    client, people, asked_to_erase
):
    for _ in range(4):
        stays, gone = await people.make(name="An"), await people.make(name="Bo")
        execution = await asked_to_erase(gone)
        merged, erased = await asyncio.gather(
            people.try_to_merge(stays, gone), client.post(execution)
        )
        assert erased.status_code == 202
        one, other = await people.read(stays), await people.read(gone)
        assert other["erased_at"] is not None
        if merged.status_code == 201:
            assert (one["id"], one["name"]) == (other["id"], None)
        else:
            assert (merged.status_code, merged.json()["code"]) == (409, "customer_erased")
            assert (one["erased_at"], one["name"]) == (None, "An")


async def test_who_is_erased_while_they_part_is_erased_whole_or_alone(
    client, people, asked_to_erase
):
    for _ in range(4):
        stays, other = await people.make(name="An"), await people.make(name="Bo")
        merged = await people.merge(stays, other)
        execution = await asked_to_erase(stays)
        undone, erased = await asyncio.gather(
            client.post(f"/v1/merges/{merged['id']}/undo"), client.post(execution)
        )
        assert erased.status_code == 202
        assert (await people.read(stays))["name"] is None
        left = await people.read(other)
        if undone.status_code == 200:
            assert (left["id"], left["name"]) == (other["id"], "Bo")
        else:
            assert (undone.status_code, undone.json()["code"]) == (409, "customer_erased")
            assert (left["id"], left["name"]) == (stays["id"], None)


async def test_a_delivery_that_waits_for_an_erasure_brings_nothing_back(client, service, shop):
    buyer = PlatformIdentity(external_id="77", name="Lan", email="lan@example.com")
    await service.receive(shop, "gateway", [platform_order("1", buyer=buyer)])
    [customer] = (await client.get("/v1/customers")).json()["data"]
    news = [
        platform_customer("77", name="Lan Nguyễn", tags=("vip",), changed_at=later(days=1)),
        platform_order("2", buyer=buyer),
    ]
    units = service.context.units
    async with units.begin(shop) as uow:
        erasing = Erasing(
            uow=uow,
            privacy=customer_privacy(service.context.settings.root_key),
            secrets=SecretBox(service.context.settings.root_key),
            digests=IdentityDigests(service.context.settings.root_key),
        )
        await erasing.order(new_id(), UUID(customer["id"]))
        delivered = asyncio.create_task(service.receive(shop, "gateway", news))
        await somebody_waits(units, shop, delivered)
        assert not delivered.done()
        await uow.commit()
    await delivered
    [left] = (await client.get("/v1/customers")).json()["data"]
    assert (left["id"], left["name"], left["tags"]) == (customer["id"], None, [])
    assert left["orders_count"] == 2
    told = await service.told(shop, "customer.updated")
    after = max((each["customer"] for each in told), key=lambda state: state["version"])
    assert (after["name"], after["email"], after["tags"]) == (None, None, [])
    held = await client.get(f"/v1/customers/{customer['id']}/identities")
    assert held.json()["data"] == []
