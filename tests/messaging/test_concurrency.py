"""Several senders and several clicks at once: nothing doubles, no cap is overrun."""

import asyncio

import httpx

from services.messaging.delivery.service import Delivery
from services.messaging.delivery.smtp import SmtpConnections
from services.messaging.messages.records import PlannedMessage
from services.messaging.wiring import Wiring
from services.messaging.worker import build_delivery
from tests.messaging.world import World
from tests.support.outbound import LOOPBACK_ALLOWED
from tests.support.smtp import SmtpSink

SENDERS = 5


def senders(shop: World) -> list[Delivery]:
    """As many processes would have: each with connections of its own."""
    context = shop.service.context
    return [
        build_delivery(context, SmtpConnections(LOOPBACK_ALLOWED), Wiring.of(context))
        for _ in range(SENDERS)
    ]


async def send_at_once(shop: World) -> None:
    deliveries = senders(shop)
    await asyncio.gather(*(delivery.send_due(shop.tenant) for delivery in deliveries))
    for delivery in deliveries:
        await delivery._connections.close()


async def test_many_senders_send_each_message_once(shop: World, smtp: SmtpSink):
    customers = [shop.new_customer() for _ in range(120)]
    await shop.knows(*customers)
    await shop.enters(*customers)
    await send_at_once(shop)

    assert [len(smtp.to(c.email)) for c in customers] == [1] * len(customers)
    assert len(await shop.messages(status="sent")) == len(customers)


async def test_many_senders_keep_one_cap(shop: World, client: httpx.AsyncClient, smtp: SmtpSink):
    duc = await shop.customer()
    crowd = [shop.new_customer() for _ in range(60)]
    await shop.knows(*crowd)
    body = {
        "template": "thank_you_first_order",
        "to": {"customer_id": str(duc.customer_id)},
        "message_class": "advertising",
    }
    # Its messages lie in different batches, with other people's between them.
    for number in range(8):
        await client.post("/v1/messages", json=body)
        await shop.enters(*crowd[number * 7 : number * 7 + 7])
    await send_at_once(shop)

    assert len(smtp.to(duc.email)) == 3
    statuses = [m["status"] for m in await shop.messages(customer_id=duc.customer_id)]
    assert sorted(statuses) == ["sent"] * 3 + ["suppressed"] * 5


async def test_planning_the_same_from_many_sides_plans_once(shop: World, smtp: SmtpSink):
    duc = await shop.customer()
    entered = [shop.membership(duc.customer_id) for _ in range(5)]
    wiring = Wiring.of(shop.service.context)

    async def plan(membership) -> None:
        async with shop.service.context.units.begin(shop.tenant) as uow:
            planned = PlannedMessage(
                origin="automation",
                origin_id=shop.tenant,
                message_class="care",
                template_key="thank_you_first_order",
                customer_id=membership.customer_id,
            )
            await wiring.ledger(uow).plan([planned, planned])
            await uow.commit()

    await asyncio.gather(*(plan(membership) for membership in entered))
    await wiring.waker.drain()
    await shop.sends()
    assert len(smtp.to(duc.email)) == 1


async def test_many_clicks_at_once_are_told_of_once(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    duc = await shop.customer()
    await shop.enters(duc)
    await shop.sends()
    (mail,) = smtp.to(duc.email)
    path = mail["List-Unsubscribe"].strip("<>").removeprefix("https://care.example.com")
    async with shop.visitor() as visitor:
        clicks = [visitor.post(path, data={"List-Unsubscribe": "One-Click"}) for _ in range(8)]
        answers = await asyncio.gather(*clicks)

    assert {answer.status_code for answer in answers} == {200}
    assert len(await shop.told("messaging.recipient_unsubscribed")) == 1
    assert len((await client.get("/v1/suppressions")).json()["data"]) == 1
