"""Two records become one person and part again, on real processes, seen by every service."""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from cli.demo.client import Api, until
from cli.demo.payloads import (
    Delivery,
    Shopper,
    shopify_customer_created,
    shopify_order_created,
)
from cli.demo.shop import Shop, open_shop
from cli.mail_catcher import caught
from tests.support.house import House

Json = dict[str, Any]
ORDER = 1_250_000
"""What each order of these deliveries comes to, in đ."""

SPENT_MUCH, BOUGHT_THRICE = "spent_much", "bought_thrice"


class TwoRecords:
    """A shop in which one person is known twice, by two addresses and accounts."""

    def __init__(self, house: House, http: httpx.AsyncClient, shop: Shop) -> None:
        self._house = house
        self._http = http
        self._shop = shop
        self.api = Api(http, shop.api_key)
        token = secrets.token_hex(4)
        first = Shopper(
            name="Lê Thị An",
            email=f"an.{token}@example.com",
            phone="0912 000 001",
            shopify_id=7_000_000_000_000 + secrets.randbelow(10**9),
        )
        other = Shopper(
            name="Le An",
            email=f"le.an.{token}@example.com",
            phone="0912 000 002",
            shopify_id=first.shopify_id + 1,
        )
        self.people = (first, other)
        self._orders = secrets.randbelow(10**9) * 10

    async def prepare(self) -> None:
        """Points, segments, messages to who enters them, and room for three messages a day."""
        automations = await until(
            lambda: self.api.get("/v1/automations"),
            lambda page: page["data"],
            what="the shop's defaults in messaging",
        )
        await until(
            lambda: self.api.get("/v1/queues"), lambda page: page["data"], what="the queues"
        )
        await until(
            lambda: self.api.get("/v1/segments"),
            lambda page: len(page["data"]) >= 2,
            what="the default segments",
        )
        await self.send(
            "PUT",
            "/v1/loyalty/programme",
            {
                "name": "An",
                "starts_at": "2020-01-01T00:00:00Z",
                "point_value": vnd(100),
                "hold_days": 0,
                "expires_after_months": None,
            },
        )
        await self.api.post(
            "/v1/loyalty/rules", {"kind": "order", "points": 1, "per_amount": vnd(10_000)}
        )
        thanks = automations["data"][0]["template"]
        for key, measure in (
            (SPENT_MUCH, {"measure": "sum_total", "op": "gte", "value": vnd(2 * ORDER)}),
            (BOUGHT_THRICE, {"measure": "count", "op": "gte", "value": 3}),
        ):
            name = {"vi": key, "en": key}
            await self.api.post(
                "/v1/segments", {"key": key, "name": name, "rule": {"orders": measure}}
            )
            body = {"key": f"after_{key}", "name": key, "segment_key": key, "template": thanks}
            await self.api.post("/v1/automations", body)

    async def send(self, method: str, path: str, body: Json) -> Json:
        headers = {"authorization": f"Bearer {self._shop.api_key}"}
        answer = await self._http.request(method, path, json=body, headers=headers)
        assert answer.is_success, answer.text
        told: Json = answer.json()
        return told

    async def deliver(self, delivery: Delivery) -> None:
        path = f"/v1/hooks/shopify/{self._shop.connection('shopify').id}"
        answer = await self._http.post(path, content=delivery.body, headers=delivery.headers)
        assert answer.is_success, answer.text

    async def order(self, who: int) -> None:
        """An order of the account of one of the records."""
        self._orders += 1
        secret = self._shop.connection("shopify").secret
        person = replace(self.people[who], phone="")
        delivery = shopify_order_created(person, secret, order_id=self._orders)
        await self.deliver(delivery)

    async def meet(self, who: int) -> str:
        """Have the shop know one of the records by an account and an order; its id."""
        secret = self._shop.connection("shopify").secret
        await self.deliver(shopify_customer_created(self.people[who], secret))
        await self.order(who)
        page = await until(
            lambda: self.api.get("/v1/customers", q=self.people[who].email),
            lambda found: found["data"] and found["data"][0]["orders_count"] == 1,
            what="a customer with an order",
        )
        customer_id: str = page["data"][0]["id"]
        return customer_id

    async def segments(self, customer_id: str) -> set[tuple[str, str]]:
        page = await self.api.get("/v1/segment-memberships", customer_id=customer_id)
        return {(each["segment_key"], each["customer_id"]) for each in page["data"]}

    async def is_in(self, customer_id: str, *keys: str) -> None:
        """Wait until somebody belongs to these segments, and to no other of ours."""
        await until(
            lambda: self.segments(customer_id),
            lambda found: {k for k, _ in found} & {SPENT_MUCH, BOUGHT_THRICE} == set(keys),
            what=f"belongs to {keys}",
        )

    async def listed(self, kind: str, customer_id: str, **query: str) -> list[Json]:
        page = await self.api.get(f"/v1/{kind}", customer_id=customer_id, **query)
        found: list[Json] = page["data"]
        return found

    async def became_of(self, customer_id: str, segment: str) -> Json:
        """What became of the one message to who entered a segment."""
        automations = (await self.api.get("/v1/automations"))["data"]
        [own] = [each["id"] for each in automations if each["segment_key"] == segment]
        [message] = await until(
            lambda: self.listed("messages", customer_id, origin_id=own),
            lambda found: found and all(each["finished_at"] for each in found),
            what="the message of an automation",
        )
        return message

    async def points(self, customer_id: str) -> int:
        account = await self.api.get(f"/v1/loyalty/accounts/{customer_id}")
        available: int = account["available"]
        return available

    async def unsubscribe(self, url: str) -> None:
        """One click in a mail program."""
        answer = await self._http.post(url, data={"List-Unsubscribe": "One-Click"})
        assert answer.is_success, answer.text

    async def picture(self, customer_ids: tuple[str, ...]) -> list[Any]:
        """Where they belong and since when, their tickets, and what became of their messages."""
        found: list[Any] = []
        for customer_id in customer_ids:
            page = await self.api.get("/v1/segment-memberships", customer_id=customer_id)
            found.append(
                [(m["segment_key"], m["customer_id"], m["entered_at"]) for m in page["data"]]
            )
            for kind, names in (
                ("tickets", ("id", "customer_id", "customer")),
                ("messages", ("id", "customer_id", "status", "reason")),
            ):
                listed = await self.listed(kind, customer_id)
                found.append([[each.get(name) for name in names] for each in listed])
        return found

    async def thanks_to(self, who: int) -> list[EmailMessage]:
        mails = caught(self._house.mail.folder)
        return [
            m for m in mails if self.people[who].email in str(m["To"]) and m["List-Unsubscribe"]
        ]


def vnd(amount: int) -> Json:
    return {"amount": str(amount), "currency": "VND"}


@pytest.fixture
async def records(house: House) -> AsyncIterator[TwoRecords]:
    async with httpx.AsyncClient(base_url=house.base_url, timeout=30, trust_env=False) as http:
        slug = f"merged-{secrets.token_hex(5)}"
        shop = await open_shop(http, operator_key=house.operator_key, name="An", slug=slug)
        records = TwoRecords(house, http, shop)
        await records.prepare()
        yield records


@pytest.mark.parametrize("house", ["all_in_one"], indirect=True)
@pytest.mark.capability(121)
async def test_a_person_of_two_records_is_one_everywhere_until_they_part(
    records: TwoRecords,
) -> None:
    api = records.api
    stays, other = await records.meet(0), await records.meet(1)
    both = (stays, other)
    for who in (0, 1):
        await until(lambda w=who: records.thanks_to(w), bool, what="thanks for an order")
    ticket_of: dict[str, str] = {}
    for customer_id in both:
        asked = {"subject": "Đổi cỡ", "text": "Áo chật", "requester": {"customer_id": customer_id}}
        ticket_of[customer_id] = (await api.post("/v1/tickets", asked))["id"]

    # Together they have spent so much that the person belongs, and is told so once.
    merged = await api.post(f"/v1/customers/{stays}/merges", {"customer_ids": [other]})
    for customer_id in both:
        await records.is_in(customer_id, SPENT_MUCH)
    assert {of for _, of in await records.segments(other)} == {stays}
    assert (await records.became_of(stays, SPENT_MUCH))["status"] == "sent"
    for customer_id in both:
        tickets = await until(
            lambda c=customer_id: records.listed("tickets", c),
            lambda found: len(found) == 2,
            what="the tickets of both",
        )
        assert {each["id"] for each in tickets} == set(ticket_of.values())
        written = {each["customer_id"] for each in await records.listed("messages", customer_id)}
        assert written == set(both)

    # What comes by the other's account counts for the person. Three messages went to their
    # addresses today, so there is no room for a fourth.
    await records.order(1)
    await records.is_in(stays, SPENT_MUCH, BOUGHT_THRICE)
    one = await api.get(f"/v1/customers/{other}")
    assert (one["id"], one["orders_count"], one["total_spent"]) == (stays, 3, vnd(3 * ORDER))
    assert await records.points(stays) == 3 * ORDER // 10_000
    capped = await records.became_of(stays, BOUGHT_THRICE)
    assert (capped["status"], capped["reason"]) == ("suppressed", "FREQUENCY_CAP")
    asked = {"subject": "Nữa", "text": "Lại chật", "requester": {"customer_id": other}}
    later_ticket = (await api.post("/v1/tickets", asked))["id"]
    note = await api.post(f"/v1/customers/{stays}/notes", {"text": "Thích lụa"})

    # A no by the link in a mail to the other is the person's.
    [mail] = await records.thanks_to(1)
    url = re.findall(r"<(https?://[^>]+)>", mail["List-Unsubscribe"])[0]
    await records.unsubscribe(url)
    await until(
        lambda: api.get(f"/v1/customers/{stays}"),
        lambda found: (
            [each["status"] for each in found["consents"] if each["channel"] == "email"].count(
                "granted"
            )
            == 0
        ),
        what="the person's consent is withdrawn",
    )

    # Who forgets everything and is told it again comes to the same.
    before = await records.picture(both)
    job = await api.post("/v1/segmentation-rebuilds")
    await until(
        lambda: api.get(f"/v1/jobs/{job['job_id']}"),
        lambda found: found["status"] == "succeeded",
        what="the rebuild",
        seconds=30,
    )
    assert await records.picture(both) == before

    # Parted, everybody has what came through their own account or id.
    undone = await api.post(f"/v1/merges/{merged['id']}/undo")
    assert {each["object"]: each["ids"] for each in undone["undecided"]["things"]} == {
        "note": [note["id"]]
    }
    await records.is_in(stays)
    await records.is_in(other, SPENT_MUCH)
    first, second = [await api.get(f"/v1/customers/{each}") for each in both]
    assert (first["id"], first["total_spent"]) == (stays, vnd(ORDER))
    assert (second["id"], second["total_spent"]) == (other, vnd(2 * ORDER))
    assert await records.points(stays) == ORDER // 10_000
    assert await records.points(other) == 2 * ORDER // 10_000
    tickets = await until(
        lambda: records.listed("tickets", other),
        lambda found: len(found) == 2,
        what="the tickets of who left",
    )
    assert {each["id"] for each in tickets} == {ticket_of[other], later_ticket}
    assert [each["id"] for each in await records.listed("tickets", stays)] == [ticket_of[stays]]
    for customer_id in both:
        messages = await records.listed("messages", customer_id)
        assert {each["customer_id"] for each in messages} == {customer_id}
