"""What this service keeps of other services' objects, from their events."""

import asyncio
from datetime import timedelta

from services.support_ticket.deps import ticket_service
from services.support_ticket.tickets.callers import Caller
from services.support_ticket.tickets.schemas import TicketCreate
from shared.contracts.customer import CustomerState, CustomerUpdated
from shared.contracts.segmentation import Membership, SegmentEntered, SegmentLeft
from shared.ids import new_id
from shared.security.principal import PrincipalKind
from tests.support_ticket.clock import MONDAY
from tests.support_ticket.shop import Shop


async def seen_on_a_ticket(shop: Shop, customer) -> dict:
    ticket = await shop.ticket(requester={"customer_id": str(customer)})
    return (await shop.get(f"/v1/tickets/{ticket['id']}"))["customer"]


async def test_an_older_state_of_a_customer_never_wins(shop: Shop) -> None:
    customer = await shop.knows(version=5, name="Mới", value_tier="vip")
    await shop.knows(customer, version=4, name="Cũ", value_tier="standard")
    await shop.knows(customer, version=5, name="Lại", value_tier="standard")
    seen = await seen_on_a_ticket(shop, customer)
    assert (seen["name"], seen["value_tier"]) == ("Mới", "vip")


async def test_of_several_states_in_one_batch_the_newest_wins(shop: Shop) -> None:
    customer = new_id()
    events = [
        (
            customer,
            CustomerUpdated(
                customer=CustomerState(
                    customer_id=customer,
                    version=version,
                    code="KH000009",
                    stage="customer",
                    name=f"Bản {version}",
                    source="shopify",
                    created_at=MONDAY,
                    updated_at=MONDAY,
                )
            ),
        )
        for version in (2, 3, 1)
    ]
    await shop.service.receive(shop.tenant, "customer", events)
    assert (await seen_on_a_ticket(shop, customer))["name"] == "Bản 3"


async def test_segments_follow_entries_and_exits_whatever_their_order(shop: Shop) -> None:
    customer, happy, angry = await shop.knows(), new_id(), new_id()

    def move(event, segment, key: str, minute: int):
        membership = Membership(
            segment_id=segment,
            segment_key=key,
            segment_name=key.title(),
            rule_version=1,
            customer_id=customer,
            at=MONDAY + timedelta(minutes=minute),
            reason="rule",
        )
        return customer, event(membership=membership)

    await shop.service.receive(
        shop.tenant,
        "segmentation",
        [
            move(SegmentEntered, angry, "angry", 1),
            move(SegmentLeft, angry, "angry", 3),
            move(SegmentEntered, happy, "happy", 4),
        ],
    )
    late = [move(SegmentEntered, angry, "angry", 2)]
    await shop.service.receive(shop.tenant, "segmentation", late)
    assert (await seen_on_a_ticket(shop, customer))["segments"] == [
        {"id": str(happy), "key": "happy", "name": "Happy"}
    ]


async def test_provisioning_twice_gives_one_of_everything(shop: Shop) -> None:
    await shop.open(version=2, name="Tên mới")
    for path in ("/v1/business-calendars", "/v1/sla-policies", "/v1/queues"):
        assert len((await shop.get(path))["data"]) == 1


async def test_staff_who_came_before_their_shop_take_tickets(service, tenant) -> None:
    early = Shop(service, tenant)
    agent = await early.hires("Lan")
    await early.open()
    assert (await early.ticket())["assignee_id"] == str(agent)


async def test_customers_of_two_shops_with_one_address_stay_apart(
    shop: Shop, other_shop: Shop
) -> None:
    await other_shop.knows(email="duc@example.com")
    ticket = await shop.ticket(requester={"contact": {"email": "duc@example.com"}})
    assert ticket["customer_id"] is None
    await shop.knows(email="duc@example.com")
    other = await other_shop.get("/v1/tickets")
    assert other["data"] == []


async def test_a_ticket_and_its_customer_that_arrive_together_find_each_other(shop: Shop) -> None:
    """The ticket was looking for its customer before they were there, and commits after."""
    context = shop.service.context
    async with context.units.begin(shop.tenant) as uow:
        asked = TicketCreate.model_validate(
            {
                "subject": "Ấm",
                "text": "Ấm bị rò",
                "requester": {"contact": {"email": "new@example.com"}},
            }
        )
        service = await ticket_service(uow, context, None)
        ticket = await service.open(asked, Caller(PrincipalKind.API_KEY, "test", None))
        arriving = asyncio.create_task(shop.knows(email="new@example.com"))
        done, _ = await asyncio.wait({arriving}, timeout=0.3)
        assert not done  # Waits for whoever is looking.
        await uow.commit()
    customer = await arriving
    linked = await shop.get(f"/v1/tickets/{ticket.id}")
    assert linked["customer_id"] == str(customer)
