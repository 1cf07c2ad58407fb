"""The patterns that everything rests on, through the services' own code.

They must come out the same on one PostgreSQL and on a cluster that is spread by tenant:
`DATABASE_URL=... make test-citus` spreads it and runs exactly this.
"""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from shared.contracts.gateway import TenantProvisioned, TenantState
from shared.db.codes import CodeAllocator
from shared.db.unit_of_work import UnitOfWork
from shared.db.walls import check_walls
from shared.ids import TenantId, new_id
from shared.jobs.repository import JobRepository
from shared.jobs.runner import JobRunner
from shared.jobs.work import Done, Going, HeldJob, JobKind, JobKinds, Step
from shared.stream.consumer import Consumer
from shared.stream.envelope import Batch, Envelope, OutgoingEvent, StreamId
from shared.stream.source_repository import SourceRepository
from tests.segmentation.shop import ManualClock, Shop, customer, order
from tests.support.harness import ServiceHarness

SCOPES = ("customers:read", "customers:write")


@pytest.fixture
async def shop_of_customers(customers: ServiceHarness, tenant: TenantId) -> TenantId:
    state = TenantState(name="Hoa Mai", slug=tenant.hex)
    await customers.receive(tenant, "gateway", [(tenant, TenantProvisioned(tenant=state))])
    return tenant


@pytest.fixture
async def shop(segments: ServiceHarness, clock: ManualClock, tenant: TenantId) -> Shop:
    shop = Shop(segments, clock, tenant)
    await shop.provision()
    return shop


async def test_walls_stand(customers: ServiceHarness, segments: ServiceHarness) -> None:
    for service in (customers, segments):
        await check_walls(service.context.units)


async def test_one_key_has_one_effect_and_one_answer(
    customers: ServiceHarness, shop_of_customers: TenantId
) -> None:
    async with customers.client(shop_of_customers, *SCOPES) as client:
        answers = await asyncio.gather(
            *(
                client.post(
                    "/v1/customers",
                    json={"name": "Đặng Thị Hương", "email": "huong@example.com"},
                    headers={"Idempotency-Key": "once"},
                )
                for _ in range(8)
            )
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len((await client.get("/v1/customers")).json()["data"]) == 1
    assert len(await customers.told(shop_of_customers, "customer.created")) == 1


async def test_people_are_found_by_what_they_are_called(
    customers: ServiceHarness, shop_of_customers: TenantId
) -> None:
    async with customers.client(shop_of_customers, *SCOPES) as client:
        for name in ("Đặng Thị Hương", "Trần Văn Đức"):
            await client.post("/v1/customers", json={"name": name})
        found = (await client.get("/v1/customers", params={"q": "dang huong"})).json()["data"]
    assert [one["name"] for one in found] == ["Đặng Thị Hương"]


async def test_numbers_are_handed_out_once(customers: ServiceHarness, tenant: TenantId) -> None:
    allocators = [CodeAllocator(customers.context.units) for _ in range(4)]
    taken = await asyncio.gather(
        *(allocator.take(tenant, "conformance") for allocator in allocators for _ in range(50))
    )
    numbers = [number for block in taken for number in block]
    assert len(numbers) == len(set(numbers)) == 200


class Counting(JobKind):
    """Counts to twenty in its own state and in a row beside it."""

    name = "conformance"

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        number = job.state.get("number", 0) + 1
        await uow.execute(
            text(
                "INSERT INTO customer.code_counter (tenant_id, kind, next_value) "
                "VALUES (:tenant, :kind, :number)"
            ),
            {"tenant": uow.tenant_id, "kind": f"{job.id}:{number}", "number": number},
        )
        if number == 20:
            return Done(done=number)
        return Going(done=number, state={"number": number})


async def test_a_leased_job_takes_each_step_once(
    customers: ServiceHarness, tenant: TenantId
) -> None:
    async def nobody(_tenant: TenantId) -> None:
        """A wake-up that reaches nobody."""

    units = customers.context.units
    async with units.begin(tenant) as uow:
        jobs = JobRepository(uow, schema="customer")
        ids = [await jobs.add(Counting.name, detail={}) for _ in range(3)]
        await uow.commit()
    assert tenant in await units.tenants("tenants_with_waiting_jobs")
    runners = [JobRunner(units=units, kinds=JobKinds([Counting()]), wake=nobody) for _ in range(4)]
    await asyncio.gather(*(runner.go_on(tenant.hex) for runner in runners))
    await runners[0].go_on(tenant.hex)
    async with units.begin(tenant) as uow:
        for job_id in ids:
            job = await JobRepository(uow, schema="customer").get(job_id)
            assert (job.status, job.done) == ("succeeded", 20)
    assert tenant not in await units.tenants("tenants_with_waiting_jobs")


async def test_events_get_their_places_once_and_without_a_gap(
    customers: ServiceHarness, shop_of_customers: TenantId
) -> None:
    async with customers.client(shop_of_customers, *SCOPES) as client:
        for number in range(12):
            await client.post("/v1/customers", json={"name": f"Khách {number}"})
    units, stream = customers.context.units, StreamId(shop_of_customers, "customer")
    source = SourceRepository("customer")

    async def number_some() -> list[OutgoingEvent]:
        async with units.begin(shop_of_customers) as uow:
            last = await source.lock_stream(uow, stream.split)
            found = await source.number_unsent(uow, stream, after=last, limit=5)
            await uow.commit()
        return found

    numbered: list[OutgoingEvent] = []
    while len(numbered) < 12:
        rounds = await asyncio.gather(*(number_some() for _ in range(3)))
        assert any(rounds)
        numbered += [event for found in rounds for event in found]
    assert sorted(event.position for event in numbered) == list(range(1, len(numbered) + 1))
    async with units.begin(shop_of_customers) as uow:
        kept = await source.events(uow, stream, 1, len(numbered))
    assert [event.id for event in kept] == [
        event.id for event in sorted(numbered, key=lambda event: event.position)
    ]


async def test_a_batch_that_comes_again_or_too_early_changes_nothing(
    segments: ServiceHarness, shop: Shop
) -> None:
    consumer = Consumer(
        units=segments.context.units,
        queue=segments.context.queue,
        handlers=segments.handlers,
    )
    who, first = customer(city="Huế")
    _, second = customer(who, version=2, city="Đà Lạt")
    stream = StreamId(shop.tenant, "customer")

    def batch(position: int, event: object) -> Batch[Envelope]:
        envelope = Envelope(
            tenant_id=shop.tenant,
            source="customer",
            position=position,
            id=new_id(),
            key=who,
            type=event.type,  # type: ignore[attr-defined]
            occurred_at=shop.clock.now(),
            data=event.model_dump(mode="json"),  # type: ignore[attr-defined]
            context={},
        )
        return Batch(stream, position, position, [envelope])

    async def city() -> Sequence[object]:
        rows = await shop.rows("SELECT city FROM segmentation.profile WHERE tenant_id = :tenant")
        return [row[0] for row in rows]

    await consumer.receive(batch(2, second))
    assert await city() == []
    await consumer.receive(batch(1, first))
    assert await city() == ["Đà Lạt"], "what had come too early followed"
    await consumer.receive(batch(1, first))
    assert await city() == ["Đà Lạt"]


async def test_members_enter_and_leave_as_facts_and_rules_and_time_have_it(shop: Shop) -> None:
    people = [customer(city="Huế") for _ in range(30)]
    await shop.hear(*people, *(order(who) for who, _ in people[:10]))
    everybody = {who for who, _ in people}
    buyers = {who for who, _ in people[:10]}
    assert await shop.members("new_customers") == buyers

    await shop.add_segment("hue", {"field": "profile.city", "op": "eq", "value": "Huế"})
    assert await shop.members("hue") == everybody
    await shop.hear(*(customer(who, version=2, city="Vinh") for who, _ in people[:3]))
    assert await shop.members("hue") == everybody - {who for who, _ in people[:3]}

    await shop.pass_time(days=31)
    assert await shop.members("new_customers") == set()
    segment = await shop.segment("hue")
    await shop.call("DELETE", f"/v1/segments/{segment['id']}")
    await shop.finish_runs()
    left = {m[2] for m in await shop.moves() if m[:2] == ("left", "hue")}
    assert left == everybody
