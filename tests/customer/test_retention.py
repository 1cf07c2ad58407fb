"""Retention rules: what a shop says, who is due, what is left alone, and what is left of it."""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.customer.jobs import build_job_kinds
from services.customer.retention.people import RetentionPeople
from services.customer.retention.repository import RetentionRepository
from services.customer.retention.tasks import RetentionNights
from shared.ids import TenantId, new_id
from shared.jobs.runner import JobRunner
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.merging import Merging
from tests.customer.test_duplicate_scans import FixedClock
from tests.support.harness import ServiceHarness
from tests.support.locks import somebody_waits

Json = dict[str, Any]
RULES, RUNS = "/v1/retention/rules", "/v1/retention/runs"
SCOPES = (
    *("customers:read", "customers:write", "orders:read", "orders:write"),
    *("interactions:read", "interactions:write", "custom_fields:read", "custom_fields:write"),
    *("retention:read", "retention:write", "privacy:read", "privacy:write", "jobs:read"),
    *("leads:read", "touches:read", "touches:write", "jobs:write", "duplicates:write"),
)
Ageing = Callable[..., Awaitable[None]]


@pytest.fixture
async def client(service: ServiceHarness, shop: TenantId):
    async with service.client(shop, *SCOPES) as client:
        yield client


def runner_of(service: ServiceHarness, clock: FixedClock | None = None, page: int = 2) -> JobRunner:
    """A worker with small pages, by the true clock or another one."""

    async def nobody(_tenant: TenantId) -> None:
        """A wake-up that reaches nobody."""

    context = service.context
    settings = context.settings.model_copy(update={"retention_page": page})
    units = copy(context.units)
    units.clock = clock or context.units.clock
    kinds = build_job_kinds(replace(context, settings=settings))
    return JobRunner(units=units, kinds=kinds, wake=nobody)


@pytest.fixture
def runner(service: ServiceHarness) -> JobRunner:
    return runner_of(service)


@pytest.fixture
def age(service: ServiceHarness, shop: TenantId) -> Ageing:
    """Makes somebody as old as if nothing had happened for so many days."""

    async def aged(customer: Json, days: int) -> None:
        then = datetime.now(UTC) - timedelta(days=days)
        async with service.context.units.begin(shop) as uow:
            statement = text(
                "UPDATE customer.customer SET created_at = :then,"
                # Nothing stays nothing: `least` would pass over it.
                " last_order_at = last_order_at - greatest(last_order_at - :then, '0'),"
                " last_interaction_at ="
                " last_interaction_at - greatest(last_interaction_at - :then, '0')"
                " WHERE tenant_id = :tenant AND id = :id"
            )
            named = {"tenant": shop, "id": UUID(customer["id"])}
            await uow.execute(statement, {"then": then, **named})
            await uow.commit()

    return aged


async def add(client: httpx.AsyncClient, **known: Any) -> Json:
    answer = await client.post("/v1/customers", json=known)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def read(client: httpx.AsyncClient, customer: Json) -> Json:
    return dict((await client.get(f"/v1/customers/{customer['id']}")).json())


async def rule(client: httpx.AsyncClient, *data: str, **said: Any) -> Json:
    body = {
        "name": "Quá hạn",
        "data": list(data),
        "clock": "last_activity",
        "period": "P24M",
        "active": True,
        **said,
    }
    answer = await client.post(RULES, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def start(client: httpx.AsyncClient, *, dry: bool = False, **wanted: Any) -> Json:
    answer = await client.post(RUNS, json=wanted, params={"dry_run": dry})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    return dict(answer.json())


async def follow(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, *, dry: bool = False
) -> Json:
    """The rules are followed to their end."""
    job = await start(client, dry=dry)
    await runner.go_on(shop.hex)
    run = dict((await client.get(f"{RUNS}/{job['id']}")).json())
    assert run["status"] == "finished", (run, (await client.get(f"/v1/jobs/{job['id']}")).text)
    return run


def answered(status: str, purpose: str = "marketing", **said: Any) -> Json:
    """An answer as it is recorded."""
    return {
        "purpose": purpose,
        "channel": "email",
        "status": status,
        "source": "pos",
        "proof": {"page": "/dang-ky"},
        **said,
    }


async def audited(service: ServiceHarness, shop: TenantId) -> list[Json]:
    told = await service.told(shop, "audit.recorded")
    return [
        record
        for event in told
        for record in event["records"]
        if record["action"] == "retention.empty"
    ]


async def test_a_dry_run_says_what_would_be_emptied_and_empties_nothing(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, age: Ageing
) -> None:
    old = [await add(client, name=f"Lan {n}", birth_date="1990-02-03") for n in range(5)]
    for one in old:
        await age(one, 800)
    nothing_there = await add(client, name="Không ngày sinh")
    await age(nothing_there, 800)
    await add(client, name="Mới", birth_date="1990-02-03")
    made = await rule(client, "birth_date", active=False)
    run = await follow(client, runner, shop, dry=True)
    [told] = run["rules"]
    assert (told["rule_id"], told["status"], told["looked_at"]) == (made["id"], "done", 6)
    assert (told["people"], told["amounts"], told["left_alone"]) == (5, {"birth_date": 5}, {})
    assert (run["kind"], run["started_by"]) == ("dry_run", "test")
    assert (await read(client, old[0]))["birth_date"] == "1990-02-03"
    job = (await client.get(f"/v1/jobs/{run['job_id']}")).json()
    assert set(job["detail"]["samples"][made["id"]]) == {one["id"] for one in old}
    answer = await client.get(job["result"]["url"])
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert {line["code"] for line in lines} == {one["code"] for one in old}
    assert {line["outcome"] for line in lines} == {"would_be_emptied"}
    assert "Lan" not in answer.text


async def test_a_run_empties_fields_everywhere_and_tells_of_it(
    client: httpx.AsyncClient,
    runner: JobRunner,
    shop: TenantId,
    age: Ageing,
    service: ServiceHarness,
) -> None:
    field = {"key": "shoe_size", "type": "number", "label": {"vi": "Cỡ giày"}}
    assert (await client.post("/v1/custom-fields", json=field)).status_code == 201
    known = {
        "name": "Lan",
        "email": "lan@example.com",
        "birth_date": "1990-02-03",
        "tags": ["VIP"],
        "occupation": "Giáo viên",
        "attributes": {"shoe_size": 39, "colour": "đỏ"},
    }
    lan = await add(client, **known)
    await age(lan, 800)
    await rule(client, "birth_date", "email", "tags", "occupation", "attributes.shoe_size")
    run = await follow(client, runner, shop)
    left = await read(client, lan)
    assert (left["birth_date"], left["email"], left["tags"]) == (None, None, [])
    assert (left["occupation"], left["attributes"]) == (None, {"colour": "đỏ"})
    assert left["name"] == "Lan"
    assert left["version"] > lan["version"]
    identities = (await client.get(f"/v1/customers/{lan['id']}/identities")).json()["data"]
    assert [each["kind"] for each in identities] == []
    for query in ({"tag": "VIP"}, {"attributes[shoe_size]": "39"}, {"q": "lan@example.com"}):
        assert (await client.get("/v1/customers", params=query)).json()["data"] == [], query
    [entry] = await audited(service, shop)
    assert entry["subjects"] == [{"object": "customer", "id": lan["id"]}]
    assert entry["detail"]["run_id"] == run["id"]
    assert entry["detail"]["emptied"]["attributes.shoe_size"] == 1
    assert "1990" not in str(entry)
    updated = (await service.told(shop, "customer.updated"))[-1]
    assert updated["customer"]["birth_date"] is None
    [finished] = await service.told(shop, "customer.retention_run_finished")
    assert finished["run"]["people"] == 1
    assert run["rules"][0]["amounts"]["email"] == 1
    # Nothing is left to do.
    again = await follow(client, runner, shop)
    assert again["rules"][0]["people"] == 0


async def test_who_said_it_is_not_asked_again(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, age: Ageing
) -> None:
    lan = await add(client, name="Lan", gender="female")
    changed = await client.patch(f"/v1/customers/{lan['id']}", json={"gender": "other"})
    assert changed.status_code == 200
    await age(lan, 800)
    await rule(client, "gender")
    await follow(client, runner, shop)
    provenance = (await client.get(f"/v1/customers/{lan['id']}/provenance")).json()
    assert {field["field"] for field in provenance["data"]} == {"name"}


async def test_one_person_is_judged_by_all_their_records(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, age: Ageing
) -> None:
    merging = Merging(client)
    active, active_twin, gone, gone_twin = await merging.make_all("A", "B", "C", "D")
    for one, day in ((active, "1990-01-01"), (gone, "1991-01-01"), (gone_twin, "1992-01-01")):
        answer = await client.patch(f"/v1/customers/{one['id']}", json={"birth_date": day})
        assert answer.status_code == 200
    await merging.merge(active, active_twin)
    merge = await merging.merge(gone, gone_twin)
    for one in (active, gone, gone_twin):
        await age(one, 800)
    await rule(client, "birth_date")
    run = await follow(client, runner, shop)
    assert run["rules"][0]["people"] == 1
    assert (await read(client, active))["birth_date"] == "1990-01-01"
    assert (await read(client, gone))["birth_date"] is None
    # Undoing the merge does not bring it back, to neither of them.
    undone = await client.post(f"/v1/merges/{merge['id']}/undo")
    assert undone.status_code == 200, undone.text
    assert (await read(client, gone))["birth_date"] is None
    assert (await read(client, gone_twin))["birth_date"] is None


async def test_whoever_agreed_to_something_lately_is_active(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, age: Ageing
) -> None:
    lan = await add(client, name="Lan", birth_date="1990-02-03")
    await age(lan, 800)
    answer = await client.post(f"/v1/customers/{lan['id']}/consents", json=answered("granted"))
    assert answer.status_code == 201, answer.text
    await rule(client, "birth_date")
    run = await follow(client, runner, shop)
    assert run["rules"][0]["people"] == 0
    assert (await read(client, lan))["birth_date"] is not None


async def test_holds_requests_and_restrictions_are_respected(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, age: Ageing
) -> None:
    held, asking, restricted = [
        await add(client, name=name, birth_date="1990-02-03") for name in ("A", "B", "C")
    ]
    hold = await client.post(
        "/v1/legal-holds", json={"customer_id": held["id"], "reason": "Tranh chấp"}
    )
    for kind, one in (("access", asking), ("restriction", restricted)):
        wish = {"kind": kind, "customer_id": one["id"]}
        assert (await client.post("/v1/privacy-requests", json=wish)).status_code == 201
    for one in (held, asking, restricted):
        await age(one, 800)
    await rule(client, "birth_date")
    [told] = (await follow(client, runner, shop))["rules"]
    assert told["left_alone"] == {"legal_hold": 1, "privacy_request": 1, "restriction": 1}
    assert (told["people"], told["amounts"]) == (0, {})
    assert (await read(client, held))["birth_date"] is not None
    assert (await client.post(f"/v1/legal-holds/{hold.json()['id']}/release")).is_success
    [told] = (await follow(client, runner, shop))["rules"]
    assert told["people"] == 1
    assert (await read(client, held))["birth_date"] is None


@pytest.mark.parametrize(
    ("said", "code", "pointer"),
    [
        ({"data": ["orders"], "period": "P9Y"}, "below_legal_minimum", "/body/period"),
        ({"data": ["orders"], "period": "P3640D"}, "below_legal_minimum", "/body/period"),
        ({"data": ["consent_evidence"]}, "kept_by_law", "/body/data/0"),
        ({"data": ["birth_date", "shoe"]}, "unknown_data", "/body/data/1"),
        ({"data": ["attributes.none"]}, "unknown_data", "/body/data/0"),
        ({"clock": "attributes.none"}, "unknown_clock", "/body/clock"),
        ({"clock": "recorded"}, "no_own_age", "/body/clock"),
        ({"action": "anonymise"}, "does_not_fit", "/body/action"),
        ({"data": ["record"]}, "does_not_fit", "/body/action"),
        ({"data": ["record", "notes"], "action": "anonymise"}, "record_stands_alone", "/body/data"),
        ({"period": "24M"}, None, "/body/period"),
        ({"period": "P0D"}, None, "/body/period"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused(
    client: httpx.AsyncClient, said: Json, code: str | None, pointer: str
) -> None:
    body = {"name": "Luật", "data": ["birth_date"], "clock": "created", "period": "P1Y", **said}
    answer = await client.post(RULES, json=body)
    assert answer.status_code == 422, answer.text
    faults = {each["pointer"]: each["code"] for each in answer.json()["errors"]}
    assert pointer in faults
    assert code in (None, faults[pointer])


async def test_the_same_holds_for_a_change(client: httpx.AsyncClient) -> None:
    made = await rule(client, "orders", period="P10Y")
    path = f"{RULES}/{made['id']}"
    answer = await client.patch(path, json={"period": "P1Y"})
    assert answer.json()["errors"][0]["code"] == "below_legal_minimum"
    stale = await client.patch(path, json={"name": "Khác"}, headers={"if-match": '"7"'})
    assert stale.status_code == 412
    longer = (await client.patch(path, json={"period": "P11Y"})).json()
    assert (longer["period"], longer["version"]) == ("P11Y", 2)
    assert (await client.patch(path, json={"name": None})).status_code == 422
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).json()["code"] == "retention_rule_not_found"


async def test_entries_are_emptied_with_the_person_or_by_their_own_age(
    client: httpx.AsyncClient,
    runner: JobRunner,
    shop: TenantId,
    age: Ageing,
    service: ServiceHarness,
) -> None:
    lan = await add(client, name="Lan")
    base = f"/v1/customers/{lan['id']}"
    old, new = "2019-01-02T03:04:05Z", datetime.now(UTC).isoformat()
    calls = []
    for when in (old, old, old, new):
        call = {"customer_id": lan["id"], "kind": "call", "started_at": when, "text": "Đã gọi"}
        answer = await client.post("/v1/interactions", json=call)
        assert answer.status_code == 201, answer.text
        calls.append(answer.json()["id"])
    address = {"full_address": "1 Lê Lợi, P. Bến Nghé, Q.1, TP.HCM"}
    assert (await client.post(f"{base}/addresses", json=address)).status_code == 201
    await rule(client, "interactions", clock="recorded", period="P3Y")
    [told] = (await follow(client, runner, shop))["rules"]
    assert (told["amounts"], told["people"]) == ({"interactions": 3}, None)
    words = [(await client.get(f"/v1/interactions/{call}")).json()["text"] for call in calls]
    assert words == [None, None, None, "Đã gọi"]

    await age(lan, 800)
    await rule(client, "addresses", "interactions")
    run = await follow(client, runner, shop)
    by_person = run["rules"][-1]
    assert by_person["amounts"] == {"interactions": 1, "addresses": 1}
    assert (await client.get(f"{base}/addresses")).json()["data"] == []
    assert (await read(client, lan))["address"] is None
    assert len(await audited(service, shop)) == 3


async def test_a_held_persons_entries_stay(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    held, free = [await add(client, name=name) for name in ("A", "B")]
    for one in (held, free, held, free, held):
        call = {"customer_id": one["id"], "kind": "call", "text": "Đã gọi"}
        call["started_at"] = "2019-01-02T03:04:05Z"
        assert (await client.post("/v1/interactions", json=call)).status_code == 201
    hold = {"customer_id": held["id"], "reason": "Tranh chấp"}
    assert (await client.post("/v1/legal-holds", json=hold)).status_code == 201
    await rule(client, "interactions", clock="recorded")
    [told] = (await follow(client, runner, shop))["rules"]
    assert (told["amounts"], told["left_alone"]) == ({"interactions": 2}, {"legal_hold": 3})


async def test_what_is_in_the_accounts_stays_ten_years(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, age: Ageing
) -> None:
    merging = Merging(client)
    ancient, recent = await merging.make_all("Cổ", "Gần đây")
    for one, year in ((ancient, 2010), (ancient, 2013), (recent, 2021)):
        placed = f"{year}-05-06T07:08:09Z"
        details = {"shipping_address": {"street": "1 Lê Lợi"}, "note": "Gọi trước"}
        await merging.buy(one, 1_000_000, placed_at=placed, **details)
    for one in (ancient, recent):
        await age(one, 6000)
    await rule(client, "orders", clock="created", period="P10Y")
    [told] = (await follow(client, runner, shop))["rules"]
    # As customers both are old enough; the order of 2021 is not.
    assert (told["people"], told["amounts"]) == (1, {"orders": 2})
    orders = (await client.get(f"/v1/customers/{ancient['id']}/orders")).json()["data"]
    assert "Lê Lợi" not in str(orders)
    assert len(orders) == 2
    kept = (await client.get(f"/v1/customers/{recent['id']}/orders")).json()["data"]
    assert "Lê Lợi" in str((await client.get(f"/v1/orders/{kept[0]['id']}")).json())


async def test_a_lead_who_never_bought_ends_as_by_an_erasure(
    client: httpx.AsyncClient,
    runner: JobRunner,
    shop: TenantId,
    age: Ageing,
    service: ServiceHarness,
) -> None:
    merging = Merging(client)
    lead, buyer = await merging.make_all("Chưa mua", "Đã mua")
    await merging.buy(buyer, 1_000_000)
    for one in (lead, buyer):
        await age(one, 800)
    await rule(client, "record", action="anonymise", applies_to="leads")
    run = await follow(client, runner, shop)
    assert run["rules"][0]["amounts"] == {"record": 1}
    assert (await read(client, lead))["erased_at"] is not None
    assert (await read(client, buyer))["name"] == "Đã mua"
    [erased] = await service.told(shop, "customer.erased")
    assert erased["customer_id"] == lead["id"]
    [ended] = (await client.get(f"{RUNS}/{run['id']}/erasures")).json()["data"]
    assert (ended["customer_id"], ended["receipt"]) == (lead["id"], None)
    # Nobody has asked for it.
    assert (await client.get("/v1/privacy-requests")).json()["data"] == []


async def test_whoever_is_in_the_accounts_is_not_ended(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, age: Ageing
) -> None:
    merging = Merging(client)
    [buyer] = await merging.make_all("Đã mua")
    await merging.buy(buyer, 1_000_000)
    await age(buyer, 800)
    await rule(client, "record", action="anonymise")
    [told] = (await follow(client, runner, shop))["rules"]
    assert (told["people"], told["left_alone"]) == (0, {"law": 1})
    assert (await read(client, buyer))["name"] == "Đã mua"


async def test_time_is_counted_from_a_withdrawal_or_a_day_of_the_shops_own(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    field = {"key": "contract_ended_on", "type": "date", "label": {"vi": "Hết hợp đồng"}}
    assert (await client.post("/v1/custom-fields", json=field)).status_code == 201
    known = {"birth_date": "1990-02-03", "gender": "female"}
    ended, running, withdrawn, half = [
        await add(client, name=name, **known, attributes=attributes)
        for name, attributes in (
            ("A", {"contract_ended_on": "2024-01-31"}),
            ("B", {"contract_ended_on": "2090-01-31"}),
            ("C", {}),
            ("D", {}),
        )
    ]
    for one, answers in ((withdrawn, ("granted", "withdrawn")), (half, ("withdrawn",))):
        for day, status in enumerate(answers, start=1):
            said = answered(status, at=f"2024-03-0{day}T02:03:04Z")
            answer = await client.post(f"/v1/customers/{one['id']}/consents", json=said)
            assert answer.status_code == 201, answer.text
    care = answered("granted", "care")
    answer = await client.post(f"/v1/customers/{half['id']}/consents", json=care)
    assert answer.status_code == 201, answer.text
    await rule(client, "birth_date", clock="attributes.contract_ended_on", period="P1Y")
    await rule(client, "gender", clock="consent_withdrawn", period="P20D")
    run = await follow(client, runner, shop)
    assert [each["people"] for each in run["rules"]] == [1, 1]
    found = [await read(client, one) for one in (ended, running, withdrawn, half)]
    assert [each["birth_date"] is None for each in found] == [True, False, False, False]
    assert [each["gender"] is None for each in found] == [False, False, True, False]


async def test_the_latest_day_of_all_records_of_a_person_counts(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId
) -> None:
    field = {"key": "contract_ended_on", "type": "date", "label": {"vi": "Hết hợp đồng"}}
    assert (await client.post("/v1/custom-fields", json=field)).status_code == 201
    long_ago, lately = (
        (datetime.now(UTC) - timedelta(days=days)).date().isoformat() for days in (90, 5)
    )
    merging = Merging(client)
    for name, days in (("A", (long_ago, lately)), ("B", (long_ago, long_ago))):
        root, twin = [
            await merging.make(
                name=name, birth_date="1990-02-03", attributes={"contract_ended_on": day}
            )
            for day in days
        ]
        await merging.merge(root, twin)
    await rule(client, "birth_date", clock="attributes.contract_ended_on", period="P30D")
    run = await follow(client, runner, shop)
    assert run["rules"][0]["people"] == 1
    people = (await client.get("/v1/customers")).json()["data"]
    left = {person["name"]: person["birth_date"] for person in people}
    assert left == {"A": "1990-02-03", "B": None}


async def test_a_run_goes_on_where_a_worker_died(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, age: Ageing
) -> None:
    people = [await add(client, name=f"Lan {n}", birth_date="1990-02-03") for n in range(5)]
    for one in people:
        await age(one, 800)
    await rule(client, "birth_date")
    job = await start(client)
    assert await runner.step(shop)
    halfway = [(await read(client, one))["birth_date"] is None for one in people]
    assert sum(halfway) == 2
    second = await client.post(RUNS, json={})
    assert (second.status_code, second.json()["code"]) == (409, "retention_run_in_progress")
    assert second.json()["run_id"] == job["id"]
    await runner.go_on(shop.hex)
    run = (await client.get(f"{RUNS}/{job['id']}")).json()
    assert (run["status"], run["rules"][0]["amounts"]) == ("finished", {"birth_date": 5})
    listed = await client.get(f"/v1/jobs/{job['id']}/result")
    assert len(list(csv.DictReader(io.StringIO(listed.text)))) == 5


async def test_a_rule_that_is_changed_meanwhile_is_left_at_once(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, age: Ageing
) -> None:
    people = [await add(client, name=f"Lan {n}", birth_date="1990-02-03") for n in range(5)]
    for one in people:
        await age(one, 800)
    made = await rule(client, "birth_date")
    job = await start(client)
    assert await runner.step(shop)
    rests = await client.patch(f"{RULES}/{made['id']}", json={"active": False})
    assert rests.status_code == 200
    await runner.go_on(shop.hex)
    run = (await client.get(f"{RUNS}/{job['id']}")).json()
    assert (run["status"], run["rules"][0]["status"]) == ("finished", "changed")
    assert run["rules"][0]["amounts"] == {"birth_date": 2}


async def test_a_rule_that_is_changed_at_the_very_end_looks_at_everybody_anew(
    client: httpx.AsyncClient, runner: JobRunner, service: ServiceHarness, shop: TenantId
) -> None:
    made = await rule(client, "birth_date")
    await start(client)
    async with service.context.units.begin(shop) as uow:
        rules = RetentionRepository(uow)
        anew = {"period": "P12M", "looked_until": None, "looked_at": None}
        await rules.save_rule(UUID(made["id"]), anew)
        running = asyncio.create_task(runner.go_on(shop.hex))
        await somebody_waits(service.context.units, shop, running)
        await uow.commit()
    await running
    async with service.context.units.begin(shop) as uow:
        left = await RetentionRepository(uow).rule(UUID(made["id"]))
    assert (left.period, left.looked_until, left.looked_at) == ("P12M", None, None)


async def test_a_request_waits_for_whoever_empties_the_person(
    client: httpx.AsyncClient, service: ServiceHarness, shop: TenantId
) -> None:
    lan = await add(client, name="Lan")
    async with service.context.units.begin(shop) as uow:
        [person] = (await RetentionPeople(uow).lock([UUID(lan["id"])])).values()
        body = {"kind": "access", "customer_id": lan["id"]}
        asking = asyncio.create_task(client.post("/v1/privacy-requests", json=body))
        await somebody_waits(service.context.units, shop, asking)
        assert (person.has_asked, asking.done()) == (False, False)
        await uow.commit()
    assert (await asking).status_code == 201


async def test_a_cancelled_run_says_so_and_another_may_begin(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, age: Ageing
) -> None:
    people = [await add(client, name=f"Lan {n}", birth_date="1990-02-03") for n in range(3)]
    for one in people:
        await age(one, 800)
    await rule(client, "birth_date")
    job = await start(client)
    assert await runner.step(shop)
    assert (await client.post(f"/v1/jobs/{job['id']}/cancel")).is_success
    await runner.go_on(shop.hex)
    assert (await client.get(f"{RUNS}/{job['id']}")).json()["status"] == "cancelled"
    run = await follow(client, runner, shop)
    assert run["rules"][0]["amounts"] == {"birth_date": 1}


@pytest.fixture
def night(service: ServiceHarness, shop: TenantId):
    """A night of the shop: whether a run was begun in it, which is then followed to its end."""
    clock = FixedClock(datetime(2029, 3, 5, 19, 30, tzinfo=UTC))  # 2:30 in Vietnam.
    units = copy(service.context.units)
    units.clock = clock
    nights = RetentionNights(units, build_job_kinds(service.context))
    runner = runner_of(service, clock)

    class Night:
        at = clock

        async def comes(self, *, after: timedelta = timedelta()) -> bool:
            clock.at += after
            begun = await nights.sweep_tenant(shop)
            await runner.go_on(shop.hex)
            return begun

        async def comes_to_several_workers(self) -> list[bool]:
            return list(await asyncio.gather(*(nights.sweep_tenant(shop) for _ in range(3))))

    return Night()


@pytest.fixture
def changed_by(service: ServiceHarness, shop: TenantId):
    """Has the last change of somebody be of another moment: the nights are years ahead."""

    async def changed(customer: Json, at: datetime) -> None:
        async with service.context.units.begin(shop) as uow:
            statement = text(
                "UPDATE customer.customer SET updated_at = :at"
                " WHERE tenant_id = :tenant AND id = :id"
            )
            await uow.execute(statement, {"at": at, "tenant": shop, "id": UUID(customer["id"])})
            await uow.commit()

    return changed


async def runs_of(client: httpx.AsyncClient) -> list[Json]:
    return list((await client.get(RUNS)).json()["data"])


async def test_it_is_done_once_a_night_and_not_without_rules(
    client: httpx.AsyncClient, night, service: ServiceHarness, shop: TenantId
) -> None:
    lan = await add(client, name="Lan", birth_date="1990-02-03")
    assert not await night.comes()
    made = await rule(client, "birth_date", active=False)
    assert not await night.comes()
    path = f"{RULES}/{made['id']}"
    assert (await client.patch(path, json={"active": True})).status_code == 200
    assert not await night.comes(after=timedelta(hours=-1))  # 1:30.
    assert not await night.comes(after=timedelta(hours=8))  # 9:30.
    night.at.at = datetime(2029, 3, 5, 19, 30, tzinfo=UTC)
    assert sorted(await night.comes_to_several_workers()) == [False, False, True]
    assert not await night.comes(after=timedelta(minutes=1))
    [run] = await runs_of(client)
    assert (run["kind"], run["started_by"], run["status"]) == ("nightly", "customer", "finished")
    assert (await read(client, lan))["birth_date"] is None
    tenants = await service.context.units.tenants("tenants_with_retention_rules")
    assert shop in tenants


async def test_a_night_looks_at_those_who_have_become_due_since(
    client: httpx.AsyncClient, night, changed_by
) -> None:
    people = [await add(client, name=f"Lan {n}", birth_date="1990-02-03") for n in range(3)]
    await rule(client, "birth_date")
    await night.comes()
    one_day = timedelta(days=1)
    # The night after sees once more whom the first one has changed.
    await night.comes(after=one_day)
    await night.comes(after=one_day)
    looked_at = [run["rules"][0]["looked_at"] for run in await runs_of(client)]
    assert looked_at == [0, 3, 3]
    # What is said again of somebody long due is gone the next night.
    said = {"birth_date": "1990-02-03"}
    assert (await client.patch(f"/v1/customers/{people[0]['id']}", json=said)).status_code == 200
    await changed_by(people[0], night.at.at + timedelta(hours=9))
    await night.comes(after=one_day)
    assert (await read(client, people[0]))["birth_date"] is None
    assert (await runs_of(client))[0]["rules"][0]["amounts"] == {"birth_date": 1}


async def test_a_hold_that_was_released_is_seen_the_next_night(
    client: httpx.AsyncClient, night
) -> None:
    lan = await add(client, name="Lan", birth_date="1990-02-03")
    hold = {"customer_id": lan["id"], "reason": "Tranh chấp"}
    held = (await client.post("/v1/legal-holds", json=hold)).json()
    await rule(client, "birth_date")
    one_day = timedelta(days=1)
    await night.comes()
    await night.comes(after=one_day)
    assert [run["rules"][0]["left_alone"] for run in await runs_of(client)] == [
        {"legal_hold": 1},
        {"legal_hold": 1},
    ]
    assert (await client.post(f"/v1/legal-holds/{held['id']}/release")).is_success
    await night.comes(after=one_day)
    assert (await read(client, lan))["birth_date"] is None
    await night.comes(after=one_day)
    await night.comes(after=one_day)
    assert (await runs_of(client))[0]["rules"][0]["looked_at"] == 0


async def test_old_entries_are_looked_at_again_only_of_whom_was_left_alone(
    client: httpx.AsyncClient, night
) -> None:
    held, free = [await add(client, name=name) for name in ("A", "B")]
    for one in (held, free, held, free, held):
        call = {"customer_id": one["id"], "kind": "call", "text": "Đã gọi"}
        assert (await client.post("/v1/interactions", json=call)).status_code == 201
    hold = {"customer_id": held["id"], "reason": "Tranh chấp"}
    made = (await client.post("/v1/legal-holds", json=hold)).json()
    said = {"clock": "recorded", "period": "P12M"}
    await rule(client, "interactions", **said)
    await rule(client, "interactions", **said, action="report")
    await rule(client, "interactions", **said, applies_to="customers")
    one_day = timedelta(days=1)
    for _ in range(3):
        await night.comes(after=one_day)
    assert (await client.post(f"/v1/legal-holds/{made['id']}/release")).is_success
    for _ in range(2):
        await night.comes(after=one_day)
    nights = [
        [(told["looked_at"], told["amounts"], told["left_alone"]) for told in run["rules"]]
        for run in reversed(await runs_of(client))
    ]
    emptied, reported, not_meant = zip(*nights, strict=True)
    assert list(emptied) == [
        (5, {"interactions": 2}, {"legal_hold": 3}),
        *[(3, {}, {"legal_hold": 3})] * 2,
        (3, {"interactions": 3}, {}),
        (0, {}, {}),
    ]
    # The first rule has emptied what would be reported.
    assert [looked_at for looked_at, *_ in reported] == [3, 3, 3, 0, 0]
    assert [looked_at for looked_at, *_ in not_meant] == [3, 0, 0, 0, 0]


async def test_a_rule_that_reports_does_not_lose_who_was_left_alone(
    client: httpx.AsyncClient, night
) -> None:
    lan = await add(client, name="Lan", birth_date="1990-02-03")
    hold = {"customer_id": lan["id"], "reason": "Tranh chấp"}
    held = (await client.post("/v1/legal-holds", json=hold)).json()
    await rule(client, "birth_date", action="report")
    one_day = timedelta(days=1)
    await night.comes()
    assert (await client.post(f"/v1/legal-holds/{held['id']}/release")).is_success
    await night.comes(after=one_day)
    last, first = [run["rules"][0] for run in await runs_of(client)]
    assert (first["left_alone"], first["amounts"]) == ({"legal_hold": 1}, {})
    assert (last["left_alone"], last["amounts"]) == ({}, {"birth_date": 1})
    await night.comes(after=one_day)
    assert (await runs_of(client))[0]["rules"][0]["looked_at"] == 0


async def test_a_preset_is_taken_over_at_rest(client: httpx.AsyncClient) -> None:
    presets = (await client.get("/v1/retention/presets")).json()["data"]
    assert {preset["name"] for preset in presets} == {"vn_pdpl", "eu_gdpr"}
    for preset in presets:
        answer = await client.post(f"/v1/retention/presets/{preset['name']}/adoption")
        assert answer.status_code == 201, answer.text
        rules = answer.json()["data"]
        assert [each["name"] for each in rules] == [each["name"] for each in preset["rules"]]
        assert {(each["active"], each["preset"]) for each in rules} == {(False, preset["name"])}
    listed = (await client.get(RULES, params={"limit": 200})).json()["data"]
    assert len(listed) == sum(len(preset["rules"]) for preset in presets)
    refused = await client.post(RUNS, json={})
    assert refused.json()["code"] == "no_active_retention_rules"
    assert (await client.post("/v1/retention/presets/none/adoption")).status_code == 422


async def test_the_catalogue_has_the_shops_own_fields(client: httpx.AsyncClient) -> None:
    field = {"key": "contract_ended_on", "type": "date", "label": {"vi": "Hết hợp đồng"}}
    await client.post("/v1/custom-fields", json=field)
    catalogue = (await client.get("/v1/retention/catalogue")).json()
    data = {each["name"]: each for each in catalogue["data"]}
    assert "attributes.contract_ended_on" in {each["name"] for each in catalogue["clocks"]}
    assert data["attributes.contract_ended_on"]["kind"] == "field"
    assert not data["attributes.contract_ended_on"]["sensitive"]
    marked = {"key": "allergy", "label": {"vi": "Dị ứng"}, "sensitivity": "sensitive"}
    await client.post("/v1/custom-fields", json=marked)
    catalogue = (await client.get("/v1/retention/catalogue")).json()
    own = {each["name"]: each["sensitive"] for each in catalogue["data"]}
    assert own["attributes.allergy"]
    assert data["orders"]["minimum"] == "P10Y"
    assert data["touches"]["sensitive"]
    assert "recorded" in data["notes"]["clocks"]
    assert {each["name"] for each in catalogue["kept"]} >= {"consent_evidence"}


async def test_rules_are_for_those_who_see_everybody(
    service: ServiceHarness, shop: TenantId, client: httpx.AsyncClient
) -> None:
    made = await rule(client, "birth_date")
    staff = {"kind": PrincipalKind.STAFF, "actor_id": str(new_id())}
    async with service.client(shop, *SCOPES, visibility=Visibility.OWN, **staff) as agent:
        for method, path in (
            ("GET", RULES),
            ("GET", f"{RULES}/{made['id']}"),
            ("GET", RUNS),
            ("GET", "/v1/retention/catalogue"),
            ("DELETE", f"{RULES}/{made['id']}"),
        ):
            assert (await agent.request(method, path)).status_code == 403, path
        assert (await agent.post(RUNS, json={}, params={"dry_run": True})).status_code == 403
    async with service.client(shop, "retention:read") as reader:
        assert (await reader.post(RUNS, json={})).status_code == 403


async def test_what_is_said_while_a_run_goes_on_is_not_lost(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, age: Ageing
) -> None:
    people = [await add(client, name=f"Lan {n}", birth_date="1990-02-03") for n in range(6)]
    for one in people:
        await age(one, 800)
    await rule(client, "birth_date")
    job = await start(client)
    said = {"city": "Huế"}
    patches = [client.patch(f"/v1/customers/{one['id']}", json=said) for one in people]
    _, *answers = await asyncio.gather(runner.go_on(shop.hex), *patches)
    assert {answer.status_code for answer in answers} == {200}
    assert (await client.get(f"{RUNS}/{job['id']}")).json()["status"] == "finished"
    left = [await read(client, one) for one in people]
    assert {(each["city"], each["birth_date"]) for each in left} == {("Huế", None)}


async def test_of_runs_that_are_started_at_once_one_begins(client: httpx.AsyncClient) -> None:
    await rule(client, "birth_date")
    answers = await asyncio.gather(*(client.post(RUNS, json={}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
    # A dry run gets in nobody's way.
    assert (await client.post(RUNS, json={}, params={"dry_run": True})).status_code == 202


async def test_nothing_is_done_by_a_rule_that_only_reports(
    client: httpx.AsyncClient, runner: JobRunner, shop: TenantId, age: Ageing
) -> None:
    lan = await add(client, name="Lan", birth_date="1990-02-03")
    await age(lan, 800)
    await rule(client, "birth_date", action="report")
    await rule(client, "record", action="report")
    run = await follow(client, runner, shop)
    assert [each["amounts"] for each in run["rules"]] == [{"birth_date": 1}, {"record": 1}]
    assert (await read(client, lan))["birth_date"] == "1990-02-03"
    listed = await client.get(f"/v1/jobs/{run['id']}/result")
    assert {line["outcome"] for line in csv.DictReader(io.StringIO(listed.text))} == {"reported"}
