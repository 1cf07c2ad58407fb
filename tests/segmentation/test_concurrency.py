"""What goes on at once ends as if one thing had come after the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.stream.envelope import Envelope
from tests.segmentation.shop import Shop, Told, customer, order, ticket

LONG_ENOUGH = 0.15
BOTH = {
    "all": [
        {
            "orders": {
                "measure": "count",
                "where": {"field": "order.channel", "op": "eq", "value": "pos"},
                "op": "gte",
                "value": 1,
            }
        },
        {
            "tickets": {
                "measure": "count",
                "where": {"field": "ticket.priority", "op": "eq", "value": "urgent"},
                "op": "gte",
                "value": 1,
            }
        },
    ]
}


@asynccontextmanager
async def uncommitted(shop: Shop, *told: Told) -> AsyncIterator[UnitOfWork]:
    """A batch that is applied and not committed yet."""
    envelopes = [
        Envelope(
            tenant_id=shop.tenant,
            source="customer",
            position=0,
            id=new_id(),
            key=key,
            type=event.type,
            occurred_at=shop.clock.now(),
            data=event.model_dump(mode="json"),
            context={},
        )
        for key, event in told
    ]
    async with shop.service.context.units.begin(shop.tenant) as uow:
        await shop.service.handlers(uow, envelopes)
        yield uow


async def test_two_services_that_tell_of_one_customer_at_once(shop: Shop):
    await shop.add_segment("both", BOTH)
    who, known = customer()
    order_id, ticket_id = new_id(), new_id()
    await shop.hear((who, known), order(who, order_id=order_id))
    await shop.hear(ticket(who, ticket_id=ticket_id), source="support_ticket")

    # Neither changes a figure of the customer; only together they change the answer.
    async with uncommitted(shop, order(who, order_id=order_id, version=2, channel="pos")) as uow:
        urgent = ticket(who, ticket_id=ticket_id, version=2, priority="urgent")
        other = asyncio.create_task(shop.hear(urgent, source="support_ticket"))
        await asyncio.wait({other}, timeout=LONG_ENOUGH)
        await uow.commit()
    await other

    assert await shop.members("both") == {who}


async def test_a_segment_made_while_a_batch_is_applied_misses_nobody(shop: Shop):
    who, known = customer(city="Huế")

    async with uncommitted(shop, (who, known)) as uow:
        made = asyncio.create_task(
            shop.add_segment("hue", {"field": "profile.city", "op": "eq", "value": "Huế"})
        )
        await asyncio.wait({made}, timeout=LONG_ENOUGH)
        await uow.commit()
    await made

    assert await shop.members("hue") == {who}


async def test_time_that_passes_while_a_batch_is_applied_misses_nobody(shop: Shop):
    who, known = customer()

    async with uncommitted(shop, (who, known), order(who)) as uow:
        swept = asyncio.create_task(shop.pass_time(days=31))
        await asyncio.wait({swept}, timeout=LONG_ENOUGH)
        await uow.commit()
    await swept
    await shop.pass_time(seconds=5)

    assert await shop.members("new_customers") == set()


async def test_two_workers_share_the_work(shop: Shop):
    await shop.hear(*(customer(city="Huế") for _ in range(120)))
    body = {
        "key": "hue",
        "name": {"vi": "Huế", "en": "Huế"},
        "rule": {"field": "profile.city", "op": "eq", "value": "Huế"},
    }
    created = (await shop.call("POST", "/v1/segments", body)).json()

    await asyncio.gather(*(shop.finish_runs() for _ in range(3)))
    await shop.finish_runs()

    assert len(await shop.members("hue")) == 120
    job = await shop.get(f"/v1/jobs/{created['evaluation_job_id']}")
    assert (job["status"], job["done"]) == ("succeeded", 120)
    assert len([m for m in await shop.moves() if m[1] == "hue"]) == 120
