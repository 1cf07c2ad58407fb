"""What people write to the shop: taken in once, linked to its sender, told of."""

from typing import Any

import httpx
import pytest

from tests.messaging.world import World

COMPLAINT = {
    "channel": "email",
    "external_id": "<CAF1@mail.example.com>",
    "conversation_ref": "thread-1",
    "sender": {"name": "Trần Thị Bình", "email": "binh@example.com"},
    "subject": "Đơn hàng thiếu",
    "text": "Đơn hàng của tôi bị thiếu một món.\nXin kiểm tra.",
}


async def test_an_inbound_message_is_told_of_with_everything_in_it(
    shop: World, client: httpx.AsyncClient
):
    response = await client.post("/v1/inbound-messages", json=COMPLAINT)
    assert response.status_code == 201
    message = response.json()

    (told,) = await shop.told("messaging.inbound_message_received")
    assert told["inbound_id"] == message["id"]
    assert told["external_id"] == "<CAF1@mail.example.com>"
    assert told["sender_email"] == "binh@example.com"
    assert told["text"] == COMPLAINT["text"]
    assert told["customer_id"] is None


async def test_the_same_external_id_twice_is_one_message(shop: World, client: httpx.AsyncClient):
    first = await client.post("/v1/inbound-messages", json=COMPLAINT)
    second = await client.post("/v1/inbound-messages", json={**COMPLAINT, "text": "khác"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    assert len(await shop.told("messaging.inbound_message_received")) == 1

    other_channel = {**COMPLAINT, "channel": "zalo"}
    assert (await client.post("/v1/inbound-messages", json=other_channel)).status_code == 201


async def test_the_sender_is_recognised_by_address_or_number(
    shop: World, client: httpx.AsyncClient
):
    by_mail = await shop.customer(email="Binh@Example.com")
    by_phone = await shop.customer(email=None, phone="+84912345678")

    mailed = (await client.post("/v1/inbound-messages", json=COMPLAINT)).json()
    sms = {"channel": "sms", "external_id": "1", "sender": {"phone": "0912 345 678"}, "text": "a"}
    texted = (await client.post("/v1/inbound-messages", json=sms)).json()

    assert mailed["customer_id"] == str(by_mail.customer_id)
    assert texted["customer_id"] == str(by_phone.customer_id)
    assert texted["sender"]["phone"] == "+84912345678"
    keys = [told["key"] for told in await shop.told("messaging.inbound_message_received")]
    assert keys == [by_mail.customer_id, by_phone.customer_id]


async def test_an_address_that_two_customers_share_recognises_neither(
    shop: World, client: httpx.AsyncClient
):
    await shop.knows(*[shop.new_customer(email="binh@example.com") for _ in range(2)])
    assert (await client.post("/v1/inbound-messages", json=COMPLAINT)).json()["customer_id"] is None


async def test_inbound_messages_are_listed_received_last_first(
    shop: World, client: httpx.AsyncClient
):
    customer = await shop.customer(email="binh@example.com")
    for number in range(3):
        await client.post("/v1/inbound-messages", json={**COMPLAINT, "external_id": str(number)})
    zalo = {"channel": "zalo", "external_id": "z", "text": "chào"}
    await client.post("/v1/inbound-messages", json=zalo)

    async def listed(**params: Any) -> list[str]:
        page = (await client.get("/v1/inbound-messages", params=params)).json()
        return [message["external_id"] for message in page["data"]]

    assert await listed() == ["z", "2", "1", "0"]
    assert await listed(channel="zalo") == ["z"]
    assert await listed(customer_id=str(customer.customer_id)) == ["2", "1", "0"]


async def test_nothing_was_received_that_is_yet_to_come(shop: World, client: httpx.AsyncClient):
    ahead = {**COMPLAINT, "received_at": "2126-03-01T02:00:00Z"}
    taken = (await client.post("/v1/inbound-messages", json=ahead)).json()
    assert taken["received_at"] == taken["created_at"]
    earlier = {**COMPLAINT, "external_id": "2", "received_at": "2026-03-01T02:00:00Z"}
    message = (await client.post("/v1/inbound-messages", json=earlier)).json()
    assert message["received_at"] == "2026-03-01T02:00:00Z"
    told = await shop.told("messaging.inbound_message_received")
    assert [event["received_at"] for event in told] == [
        taken["received_at"],
        message["received_at"],
    ]


async def test_handing_in_needs_its_scope(shop: World):
    async with shop.client("inbound:read") as reader:
        assert (await reader.post("/v1/inbound-messages", json=COMPLAINT)).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"channel": "pigeon"},
        {"external_id": ""},
        {"text": " "},
        {"text": "x" * 20_001},
        {"received_at": "2026-01-01T00:00:00"},
        {"sender": {"email": "no"}},
        {"unknown": 1},
    ],
)
async def test_a_malformed_message_is_refused(client: httpx.AsyncClient, change: dict[str, Any]):
    response = await client.post("/v1/inbound-messages", json={**COMPLAINT, **change})
    assert response.status_code == 422
