"""Data quality over the API: one customer, those with a problem, the report, what a shop weighs."""

import asyncio
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.customer.jobs import build_job_kinds
from services.customer.quality.judging import Judge
from services.customer.quality.tasks import LISTING, TO_JUDGE, QualitySweep
from shared.ids import TenantId, new_id
from shared.jobs.runner import JobRunner
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.test_duplicate_scans import FixedClock
from tests.support.harness import ServiceHarness

SCOPES = ("customers:read", "customers:write", "quality:read", "quality:write", "jobs:read")


@pytest.fixture
async def client(service: ServiceHarness, shop: TenantId):
    async with service.client(shop, *SCOPES) as client:
        yield client


@pytest.fixture
def runner(service: ServiceHarness) -> JobRunner:
    async def nobody(_tenant: TenantId) -> None:
        """A wake-up that reaches nobody."""

    context = service.context
    return JobRunner(units=context.units, kinds=build_job_kinds(context), wake=nobody)


async def add(client: httpx.AsyncClient, **known: Any) -> dict[str, Any]:
    answer = await client.post("/v1/customers", json=known)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def hear(service: ServiceHarness, shop: TenantId) -> None:
    """The sweep has come by since the last change."""
    kinds = build_job_kinds(service.context)
    await QualitySweep(service.context.units, kinds, settled=timedelta()).keep_up_tenant(shop)


async def report(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/v1/quality/report")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def listed(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get("/v1/quality/problems", params=query)
    assert answer.status_code == 200, answer.text
    return [row["customer_id"] for row in answer.json()["data"]]


@pytest.mark.capability(125)
async def test_a_customer_and_a_source_have_a_score_and_problems(
    client: httpx.AsyncClient, service: ServiceHarness, shop: TenantId
) -> None:
    lan = await add(client, name="0912345678", phone="01695678945", email="lan@gmial.com")
    await add(client, name="Trần Văn Hùng", phone="0987123654", source="pos")
    await hear(service, shop)
    answer = await client.get(f"/v1/customers/{lan['id']}/quality")
    found = answer.json()
    assert found["score"] == 40
    assert [problem["code"] for problem in found["problems"]] == [
        *("unverified_contact", "name_is_a_phone_number", "mistyped_email"),
        *("missing_birth_date", "missing_address", "consent_unknown"),
    ]
    mistyped = found["problems"][2]
    assert (mistyped["field"], mistyped["suggestion"]) == ("email", "lan@gmail.com")
    assert found["rewritings"] == ["email_as_given", "phone_eleven_digits_converted"]

    told = await report(client)
    assert told["customers"] == 2
    assert [(s["source"], s["customers"], s["average_score"]) for s in told["data"]] == [
        ("api", 1, 40.0),
        ("pos", 1, 55.0),
    ]
    from_api = told["data"][0]
    assert {"problem": "mistyped_email", "customers": 1, "share": 1.0} in from_api["problems"]
    assert {"rewriting": "phone_eleven_digits_converted", "count": 1} in from_api["rewritings"]


async def test_only_shops_in_which_somebody_was_changed_are_looked_at(
    client: httpx.AsyncClient, service: ServiceHarness, shop: TenantId
) -> None:
    units = service.context.units
    assert shop not in await units.tenants(TO_JUDGE)
    lan = await add(client, name="Lan")
    assert shop in await units.tenants(TO_JUDGE)
    await hear(service, shop)
    assert shop not in await units.tenants(TO_JUDGE)
    await client.patch(f"/v1/customers/{lan['id']}", json={"city": "Huế"})
    assert shop in await units.tenants(TO_JUDGE)
    await hear(service, shop)
    assert shop not in await units.tenants(TO_JUDGE)


async def test_how_to_mend_is_said_in_the_readers_language(client: httpx.AsyncClient) -> None:
    lan = await add(client, name="Lan")
    words = []
    for language in ("vi", "en-GB"):
        answer = await client.get(
            f"/v1/customers/{lan['id']}/quality", headers={"accept-language": language}
        )
        words.append({p["code"]: p["how_to_mend"] for p in answer.json()["problems"]})
    assert words[0]["missing_phone"] == "Xin số điện thoại."
    assert words[1]["missing_phone"] == "Ask for a phone number."


async def test_customers_with_a_problem_are_listed_by_source_and_page(
    client: httpx.AsyncClient, service: ServiceHarness, shop: TenantId
) -> None:
    ids = [
        (await add(client, name=f"Lê Thị {n}", source=source))["id"]
        for n, source in (("Mai", "pos"), ("Nga", "api"), ("Oanh", "pos"))
    ]
    await add(client, name="Hồ Văn Phú", phone="0912345678")
    await hear(service, shop)
    assert await listed(client, problem="missing_phone") == ids
    assert await listed(client, problem="missing_phone", source="pos") == [ids[0], ids[2]]
    answer = await client.get(
        "/v1/quality/problems", params={"problem": "missing_phone", "limit": 2}
    )
    cursor = answer.json()["next_cursor"]
    assert await listed(client, problem="missing_phone", limit=2, cursor=cursor) == ids[2:]
    refused = await client.get("/v1/quality/problems", params={"problem": "ugly"})
    assert refused.status_code == 422


async def test_a_mended_problem_goes_and_the_sums_follow(
    client: httpx.AsyncClient, service: ServiceHarness, shop: TenantId
) -> None:
    lan = await add(client, name="Lan")
    await hear(service, shop)
    before = await report(client)
    patched = {"name": "Nguyễn Thị Lan", "phone": "0912345678"}
    await client.patch(f"/v1/customers/{lan['id']}", json=patched)
    await hear(service, shop)
    await hear(service, shop)  # Told again, nothing is counted twice.
    assert await listed(client, problem="incomplete_name") == []
    after = await report(client)
    assert after["customers"] == 1
    assert after["average_score"] > before["average_score"]
    assert "missing_phone" not in {p["problem"] for p in after["data"][0]["problems"]}


async def test_a_review_comes_to_the_same_as_events_did(
    client: httpx.AsyncClient, service: ServiceHarness, shop: TenantId, runner: JobRunner
) -> None:
    people = [await add(client, name=f"Đỗ Thị {n}", phone=f"09123456{n:02}") for n in range(7)]
    await asyncio.gather(*(hear_one(service, shop, person) for person in people))
    by_events = await report(client)
    assert by_events["customers"] == 7
    answer = await client.post("/v1/quality/reviews")
    assert answer.status_code == 202, answer.text
    await runner.go_on(shop.hex)
    job = (await client.get(answer.headers["location"])).json()
    assert (job["status"], job["done"]) == ("succeeded", 7)
    assert await report(client) == by_events


async def test_a_merged_record_counts_no_more_and_lends_its_contacts(
    client: httpx.AsyncClient, service: ServiceHarness, shop: TenantId, runner: JobRunner
) -> None:
    root = await add(client, name="Nguyễn Thị Lan")
    merged = await add(client, name="Lan", email="lan@example.com", email_verified=True)
    await hear(service, shop)
    async with service.context.units.begin(shop) as uow:
        statement = text(
            "UPDATE customer.customer SET merged_into = :root, parent_id = :root "
            "WHERE tenant_id = :tenant AND id = :merged"
        )
        ids = {"root": root["id"], "merged": merged["id"], "tenant": shop}
        await uow.execute(statement, ids)
        await uow.commit()
    await client.post("/v1/quality/reviews")
    await runner.go_on(shop.hex)
    assert (await report(client))["customers"] == 1
    seen = (await client.get(f"/v1/customers/{merged['id']}/quality")).json()
    assert seen["customer_id"] == root["id"]
    assert "email_as_given" in seen["rewritings"]
    met = {rule["rule"]: rule["met"] for rule in seen["rules"]}
    assert met["contact_verified"] == 1


async def test_the_shop_decides_what_the_rules_weigh(
    client: httpx.AsyncClient, service: ServiceHarness, shop: TenantId, runner: JobRunner
) -> None:
    lan = await add(client, name="Lan", phone="0912345678")
    await hear(service, shop)
    nothing = dict.fromkeys((await client.get("/v1/quality/policy")).json()["weights"], 0)
    path = "/v1/quality/policy"
    decided = await client.put(path, json={"weights": {**nothing, "phone_usable": 1}})
    assert (decided.status_code, decided.json()["version"]) == (200, 1)
    assert (await client.get(f"/v1/customers/{lan['id']}/quality")).json()["score"] == 100
    await runner.go_on(shop.hex)
    assert (await report(client))["average_score"] == 100
    stale = await client.put(path, json={}, headers={"if-match": '"7"'})
    assert stale.status_code == 412


async def test_everybody_is_judged_anew_once_a_night(
    client: httpx.AsyncClient, service: ServiceHarness, shop: TenantId
) -> None:
    await add(client, name="Lan")
    await hear(service, shop)
    clock = FixedClock(datetime(2127, 3, 1, 19, 59, tzinfo=UTC))  # 2:59 in Vietnam.
    units = copy(service.context.units)
    units.clock = clock
    sweep = QualitySweep(units, build_job_kinds(service.context))
    assert not await sweep.sweep_tenant(shop)
    clock.at = datetime(2127, 3, 1, 20, 1, tzinfo=UTC)
    begun = await asyncio.gather(*(sweep.sweep_tenant(shop) for _ in range(3)))
    assert sorted(begun) == [False, False, True]
    # The database has its own clock: it lists a shop by when the next night comes.
    assert shop not in await service.context.units.tenants(LISTING)


async def test_a_shop_is_not_looked_at_before_its_next_night(
    client: httpx.AsyncClient, service: ServiceHarness, shop: TenantId
) -> None:
    units = service.context.units
    sweep = QualitySweep(units, build_job_kinds(service.context))
    assert shop not in await units.tenants(LISTING), "nobody was ever judged"
    await add(client, name="Lan")
    await hear(service, shop)
    assert shop in await units.tenants(LISTING)
    await sweep.sweep()
    assert shop not in await units.tenants(LISTING)
    async with units.begin(shop) as uow:
        passed = text("UPDATE customer.quality_policy SET review_due_at = :at WHERE tenant_id = :t")
        await uow.execute(passed, {"at": uow.clock.now() - timedelta(seconds=1), "t": shop})
        await uow.commit()
    assert shop in await units.tenants(LISTING)


async def test_staff_who_see_their_own_see_the_problems_of_those(
    client: httpx.AsyncClient, service: ServiceHarness, shop: TenantId
) -> None:
    theirs = await add(client, name="Lan")
    await hear(service, shop)
    async with service.client(
        shop, *SCOPES, kind=PrincipalKind.STAFF, visibility=Visibility.OWN, actor_id=str(new_id())
    ) as agent:
        assert await listed(agent, problem="missing_phone") == [theirs["id"]]
        async with service.context.units.begin(shop) as uow:
            statement = text(
                "UPDATE customer.customer SET owner_id = :owner WHERE tenant_id = :tenant"
            )
            await uow.execute(statement, {"owner": new_id(), "tenant": shop})
            await uow.commit()
        assert await listed(agent, problem="missing_phone") == []
        assert (await agent.get(f"/v1/customers/{theirs['id']}/quality")).status_code == 404
        assert (await agent.get("/v1/quality/report")).status_code == 403


async def hear_one(service: ServiceHarness, shop: TenantId, person: dict[str, Any]) -> None:
    """One event of one customer, in a unit of work of its own, beside the others'."""
    async with service.context.units.begin(shop) as uow:
        await Judge(uow).renew([UUID(person["id"])])
        await uow.commit()
