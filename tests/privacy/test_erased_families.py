"""Erasing a person of several records, and what could bring them back afterwards."""

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from cli.demo.payloads import Shopper, shopify_customer_created, shopify_order_created
from gateway.deliveries.repository import DeliveryRepository, NewDelivery
from gateway.deliveries.tasks import DeliveryReader
from shared.ids import new_id
from shared.jobs.files import file_parts
from tests.privacy.conftest import HouseShop
from tests.privacy.test_rights import EMAIL, NAME, PHONE, SCOPES, SECRET, Life, figures, traces

Json = dict[str, Any]
MORE = [
    *SCOPES,
    "duplicates:read",
    "duplicates:write",
    "reviews:write",
    "review_submissions:write",
    "outcomes:write",
]
AT_THE_TILL = {"source": "pos", "external_id": "till-1"}


class Couple:
    """A person of two records: the platform's customer, and one of the till's merged into it."""

    def __init__(self, life: Life, client: httpx.AsyncClient) -> None:
        self.life = life
        self.client = client
        self.stays: str = life.customer["id"]
        self.other = ""
        self.merge: Json = {}

    async def become_one(self) -> None:
        made = await self.sent(
            "POST",
            "/v1/customers",
            {"name": SECRET, "source": "pos", "external_ids": [AT_THE_TILL], "city": "Huế"},
        )
        self.other = made["id"]
        await self.sent("POST", "/v1/orders", _bought(self.other, "till-order-1"))
        path = f"/v1/customers/{self.stays}/merges"
        self.merge = await self.sent(
            "POST", path, {"customer_ids": [self.other], "reason": f"Cùng {SECRET}"}
        )
        await self.life.shop.settle()

    async def sent(self, method: str, path: str, body: Json | None = None) -> Json:
        answer = await self.client.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        told: Json = answer.json()
        return told

    async def erase(self) -> Json:
        done = await self.life.execute(await self.life.ask("erasure"))
        await self.life.shop.settle()
        return done

    async def refused(self, method: str, path: str, body: Json | None = None) -> tuple[int, str]:
        answer = await self.client.request(method, path, json=body)
        assert not answer.is_success, f"{method} {path} was not refused: {answer.text}"
        return answer.status_code, answer.json()["code"]


@pytest.fixture
async def couple(shop: HouseShop) -> Any:
    life = Life(shop)
    await life.live()
    async with shop.client("customer", *MORE) as client:
        couple = Couple(life, client)
        await couple.become_one()
        yield couple


@pytest.mark.capability(26)
async def test_all_records_of_a_person_are_erased_and_told_of_as_one(
    couple: Couple, shop: HouseShop
) -> None:
    before = await figures(shop)
    told_before = {row.id for row in await shop.rows("gateway", "event")}
    await couple.erase()
    assert await traces(shop) == []
    assert await figures(shop) == before
    news = [row for row in await shop.rows("gateway", "event") if row.id not in told_before]
    [erased] = [row.data for row in news if row.type == "customer.erased"]
    assert set(json.loads(erased)["erasure"]["customer_ids"]) == {couple.stays, couple.other}
    # Who is merged is nobody by themselves: nobody is told that they have changed.
    changed = [json.loads(r.data)["customer"]["id"] for r in news if r.type == "customer.updated"]
    assert set(changed) == {couple.stays}


async def test_what_is_left_to_do_for_an_erased_person_leads_to_nothing_more(
    couple: Couple, shop: HouseShop
) -> None:
    again = {"after_minutes": 60, "kind": "call", "title": "Gọi lại"}
    outcome = {"key": "call_again", "label": {"vi": "Gọi lại"}, "applies_to": ["task.call"]}
    await couple.sent("POST", "/v1/outcomes", {**outcome, "follow_up": again})
    call = {"customer_id": couple.other, "kind": "call", "title": "Gọi hỏi thăm"}
    task = await couple.sent("POST", "/v1/tasks", call)
    await couple.erase()
    before = len(await shop.rows("customer", "task"))
    ended = {"status": "done", "result_code": "call_again"}
    assert (await couple.sent("PATCH", f"/v1/tasks/{task['id']}", ended))["status"] == "done"
    assert len(await shop.rows("customer", "task")) == before


@pytest.mark.capability(26)
async def test_nothing_more_is_said_of_an_erased_person(couple: Couple, shop: HouseShop) -> None:
    of_them = f"/v1/customers/{couple.stays}"
    address = await couple.sent("POST", f"{of_them}/addresses", {"full_address": "1 Lê Lợi, Huế"})
    note = await couple.sent("POST", f"{of_them}/notes", {"text": "Gọi sau"})
    called = {"customer_id": couple.other, "kind": "call", "direction": "inbound"}
    interaction = await couple.sent("POST", "/v1/interactions", called)
    orders = (await couple.sent("GET", f"{of_them}/orders"))["data"]
    await couple.erase()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    agreed = {"purpose": "marketing", "channel": "sms", "status": "granted"}
    words: list[tuple[str, str, Json]] = [
        ("POST", f"{of_them}/notes", {"text": SECRET}),
        ("PATCH", f"{of_them}/notes/{note['id']}", {"text": SECRET}),
        ("POST", f"{of_them}/addresses", {"full_address": SECRET}),
        ("POST", f"{of_them}/contacts", {"name": SECRET}),
        ("POST", f"{of_them}/consents", {**agreed, "proof": {"said": SECRET}}),
        ("POST", "/v1/interactions", {**called, "text": SECRET}),
        ("PATCH", f"/v1/interactions/{interaction['id']}", {"text": SECRET}),
        ("POST", "/v1/tasks", {"customer_id": couple.other, "title": SECRET}),
        (
            "POST",
            "/v1/appointments",
            {
                "customer_id": couple.stays,
                "title": SECRET,
                "starts_at": f"{tomorrow}T09:00:00Z",
                "ends_at": f"{tomorrow}T10:00:00Z",
            },
        ),
        (
            "POST",
            "/v1/touches",
            {"customer_id": couple.stays, "landing_page": f"https://hoamai.vn/{SECRET}"},
        ),
        ("PUT", f"/v1/orders/{orders[0]['id']}/rating", {"rating": 1, "text": SECRET}),
        ("POST", "/v1/reviews", {"customer_id": couple.other, "product_id": "p", "rating": 5}),
        ("POST", "/v1/orders", _bought(couple.other, "till-order-2")),
    ]
    for method, path, body in words:
        answer = await couple.client.request(method, path, json=body)
        told = (method, path, answer.text)
        assert (answer.status_code, answer.json().get("code")) == (409, "customer_erased"), told
    async with shop.client("support_ticket", "tickets:read", "tickets:write") as desk:
        for each in (couple.stays, couple.other):
            asked = {"subject": SECRET, "text": SECRET, "requester": {"customer_id": each}}
            answer = await desk.post("/v1/tickets", json=asked)
            assert (answer.status_code, answer.json()["code"]) == (409, "customer_erased")
    gone = await couple.client.patch(f"{of_them}/addresses/{address['id']}", json={"ward": SECRET})
    assert gone.status_code == 404
    assert await traces(shop) == []


@pytest.mark.capability(26)
async def test_news_of_an_erased_persons_order_are_figures_alone(
    couple: Couple, shop: HouseShop
) -> None:
    await couple.erase()
    again = {
        **_bought(couple.other, "till-order-1"),
        "total": {"amount": "20000", "currency": "VND"},
    }
    order = await couple.sent("POST", "/v1/orders", {**again, "note": SECRET})
    refund = {"external_id": "r-1", "amount": {"amount": "5000", "currency": "VND"}}
    await couple.sent("POST", f"/v1/orders/{order['id']}/refunds", {**refund, "reason": SECRET})
    await couple.sent("POST", f"/v1/orders/{order['id']}/cancel", {"reason": SECRET})
    assert await traces(shop) == []
    assert order["total"]["amount"] == "20000"


def _bought(customer_id: str, external_id: str) -> Json:
    return {
        "customer_id": customer_id,
        "external_id": external_id,
        "financial_status": "paid",
        "total": {"amount": "30000", "currency": "VND"},
        "lines": [],
    }


async def test_an_erased_persons_records_neither_part_nor_join(couple: Couple) -> None:
    living = await couple.sent("POST", "/v1/customers", {"name": "Bình", "phone": "0987654321"})
    await couple.erase()
    gone = (409, "customer_erased")
    undo = f"/v1/merges/{couple.merge['id']}/undo"
    assert await couple.refused("POST", undo) == gone
    assert await couple.refused("POST", f"{undo}?dry_run=true") == gone
    for stays, other in ((couple.stays, living["id"]), (living["id"], couple.other)):
        path = f"/v1/customers/{stays}/merges"
        assert await couple.refused("POST", path, {"customer_ids": [other]}) == gone
    assert (await couple.sent("GET", f"/v1/customers/{couple.other}"))["id"] == couple.stays


async def test_an_erased_person_is_not_known_by_anything_again(
    couple: Couple, shop: HouseShop
) -> None:
    await couple.erase()
    gone = (409, "customer_erased")
    for customer_id in (couple.stays, couple.other):
        path = f"/v1/customers/{customer_id}/identities"
        body = {"kind": "email", "value": EMAIL, "source": "pos"}
        assert await couple.refused("POST", path, body) == gone
    # Their till, which knows nothing of it, tells of them as every night.
    said = {"name": NAME, "phone": "0912345678"}
    put = "/v1/customers/by-external-id/pos/till-1"
    assert await couple.refused("PUT", put, said) == gone
    made = {**said, "external_ids": [AT_THE_TILL]}
    assert await couple.refused("POST", "/v1/customers", made) == gone
    await shop.settle()
    assert await traces(shop) == []


@pytest.mark.parametrize("named", ["stays", "other"])
async def test_a_late_mail_leaves_no_words_whichever_record_it_names(
    couple: Couple, shop: HouseShop, named: str
) -> None:
    await couple.erase()
    async with shop.client("messaging", "inbound:write") as client:
        written = {
            "channel": "email",
            "external_id": "mail-2",
            "customer_id": getattr(couple, named),
            "sender": {"name": NAME, "email": EMAIL},
            "text": SECRET,
        }
        taken = await client.post("/v1/inbound-messages", json=written)
        assert taken.status_code == 201, taken.text
    await shop.settle()
    assert await traces(shop) == []


async def test_who_has_come_back_is_known_by_their_id_again(couple: Couple) -> None:
    await couple.erase()
    put = "/v1/customers/by-external-id/pos/till-1"
    back = await couple.sent("PUT", put, {"name": NAME, "came_back": True})
    assert back["id"] not in {couple.stays, couple.other}
    assert (await couple.sent("PUT", put, {"city": "Huế"}))["id"] == back["id"]


class Platform:
    """What a platform delivers, signed and sealed, as the gateway keeps it."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._shopper = Shopper(name=NAME, email=EMAIL, shopify_id=777)

    async def deliver(self, *bodies: bytes, topic: str) -> None:
        shop = self._life.shop
        units = shop.house.parts["gateway"].context.units
        async with units.begin(shop.tenant) as uow:
            for body in bodies:
                await DeliveryRepository(uow).add(
                    NewDelivery(
                        id=new_id(),
                        connection_id=self._life.connection_id,
                        platform="shopify",
                        topic=topic,
                        dedup_key=new_id().hex,
                        body=body,
                        triggered_at=None,
                        received_at=datetime.now(UTC),
                    )
                )
            await uow.commit()
        await DeliveryReader(units).read(shop.tenant)
        await shop.settle()

    def customer(self) -> bytes:
        return shopify_customer_created(self._shopper, "secret").body

    def order(self, order_id: int, *, placed_at: datetime, **said: Any) -> bytes:
        body = json.loads(shopify_order_created(self._shopper, "secret", order_id=order_id).body)
        at = placed_at.isoformat()
        times = dict.fromkeys(("created_at", "processed_at", "updated_at"), at)
        return json.dumps({**body, **times, **said}).encode()

    async def bodies(self) -> Sequence[bytes]:
        return [row.body for row in await self._life.shop.rows("gateway", "delivery")]


async def test_what_a_platform_delivers_again_is_not_kept(couple: Couple, shop: HouseShop) -> None:
    platform = Platform(couple.life)
    days_ago = datetime.now(UTC) - timedelta(days=2)
    await platform.deliver(platform.customer(), topic="customers/create")
    await platform.deliver(platform.order(9001, placed_at=days_ago), topic="orders/create")
    assert all(await platform.bodies())
    await couple.erase()
    assert not any(await platform.bodies())
    people = len((await couple.sent("GET", "/v1/customers"))["data"])

    await platform.deliver(platform.customer(), topic="customers/update")
    said = {"note": SECRET, "cancel_reason": SECRET, "cancelled_at": days_ago.isoformat()}
    for order_id in (9001, 9002):
        await platform.deliver(
            platform.order(order_id, placed_at=days_ago, **said), topic="orders/updated"
        )
    assert not any(await platform.bodies())
    assert await traces(shop) == []
    assert len((await couple.sent("GET", "/v1/customers"))["data"]) == people


async def _copy_of(life: Life) -> str:
    """Everything that a person is told in their copy, as one text."""
    asked = await life.execute(await life.ask("access"))
    await life.shop.settle()
    await life.shop.house.finish_jobs(life.shop.tenant)
    units = life.shop.house.parts["customer"].context.units
    parts = file_parts(units, life.shop.tenant, asked["job_id"], "result")
    content = b"".join([part async for part in parts])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())


async def test_who_was_merged_by_mistake_is_nobody_in_the_others_copy_and_log(
    shop: HouseShop,
) -> None:
    life, other = Life(shop), Life(shop)
    await life.live()
    async with shop.client("customer", *MORE) as client:
        other.customer = (await client.post("/v1/customers", json={"name": "Ai đó"})).json()
        path = f"/v1/customers/{other.customer['id']}/merges"
        merged = await client.post(path, json={"customer_ids": [life.customer["id"]]})
        assert merged.json()["customer"]["email"] == EMAIL
        await client.post(f"/v1/merges/{merged.json()['id']}/undo")
    await shop.settle()
    told = await _copy_of(other)
    assert "Ai đó" in told
    assert [word for word in (NAME, EMAIL, PHONE, SECRET) if word in told] == []
    await life.execute(await life.ask("erasure"))
    await shop.settle()
    assert await traces(shop) == []
    assert (await other.read(f"/v1/customers/{other.customer['id']}"))["name"] == "Ai đó"
