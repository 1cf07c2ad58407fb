"""What people write on channels, and the tickets it belongs to."""

import pytest

from tests.support_ticket.clock import TestClock
from tests.support_ticket.shop import Shop


async def tickets(shop: Shop) -> list[dict]:
    return (await shop.get("/v1/tickets"))["data"]


async def texts(shop: Shop, ticket_id: str) -> list[str]:
    return [m["text"] for m in (await shop.get(f"/v1/tickets/{ticket_id}/messages"))["data"]]


async def test_a_message_of_a_known_customer_opens_a_ticket(shop: Shop) -> None:
    customer = await shop.knows(value_tier="vip")
    await shop.hears(shop.message("Ấm bị rò", customer_id=customer, channel="zalo"))
    (ticket,) = await tickets(shop)
    assert ticket["customer_id"] == str(customer)
    assert ticket["channel"] == "zalo"
    assert ticket["subject"] == "Ấm bị rò"
    assert ticket["resolution_due_at"] is not None
    assert len(await shop.told("support_ticket.ticket_created")) == 1


@pytest.mark.capability(54)
async def test_the_same_message_twice_is_one_message(shop: Shop) -> None:
    message = shop.message("Ấm bị rò", external_id="zalo-17", channel="zalo")
    await shop.hears(message, message)
    await shop.hears(message)
    (ticket,) = await tickets(shop)
    assert await texts(shop, ticket["id"]) == ["Ấm bị rò"]
    counts = await shop.get("/v1/care-loop-counts")
    assert (counts["tickets"], counts["inbound_messages"]) == (1, 1)
    await shop.hears(shop.message("Khác", channel="sms"))  # The stream has not stopped over it.
    assert len(await tickets(shop)) == 2


async def test_the_same_id_on_another_channel_is_another_message(shop: Shop) -> None:
    await shop.hears(
        shop.message(external_id="17", channel="zalo"),
        shop.message(external_id="17", channel="sms"),
    )
    assert len(await tickets(shop)) == 2


@pytest.mark.parametrize("batches", [1, 5])
async def test_messages_of_a_new_contact_make_one_ticket(shop: Shop, batches: int) -> None:
    messages = [
        shop.message(f"Câu {n}", sender_email="Hoa@Example.com", sender_name="Hoa")
        for n in range(5)
    ]
    size = len(messages) // batches
    for start in range(0, len(messages), size):
        await shop.hears(*messages[start : start + size])
    (ticket,) = await tickets(shop)
    assert ticket["contact"]["email"] == "hoa@example.com"
    assert await texts(shop, ticket["id"]) == [f"Câu {n}" for n in range(5)]


async def test_a_message_goes_to_the_ticket_of_its_thread(shop: Shop) -> None:
    customer = await shop.knows()
    threads = {"customer_id": customer, "channel": "facebook"}
    await shop.hears(
        shop.message("Ấm", conversation_ref="a", **threads),
        shop.message("Chén", conversation_ref="b", **threads),
        shop.message("Ấm nữa", conversation_ref="a", **threads),
    )
    await shop.hears(shop.message("Chén nữa", conversation_ref="b", **threads))
    found = {t["subject"]: await texts(shop, t["id"]) for t in await tickets(shop)}
    assert found == {"Ấm": ["Ấm", "Ấm nữa"], "Chén": ["Chén", "Chén nữa"]}


async def test_an_e_mail_goes_to_the_ticket_that_is_answered_by_e_mail(shop: Shop) -> None:
    customer = await shop.knows(email="duc@example.com")
    ticket = await shop.ticket(channel="web", requester={"customer_id": str(customer)})
    await shop.post(
        f"/v1/tickets/{ticket['id']}/replies", {"text": "?", "status": "pending_customer"}, 201
    )
    await shop.hears(shop.message("Ấm đỏ", sender_email="DUC@example.com"))
    (found,) = await tickets(shop)
    assert found["status"] == "open"
    assert (await texts(shop, ticket["id"]))[-1] == "Ấm đỏ"


async def test_another_channel_is_another_ticket(shop: Shop) -> None:
    customer = await shop.knows()
    await shop.hears(
        shop.message("Ấm", customer_id=customer, channel="zalo"),
        shop.message("Chén", customer_id=customer, channel="facebook"),
    )
    assert len(await tickets(shop)) == 2


async def test_a_strangers_words_do_not_go_to_a_customers_ticket(shop: Shop) -> None:
    customer = await shop.knows()
    await shop.ticket(
        channel="email",
        requester={"customer_id": str(customer), "contact": {"email": "shared@example.com"}},
    )
    await shop.hears(shop.message("Tôi là ai?", sender_email="shared@example.com"))
    assert len(await tickets(shop)) == 2


@pytest.mark.capability(66)
async def test_writing_on_an_ended_ticket_reopens_it_within_the_time_and_not_after(
    shop: Shop, clock: TestClock
) -> None:
    customer = await shop.knows()
    thread = {"customer_id": customer, "conversation_ref": "a", "channel": "zalo"}
    await shop.hears(shop.message("Một", **thread))
    (first,) = await tickets(shop)
    await shop.resolve(first["id"])
    clock.advance(days=3)
    await shop.hears(shop.message("Hai", **thread))
    (reopened,) = await tickets(shop)
    assert (reopened["status"], reopened["episode"]) == ("open", 2)
    await shop.resolve(first["id"])
    clock.advance(days=15)
    await shop.hears(shop.message("Ba", **thread), shop.message("Bốn", **thread))
    second, _ = await tickets(shop)
    assert second["id"] != first["id"]
    assert await texts(shop, second["id"]) == ["Ba", "Bốn"]
    assert await texts(shop, first["id"]) == ["Một", "Hai"]


async def test_an_open_ticket_is_preferred_to_an_ended_one(shop: Shop, clock: TestClock) -> None:
    customer = await shop.knows()
    requester = {"customer_id": str(customer)}
    open_one = await shop.ticket(channel="zalo", requester=requester)
    clock.advance(minutes=1)
    ended = await shop.ticket(channel="zalo", requester=requester)
    await shop.resolve(ended["id"])
    await shop.hears(shop.message("Còn ấm?", customer_id=customer, channel="zalo"))
    assert (await texts(shop, open_one["id"]))[-1] == "Còn ấm?"


async def test_a_long_or_odd_message_is_taken_as_far_as_it_goes(shop: Shop) -> None:
    await shop.hears(
        shop.message("x\x00" * 30_000, subject="\x07 Rất\ndài " + "y" * 500, sender_phone="không"),
        shop.message(" ", sender_email="a@example.com"),
    )
    blank, long = await tickets(shop)
    if blank["contact"]["email"] is None:
        blank, long = long, blank
    assert len((await texts(shop, long["id"]))[0]) == 20_000
    assert long["subject"].startswith("Rất dài yyy")
    assert len(long["subject"]) == 300
    assert long["contact"]["phone"] is None
    assert blank["subject"] == "(…)"


async def test_a_stranger_who_becomes_a_customer_keeps_the_ticket(shop: Shop) -> None:
    await shop.hears(shop.message("Một", sender_phone="0912345678", channel="sms"))
    customer = await shop.knows(phone="+84912345678")
    await shop.hears(shop.message("Hai", sender_phone="0912345678", channel="sms"))
    (ticket,) = await tickets(shop)
    assert ticket["customer_id"] == str(customer)
    assert await texts(shop, ticket["id"]) == ["Một", "Hai"]


async def test_two_shops_take_the_same_message_each_for_itself(
    shop: Shop, other_shop: Shop
) -> None:
    for one in (shop, other_shop):
        await one.hears(one.message("Xin chào", external_id="same", conversation_ref="same"))
        assert len(await tickets(one)) == 1
