"""Access and erasure through the whole house."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.messaging.delivery.smtp import SmtpConnections
from services.messaging.wiring import Wiring
from services.messaging.worker import build_delivery
from shared.contracts.gateway import (
    PlatformCustomerReceived,
    PlatformIdentity,
    PlatformOrder,
    PlatformOrderReceived,
    PlatformOrigin,
    PlatformPrivacyRequested,
)
from shared.contracts.messaging import InboundMessageReceived
from shared.contracts.segmentation import Membership, SegmentEntered
from shared.ids import new_id
from shared.jobs.files import file_parts
from shared.jobs.forgetting import forget_old_jobs
from shared.settings import SCHEMAS
from tests.privacy.conftest import HouseShop

RESOURCES = (
    *("customers", "orders", "tasks", "interactions", "appointments", "touches", "privacy"),
    *("reports", "loyalty", "vouchers", "jobs"),
)
SCOPES = [f"{resource}:{verb}" for resource in RESOURCES for verb in ("read", "write")]
NAME, EMAIL, PHONE = "Trần Thị Ngọc Lan", "ngoc.lan@example.com", "+84912345678"
SECRET = "hoa-sen-trang"
"""A word that stands wherever somebody can write something of her."""

# What is gone by itself within days, of which the receipt says so.
FORGOTTEN_BY_THE_CLOCK = {"outbox", "event", "webhook_delivery", "idempotency_key"}


class Life:
    """What a customer leaves behind in a shop."""

    def __init__(self, shop: HouseShop) -> None:
        self.shop = shop
        self.connection_id = new_id()
        self.customer: dict[str, Any] = {}
        self.ticket: dict[str, Any] = {}

    def origin(self, topic: str, **changes: Any) -> PlatformOrigin:
        known = {
            "source": "shopify",
            "connection_id": self.connection_id,
            "delivery_id": new_id(),
            "topic": topic,
            "received_at": datetime.now(UTC),
        }
        return PlatformOrigin(**{**known, **changes})

    def identity(self, **changes: Any) -> PlatformIdentity:
        known = {
            "external_id": "777",
            "email": EMAIL,
            "email_verified": True,
            "phone": PHONE,
            "name": NAME,
            "city": "Huế",
            "tags": (SECRET,),
            "email_marketing": "granted",
        }
        return PlatformIdentity(**{**known, **changes})

    def order(self, external_id: str = "5001", **changes: Any) -> PlatformOrderReceived:
        placed_at = changes.pop("placed_at", datetime.now(UTC) - timedelta(days=3))
        known = {
            "external_id": external_id,
            "number": f"#{external_id}",
            "currency": "VND",
            "total_minor": 1_250_000,
            "financial_status": "paid",
            "placed_at": placed_at,
            "changed_at": placed_at,
            "customer": self.identity(),
        }
        order = PlatformOrder(**{**known, **changes})
        return PlatformOrderReceived(origin=self.origin("orders/updated"), order=order)

    async def live(self) -> None:
        shop = self.shop
        told = PlatformCustomerReceived(
            origin=self.origin("customers/update"),
            customer=self.identity(),
            changed_at=datetime.now(UTC) - timedelta(days=4),
        )
        await shop.tell("gateway", (new_id(), told), (new_id(), self.order()))
        await shop.settle()
        async with shop.client("customer", *SCOPES) as client:
            [self.customer] = (await client.get("/v1/customers")).json()["data"]
            customer_id = self.customer["id"]
            where = f"/v1/customers/{customer_id}"
            of = {"customer_id": customer_id}
            for path, body in (
                (f"{where}/notes", {"text": SECRET}),
                (f"{where}/addresses", {"street": SECRET, "province": "Huế"}),
                (f"{where}/contacts", {"name": SECRET, "email": EMAIL}),
                ("/v1/interactions", {**of, "kind": "call", "text": SECRET}),
                ("/v1/tasks", {**of, "title": SECRET, "note": SECRET}),
                ("/v1/touches", {**of, "landing_page": f"https://hoamai.vn/{SECRET}"}),
                (
                    f"{where}/consents",
                    {
                        "purpose": "marketing",
                        "channel": "email",
                        "status": "granted",
                        "proof": {"wording": SECRET},
                        "client_ip": "203.0.113.7",
                    },
                ),
            ):
                made = await client.post(path, json=body)
                assert made.status_code == 201, (path, made.text)
            changed = await client.patch(where, json={"attributes": {"hint": SECRET}})
            assert changed.status_code == 200, changed.text
        inbound = InboundMessageReceived(
            inbound_id=new_id(),
            channel="email",
            external_id="late-1",
            customer_id=customer_id,
            sender_name=NAME,
            sender_email=EMAIL,
            subject=SECRET,
            text=SECRET,
            received_at=datetime.now(UTC),
        )
        self.late_words = inbound
        async with shop.client("messaging", "inbound:write", "messages:write") as client:
            written = {
                "channel": "email",
                "external_id": "mail-1",
                "sender": {"name": NAME, "email": EMAIL},
                "subject": SECRET,
                "text": SECRET,
            }
            taken = await client.post("/v1/inbound-messages", json=written)
            assert taken.status_code in (200, 201, 202), taken.text
        await shop.settle()
        async with shop.client("support_ticket", "tickets:read", "tickets:write") as client:
            [self.ticket] = (await client.get("/v1/tickets")).json()["data"]
            answered = {"text": SECRET}
            path = f"/v1/tickets/{self.ticket['id']}/replies"
            assert (await client.post(path, json=answered)).status_code == 201
        await shop.settle()

    async def ask(self, kind: str, *, seen: str | None = None, **fields: Any) -> dict[str, Any]:
        """A request whose identity was checked."""
        async with self.shop.client("customer", *SCOPES) as client:
            body = {"kind": kind, "customer_id": self.customer["id"], **fields}
            made = await client.post("/v1/privacy-requests", json=body)
            assert made.status_code == 201, made.text
            where = f"/v1/privacy-requests/{made.json()['id']}"
            how = {"method": "in_person", "note": seen}
            checked = await client.post(f"{where}/identity-check", json=how)
            assert checked.status_code == 200, checked.text
            return checked.json()

    async def execute(self, request: dict[str, Any]) -> dict[str, Any]:
        async with self.shop.client("customer", *SCOPES) as client:
            done = await client.post(f"/v1/privacy-requests/{request['id']}/execution")
            assert done.status_code == 202, done.text
            return done.json()

    async def read(self, path: str, **query: Any) -> Any:
        async with self.shop.client("customer", *SCOPES) as client:
            answer = await client.get(path, params=query)
            assert answer.status_code == 200, answer.text
            return answer.json()


@pytest.fixture
async def life(shop: HouseShop) -> Life:
    life = Life(shop)
    await life.live()
    return life


async def traces(shop: HouseShop) -> list[str]:
    """Where anything of her can still be read, but for what the clock forgets."""
    found = []
    for part in SCHEMAS:
        async with shop.house.parts[part].context.units.begin(shop.tenant) as uow:
            tables = await uow.scalars(
                text(
                    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                    " WHERE n.nspname = :schema AND c.relkind = 'r' AND c.relname <> :versions"
                ),
                {"schema": part, "versions": "alembic_version"},
            )
            for table in sorted(set(tables) - FORGOTTEN_BY_THE_CLOCK):
                rows = await uow.scalars(
                    text(f"SELECT to_jsonb(t)::text FROM {part}.{table} t WHERE tenant_id = :t"),
                    {"t": shop.tenant},
                )
                words = (NAME, EMAIL, PHONE, SECRET, "203.0.113.7", "Ngọc")
                found += [
                    f"{part}.{table}: {row[:200]}"
                    for row in rows
                    if any(word in row for word in words)
                ]
    return found


async def figures(shop: HouseShop) -> dict[str, Any]:
    """What a shop counts: orders, money, tickets, messages, people."""
    counted = {}
    for part, table, sums in (
        ("customer", "customer", "count(*), sum(orders_count), sum(total_spent_minor)"),
        ("customer", "customer_order", "count(*), sum(total_minor)"),
        ("customer", "interaction", "count(*)"),
        ("customer", "timeline_entry", "count(*)"),
        ("customer", "touch", "count(*), count(source)"),
        ("customer", "task", "count(*)"),
        ("segmentation", "profile", "count(*), sum(orders_count), sum(tickets_count)"),
        ("segmentation", "order_fact", "count(*), sum(total_minor)"),
        ("support_ticket", "ticket", "count(*)"),
        ("support_ticket", "message", "count(*)"),
        ("messaging", "message", "count(*)"),
        ("messaging", "inbound_message", "count(*)"),
    ):
        async with shop.house.parts[part].context.units.begin(shop.tenant) as uow:
            [row] = await uow.rows(
                text(f"SELECT {sums} FROM {part}.{table} WHERE tenant_id = :t"),
                {"t": shop.tenant},
            )
            counted[f"{part}.{table}"] = tuple(row)
    return counted


async def enter(shop: HouseShop, customer_id: str) -> None:
    """Have a customer enter the segment whose members are thanked."""
    membership = Membership(
        segment_id=new_id(),
        segment_key="new_customers",
        segment_name="Khách hàng mới",
        rule_version=1,
        customer_id=customer_id,
        at=datetime.now(UTC),
        reason="event",
    )
    planned = await shop.rows("messaging", "message", "customer_id = :id", id=customer_id)
    if not planned:
        await shop.tell("segmentation", (new_id(), SegmentEntered(membership=membership)))
        await shop.settle()


async def send_due(shop: HouseShop, message_id: UUID) -> Any:
    """Send what is due of the shop; the message as it is then."""
    context = shop.house.parts["messaging"].context
    wiring, connections = Wiring.of(context), SmtpConnections(context.settings.outbound_guard)
    await build_delivery(context, connections, wiring).send_due(shop.tenant)
    [message] = await shop.rows("messaging", "message", "id = :id", id=message_id)
    return message


async def send_thanks(shop: HouseShop, customer_id: str) -> Any:
    """What becomes of thanking a new customer."""
    await enter(shop, customer_id)
    [planned] = await shop.rows("messaging", "message", "customer_id = :id", id=customer_id)
    return await send_due(shop, planned.id)


@pytest.mark.capability(26)
async def test_an_erasure_reaches_every_part_and_leaves_the_figures(life: Life, shop: HouseShop):
    assert {trace.split(".")[0] for trace in await traces(shop)} == {
        *("customer", "segmentation", "support_ticket", "messaging", "gateway")
    }
    before = await figures(shop)
    request = await life.ask("erasure", details=f"Xóa {SECRET}", seen=f"Thẻ {SECRET}")
    assert request["identity_check"]["note"] == f"Thẻ {SECRET}"
    assert request["due_at"] > request["received_at"]
    await life.execute(request)
    await shop.settle()
    assert await traces(shop) == []
    after = await figures(shop)
    # The request itself is told of in no figure; everything else is as it was.
    assert after == before
    done = await life.read(f"/v1/privacy-requests/{request['id']}")
    assert done["status"] == "completed"
    receipt = await life.read(f"/v1/privacy-requests/{request['id']}/receipt")
    assert {part["part"] for part in receipt["receipt"]["parts"]} == set(SCHEMAS)
    counts = {
        (part["part"], table["table"]): (table["rows"], table["how"])
        for part in receipt["receipt"]["parts"]
        for table in part["tables"]
    }
    assert counts["customer", "note"] == (1, "deleted")
    assert counts["customer", "customer"] == (1, "anonymised")
    assert ("customer", "customer_identity") in counts
    assert ("customer", "customer_address") in counts
    assert counts["support_ticket", "ticket"] == (1, "anonymised")
    assert counts["messaging", "inbound_message"] == (1, "anonymised")
    async with shop.client("customer", *SCOPES) as client:
        verify = "/v1/privacy-requests/receipt-verifications"
        given = dict(receipt)
        assert (await client.post(verify, json=given)).json()["valid"]
        given["receipt"]["finished_at"] = "2026-01-01T00:00:00+00:00"
        assert not (await client.post(verify, json=given)).json()["valid"]
    told = await shop.rows("gateway", "event", "type = 'customer.erased'")
    assert len(told) == 1
    assert "sealed" not in told[0].data


async def test_an_erasure_waits_for_a_part_that_is_away(life: Life, shop: HouseShop):
    request = await life.ask("erasure")
    await life.execute(request)
    await shop.settle(away=["messaging"])
    where = f"/v1/privacy-requests/{request['id']}"
    assert (await life.read(where))["status"] == "in_progress"
    assert any(trace.startswith("messaging.") for trace in await traces(shop))
    await shop.settle()
    assert (await life.read(where))["status"] == "completed"
    assert await traces(shop) == []


async def test_what_comes_late_of_an_erased_person_revives_nothing(life: Life, shop: HouseShop):
    await life.execute(await life.ask("erasure"))
    await shop.settle()
    changed_at = datetime.now(UTC) + timedelta(minutes=1)
    told = PlatformCustomerReceived(
        origin=life.origin("customers/update"), customer=life.identity(), changed_at=changed_at
    )
    updated = life.order(changed_at=changed_at, financial_status="refunded")
    late_order = life.order("5002")
    await shop.tell("gateway", (new_id(), told), (new_id(), updated), (new_id(), late_order))
    await shop.tell("messaging", (new_id(), life.late_words))
    await shop.settle()
    assert await traces(shop) == []
    people = (await life.read("/v1/customers"))["data"]
    assert [person["id"] for person in people] == [life.customer["id"]]
    orders = (await life.read(f"/v1/customers/{life.customer['id']}/orders"))["data"]
    assert sorted(order["financial_status"] for order in orders) == ["paid", "refunded"]


async def test_who_comes_back_is_somebody_new(life: Life, shop: HouseShop):
    await life.execute(await life.ask("erasure"))
    await shop.settle()
    again = life.order("6001", placed_at=datetime.now(UTC) + timedelta(minutes=1))
    await shop.tell("gateway", (new_id(), again))
    await shop.settle()
    people = (await life.read("/v1/customers"))["data"]
    assert sorted(person["name"] is None for person in people) == [False, True]


async def test_an_erased_address_is_not_written_to_when_it_is_imported_again(
    life: Life, shop: HouseShop
):
    await life.execute(await life.ask("erasure"))
    await shop.settle()
    async with shop.client("messaging", "suppressions:read") as client:
        kept = (await client.get("/v1/suppressions")).json()["data"]
    [suppressed] = kept
    assert suppressed["address"].startswith("erased:")
    back = life.customer | {"name": NAME}
    async with shop.client("customer", *SCOPES) as client:
        body = {"name": back["name"], "email": EMAIL, "email_verified": True}
        again = (await client.post("/v1/customers", json=body)).json()
        said = {"purpose": "marketing", "channel": "email", "status": "granted"}
        where = f"/v1/customers/{again['id']}/consents"
        await client.post(where, json={**said, "proof": {"import": "danh-sach.csv"}})
    await shop.settle()
    message = await send_thanks(shop, again["id"])
    assert (message.status, message.reason) == ("suppressed", "UNSUBSCRIBED")


async def test_what_came_before_anybody_knew_her_is_erased_however_she_is_written(
    life: Life, shop: HouseShop
):
    async with shop.client("messaging", "inbound:write") as client:
        sender = {"name": NAME, "email": "Lan.Moi@Example.com"}
        written = {"channel": "email", "external_id": "mail-2", "sender": sender, "text": SECRET}
        taken = await client.post("/v1/inbound-messages", json=written)
        assert (taken.status_code, taken.json()["customer_id"]) == (201, None)
    async with shop.client("customer", *SCOPES) as client:
        identity = {"kind": "email", "value": "lan.moi@example.com"}
        where = f"/v1/customers/{life.customer['id']}/identities"
        assert (await client.post(where, json=identity)).status_code == 201
    await shop.settle()
    await life.execute(await life.ask("erasure"))
    await shop.settle()
    assert [row.sender_email for row in await shop.rows("messaging", "inbound_message")] == [
        None,
        None,
    ]


@pytest.mark.capability(25)
async def test_an_access_request_collects_everything_from_every_part(life: Life, shop: HouseShop):
    request = await life.execute(await life.ask("access"))
    await shop.settle(away=["support_ticket"])
    await shop.house.finish_jobs(shop.tenant)
    job = await life.read(f"/v1/jobs/{request['job_id']}")
    assert job["status"] == "running"
    await shop.settle()
    await shop.house.finish_jobs(shop.tenant)
    job = await life.read(f"/v1/jobs/{request['job_id']}")
    assert job["status"] == "succeeded"
    units = shop.house.parts["customer"].context.units
    content = b"".join(
        [part async for part in file_parts(units, shop.tenant, request["job_id"], "result")]
    )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        index = json.loads(archive.read("index.json"))
        files = {(each["part"], each["table"]): each["file"] for each in index["files"]}
        [person] = json.loads(archive.read(files["customer", "customer"]))
        words = json.loads(archive.read(files["support_ticket", "message"]))
        [wrote] = json.loads(archive.read(files["messaging", "inbound_message"]))
        assert NAME in person["name"]
        assert {word["body"] for word in words} == {SECRET}
        assert wrote["sender_email"] == EMAIL
        assert ("segmentation", "profile") in files
        assert "customer / note: 1" in archive.read("summary.txt").decode()
    # What was collected for the file is not kept beside it.
    assert await shop.rows("customer", "data_piece") == []


async def test_a_collection_that_was_cancelled_keeps_nothing_and_can_be_begun_anew(
    life: Life, shop: HouseShop
):
    request = await life.execute(await life.ask("access"))
    await shop.settle(away=["messaging"])
    assert await shop.rows("customer", "data_piece") != []
    async with shop.client("customer", *SCOPES) as client:
        cancelled = await client.post(f"/v1/jobs/{request['job_id']}/cancel")
        assert cancelled.status_code == 200, cancelled.text
    await shop.house.finish_jobs(shop.tenant)
    job = await life.read(f"/v1/jobs/{request['job_id']}")
    assert (job["status"], job["allowed_transitions"]) == ("cancelled", [])
    # What the part that was away tells now is for nobody.
    await shop.settle()
    assert await shop.rows("customer", "data_piece") == []
    left = await life.read(f"/v1/privacy-requests/{request['id']}")
    assert (left["job_id"], "execute" in left["allowed_transitions"]) == (None, True)
    again = await life.execute(request)
    await shop.settle()
    await shop.house.finish_jobs(shop.tenant)
    assert (await life.read(f"/v1/jobs/{again['job_id']}"))["status"] == "succeeded"


async def make_file(shop: HouseShop, request: dict[str, Any]) -> httpx.Response:
    async with shop.client("customer", *SCOPES) as client:
        return await client.post(f"/v1/privacy-requests/{request['id']}/files")


async def index_of_file(shop: HouseShop, job_id: str) -> dict[str, Any]:
    units = shop.house.parts["customer"].context.units
    parts = [part async for part in file_parts(units, shop.tenant, UUID(job_id), "result")]
    with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as archived:
        index: dict[str, Any] = json.loads(archived.read("index.json"))
        return index


@pytest.mark.capability(26)
async def test_what_else_was_asked_for_before_an_erasure_comes_to_an_end(
    life: Life, shop: HouseShop
):
    access = await life.execute(await life.ask("access"))
    await shop.settle()
    await shop.house.finish_jobs(shop.tenant)
    result = f"/v1/jobs/{access['job_id']}/result"
    async with shop.client("customer", *SCOPES) as client:
        assert (await client.get(result)).status_code == 200
        first, second = await life.ask("erasure"), await life.ask("erasure")
        await life.execute(first)
        await shop.settle()
        gone = await client.get(result)
        assert (gone.status_code, gone.json()["code"]) == (404, "job_file_not_found")
        job = await life.read(f"/v1/jobs/{access['job_id']}")
        assert (job["status"], job["result"]) == ("succeeded", None)
    done = await life.execute(second)
    assert done["status"] == "completed"
    first = await life.read(f"/v1/privacy-requests/{first['id']}")
    assert done["erasure_id"] == first["erasure_id"]
    await life.read(f"/v1/privacy-requests/{second['id']}/receipt")


async def test_a_collection_that_is_open_ends_with_an_erasure(life: Life, shop: HouseShop):
    access, erasure = await life.ask("access"), await life.ask("erasure")
    preview = f"/v1/privacy-requests/{erasure['id']}/preview"
    async with shop.client("customer", *SCOPES) as client:
        assert (await client.post(preview)).status_code == 202
        begun = await life.execute(access)
        await shop.settle(away=["messaging"])
        assert await shop.rows("customer", "data_piece") != []
        await life.execute(erasure)
        await shop.settle()
        await shop.house.finish_jobs(shop.tenant)
        gone = await client.get(preview)
        assert (gone.status_code, gone.json()["code"]) == (404, "preview_not_found")
    assert (await life.read(f"/v1/jobs/{begun['job_id']}"))["status"] == "cancelled"
    assert await shop.rows("customer", "data_piece") == []
    where = f"/v1/privacy-requests/{access['id']}"
    left = await life.read(where)
    assert (left["status"], left["job_id"], left["due_at"]) == (
        *("acknowledged", None),
        access["due_at"],
    )
    # A copy of what is left of them can be made.
    again = await life.execute(access)
    await shop.settle()
    await shop.house.finish_jobs(shop.tenant)
    assert (await life.read(f"/v1/jobs/{again['job_id']}"))["status"] == "succeeded"
    index = await index_of_file(shop, again["job_id"])
    assert ("customer", "note") not in {(each["part"], each["table"]) for each in index["files"]}


async def test_a_file_that_nobody_fetched_is_made_anew(life: Life, shop: HouseShop):
    asked = await life.ask("access")
    early = await make_file(shop, asked)
    assert (early.status_code, early.json()["code"]) == (409, "transition_not_allowed")
    request = await life.execute(asked)
    units = shop.house.parts["customer"].context.units

    async def refused() -> tuple[int, str, str]:
        answer = await make_file(shop, request)
        problem = answer.json()
        return answer.status_code, problem["code"], problem["job_id"]

    needless = (409, "personal_data_file_there", request["job_id"])
    assert await refused() == needless
    await shop.settle()
    await shop.house.finish_jobs(shop.tenant)
    assert await refused() == needless
    async with units.begin(shop.tenant) as uow:
        over = text("UPDATE customer.job SET files_expire_at = :at WHERE tenant_id = :t")
        await uow.execute(over, {"at": uow.clock.now() - timedelta(minutes=1), "t": shop.tenant})
        await uow.commit()
    await forget_old_jobs(units)

    answer = await make_file(shop, request)
    assert answer.status_code == 202, answer.text
    again = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{again['job_id']}"
    kept = ("status", "due_at", "received_at", "identity_check", "acknowledged_at")
    assert {name: again[name] for name in kept} == {name: request[name] for name in kept}
    assert [file["job_id"] for file in again["files"]] == [request["job_id"], again["job_id"]]
    await shop.settle()
    await shop.house.finish_jobs(shop.tenant)
    index = await index_of_file(shop, again["job_id"])
    assert index["file_number"] == 2
    assert ("customer", "customer") in {(each["part"], each["table"]) for each in index["files"]}
    told = await shop.rows("gateway", "audit_entry")
    [entry] = [each for each in told if each.action == "privacyRequests.makeFile"]
    assert entry.detail == {"file_number": 2}


async def test_an_access_request_tells_who_read_and_changed_what_is_known(
    life: Life, shop: HouseShop
):
    async with shop.client("customer", *SCOPES, actor_id="till-7") as client:
        other = (await client.post("/v1/customers", json={"name": "Ai đó"})).json()["id"]
        assert len((await client.get("/v1/customers")).json()["data"]) == 2
        where = f"/v1/customers/{life.customer['id']}"
        assert (await client.patch(where, json={"city": "Đà Nẵng"})).status_code == 200
    await shop.settle()
    request = await life.execute(await life.ask("access"))
    await shop.settle()
    await shop.house.finish_jobs(shop.tenant)
    units = shop.house.parts["customer"].context.units
    content = b"".join(
        [part async for part in file_parts(units, shop.tenant, request["job_id"], "result")]
    )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        told = archive.read("data/gateway/audit_entry.json").decode()
    of_till = [each for each in json.loads(told) if each["actor_id"] == "till-7"]
    assert {each["kind"] for each in of_till} == {"read", "change"}
    assert any("Đà Nẵng" in str(each["changes"]) for each in of_till)
    assert other not in told, "who else was in the list"


async def test_a_preview_says_what_would_be_erased_and_what_stays(life: Life, shop: HouseShop):
    request = await life.ask("erasure")
    async with shop.client("customer", *SCOPES) as client:
        asked = await client.post(f"/v1/privacy-requests/{request['id']}/preview")
        assert asked.status_code == 202, asked.text
    await shop.settle(away=["messaging"])
    where = f"/v1/privacy-requests/{request['id']}/preview"
    preview = await life.read(where)
    assert not preview["ready"]
    await shop.settle()
    preview = await life.read(where)
    assert preview["ready"]
    parts = {part["part"]: part for part in preview["parts"]}
    tables = {table["table"]: table for table in parts["customer"]["tables"]}
    assert (tables["note"]["rows_found"], tables["note"]["on_erasure"]) == (1, "deleted")
    assert tables["customer_order"]["on_erasure"] == "anonymised"
    assert "accounts" in tables["customer_order"]["kept"]["number"]
    assert (await life.read("/v1/customers"))["data"][0]["name"] == NAME


@pytest.mark.parametrize(
    ("asked", "kind", "status"),
    # What the platform told is erased at once; a copy is the shop's to hand over.
    [("redact", "erasure", "completed"), ("data_request", "access", "received")],
)
async def test_a_platform_passes_on_what_its_customer_asks_for(
    life: Life, shop: HouseShop, asked: str, kind: str, status: str
):
    origin = life.origin(f"customers/{asked}")
    identity = PlatformIdentity(external_id="777")
    event = PlatformPrivacyRequested(origin=origin, kind=asked, customer=identity)
    unknown = PlatformPrivacyRequested(
        origin=life.origin(f"customers/{asked}"),
        kind=asked,
        customer=PlatformIdentity(external_id="778"),
    )
    await shop.tell("gateway", (new_id(), event), (new_id(), event), (new_id(), unknown))
    await shop.settle()
    made = (await life.read("/v1/privacy-requests"))["data"]
    assert sorted((each["kind"], each["channel"], each["status"]) for each in made) == [
        (kind, "platform", "completed"),
        (kind, "platform", status),
    ]
    [known] = [each for each in made if each["customer_id"] is not None]
    assert known["customer_id"] == life.customer["id"]
    assert known["identity_check"]["method"] == "platform"


@pytest.mark.capability(27)
async def test_a_withdrawal_stops_what_was_queued_before_it(life: Life, shop: HouseShop):
    await enter(shop, life.customer["id"])
    [planned] = await shop.rows(
        "messaging", "message", "status = 'planned' AND message_class <> 'transactional'"
    )
    async with shop.client("customer", *SCOPES) as client:
        where = f"/v1/customers/{life.customer['id']}/consents"
        said = {"purpose": "marketing", "channel": "email", "status": "withdrawn"}
        await client.post(where, json={**said, "proof": {"call": "12:00"}})
        [newest, *_] = (await client.get(where)).json()["data"]
        assert (newest["status"], newest["proof"]) == ("withdrawn", {"call": "12:00"})
    await shop.settle()
    message = await send_due(shop, planned.id)
    assert (message.status, message.reason) == ("suppressed", "CONSENT_WITHDRAWN")


async def test_the_audit_log_keeps_that_something_was_done_and_not_what(
    life: Life, shop: HouseShop
):
    of_her = "kind = 'change' AND subjects::text LIKE :named"
    named = {"named": f"%{life.customer['id']}%"}
    before = await shop.rows("gateway", "audit_entry", of_her, **named)
    assert any(SECRET in str(entry.changes) for entry in before)
    await life.execute(await life.ask("erasure"))
    await shop.settle()
    after = await shop.rows("gateway", "audit_entry", of_her, **named)
    assert {entry.id for entry in before} < {entry.id for entry in after}
    assert all(entry.changes == {} for entry in after)


async def test_the_audit_log_keeps_nothing_of_what_was_changed_around_a_person(
    life: Life, shop: HouseShop
):
    of = {"customer_id": life.customer["id"]}
    where = f"/v1/customers/{life.customer['id']}"
    soon = datetime.now(UTC) + timedelta(days=1)
    time = {"starts_at": soon.isoformat(), "ends_at": (soon + timedelta(hours=1)).isoformat()}
    async with shop.client("customer", *SCOPES) as client:
        for collection, body, changes in (
            (f"{where}/addresses", {"street": "1 Hàng Đào"}, {"street": SECRET}),
            (f"{where}/contacts", {"name": "Nam"}, {"name": SECRET}),
            (f"{where}/notes", {"text": "?"}, {"text": SECRET}),
            (
                f"{where}/identities",
                {"kind": "phone", "value": "0987654321"},
                {"reason": SECRET},
            ),
            ("/v1/interactions", {**of, "kind": "call"}, {"text": SECRET}),
            ("/v1/tasks", {**of, "title": "?", "kind": "call"}, {"title": SECRET}),
            ("/v1/appointments", {**of, **time, "title": "?"}, {"title": SECRET}),
        ):
            made = await client.post(collection, json=body)
            assert made.status_code in (200, 201), (collection, made.text)
            path = f"{collection}/{made.json()['id']}"
            changed = await client.patch(path, json=changes)
            assert changed.status_code == 200, (collection, changed.text)
        assert (await client.get("/v1/customers", params={"q": EMAIL})).json()["data"]
    async with shop.client("support_ticket", "tickets:write") as client:
        ticket = f"/v1/tickets/{life.ticket['id']}"
        changed = await client.patch(ticket, json={"subject": SECRET + SECRET})
        assert changed.status_code == 200, changed.text
    await shop.settle()

    async def told() -> list[str]:
        entries = await shop.rows("gateway", "audit_entry")
        words = (SECRET, EMAIL, "ngoc.lan%40example.com", "1 Hàng Đào")
        each = [(entry, f"{entry.changes}{entry.detail}") for entry in entries]
        return sorted({e.action for e, said in each if any(word in said for word in words)})

    assert {"customers.updateAddress", "customers.list", "tickets.update"} < set(await told())
    await life.execute(await life.ask("erasure"))
    await shop.settle()
    assert await told() == []
