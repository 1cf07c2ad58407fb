"""What people ask for by law: due dates, steps, holds, and what is done at once."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from services.customer.jobs import build_job_kinds
from services.customer.privacy.forgetting import COLLECTIONS, collection_forgetting
from services.customer.privacy.laws import deadlines, extended, working_days_later
from services.customer.privacy.receipts import ReceiptSigner
from services.customer.privacy.tasks import PrivacyReminders
from shared.ids import new_id
from shared.jobs.runner import JobRunner
from shared.security.principal import PrincipalKind
from tests.support.job_part import nobody
from tests.support.servers import ROOT_KEY


def due(kind: str, received: str, *, law: str = "vn_pdpl", **given):
    known = {"with_processor": False, "timezone": "Asia/Ho_Chi_Minh", "country": "VN", **given}
    return deadlines(law, kind, datetime.fromisoformat(received), **known)


@pytest.mark.parametrize(
    ("kind", "with_processor", "day"),
    [
        ("withdrawal", False, "2026-03-17"),
        ("restriction", True, "2026-03-22"),
        ("access", False, "2026-03-12"),
        ("access", True, "2026-03-17"),
        ("erasure", False, "2026-03-22"),
        ("erasure", True, "2026-04-01"),
    ],
)
def test_vietnams_law_gives_so_many_days(kind, with_processor, day):
    found = due(kind, "2026-03-02T10:00:00+07:00", with_processor=with_processor)
    # The day ends with its last moment, in the shop's zone.
    following = datetime.fromisoformat(f"{day}T00:00:00+07:00")
    assert (found.due_at - following).days == 1


def test_a_receipt_is_acknowledged_in_two_working_days():
    # A Friday; Monday and Tuesday are the two days.
    friday = due("access", "2026-03-06T23:59:00+07:00")
    assert friday.acknowledge_by == datetime.fromisoformat("2026-03-11T00:00:00+07:00")
    # Tet 2026 is from 16 to 20 February.
    before_tet = due("access", "2026-02-13T09:00:00+07:00")
    assert before_tet.acknowledge_by == datetime.fromisoformat("2026-02-25T00:00:00+07:00")


def test_a_saturday_that_is_worked_in_exchange_counts():
    # 22 August 2026 is worked for 31 August.
    assert working_days_later(date(2026, 8, 21), 1, country="VN") == date(2026, 8, 22)
    assert working_days_later(date(2026, 8, 21), 1, country="XX") == date(2026, 8, 24)


def test_europes_law_gives_a_month_and_two_more():
    given = {"law": "eu_gdpr", "timezone": "Europe/Berlin", "country": "DE"}
    found = due("erasure", "2026-01-31T12:00:00+01:00", **given)
    assert found.acknowledge_by is None
    assert found.due_at == datetime.fromisoformat("2026-03-01T00:00:00+01:00")
    later = extended("eu_gdpr", "erasure", found.due_at, timezone="Europe/Berlin")
    assert later == datetime.fromisoformat("2026-04-29T00:00:00+02:00")


def test_a_receipt_that_was_changed_is_not_ours():
    signer = ReceiptSigner(ROOT_KEY)
    receipt = {"erasure_id": "1", "parts": [{"part": "customer"}]}
    signature = signer.sign(receipt)
    assert signer.verify(receipt, signature)
    assert not signer.verify({**receipt, "erasure_id": "2"}, signature)
    assert not signer.verify(receipt, "AAAA")
    assert not ReceiptSigner("another " + ROOT_KEY).verify(receipt, signature)


@pytest.fixture
async def customer(client):
    body = {"name": "Lan", "email": "lan@example.com", "phone": "0912345678"}
    return (await client.post("/v1/customers", json=body)).json()


@pytest.fixture
def ask(client, customer):
    async def asked(kind, **fields):
        body = {"kind": kind, "customer_id": customer["id"], **fields}
        answer = await client.post("/v1/privacy-requests", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return asked


def path(request, step=""):
    return f"/v1/privacy-requests/{request['id']}{step}"


async def test_a_request_has_its_due_dates_and_is_told(client, ask, service, shop):
    made = await ask("access", received_at="2026-03-02T03:00:00Z", details="Xin bản sao")
    assert (made["law"], made["status"], made["channel"]) == ("vn_pdpl", "received", "api")
    assert made["acknowledge_by"] == "2026-03-04T17:00:00Z"
    assert made["due_at"] == "2026-03-12T17:00:00Z"
    assert made["overdue"]
    [told] = await service.told(shop, "customer.privacy_request_received")
    assert told["request"]["request_id"] == made["id"]
    assert "Xin" not in str(told)
    overdue = (await client.get("/v1/privacy-requests", params={"overdue": True})).json()["data"]
    assert [each["id"] for each in overdue] == [made["id"]]
    assert (await client.get("/v1/privacy-requests", params={"overdue": False})).json()[
        "data"
    ] == []


async def test_the_time_is_put_off_once(client, ask):
    made = await ask("erasure", received_at="2026-03-02T03:00:00Z")
    later = await client.post(path(made, "/extension"), json={"reason": "Nhiều hồ sơ"})
    assert later.json()["due_at"] == "2026-04-11T17:00:00Z"
    again = await client.post(path(made, "/extension"), json={"reason": "Nữa"})
    assert again.status_code == 409
    assert "extend" not in again.json()["allowed_transitions"]


async def test_a_request_is_acknowledged_refused_and_then_closed(client, ask):
    made = await ask("rectification")
    read = (await client.post(path(made, "/acknowledgement"))).json()
    assert (read["status"], read["acknowledged_at"] is not None) == ("acknowledged", True)
    refused = (await client.post(path(made, "/refusal"), json={"reason": "Không đúng"})).json()
    assert (refused["status"], refused["outcome"]) == ("refused", "Không đúng")
    assert refused["allowed_transitions"] == []
    closed = await client.post(path(made, "/completion"), json={})
    assert closed.json()["code"] == "transition_not_allowed"


async def test_nothing_is_given_out_before_it_is_known_who_asks(client, ask):
    made = await ask("access")
    refused = await client.post(path(made, "/execution"))
    assert (refused.status_code, refused.json()["code"]) == (409, "identity_not_checked")
    seen = {"method": "in_person", "note": "Có mang căn cước"}
    checked = await client.post(path(made, "/identity-check"), json=seen)
    assert checked.json()["identity_check"].items() >= seen.items()
    assert (await client.post(path(made, "/execution"))).status_code == 202


async def test_an_objection_takes_consents_back_at_once(client, customer, ask, service, shop):
    consents = f"/v1/customers/{customer['id']}/consents"
    for purpose in ("marketing", "care"):
        said = {"purpose": purpose, "channel": "email", "status": "granted"}
        await client.post(consents, json={**said, "proof": {"page": "/"}})
    made = await ask("objection", purposes=["marketing"])
    assert made["status"] == "completed"
    current = (await client.get(consents)).json()["current"]
    by = {(c["purpose"], c["channel"]): c["status"] for c in current}
    assert by["marketing", "email"] == by["marketing", "sms"] == "withdrawn"
    assert by["care", "email"] == "granted"
    told = (await service.told(shop, "customer.updated"))[-1]
    assert {c["status"] for c in told["customer"]["consents"] if c["purpose"] == "marketing"} == {
        "withdrawn"
    }


async def test_a_restriction_holds_at_once_until_it_is_lifted(client, customer, ask, service, shop):
    assert (await ask("restriction"))["status"] == "completed"
    where = f"/v1/customers/{customer['id']}"
    assert (await client.get(where)).json()["restricted_at"] is not None
    assert (await service.told(shop, "customer.updated"))[-1]["customer"]["restricted"]
    assert (await client.delete(f"{where}/restriction")).status_code == 204
    assert (await client.get(where)).json()["restricted_at"] is None
    assert not (await service.told(shop, "customer.updated"))[-1]["customer"]["restricted"]


async def test_who_is_under_a_legal_hold_is_not_erased(client, customer, ask):
    hold = {"customer_id": customer["id"], "reason": "Tranh chấp"}
    held = (await client.post("/v1/legal-holds", json=hold)).json()
    made = await ask("erasure")
    await client.post(path(made, "/identity-check"), json={"method": "in_person"})
    refused = await client.post(path(made, "/execution"))
    assert (refused.status_code, refused.json()["code"]) == (409, "legal_hold")
    assert refused.json()["legal_hold_id"] == held["id"]
    assert (await client.get(f"/v1/customers/{customer['id']}")).json()["name"] == "Lan"
    released = await client.post(f"/v1/legal-holds/{held['id']}/release")
    assert released.json()["released_at"] is not None
    assert (await client.post(path(made, "/execution"))).status_code == 202
    of_customer = {"customer_id": customer["id"]}
    listed = (await client.get("/v1/legal-holds", params=of_customer)).json()["data"]
    assert [each["id"] for each in listed] == [held["id"]]


async def test_nobody_holds_what_is_erased_already(client, customer, ask):
    made = await ask("erasure")
    await client.post(path(made, "/identity-check"), json={"method": "in_person"})
    assert (await client.post(path(made, "/execution"))).status_code == 202
    hold = {"customer_id": customer["id"], "reason": "Tranh chấp"}
    refused = await client.post("/v1/legal-holds", json=hold)
    assert (refused.status_code, refused.json()["code"]) == (409, "customer_erased")


async def test_a_hold_and_an_erasure_at_once_do_not_both_count(client, customer, ask):
    made = await ask("erasure")
    await client.post(path(made, "/identity-check"), json={"method": "in_person"})
    hold = {"customer_id": customer["id"], "reason": "Tranh chấp"}
    answers = await asyncio.gather(
        client.post("/v1/legal-holds", json=hold), client.post(path(made, "/execution"))
    )
    assert sorted(answer.is_success for answer in answers) == [False, True]


async def test_an_erased_customer_is_nobody_and_stays_so(client, customer, ask):
    note = {"text": "Thích màu xanh"}
    await client.post(f"/v1/customers/{customer['id']}/notes", json=note)
    made = await ask("erasure")
    await client.post(path(made, "/identity-check"), json={"method": "in_person"})
    assert (await client.post(path(made, "/execution"))).json()["status"] == "in_progress"
    left = (await client.get(f"/v1/customers/{customer['id']}")).json()
    assert (left["name"], left["email"], left["phone"]) == (None, None, None)
    assert left["erased_at"] is not None
    assert left["code"] == customer["code"]
    changed = await client.patch(f"/v1/customers/{customer['id']}", json={"name": "Lan"})
    assert (changed.status_code, changed.json()["code"]) == (409, "customer_erased")
    again = await ask("erasure")
    await client.post(path(again, "/identity-check"), json={"method": "in_person"})
    assert (await client.post(path(again, "/execution"))).json()["code"] == "customer_erased"
    # Whoever comes anew with the same address is somebody new.
    body = {"name": "Lan", "email": "lan@example.com", "email_verified": True}
    assert (await client.post("/v1/customers", json=body)).json()["id"] != customer["id"]


async def test_nothing_is_written_any_more_about_what_was_to_be_done_for_who_was_erased(
    client, customer, ask
):
    of_them = {"customer_id": customer["id"]}
    times = {"starts_at": "2027-03-01T02:00:00Z", "ends_at": "2027-03-01T03:00:00Z"}
    made = {}
    for path_, body in (
        ("tasks", {"title": "Gọi chị Lan"}),
        ("appointments", {"title": "Gặp chị Lan", **times}),
        ("leads", {"intent": "wants_meeting"}),
    ):
        made[path_] = (await client.post(f"/v1/{path_}", json={**of_them, **body})).json()["id"]
    request = await ask("erasure")
    await client.post(path(request, "/identity-check"), json={"method": "in_person"})
    await client.post(path(request, "/execution"))
    for path_, words in (
        ("tasks", {"title": "Gọi chị Lan"}),
        ("tasks", {"note": "0912345678"}),
        ("appointments", {"title": "Gặp chị Lan"}),
        ("appointments", {"place": "Nhà chị Lan"}),
        ("appointments", {"note": "0912345678"}),
        ("leads", {"intent": "follows_brand"}),
    ):
        refused = await client.patch(f"/v1/{path_}/{made[path_]}", json=words)
        assert (refused.status_code, refused.json()["code"]) == (409, "customer_erased")
    # What is left to do can be done with all the same.
    for path_ in ("tasks", "appointments"):
        ended = await client.patch(f"/v1/{path_}/{made[path_]}", json={"status": "cancelled"})
        assert ended.json()["status"] == "cancelled"


async def test_a_shopper_asks_for_themselves_only(service, shop, client, customer):
    other = (await client.post("/v1/customers", json={"name": "Mai"})).json()
    async with service.client(
        shop, "privacy:own", kind=PrincipalKind.SHOPPER, customer_id=UUID(customer["id"])
    ) as shopper:
        made = (await shopper.post("/v1/privacy-requests", json={"kind": "access"})).json()
        assert (made["customer_id"], made["channel"]) == (customer["id"], "shopper")
        assert made["identity_check"]["method"] == "shopper_token"
        about = {"kind": "access", "customer_id": other["id"]}
        assert (await shopper.post("/v1/privacy-requests", json=about)).status_code == 404
        theirs = await client.post("/v1/privacy-requests", json=about)
        assert (await shopper.get(path(theirs.json()))).status_code == 404
        listed = (await shopper.get("/v1/privacy-requests")).json()["data"]
        assert [each["id"] for each in listed] == [made["id"]]
        assert (await shopper.post(path(made, "/execution"))).status_code == 403


async def test_what_is_due_is_told_once(ask, service, shop):
    await ask("access")
    late = await ask("access", received_at="2026-03-02T03:00:00Z")
    reminders = PrivacyReminders(service.context.units)
    await reminders.sweep()
    await reminders.sweep()
    [told] = await service.told(shop, "customer.privacy_request_due")
    assert told["request"]["request_id"] == late["id"]


async def test_a_request_of_nobody_is_not_there(client):
    assert (await client.get(f"/v1/privacy-requests/{new_id()}")).status_code == 404
    body = {"kind": "access", "customer_id": str(new_id())}
    assert (await client.post("/v1/privacy-requests", json=body)).status_code == 404
    future = {**body, "received_at": datetime(2199, 1, 1, tzinfo=UTC).isoformat()}
    assert (await client.post("/v1/privacy-requests", json=future)).status_code == 422


async def age_collections(service, shop, by):
    async with service.context.units.begin(shop) as uow:
        older = text("UPDATE customer.data_collection SET started_at = :at WHERE tenant_id = :t")
        await uow.execute(older, {"at": uow.clock.now() - by, "t": shop})
        await uow.commit()


async def collections(service, shop):
    async with service.context.units.begin(shop) as uow:
        kept = "SELECT use FROM customer.data_collection WHERE tenant_id = :t ORDER BY use"
        return list(await uow.scalars(text(kept), {"t": shop}))


async def test_a_preview_is_forgotten_after_a_month(client, ask, service, shop):
    units = service.context.units
    made = await ask("erasure")
    assert (await client.post(path(made, "/preview"))).status_code == 202
    await age_collections(service, shop, COLLECTIONS.life - timedelta(hours=1))
    await collection_forgetting(units).run()
    assert (await client.get(path(made, "/preview"))).status_code == 200
    assert shop not in await units.tenants(COLLECTIONS.listing)

    await age_collections(service, shop, COLLECTIONS.life + timedelta(hours=1))
    assert shop in await units.tenants(COLLECTIONS.listing)
    await collection_forgetting(units).run()
    gone = await client.get(path(made, "/preview"))
    assert (gone.status_code, gone.json()["code"]) == (404, "preview_not_found")
    assert shop not in await units.tenants(COLLECTIONS.listing)
    assert (await client.get(path(made))).json()["status"] == "received"


async def test_a_file_that_waits_for_a_part_is_waited_for(client, ask, service, shop):
    made = await ask("access")
    await client.post(path(made, "/identity-check"), json={"method": "in_person"})
    assert (await client.post(path(made, "/execution"))).status_code == 202
    await age_collections(service, shop, COLLECTIONS.life * 2)
    await collection_forgetting(service.context.units).run()
    assert await collections(service, shop) == ["export"]


async def test_a_file_is_not_asked_for_without_end(client, ask, service, shop):
    made = await ask("access")
    await client.post(path(made, "/identity-check"), json={"method": "in_person"})
    kinds = build_job_kinds(service.context)
    runner = JobRunner(units=service.context.units, kinds=kinds, wake=nobody)
    async with service.client(shop, "jobs:write") as stopping:
        for _ in range(20):
            begun = await client.post(path(made, "/execution"))
            assert begun.status_code == 202
            await stopping.post(f"/v1/jobs/{begun.json()['job_id']}/cancel")
            await runner.go_on(shop.hex)
    refused = await client.post(path(made, "/execution"))
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_files")
    assert len((await client.get(path(made))).json()["files"]) == 20
