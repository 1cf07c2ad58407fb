"""The audit log of a shop."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from gateway.audit_log.erasure import erase_changes
from gateway.handlers import build_handlers
from shared.contracts.audit import AuditRecord, AuditRecorded, AuditSubject, FieldChange
from shared.ids import new_id
from shared.privacy.person import KnownPerson
from tests.gateway.conftest import make_shop
from tests.gateway.staff import role_holder
from tests.support.harness import ServiceHarness

LOG = "/v1/audit-log"


@pytest.fixture(scope="session")
def consumer(gateway):
    return ServiceHarness(gateway, gateway.state.context, build_handlers(gateway.state.context))


def record_of(action: str = "customers.update", **said) -> AuditRecord:
    known = {
        "id": new_id(),
        "at": datetime.now(UTC),
        "kind": "change",
        "action": action,
        "actor_kind": "staff",
        "actor_id": "anna",
        "subjects": (AuditSubject(object="customer", id="c1"),),
        "changes": {"email": FieldChange(old="a@example.com", new="b@example.com")},
    }
    return AuditRecord(**{**known, **said})


@pytest.fixture
def told(consumer, shop):
    """Has the log hear of records from the customer service."""

    async def tell(*records: AuditRecord) -> None:
        event = AuditRecorded(records=records)
        await consumer.receive(shop.tenant_id, "customer", [(records[0].id, event)])

    return tell


async def entries(shop, **filters):
    answer = await shop.owner.get(LOG, params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.capability(24)
async def test_an_entry_tells_who_when_what_and_from_where(shop, told):
    record = record_of(client_ip="203.0.113.7", user_agent="Console/1.0", request_id="r1")
    await told(record)
    (entry,) = await entries(shop, object_id="c1")
    assert entry == {
        "object": "audit_entry",
        "part": "customer",
        **record.model_dump(mode="json"),
        "at": entry["at"],
    }
    assert datetime.fromisoformat(entry["at"]) == record.at


async def test_a_record_that_comes_twice_is_one_entry(shop, told):
    record = record_of()
    await told(record)
    await told(record)
    assert len(await entries(shop, object_id="c1")) == 1


async def test_filters_hold_together(shop, told):
    now = datetime.now(UTC)
    mine = record_of("tickets.reply", actor_id="binh", at=now - timedelta(hours=2))
    other = record_of("tickets.reply", actor_id="anna", at=now - timedelta(hours=1))
    read = record_of("customers.get", kind="read", subjects=(), request_id="r-7")
    await told(mine, other, read)
    for filters, expected in (
        ({"actor_id": "binh"}, [mine]),
        ({"action": "tickets.reply"}, [other, mine]),
        (
            {"action": "tickets.reply", "at[gte]": (now - timedelta(minutes=90)).isoformat()},
            [other],
        ),
        ({"action": "tickets.reply", "at[lt]": (now - timedelta(minutes=90)).isoformat()}, [mine]),
        ({"kind": "read", "request_id": "r-7"}, [read]),
        ({"object_id": "nobody"}, []),
    ):
        found = await entries(shop, **filters)
        assert [entry["id"] for entry in found] == [str(record.id) for record in expected]


async def test_pages_follow_each_other(shop, told):
    records = [record_of("x.y") for _ in range(5)]
    await told(*records)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await shop.owner.get(LOG, params={"action": "x.y", "limit": 2, **cursor})).json()
        seen += [entry["id"] for entry in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(seen) == sorted(str(record.id) for record in records)


async def test_exports_hold_every_entry_and_are_recorded_themselves(shop, told, consumer):
    records = [record_of("x.y", actor_id="=1+1") for _ in range(3)]
    await told(*records)
    lines = await shop.owner.get(f"{LOG}/export", params={"action": "x.y"})
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    assert len([json.loads(line) for line in lines.text.splitlines()]) == 3
    table = await shop.owner.get(f"{LOG}/export", params={"action": "x.y", "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert len(rows) == 3
    assert rows[0]["actor_id"] == "'=1+1"
    recorded = await consumer.told(shop.tenant_id, AuditRecorded.type)
    actions = [record["action"] for event in recorded for record in event["records"]]
    assert actions.count("auditLog.export") == 2


async def test_only_who_may_reads_it(shop):
    client = await shop.client("customers:read")
    assert (await client.get(LOG)).status_code == 403
    without_pii = await shop.client("audit:read")
    assert (await without_pii.get(f"{LOG}/export")).status_code == 403


@pytest.mark.parametrize("visibility", ["team", "own"])
async def test_it_is_for_those_who_see_the_whole_shop(shop, visibility):
    clerk = await role_holder(shop, scopes=["audit:read", "pii:read"], visibility=visibility)
    for path in (LOG, f"{LOG}/export"):
        answer = await clerk.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "whole_shop_required")


async def test_changes_are_masked_without_pii_read(shop, told):
    await told(record_of())
    client = await shop.client("audit:read")
    (entry,) = (await client.get(LOG, params={"object_id": "c1"})).json()["data"]
    assert entry["changes"] == {"email": {"old": "a***@example.com", "new": "b***@example.com"}}


def changes_of(**values) -> dict[str, FieldChange]:
    return {name: FieldChange(old=old, new=None) for name, old in values.items()}


async def test_a_customers_names_and_addresses_are_masked_without_pii_read(shop, told):
    await told(
        record_of(
            changes=changes_of(
                name="Nguyễn Văn Đức",
                full_name="Nguyễn Đức",
                emails=["duc@example.com", {"value": "d@example.com"}],
                phones=["+84912345678"],
                attributes={"full_name": "Đức", "size": "XL"},
                stage="lead",
            )
        )
    )
    client = await shop.client("audit:read")
    (entry,) = (await client.get(LOG, params={"object_id": "c1"})).json()["data"]
    assert {name: change["old"] for name, change in entry["changes"].items()} == {
        "name": "N. V. Đ.",
        "full_name": "N. Đ.",
        "emails": ["d***@example.com", {"value": "d***@example.com"}],
        "phones": ["***678"],
        "attributes": {"full_name": "Đ.", "size": "XL"},
        "stage": "lead",
    }
    (entry,) = await entries(shop, object_id="c1")
    assert entry["changes"]["name"]["old"] == "Nguyễn Văn Đức"


async def test_what_was_written_on_an_order_is_hidden_without_pii_read(shop, told):
    changes = changes_of(
        note="Giao cho chị Lan",
        shipping_address={"name": "Lan", "street": "12 Lê Lợi @ hẻm 3", "province": "Huế"},
        refunds=[{"reason": "Chị Lan không vừa", "amount": "1000"}],
        store="S1",
    )
    subject = AuditSubject(object="order", id="o1")
    await told(record_of(subjects=(subject,), changes=changes))
    client = await shop.client("audit:read")
    (entry,) = (await client.get(LOG, params={"object_id": "o1"})).json()["data"]
    assert {name: change["old"] for name, change in entry["changes"].items()} == {
        "note": "***",
        "shipping_address": "***",
        "refunds": [{"reason": "***", "amount": "1000"}],
        "store": "S1",
    }


async def test_what_is_not_a_customers_keeps_its_name(shop, told):
    subject = AuditSubject(object="segment", id="s1")
    await told(record_of(subjects=(subject,), changes=changes_of(name="Khách VIP")))
    client = await shop.client("audit:read")
    (entry,) = (await client.get(LOG, params={"object_id": "s1"})).json()["data"]
    assert entry["changes"]["name"]["old"] == "Khách VIP"


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("q=Nguy%E1%BB%85n&limit=2", "q=***&limit=***"),
        ("at%5Bgte%5D=2026-01-01&email=", "at[gte]=***&email=***"),
        ("d@example.com&0912345678", "***&***"),
    ],
)
async def test_whom_somebody_looked_for_is_hidden_without_pii_read(shop, told, query, seen):
    await told(record_of("customers.list", kind="read", changes={}, detail={"query": query}))
    client = await shop.client("audit:read")
    (entry,) = (await client.get(LOG, params={"object_id": "c1"})).json()["data"]
    assert entry["detail"] == {"query": seen}
    (entry,) = await entries(shop, object_id="c1")
    assert entry["detail"] == {"query": query}


@pytest.mark.parametrize(
    ("object_", "said", "seen"),
    [
        ("contact", {"name": "Trần Lan", "note": "Vợ anh Đức"}, {"name": "T. L.", "note": "***"}),
        ("identity", {"value": "+84912345678"}, {"value": "***678"}),
        ("address", {"street": "1 Hàng Đào"}, {"street": "***"}),
        ("interaction", {"text": "Gọi lại"}, {"text": "***"}),
        ("task", {"title": "Gọi 0912345678", "status": "open"}, {"title": "***", "status": "open"}),
        ("appointment", {"place": "1 Hàng Đào"}, {"place": "***"}),
        ("lead_form", {"title": "Đăng ký", "name": "Tết"}, {"title": "Đăng ký", "name": "Tết"}),
    ],
)
async def test_what_is_of_customers_is_masked_as_its_reads_are(shop, told, object_, said, seen):
    await told(of_subjects((object_, "o1"), changes=changes_of(**said)))
    client = await shop.client("audit:read")
    (entry,) = (await client.get(LOG, params={"object_id": "o1"})).json()["data"]
    assert {name: change["old"] for name, change in entry["changes"].items()} == seen


async def test_another_shop_sees_nothing_of_it(gateway, shop, told):
    await told(record_of())
    other = await make_shop(gateway)
    assert await entries(other, object_id="c1") == []


async def test_the_gateways_own_writes_are_told_with_old_and_new(shop, consumer):
    body = {
        "name": "Lan",
        "email": "lan@example.com",
        "password": "mot-hai-ba-bon",
        "role": "agent",
    }
    member = (await shop.owner.post("/v1/staff", json=body)).json()
    changed = await shop.owner.patch(f"/v1/staff/{member['id']}", json={"name": "Trần Lan"})
    assert changed.status_code == 200, changed.text
    recorded = await consumer.told(shop.tenant_id, AuditRecorded.type)
    record = recorded[-1]["records"][0]
    assert record["action"] == "staff.update"
    assert record["changes"]["name"] == {"old": "Lan", "new": "Trần Lan"}


@pytest.mark.parametrize("statement", ["UPDATE {} SET at = at", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["audit_entry", "audit_subject"])
async def test_nobody_changes_or_deletes_entries(gateway, shop, told, table, statement):
    await told(record_of())
    async with gateway.state.context.units.begin(shop.tenant_id) as uow:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await uow.execute(
                text(f"{statement.format('gateway.' + table)} WHERE tenant_id = :tenant"),
                {"tenant": shop.tenant_id},
            )


def of_subjects(*subjects: tuple[str, str], **said) -> AuditRecord:
    named = tuple(AuditSubject(object=object_, id=id_) for object_, id_ in subjects)
    return record_of(subjects=named, **said)


@pytest.fixture
def erase(gateway, shop):
    """Has the log forget a person."""

    async def forget(customer_id):
        async with gateway.state.context.units.begin(shop.tenant_id) as uow:
            await erase_changes(uow, KnownPerson(customer_ids=(customer_id,)))
            await uow.commit()

    return forget


async def test_what_was_said_of_an_erased_persons_objects_before_they_named_them_is_emptied(
    shop, told, erase
):
    gone, other = new_id(), new_id()
    await told(
        of_subjects(("address", "a1"), request_id="changed"),
        of_subjects(("task", "t1"), request_id="changed"),
        of_subjects(("address", "a2"), request_id="others"),
        of_subjects(("task", "t2"), request_id="others"),
        # Who was shown what tells whose it is, but for a list that names others, too.
        of_subjects(("address", "a1"), ("customer", str(gone)), kind="read"),
        of_subjects(("task", "t1"), ("customer", str(gone)), kind="read"),
        of_subjects(("address", "a2"), *[("customer", str(c)) for c in (gone, other)], kind="read"),
        of_subjects(("task", "t1"), ("task", "t2"), ("customer", str(gone)), kind="read"),
    )
    await erase(gone)
    assert [e["changes"] for e in await entries(shop, request_id="changed")] == [{}, {}]
    assert {} not in [e["changes"] for e in await entries(shop, request_id="others")]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("q=duc%40example.com&limit=10", "q=***&limit=***"),
        ("at%5Bgte%5D=2026-01-01&filter[x]=", "at%5Bgte%5D=***&filter[x]=***"),
        ("duc@example.com&&Đức=1&q=a=b", "***&***&***&q=***"),
    ],
)
async def test_of_queries_that_found_an_erased_person_the_parameters_names_are_left(
    shop, told, erase, query, left
):
    gone = new_id()
    asked = {"kind": "read", "changes": {}, "detail": {"query": query, "sensitive": ["x"]}}
    await told(of_subjects(("customer", str(gone)), request_id="theirs", **asked))
    await told(of_subjects(("customer", str(new_id())), request_id="others", **asked))
    for _ in range(2):
        await erase(gone)
    (entry,) = await entries(shop, request_id="theirs")
    assert entry["detail"] == {"query": left, "sensitive": ["x"]}
    (entry,) = await entries(shop, request_id="others")
    assert entry["detail"]["query"] == query
