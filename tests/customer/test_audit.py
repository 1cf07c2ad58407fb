"""What the audit log hears from a service, and what callers without `pii:read` see."""

import asyncio
from uuid import UUID

import pytest

from shared.contracts.audit import AuditRecorded
from shared.ids import new_id
from shared.security.principal import PrincipalKind
from tests.customer.told import DAY, later, platform_customer

DUC = {
    "name": "Nguyễn Văn Đức",
    "email": "duc.nguyen@example.com",
    "phone": "0912345678",
    "birth_date": "1990-02-28",
    "attributes": {"company_email": "sales@example.com", "shoe_size": 39},
}
READ, WRITE = "customers:read", "customers:write"


@pytest.fixture
def records(service, shop):
    """The records the service has told of, oldest first, of one kind if that is given."""

    async def told(kind: str | None = None):
        events = await service.told(shop, AuditRecorded.type)
        found = [record for event in events for record in event["records"]]
        return [record for record in found if kind in (None, record["kind"])]

    return told


@pytest.mark.capability(24)
async def test_a_change_of_a_field_is_recorded_with_who_when_old_and_new(service, shop, records):
    staff_id = str(new_id())
    async with service.client(
        shop, READ, WRITE, kind=PrincipalKind.STAFF, actor_id=staff_id
    ) as client:
        created = (await client.post("/v1/customers", json=DUC)).json()
        changed = await client.patch(
            f"/v1/customers/{created['id']}",
            json={"name": "Nguyễn Đức", "city": "Huế"},
            headers={"user-agent": "Console/1.0"},
        )
    assert changed.status_code == 200
    first, second = await records("change")
    assert first["action"] == "customers.create"
    assert second["action"] == "customers.update"
    assert second["actor_kind"] == "staff"
    assert second["actor_id"] == staff_id
    assert second["user_agent"] == "Console/1.0"
    assert second["subjects"] == [{"object": "customer", "id": created["id"]}]
    assert second["changes"] == {
        "name": {"old": "Nguyễn Văn Đức", "new": "Nguyễn Đức"},
        "city": {"old": None, "new": "Huế"},
    }


@pytest.mark.capability(24)
async def test_a_change_of_an_order_and_its_parts_is_recorded_with_old_and_new(client, records):
    def vnd(amount):
        return {"amount": str(amount), "currency": "VND"}

    customer_id = (await client.post("/v1/customers", json={"name": "Lan"})).json()["id"]
    body = {"customer_id": customer_id, "external_id": "1", "financial_status": "paid"}
    first = {**body, "total": vnd(1000), "store": "S1"}
    order = (await client.post("/v1/orders", json=first)).json()
    second = {**first, "total": vnd(2000), "store": "S2"}
    await client.post("/v1/orders", json=second)
    await client.post("/v1/orders", json=second)
    path = f"/v1/orders/{order['id']}"
    refund = {"external_id": "R", "amount": vnd(500), "reason": "Rách"}
    await client.post(f"{path}/refunds", json=refund)
    await client.post(f"{path}/refunds", json={**refund, "amount": vnd(600)})
    await client.post(f"{path}/cancel", json={"reason": "Khách đổi ý"})

    told = [r for r in await records("change") if r["subjects"][0]["object"] == "order"]
    assert all({"object": "order", "id": order["id"]} in record["subjects"] for record in told)
    made, changed, again, added, corrected, cancelled = (record["changes"] for record in told)
    assert made == again == {}
    assert changed == {
        "total": {"old": vnd(1000), "new": vnd(2000)},
        "store": {"old": "S1", "new": "S2"},
    }
    assert added["refunded"] == {"old": vnd(0), "new": vnd(500)}
    assert added["refunds"]["old"] == []
    assert (added["refunds"]["new"][0]["amount"], added["refunds"]["new"][0]["reason"]) == (
        vnd(500),
        "Rách",
    )
    assert corrected["refunds"]["old"] == added["refunds"]["new"]
    assert corrected["refunds"]["new"][0]["amount"] == vnd(600)
    assert cancelled["status"] == {"old": "open", "new": "cancelled"}
    assert cancelled["cancel_reason"] == {"old": None, "new": "Khách đổi ý"}


async def test_what_is_refused_leaves_no_record(client, records):
    assert (await client.post("/v1/customers", json={"email": "no address"})).status_code == 422
    assert (
        await client.patch(f"/v1/customers/{new_id()}", json={"city": "Huế"})
    ).status_code == 404
    assert await records() == []


async def test_a_repeated_request_is_recorded_once(client, records):
    key = {"idempotency-key": "once"}
    for _ in range(2):
        assert (await client.post("/v1/customers", json=DUC, headers=key)).status_code == 201
    assert len(await records("change")) == 1


async def test_what_a_platform_changes_is_recorded_as_the_systems_doing(service, shop, records):
    for name, changed_at in (("Lan", DAY), ("Trần Thị Lan", later(days=1))):
        told = platform_customer("77", name=name, email="lan@example.com", changed_at=changed_at)
        await service.receive(shop, "gateway", [told])
    record = (await records("change"))[-1]
    assert record["actor_kind"] == "system"
    assert record["changes"]["name"] == {"old": "Lan", "new": "Trần Thị Lan"}


async def test_a_write_that_records_nothing_itself_is_recorded_by_the_route(client, records):
    task = (await client.post("/v1/tasks", json={"title": "Gọi lại", "kind": "call"})).json()
    assert "id" in task, task
    changed = await client.patch(f"/v1/tasks/{task['id']}", json={"title": "Gọi lại chiều nay"})
    assert changed.status_code == 200, changed.text
    created, updated = await records("change")
    assert created["subjects"] == [{"object": "task", "id": task["id"]}]
    assert updated["action"] == "tasks.update"
    assert updated["changes"] == {"title": {"old": "Gọi lại", "new": "Gọi lại chiều nay"}}


async def test_what_is_of_a_customer_is_recorded_with_whose_it_is(client, records):
    of = {"object": "customer", "id": (await client.post("/v1/customers", json=DUC)).json()["id"]}
    where = f"/v1/customers/{of['id']}"
    for collection, body in (
        (f"{where}/addresses", {"street": "1 Hàng Đào"}),
        (f"{where}/contacts", {"name": "Nam"}),
        (f"{where}/identities", {"kind": "phone", "value": "0987654321"}),
        (f"{where}/notes", {"text": "?"}),
        ("/v1/tasks", {"customer_id": of["id"], "title": "?", "kind": "call"}),
        ("/v1/leads", {"customer_id": of["id"], "intent": "wants_meeting"}),
    ):
        made = await client.post(collection, json=body)
        assert made.status_code == 201, (collection, made.text)
        assert of in (await records("change"))[-1]["subjects"], collection


class TestReads:
    async def test_a_look_at_personal_data_is_recorded_before_the_answer(self, client, records):
        created = (await client.post("/v1/customers", json=DUC)).json()
        await client.get(f"/v1/customers/{created['id']}")
        (record,) = await records("read")
        assert record["action"] == "customers.get"
        assert record["subjects"] == [{"object": "customer", "id": created["id"]}]

    async def test_a_list_names_everybody_it_showed_and_what_was_asked(self, client, records):
        ids = [
            (await client.post("/v1/customers", json={"name": name})).json()["id"]
            for name in ("Lan", "Bình")
        ]
        await client.get("/v1/customers", params={"limit": 10})
        (record,) = await records("read")
        assert {subject["id"] for subject in record["subjects"]} == set(ids)
        assert record["detail"] == {"query": "limit=10"}

    async def test_readers_at_the_same_time_share_commits_and_none_is_lost(
        self, service, shop, client, records
    ):
        created = (await client.post("/v1/customers", json=DUC)).json()
        await asyncio.gather(*(client.get(f"/v1/customers/{created['id']}") for _ in range(20)))
        told = await service.told(shop, AuditRecorded.type)
        assert len(await records("read")) == 20
        assert len(told) < 20

    async def test_what_nobody_sees_is_not_recorded(self, client, records):
        assert (await client.get(f"/v1/customers/{new_id()}")).status_code == 404
        assert await records("read") == []


class TestMasking:
    async def test_without_pii_read_it_is_masked_and_not_recorded(self, service, shop, records):
        async with service.client(shop, READ, WRITE, sees_pii=False) as client:
            created = (await client.post("/v1/customers", json=DUC)).json()
            read = (await client.get(f"/v1/customers/{created['id']}")).json()
            listed = (await client.get("/v1/customers")).json()["data"][0]
            identities = (await client.get(f"/v1/customers/{created['id']}/identities")).json()
        for shown in (created, read, listed):
            assert shown["name"] == "N. V. Đ."
            assert shown["email"] == "d***@example.com"
            assert shown["phone"] == "***678"
            assert shown["birth_date"] is None
            assert shown["attributes"] == {"company_email": "s***@example.com", "shoe_size": 39}
            assert shown["code"] == created["code"]
            assert UUID(shown["id"])
        assert {identity["value"] for identity in identities["data"]} == {
            "d***@example.com",
            "***678",
        }
        assert await records("read") == []

    async def test_why_points_were_given_and_a_number_believed_is_masked(self, service, shop):
        scopes = (READ, WRITE, "loyalty:read", "loyalty:write")
        async with service.client(shop, *scopes, sees_pii=False) as client:
            programme = {"name": "Thân thiết", "point_value": {"amount": "1", "currency": "VND"}}
            assert (await client.put("/v1/loyalty/programme", json=programme)).is_success
            created = (await client.post("/v1/customers", json=DUC)).json()
            where = f"/v1/customers/{created['id']}/identities"
            said = {"kind": "phone", "value": "0987654321", "standing": "verified"}
            why = "Chị Lan, vợ anh Đức, nói vậy"
            identity = (await client.post(where, json={**said, "reason": why})).json()
            given = {"customer_id": created["id"], "points": 5, "note": why}
            assert (await client.post("/v1/loyalty/adjustments", json=given)).status_code == 201
            account = f"/v1/loyalty/accounts/{created['id']}/entries"
            entries = (await client.get(account)).json()["data"]
        assert identity["reason"] == "***"
        assert {entry["note"] for entry in entries} == {"***"}

    async def test_a_repeated_write_is_masked_as_the_first_was(self, service, shop):
        key = {"idempotency-key": "masked"}
        async with service.client(shop, WRITE, sees_pii=False) as client:
            first = await client.post("/v1/customers", json=DUC, headers=key)
            again = await client.post("/v1/customers", json=DUC, headers=key)
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json() == first.json()
        assert first.json()["email"] == "d***@example.com"
