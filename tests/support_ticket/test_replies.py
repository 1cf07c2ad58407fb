"""What is said on a ticket, and who may see it."""

import asyncio

import pytest

from tests.support_ticket.clock import TestClock
from tests.support_ticket.shop import Shop

ASKED = {"subject": "Ấm bị rò", "text": "Ấm trà bị rò nước.", "type": "complaint"}


async def test_a_shopper_opens_a_ticket_that_is_their_own(shop: Shop) -> None:
    customer = await shop.knows(value_tier="gold")
    async with shop.shopper(customer) as shopper:
        response = await shopper.post("/v1/tickets", json={**ASKED, "channel": "phone"})
        assert response.status_code == 201, response.text
        created = response.json()
        listed = (await shopper.get("/v1/tickets")).json()["data"]
    assert created["customer_id"] == str(customer)
    assert created["channel"] == "web"
    assert [ticket["id"] for ticket in listed] == [created["id"]]
    # How the shop works inside is not the shopper's business.
    assert {created[n] for n in ("priority", "queue_id", "resolution_due_at")} == {None}
    assert created["allowed_transitions"] == []
    seen_by_staff = await shop.get(f"/v1/tickets/{created['id']}")
    assert seen_by_staff["priority"] is not None
    messages = await shop.get(f"/v1/tickets/{created['id']}/messages")
    assert messages["data"][0]["author"] == {
        "kind": "customer",
        "id": str(customer),
        "name": "Nguyễn Văn Đức",
    }


async def test_a_shopper_cannot_ask_in_another_name(shop: Shop) -> None:
    customer, other = await shop.knows(), await shop.knows()
    async with shop.shopper(customer) as shopper:
        response = await shopper.post(
            "/v1/tickets", json={**ASKED, "requester": {"customer_id": str(other)}}
        )
    assert response.status_code == 422
    assert response.json()["code"] == "requester_not_allowed"


async def test_another_shoppers_ticket_is_nowhere(shop: Shop) -> None:
    customer, other = await shop.knows(), await shop.knows()
    ticket = await shop.ticket(requester={"customer_id": str(other)})
    path = f"/v1/tickets/{ticket['id']}"
    async with shop.shopper(customer) as shopper:
        for response in (
            await shopper.get(path),
            await shopper.get(f"{path}/messages"),
            await shopper.post(f"{path}/replies", json={"text": "x"}),
        ):
            assert response.status_code == 404
        listed = await shopper.get(f"/v1/tickets?customer_id={other}")
        assert listed.json()["data"] == []


async def test_what_is_only_matched_by_address_is_not_shown_to_shoppers(shop: Shop) -> None:
    """Anybody may claim an address; that must not open somebody else's ticket to them."""
    claimant = await shop.knows(email="victim@example.com")
    ticket = await shop.ticket(requester={"contact": {"email": "victim@example.com"}})
    assert ticket["customer_id"] == str(claimant)
    async with shop.shopper(claimant) as shopper:
        assert (await shopper.get("/v1/tickets")).json()["data"] == []
        assert (await shopper.get(f"/v1/tickets/{ticket['id']}")).status_code == 404


async def test_a_shopper_may_only_talk(shop: Shop) -> None:
    customer = await shop.knows()
    ticket = await shop.ticket(requester={"customer_id": str(customer)})
    path = f"/v1/tickets/{ticket['id']}"
    async with shop.shopper(customer) as shopper:
        for response in (
            await shopper.patch(path, json={"urgency": "critical"}),
            await shopper.post(f"{path}/notes", json={"text": "x"}),
            await shopper.post(f"{path}/transitions", json={"to": "open"}),
            await shopper.post(f"{path}/resolution", json={"kind": "refund"}),
            await shopper.get(f"{path}/sla"),
            await shopper.get(f"{path}/episodes"),
            await shopper.get("/v1/queues"),
            await shopper.get("/v1/surveys"),
        ):
            assert response.status_code == 403, response.request.url
        for query in ("priority=urgent", "assignee=none"):
            assert (await shopper.get(f"/v1/tickets?{query}")).status_code == 403
        moved = await shopper.post(f"{path}/replies", json={"text": "x", "status": "on_hold"})
        assert moved.status_code == 422


async def test_scopes_are_needed(shop: Shop) -> None:
    ticket = await shop.ticket()
    path = f"/v1/tickets/{ticket['id']}"
    async with shop.service.client(shop.tenant, "tickets:read") as reader:
        assert (await reader.get(path)).status_code == 200
        assert (await reader.post(f"{path}/replies", json={"text": "x"})).status_code == 403
    # The shopper's scope says nothing for anybody else.
    async with shop.service.client(shop.tenant, "tickets:own") as impostor:
        assert (await impostor.get(path)).status_code == 403


@pytest.mark.capability(69)
async def test_notes_never_leave_the_shop(shop: Shop) -> None:
    customer = await shop.knows()
    agent = await shop.hires("Lan")
    ticket = await shop.ticket(requester={"customer_id": str(customer)})
    path = f"/v1/tickets/{ticket['id']}"
    told_before = len(await shop.told())
    async with shop.agent(agent) as lan:
        noted = await lan.post(f"{path}/notes", json={"text": "Khách khó tính"})
        assert noted.status_code == 201
        assert noted.json()["author"] == {"kind": "agent", "id": str(agent), "name": "Lan"}
        assert len(await shop.told()) == told_before
        await lan.post(f"{path}/replies", json={"text": "Dạ chào anh"})
        for_staff = (await lan.get(f"{path}/messages")).json()["data"]
    async with shop.shopper(customer) as shopper:
        for_shopper = (await shopper.get(f"{path}/messages")).json()["data"]
        seen = (await shopper.get(path)).text
    assert [m["kind"] for m in for_staff] == ["customer", "note", "reply"]
    assert [m["kind"] for m in for_shopper] == ["customer", "reply"]
    assert for_shopper[1]["author"] == {"kind": "agent", "id": None, "name": "Lan"}
    assert "khó tính" not in seen
    assert all("khó tính" not in str(told) for told in await shop.told())


async def test_a_note_does_not_change_the_ticket(shop: Shop, clock: TestClock) -> None:
    ticket = await shop.ticket()
    clock.advance(minutes=5)
    await shop.post(f"/v1/tickets/{ticket['id']}/notes", {"text": "x"}, 201)
    after = await shop.get(f"/v1/tickets/{ticket['id']}")
    assert after == ticket | {"customer": None}


async def test_an_agents_reply_goes_out_to_the_customer(shop: Shop) -> None:
    customer = await shop.knows(email="duc@example.com", locale="vi-VN")
    agent = await shop.hires("Lan")
    ticket = await shop.ticket(requester={"customer_id": str(customer)})
    async with shop.agent(agent) as lan:
        said = await lan.post(f"/v1/tickets/{ticket['id']}/replies", json={"text": "Dạ chào anh"})
    assert said.status_code == 201
    (told,) = await shop.told("support_ticket.ticket_replied")
    assert told["body"] == "Dạ chào anh"
    assert told["agent_name"] == "Lan"
    assert told["message_id"] == said.json()["id"]
    assert told["channel"] == "email"
    assert told["recipient"] == {
        "customer_id": str(customer),
        "name": "Nguyễn Văn Đức",
        "email": "duc@example.com",
        "phone": None,
        "locale": "vi-VN",
    }
    assert told["ticket"]["status"] == "open"
    assert told["ticket"]["first_responded_at"] is not None
    (updated,) = await shop.told("support_ticket.ticket_updated")
    assert updated["ticket"] == told["ticket"]


async def test_the_answer_goes_to_the_address_the_request_came_from(shop: Shop) -> None:
    customer = await shop.knows(email="old@example.com")
    requester = {
        "customer_id": str(customer),
        "contact": {"name": "Chị Hoa", "email": "work@example.com"},
    }
    ticket = await shop.ticket(requester=requester)
    await shop.post(f"/v1/tickets/{ticket['id']}/replies", {"text": "x"}, 201)
    (told,) = await shop.told("support_ticket.ticket_replied")
    assert (told["recipient"]["name"], told["recipient"]["email"]) == (
        "Chị Hoa",
        "work@example.com",
    )


async def test_a_reply_can_end_in_waiting_for_the_customer_who_then_wakes_it(shop: Shop) -> None:
    customer = await shop.knows()
    ticket = await shop.ticket(requester={"customer_id": str(customer)})
    path = f"/v1/tickets/{ticket['id']}"
    await shop.post(f"{path}/replies", {"text": "?", "status": "pending_customer"}, 201)
    assert (await shop.get(path))["status"] == "pending_customer"
    async with shop.shopper(customer) as shopper:
        await shopper.post(f"{path}/replies", json={"text": "Đây ạ"})
    assert (await shop.get(path))["status"] == "open"
    (told,) = (await shop.told("support_ticket.ticket_updated"))[-1:]
    assert told["ticket"]["status"] == "open"
    # The customer's own words are not sent back to them.
    assert len(await shop.told("support_ticket.ticket_replied")) == 1


async def test_nobody_answers_on_a_closed_ticket(shop: Shop) -> None:
    ticket = await shop.ticket()
    path = f"/v1/tickets/{ticket['id']}"
    await shop.resolve(ticket["id"])
    await shop.post(f"{path}/replies", {"text": "Chúc chị vui"}, 201)
    await shop.post(f"{path}/transitions", {"to": "closed"}, 200)
    refused = await shop.post(f"{path}/replies", {"text": "x"}, 409)
    assert refused["code"] == "ticket_has_ended"


async def test_one_key_sends_one_answer(shop: Shop) -> None:
    ticket = await shop.ticket()
    async with shop.api() as api:
        answers = await asyncio.gather(
            *(
                api.post(
                    f"/v1/tickets/{ticket['id']}/replies",
                    json={"text": "Dạ"},
                    headers={"Idempotency-Key": "once"},
                )
                for _ in range(4)
            )
        )
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1
    assert len(await shop.told("support_ticket.ticket_replied")) == 1


async def test_concurrent_answers_are_all_kept_and_the_first_one_counts_once(shop: Shop) -> None:
    ticket = await shop.ticket()
    path = f"/v1/tickets/{ticket['id']}"
    await asyncio.gather(*(shop.post(f"{path}/replies", {"text": str(n)}, 201) for n in range(5)))
    messages = (await shop.get(f"{path}/messages"))["data"]
    assert sorted(m["text"] for m in messages[1:]) == list("01234")
    told = await shop.told("support_ticket.ticket_replied")
    assert sorted(t["ticket"]["version"] for t in told) == [2, 3, 4, 5, 6]
    assert len(await shop.told("support_ticket.ticket_updated")) == 1


async def test_messages_page_oldest_first(shop: Shop, clock: TestClock) -> None:
    ticket = await shop.ticket()
    path = f"/v1/tickets/{ticket['id']}"
    for n in range(4):
        clock.advance(seconds=1)
        await shop.post(f"{path}/notes", {"text": str(n)}, 201)
    first = await shop.get(f"{path}/messages?limit=3")
    second = await shop.get(f"{path}/messages?limit=3&cursor={first['next_cursor']}")
    texts = [m["text"] for m in first["data"] + second["data"]]
    assert texts == ["Ấm trà bị rò nước.", "0", "1", "2", "3"]
    assert second["next_cursor"] is None
