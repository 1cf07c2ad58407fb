"""One person with several records: a ticket keeps the id it came with and shows the person."""

from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.contracts.segmentation import Membership, SegmentEntered
from shared.ids import new_id
from shared.security.principal import Visibility
from tests.support_ticket.shop import Shop


@pytest.fixture
async def couple(shop: Shop) -> tuple[UUID, UUID]:
    """A record of the till and one of the web shop, whose customer is worth more."""
    till = await shop.knows(name="Đức", email="duc@till.vn", code="KH000001")
    web = await shop.knows(
        name="Nguyễn Đức", email="duc@web.vn", code="KH000002", value_tier="vip", locale="en"
    )
    return till, web


async def merge(shop: Shop, till: UUID, web: UUID, **till_now: Any) -> None:
    await shop.merges(till, web, name="Đức", email="duc@till.vn", **till_now)


async def part(shop: Shop, till: UUID) -> None:
    await shop.parts(till, name="Đức", email="duc@till.vn")


async def ticket_of(shop: Shop, customer_id: UUID, **wanted: Any) -> dict[str, Any]:
    return await shop.ticket(requester={"customer_id": str(customer_id)}, **wanted)


async def listed(shop: Shop, customer_id: UUID) -> list[str]:
    found = await shop.get(f"/v1/tickets?customer_id={customer_id}&limit=50")
    return [ticket["id"] for ticket in found["data"]]


async def customer_on(shop: Shop, ticket: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = (await shop.get(f"/v1/tickets/{ticket['id']}"))["customer"]
    return shown


async def enters(shop: Shop, customer_id: UUID, key: str) -> None:
    membership = Membership(
        segment_id=new_id(),
        segment_key=key,
        segment_name=key,
        rule_version=1,
        customer_id=customer_id,
        at=shop.service.context.clock.now(),
        reason="rule",
    )
    event = SegmentEntered(membership=membership)
    await shop.service.receive(shop.tenant, "segmentation", [(customer_id, event)])


async def test_a_ticket_shows_who_stands_for_its_customer_and_keeps_its_own_id(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    ticket, other = await ticket_of(shop, till), await ticket_of(shop, web)
    await enters(shop, web, "gold")
    await merge(shop, till, web)
    read = await shop.get(f"/v1/tickets/{ticket['id']}")
    assert read["customer_id"] == str(till)
    shown = read["customer"]
    assert (shown["id"], shown["name"], shown["value_tier"]) == (str(web), "Nguyễn Đức", "vip")
    assert ([s["key"] for s in shown["segments"]], shown["open_tickets"]) == (["gold"], 2)
    assert await customer_on(shop, other) == shown

    await part(shop, till)
    shown = await customer_on(shop, ticket)
    assert (shown["id"], shown["name"], shown["segments"]) == (str(till), "Đức", [])
    assert shown["open_tickets"] == 1


async def test_any_id_of_a_person_lists_all_their_tickets_newest_first(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    tickets = [await ticket_of(shop, each) for each in (till, web, till, web)]
    newest_first = [ticket["id"] for ticket in reversed(tickets)]
    assert await listed(shop, till) == newest_first[1::2]
    await merge(shop, till, web)
    assert await listed(shop, till) == await listed(shop, web) == newest_first
    since = await ticket_of(shop, till)
    assert (await listed(shop, web))[0] == since["id"]

    first = await shop.get(f"/v1/tickets?customer_id={till}&limit=2")
    rest = await shop.get(f"/v1/tickets?customer_id={till}&limit=9&cursor={first['next_cursor']}")
    pages = [ticket["id"] for page in (first, rest) for ticket in page["data"]]
    assert pages == [since["id"], *newest_first]

    await part(shop, till)
    assert await listed(shop, till) == [since["id"], *newest_first[1::2]]
    assert await listed(shop, web) == newest_first[::2]


async def test_a_list_of_one_persons_tickets_takes_other_filters_too(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    await merge(shop, till, web)
    complaint = await ticket_of(shop, till, type="complaint")
    await ticket_of(shop, web, type="question")
    found = await shop.get(f"/v1/tickets?customer_id={web}&type=complaint")
    assert [ticket["id"] for ticket in found["data"]] == [complaint["id"]]


async def test_a_new_ticket_is_ranked_by_who_stands_for_its_customer(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    worth = await ticket_of(shop, web, type="complaint", urgency="high")
    ordinary = await ticket_of(shop, till, type="complaint", urgency="high")
    assert ordinary["priority"] != worth["priority"]
    await merge(shop, till, web)
    ranked = await ticket_of(shop, till, type="complaint", urgency="high")
    assert (ranked["priority"], ranked["customer_id"]) == (worth["priority"], str(till))
    assert ranked["resolution_due_at"] == worth["resolution_due_at"]
    await part(shop, till)
    again = await ticket_of(shop, till, type="complaint", urgency="high")
    assert again["priority"] == ordinary["priority"]


async def test_another_type_ranks_a_ticket_by_who_stands_for_its_customer(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    ticket = await ticket_of(shop, till, type="question", urgency="high")
    await merge(shop, till, web)
    worth = await ticket_of(shop, web, type="complaint", urgency="high")
    async with shop.api() as api:
        changed = await api.patch(f"/v1/tickets/{ticket['id']}", json={"type": "complaint"})
    assert changed.json()["priority"] == worth["priority"]


async def test_an_answer_and_a_survey_go_to_who_stands_for_the_customer(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    ticket = await ticket_of(shop, till)
    await merge(shop, till, web)
    await shop.post(f"/v1/tickets/{ticket['id']}/replies", {"text": "Chào anh"}, 201)
    await shop.resolve(ticket["id"])
    [replied] = await shop.told("support_ticket.ticket_replied")
    [invited] = await shop.told("support_ticket.survey_invited")
    for told in (replied, invited):
        to = told["recipient"]
        assert (to["customer_id"], to["email"], to["locale"]) == (str(till), "duc@web.vn", "en")


async def test_a_persons_words_by_either_address_go_on_with_their_ticket(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    await merge(shop, till, web)
    await shop.hears(shop.message("Ấm bị rò", sender_email="duc@till.vn"))
    await shop.hears(shop.message("Còn nữa", sender_email="duc@web.vn"))
    [ticket] = (await shop.get("/v1/tickets"))["data"]
    assert ticket["customer_id"] == str(till)
    messages = (await shop.get(f"/v1/tickets/{ticket['id']}/messages"))["data"]
    assert [message["text"] for message in messages] == ["Ấm bị rò", "Còn nữa"]
    await part(shop, till)
    await shop.hears(shop.message("Tôi là ai", sender_email="duc@web.vn"))
    assert len(await listed(shop, web)) == 1


async def test_an_address_of_two_records_is_nobodys_until_they_are_one_person(shop: Shop) -> None:
    first, second, third = [await shop.knows(email="both@example.com") for _ in range(3)]
    contact = {"contact": {"email": "both@example.com"}}
    assert (await shop.ticket(requester=contact))["customer_id"] is None
    await shop.merges(first, third, email="both@example.com")
    assert (await shop.ticket(requester=contact))["customer_id"] is None
    await shop.merges(second, third, email="both@example.com")
    # The tickets that waited find their customer, too.
    assert len(await listed(shop, first)) == 2
    assert (await shop.ticket(requester=contact))["customer_id"] == str(third)


async def test_an_e_mail_address_counts_more_than_a_phone_of_somebody_else(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    await shop.knows(phone="+84912345678", code="KH000003")
    await merge(shop, till, web)
    contact = {"email": "duc@till.vn", "phone": "0912345678"}
    assert (await shop.ticket(requester={"contact": contact}))["customer_id"] == str(till)


async def test_a_shopper_sees_the_tickets_of_all_their_records(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    ticket = await ticket_of(shop, till)
    async with shop.shopper(web) as shopper:
        assert (await shopper.get(f"/v1/tickets/{ticket['id']}")).status_code == 404
        await merge(shop, till, web)
        assert (await shopper.get(f"/v1/tickets/{ticket['id']}")).status_code == 200
        seen = (await shopper.get("/v1/tickets")).json()["data"]
        assert [each["id"] for each in seen] == [ticket["id"]]
        own = (await shopper.get(f"/v1/tickets?customer_id={till}")).json()["data"]
        assert [each["id"] for each in own] == [ticket["id"]]
        said = await shopper.post(f"/v1/tickets/{ticket['id']}/replies", json={"text": "Alô"})
        assert said.status_code == 201
        await part(shop, till)
        assert (await shopper.get(f"/v1/tickets/{ticket['id']}")).status_code == 404
        assert (await shopper.get("/v1/tickets")).json()["data"] == []


async def test_a_colleague_who_sees_their_own_lists_a_persons_tickets_among_them(
    shop: Shop, couple: tuple[UUID, UUID]
) -> None:
    till, web = couple
    lan = await shop.hires("Lan")
    theirs = await ticket_of(shop, till)
    assert theirs["assignee_id"] == str(lan)
    mai = await shop.hires("Mai")
    others = await ticket_of(shop, web)
    async with shop.api() as api:
        await api.patch(f"/v1/tickets/{others['id']}", json={"assignee_id": str(mai)})
    await merge(shop, till, web)
    async with shop.agent(lan, visibility=Visibility.OWN) as agent:
        found = (await agent.get(f"/v1/tickets?customer_id={web}")).json()["data"]
    assert [each["id"] for each in found] == [theirs["id"]]


async def test_of_several_merged_records_one_leaves_with_their_tickets(shop: Shop) -> None:
    root, first, second = [
        await shop.knows(code=f"KH{n:06}", name=name) for n, name in enumerate("ABC")
    ]
    tickets = [await ticket_of(shop, each) for each in (first, second)]
    for each, name in ((first, "B"), (second, "C")):
        await shop.merges(each, root, name=name)
    assert len(await listed(shop, root)) == 2
    await shop.parts(first, name="B")
    assert await listed(shop, first) == [tickets[0]["id"]]
    assert await listed(shop, second) == await listed(shop, root) == [tickets[1]["id"]]
    assert (await customer_on(shop, tickets[0]))["name"] == "B"
    assert (await customer_on(shop, tickets[1]))["name"] == "A"


async def test_a_chain_ends_with_one_and_comes_apart_again(shop: Shop) -> None:
    first, second, third = [
        await shop.knows(code=f"KH{n:06}", name=name) for n, name in enumerate("ABC")
    ]
    ticket = await ticket_of(shop, first)
    await shop.merges(first, second, name="A")
    await shop.merges(second, third, name="B")
    await shop.merges(first, third, name="A", version=3)
    assert (await customer_on(shop, ticket))["name"] == "C"
    for each in (first, second, third):
        assert await listed(shop, each) == [ticket["id"]]
    await shop.parts(second, name="B")
    await shop.parts(first, second, name="A", version=4)
    assert (await customer_on(shop, ticket))["name"] == "B"
    assert await listed(shop, third) == []


@pytest.mark.parametrize("arrival", list(permutations(range(3))))
async def test_late_and_repeated_events_do_no_harm(shop: Shop, arrival: tuple[int, ...]) -> None:
    till, web = await shop.knows(code="KH1", name="Till"), await shop.knows(name="Web")
    ticket = await ticket_of(shop, till)
    for place in (*arrival, arrival[0]):
        match place:
            case 0:
                await shop.merges(till, web, version=5, name="Till")
            case 1:
                await shop.parts(till, version=6, name="Till")
            case _:
                await shop.merges(till, web, version=7, name="Till")
    assert (await customer_on(shop, ticket))["name"] == "Web"
    await shop.parts(till, version=8, name="Till")
    await shop.merges(till, web, version=7, name="Till")
    assert (await customer_on(shop, ticket))["name"] == "Till"


async def test_a_customer_of_the_previous_release_stands_for_itself(shop: Shop) -> None:
    old = new_id()
    async with shop.service.context.units.begin(shop.tenant) as uow:
        await uow.execute(
            text(
                "INSERT INTO support_ticket.customer (tenant_id, id, version, code, name, "
                "value_tier) VALUES (:tenant, :id, 1, 'KH000007', 'Cũ', 'gold')"
            ),
            {"tenant": shop.tenant, "id": old},
        )
        await uow.commit()
    ticket = await ticket_of(shop, old)
    assert await listed(shop, old) == [ticket["id"]]
    shown = await customer_on(shop, ticket)
    assert (shown["id"], shown["value_tier"]) == (str(old), "gold")
