"""The projection can be thrown away and told again."""

from typing import Any
from uuid import UUID

import pytest

from services.segmentation.runs.repository import MAX_ATTEMPTS
from shared.contracts.customer import (
    CustomerSnapshotted,
    CustomerUpdated,
    OrderPlaced,
    OrderSnapshotted,
    SnapshotCompleted,
)
from shared.ids import new_id
from tests.segmentation.shop import Shop, Told, customer, message, order, survey, ticket

TABLES = ("profile", "order_fact", "ticket_fact", "message_fact", "membership")


async def facts(shop: Shop) -> dict[str, set[tuple[Any, ...]]]:
    """All facts and memberships, without the time of writing."""
    found = {}
    for table in TABLES:
        rows = await shop.rows(
            f"SELECT to_jsonb(t) - 'updated_at' FROM segmentation.{table} t "
            "WHERE tenant_id = :tenant"
        )
        found[table] = {repr(row) for row in rows}
    return found


def retold(told: list[Told]) -> list[Told]:
    """What the customer service answers a request for a snapshot with."""
    again: list[Told] = []
    for key, event in told:
        if isinstance(event, CustomerUpdated):
            again.append((key, CustomerSnapshotted(customer=event.customer)))
        elif isinstance(event, OrderPlaced):
            again.append((key, OrderSnapshotted(order=event.order)))
    return again


async def requested(shop: Shop) -> list[UUID]:
    told = await shop.service.told(shop.tenant, "segmentation.snapshot_requested")
    return [UUID(event["job_id"]) for event in told]


async def busy_shop(shop: Shop) -> list[Told]:
    """A shop with a past of some hundred facts; what the customer service told."""
    people = [customer(name=f"Khách {n}", city="Huế") for n in range(60)]
    orders = [order(key) for key, _ in people for _ in range(2)]
    await shop.hear(*people, *orders)
    await shop.hear(*(survey(key, 1) for key, _ in people[:20]), source="support_ticket")
    await shop.hear(*(message(key) for key, _ in people[:5]), source="messaging")
    await shop.hear(ticket(new_id()), source="support_ticket")
    return [*people, *orders]


async def test_after_a_rebuild_all_is_as_it_was_and_nothing_was_told(shop: Shop):
    told = await busy_shop(shop)
    before, moves = await facts(shop), await shop.moves()
    await corrupt(shop)

    started = await shop.call("POST", "/v1/segmentation-rebuilds")
    assert started.status_code == 202
    await shop.finish_runs()
    [job_id] = await requested(shop)
    assert started.headers["Location"] == f"/v1/jobs/{job_id}"
    await shop.hear(*retold(told))
    done = SnapshotCompleted(requested_by="segmentation", job_id=job_id)
    await shop.hear((job_id, done))
    await shop.finish_runs()

    after = await facts(shop)
    stranger = before["profile"] - after["profile"]
    assert len(stranger) == 1  # of whom only a ticket is known, and the customer service nothing
    assert after == before | {"profile": before["profile"] - stranger}
    assert await shop.moves() == moves
    job = await shop.get(started.headers["Location"])
    assert (job["kind"], job["status"]) == ("segmentation_rebuild", "succeeded")
    assert (job["done"], job["total"]) == (60, 60)


async def corrupt(shop: Shop) -> None:
    """What a bug or a half-restored backup might have done."""
    await shop.run_sql(
        "UPDATE segmentation.profile SET city = 'Nowhere', orders_count = 99, version = 99, "
        "first_order_at = '2001-01-01' WHERE tenant_id = :tenant"
    )
    await shop.run_sql(
        "UPDATE segmentation.order_fact SET status = 'cancelled', version = 99 "
        "WHERE tenant_id = :tenant"
    )
    await shop.run_sql(
        "INSERT INTO segmentation.order_fact (tenant_id, order_id, version, customer_id, placed_at,"
        " status, total_minor, currency, updated_at) SELECT :tenant, gen_random_uuid(), 1,"
        " customer_id, now(), 'open', 1, 'VND', now() FROM segmentation.profile"
        " WHERE tenant_id = :tenant RETURNING 1"
    )


async def test_nobody_moves_while_facts_are_missing(shop: Shop):
    told = await busy_shop(shop)
    moves = await shop.moves()
    await shop.call("POST", "/v1/segmentation-rebuilds")
    await shop.finish_runs()

    newcomer = customer(city="Huế")
    await shop.hear(newcomer, order(newcomer[0]))
    await shop.hear(survey(newcomer[0], 1), source="support_ticket")
    assert await shop.pass_time(days=60) == 0
    assert await shop.moves() == moves

    [job_id] = await requested(shop)
    await shop.hear(
        *retold(told),
        (job_id, SnapshotCompleted(requested_by="segmentation", job_id=job_id)),
    )
    await shop.finish_runs()

    assert newcomer[0] in await shop.members("unhappy")
    assert await shop.members("new_customers") == set()  # sixty days have passed
    late = customer()
    await shop.hear(late, order(late[0], placed_at=shop.clock.now()))
    assert await shop.members("new_customers") == {late[0]}
    left = {m[2] for m in (await shop.moves())[len(moves) :] if m[:2] == ("left", "new_customers")}
    assert left == {key for key, event in told if isinstance(event, CustomerUpdated)}


async def test_what_was_wrong_is_told_at_the_end(shop: Shop):
    told = await busy_shop(shop)
    moves = await shop.moves()
    missed, _ = told[0]
    await shop.run_sql(
        "DELETE FROM segmentation.membership "
        f"WHERE tenant_id = :tenant AND customer_id = '{missed}'"
    )
    await shop.call("POST", "/v1/segmentation-rebuilds")
    await shop.finish_runs()
    [job_id] = await requested(shop)
    completed = (job_id, SnapshotCompleted(requested_by="segmentation", job_id=job_id))
    await shop.hear(*retold(told), completed)
    await shop.finish_runs()

    repaired = (await shop.moves())[len(moves) :]
    assert set(repaired) == {("entered", "new_customers", missed), ("entered", "unhappy", missed)}


async def test_a_second_request_follows_the_rebuild_that_is_under_way(shop: Shop):
    first = await shop.call("POST", "/v1/segmentation-rebuilds")
    await shop.finish_runs()
    second = await shop.call("POST", "/v1/segmentation-rebuilds")
    await shop.finish_runs()

    assert second.headers["Location"] == first.headers["Location"]
    assert len(await requested(shop)) == 1


@pytest.mark.parametrize("requested_by", ["segmentation", "messaging"])
async def test_somebody_elses_snapshot_ends_nothing(shop: Shop, requested_by: str):
    await shop.call("POST", "/v1/segmentation-rebuilds")
    await shop.finish_runs()
    other = new_id() if requested_by == "segmentation" else (await requested(shop))[0]

    await shop.hear((other, SnapshotCompleted(requested_by=requested_by, job_id=other)))
    await shop.finish_runs()

    [job_id] = await requested(shop)
    assert (await shop.get(f"/v1/jobs/{job_id}"))["status"] == "running"


async def test_the_end_told_twice_ends_it_once(shop: Shop):
    told = await busy_shop(shop)
    await shop.call("POST", "/v1/segmentation-rebuilds")
    await shop.finish_runs()
    [job_id] = await requested(shop)
    completed = (job_id, SnapshotCompleted(requested_by="segmentation", job_id=job_id))
    await shop.hear(*retold(told), completed)
    assert await shop.work.step(shop.tenant)

    await shop.hear(completed)
    await shop.finish_runs()
    await shop.hear(completed)

    assert await shop.finish_runs() == 0
    job = await shop.get(f"/v1/jobs/{job_id}")
    assert (job["status"], job["done"]) == ("succeeded", 60)


async def test_work_that_keeps_failing_is_given_up_and_says_so(shop: Shop):
    segment = await shop.add_segment("hue", {"field": "profile.city", "op": "eq", "value": "Huế"})
    started = await shop.call("POST", f"/v1/segments/{segment['id']}/rebuilds")
    await shop.run_sql(
        "UPDATE segmentation.run SET reason = 'no reason at all', phase = 'remove', "
        "segment_id = NULL WHERE tenant_id = :tenant"
    )

    for _ in range(MAX_ATTEMPTS):
        assert not await shop.work.step(shop.tenant)

    job = await shop.get(started.headers["Location"])
    assert (job["status"], job["error"]) == ("failed", "AssertionError")
    assert await shop.finish_runs() == 0


async def test_a_repair_can_be_stopped_and_begun_again(shop: Shop):
    await shop.hear(*(customer(city="Huế") for _ in range(120)))
    segment = await shop.add_segment("hue", {"field": "profile.city", "op": "eq", "value": "Huế"})
    started = await shop.call("POST", f"/v1/segments/{segment['id']}/rebuilds")
    location = started.headers["Location"]
    assert await shop.work.step(shop.tenant)

    assert (await shop.call("POST", f"{location}/cancel")).status_code == 200
    await shop.finish_runs()
    job = await shop.get(location)
    assert (job["status"], job["done"]) == ("cancelled", 50)
    assert (await shop.segment("hue"))["evaluation_job_id"] is None

    assert (await shop.call("POST", f"{location}/retry")).status_code == 200
    assert (await shop.segment("hue"))["evaluation_job_id"] == job["id"]
    await shop.finish_runs()
    job = await shop.get(location)
    assert (job["status"], job["done"]) == ("succeeded", 120)


async def test_a_new_rule_holds_for_everybody_or_nobody(shop: Shop):
    body = {
        "key": "hue",
        "name": {"vi": "Huế", "en": "Huế"},
        "rule": {"field": "profile.city", "op": "eq", "value": "Huế"},
    }
    created = (await shop.call("POST", "/v1/segments", body)).json()
    location = f"/v1/jobs/{created['evaluation_job_id']}"
    refused = await shop.call("POST", f"{location}/cancel")
    assert (refused.status_code, refused.json()["allowed_transitions"]) == (409, [])
    await shop.finish_runs()
    assert (await shop.get(location))["status"] == "succeeded"


async def test_a_rebuild_that_failed_is_repeated_unless_another_is_under_way(shop: Shop):
    first = (await shop.call("POST", "/v1/segmentation-rebuilds")).headers["Location"]
    await shop.run_sql("UPDATE segmentation.run SET phase = 'remove' WHERE tenant_id = :tenant")
    for _ in range(MAX_ATTEMPTS):
        await shop.work.step(shop.tenant)
    assert (await shop.get(first))["status"] == "failed"

    second = (await shop.call("POST", "/v1/segmentation-rebuilds")).headers["Location"]
    assert second != first
    refused = await shop.call("POST", f"{first}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "rebuild_under_way")
    await shop.run_sql("UPDATE segmentation.run SET phase = 'remove' WHERE tenant_id = :tenant")
    for _ in range(MAX_ATTEMPTS):
        await shop.work.step(shop.tenant)

    assert (await shop.call("POST", f"{first}/retry")).status_code == 200
    await shop.finish_runs()
    [job_id] = await requested(shop)
    assert first.endswith(str(job_id))
    await shop.hear((job_id, SnapshotCompleted(requested_by="segmentation", job_id=job_id)))
    await shop.finish_runs()
    assert (await shop.get(first))["status"] == "succeeded"
