"""Long-running jobs: nothing done twice, nothing left lying, and a client in the know."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, text

from shared.ids import TenantId, new_id
from shared.jobs import runner as runner_module
from shared.jobs.files import MAX_FILE_BYTES
from shared.jobs.forgetting import JOB_LIFE, forget_old_jobs
from shared.jobs.leases import FILES_LIFE, LEASE
from shared.jobs.repository import JobRepository
from shared.jobs.runner import MAX_ATTEMPTS, JobRunner
from shared.stream.handlers import EventHandlers
from tests.segmentation.shop import ManualClock
from tests.support.harness import ServiceHarness
from tests.support.job_part import (
    COUNTED,
    COUNTING,
    Configuration,
    Counting,
    counting_context,
    counting_runner,
    create_counting_app,
)
from tests.support.logs import logs_of
from tests.support.parts import create_part
from tests.support.waiting import eventually

SCOPES = ("jobs:read", "jobs:write")


@pytest.fixture(scope="session")
async def configuration(database_url: str, redis_url: str, root_key: str) -> Configuration:
    await create_part(database_url, COUNTING, root_key=root_key)
    return Configuration(database_url, redis_url, root_key)


@pytest.fixture(scope="session")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
async def part(configuration: Configuration, clock: ManualClock) -> AsyncIterator[ServiceHarness]:
    context = counting_context(configuration, clock)
    yield ServiceHarness(create_counting_app(context), context, EventHandlers())
    await context.close()


@pytest.fixture
def runner(part: ServiceHarness) -> JobRunner:
    return counting_runner(part.context)


class Caller:
    """A client that is let in anew for each request: time passes in leaps here."""

    def __init__(self, part: ServiceHarness, tenant: TenantId) -> None:
        self._part, self._tenant = part, tenant

    async def get(self, path: str, **options: Any) -> httpx.Response:
        async with self._part.client(self._tenant, *SCOPES) as client:
            return await client.get(path, **options)

    async def post(self, path: str) -> httpx.Response:
        async with self._part.client(self._tenant, *SCOPES) as client:
            return await client.post(path)


@pytest.fixture
def client(part: ServiceHarness, tenant: TenantId) -> Caller:
    return Caller(part, tenant)


async def start(part: ServiceHarness, tenant: TenantId, to: int = 3, **detail: Any) -> UUID:
    scopes = detail.pop("file_scopes", ())
    async with part.context.units.begin(tenant) as uow:
        job_id = await JobRepository(uow, schema=COUNTING).add(
            Counting.name, detail={"to": to, **detail}, file_scopes=scopes
        )
        await uow.commit()
    return job_id


async def seen(client: Caller | httpx.AsyncClient, job_id: UUID) -> dict[str, Any]:
    response = await client.get(f"/v1/jobs/{job_id}")
    assert response.status_code == 200, response.text
    job: dict[str, Any] = response.json()
    return job


async def counted(part: ServiceHarness, tenant: TenantId) -> int:
    statement = select(func.count()).select_from(COUNTED).where(COUNTED.c.tenant_id == tenant)
    async with part.context.units.begin(tenant) as uow:
        return int(await uow.scalar(statement))


def events_of(text: str) -> list[dict[str, str]]:
    """The events of a stream, without its comments."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = [line.split(": ", 1) for line in block.split("\n") if line[:1] not in ("", ":")]
        if any(name == "event" for name, _ in lines):
            found.append(dict(lines))
    return found


async def test_a_job_goes_step_by_step_to_its_end(part, client, runner, tenant):
    job_id = await start(part, tenant)
    assert (await seen(client, job_id))["status"] == "queued"

    assert await runner.step(tenant)
    halfway = await seen(client, job_id)
    assert (halfway["status"], halfway["done"], halfway["total"]) == ("running", 1, 3)
    assert halfway["allowed_transitions"] == ["cancel"]
    await runner.go_on(tenant.hex)

    job = await seen(client, job_id)
    assert (job["status"], job["done"], job["detail"]["counted"]) == ("succeeded", 3, 3)
    assert job["allowed_transitions"] == []
    assert job["finished_at"] is not None
    assert not await runner.step(tenant)


async def test_many_workers_do_every_step_once(part, client, tenant):
    jobs = [await start(part, tenant, to=20) for _ in range(3)]
    workers = [counting_runner(part.context) for _ in range(5)]
    await asyncio.gather(*(worker.go_on(tenant.hex) for worker in workers))

    async def ended() -> bool:
        await workers[0].go_on(tenant.hex)
        return all([(await seen(client, job))["status"] == "succeeded" for job in jobs])

    assert await eventually(ended)
    assert await counted(part, tenant) == 60


async def test_a_failed_step_leaves_no_trace_and_is_tried_again(part, client, runner, tenant):
    job_id = await start(part, tenant, fails_at=2)
    for attempt in range(1, MAX_ATTEMPTS):
        with logs_of(runner_module) as logged:
            await runner.go_on(tenant.hex)
        [entry] = logged
        assert (entry["log_level"], entry["event"]) == ("error", "job_step_failed")
        assert isinstance(entry["exc_info"], ValueError)
        job = await seen(client, job_id)
        assert (job["status"], job["error"], job["done"]) == ("running", "ValueError", 1), attempt
        assert await counted(part, tenant) == 1

    for _ in range(2):
        await runner.go_on(tenant.hex)
    job = await seen(client, job_id)
    assert (job["status"], job["error"]) == ("failed", "ValueError")
    assert job["allowed_transitions"] == ["retry"]
    assert await counted(part, tenant) == 0, "a failed job cleans up"
    assert not await runner.step(tenant)


async def test_what_is_hopeless_is_given_up_at_once(part, client, runner, tenant):
    job_id = await start(part, tenant, hopeless_at=2)
    with logs_of(runner_module) as logged:
        await runner.go_on(tenant.hex)
    job = await seen(client, job_id)
    assert (job["status"], job["error"]) == ("failed", "no_such_number")
    # Its client is told why: nobody of the house has to look after it.
    assert [(entry["log_level"], entry["event"], entry["reason"]) for entry in logged] == [
        ("info", "job_given_up", "no_such_number")
    ]
    assert "exc_info" not in logged[0]


async def test_a_job_in_somebodys_hands_is_left_to_them_until_they_fall_silent(
    part, client, tenant, clock
):
    job_id = await start(part, tenant)
    silent, other = counting_runner(part.context), counting_runner(part.context)
    lease = await silent._take(tenant)
    assert lease is not None
    assert not await other.step(tenant)

    clock.advance(seconds=LEASE.total_seconds() + 1)
    assert await other.step(tenant)

    # Who was silent for so long has lost the job, and what it does has no effect.
    assert not await silent._try_step(tenant, lease)
    assert (await seen(client, job_id))["done"] == 1
    await other.go_on(tenant.hex)
    assert (await seen(client, job_id))["status"] == "succeeded"


async def test_a_worker_that_ends_puts_its_job_down_after_the_running_step(part, client, tenant):
    ending = counting_runner(part.context)
    job_id = await start(part, tenant, to=1000)
    going_on = asyncio.create_task(ending.go_on(tenant.hex))
    await eventually(lambda: seen(client, job_id), lambda found: found["done"] >= 2)
    ending.hurry()
    await going_on
    put_down = (await seen(client, job_id))["done"]
    assert 2 <= put_down < 1000
    await ending.go_on(tenant.hex)
    assert (await seen(client, job_id))["done"] == put_down
    # Nobody has to wait until a lease runs out.
    assert await counting_runner(part.context).step(tenant)
    assert (await seen(client, job_id))["done"] == put_down + 1


async def test_a_job_that_kills_its_workers_is_given_up(part, client, runner, tenant, clock):
    job_id = await start(part, tenant)
    for _ in range(MAX_ATTEMPTS):
        assert await runner._take(tenant) is not None
        clock.advance(seconds=LEASE.total_seconds() + 1)
    with logs_of(runner_module) as logged:
        await runner.go_on(tenant.hex)
    job = await seen(client, job_id)
    assert (job["status"], job["error"]) == ("failed", "worker_lost")
    assert [entry["log_level"] for entry in logged] == ["error"]


@pytest.mark.fault
async def test_the_job_of_a_killed_worker_is_taken_up_where_it_was(
    configuration: Configuration, tenant: TenantId
):
    """Two real processes, one of them killed in the middle; the real time."""
    context = counting_context(configuration)
    part = ServiceHarness(create_counting_app(context), context, EventHandlers())
    client = Caller(part, tenant)
    try:
        job_id = await start(part, tenant, to=40, seconds=0.02)

        async def job() -> dict[str, Any]:
            return await seen(client, job_id)

        with worker_process(configuration) as process:
            await eventually(job, lambda found: found["done"] >= 5, seconds=60)
            process.send_signal(signal.SIGKILL)
        with worker_process(configuration):
            found = await eventually(job, lambda found: found["status"] == "succeeded", seconds=90)
        assert found["done"] == 40
        assert await counted(part, tenant) == 40
    finally:
        await context.close()


def worker_process(configuration: Configuration) -> subprocess.Popen[bytes]:
    class Ended(subprocess.Popen[bytes]):
        def __exit__(self, *_: object) -> None:
            self.kill()
            self.wait()

    command = [sys.executable, "-m", "tests.support.job_part"]
    return Ended(command, env=configuration.environment())


async def test_a_running_job_stops_between_two_batches(part, client, runner, tenant):
    job_id = await start(part, tenant)
    await runner.step(tenant)

    asked = await client.post(f"/v1/jobs/{job_id}/cancel")
    assert asked.status_code == 200
    assert asked.json()["cancel_requested_at"] is not None
    assert asked.json()["allowed_transitions"] == []
    assert (await client.post(f"/v1/jobs/{job_id}/cancel")).json() == asked.json()
    await runner.go_on(tenant.hex)

    job = await seen(client, job_id)
    assert (job["status"], job["done"]) == ("cancelled", 1)
    assert job["allowed_transitions"] == ["retry"]
    assert await counted(part, tenant) == 0


async def test_a_job_that_waits_can_be_gone_on_with_and_cancelled(part, client, runner, tenant):
    first, second = [await start(part, tenant, waits_at=2) for _ in range(2)]
    await runner.go_on(tenant.hex)
    assert not await runner.step(tenant), "waiting jobs cost the workers nothing"

    await client.post(f"/v1/jobs/{first}/cancel")
    await runner.go_on(tenant.hex)
    assert (await seen(client, first))["status"] == "cancelled"

    async with part.context.units.begin(tenant) as uow:
        await JobRepository(uow, schema=COUNTING).resume(second, total=9)
        await uow.commit()
    assert (await seen(client, second))["total"] == 9
    await runner.go_on(tenant.hex)
    assert (await seen(client, second))["status"] == "running"
    assert not await runner.step(tenant), "it waits again, for what it waits for is not there"


@pytest.mark.parametrize("transition", ["cancel", "retry"])
async def test_what_is_not_allowed_is_a_conflict_that_says_what_is(
    part, client, runner, tenant, transition
):
    job_id = await start(part, tenant, to=1)
    if transition == "cancel":
        await runner.go_on(tenant.hex)
    refused = await client.post(f"/v1/jobs/{job_id}/{transition}")
    assert (refused.status_code, refused.json()["code"]) == (409, "job_transition_not_allowed")
    assert refused.json()["allowed_transitions"] == ([] if transition == "cancel" else ["cancel"])


async def test_a_kind_that_must_not_stop_half_way_is_not_stopped(part, client, tenant):
    job_id = await start(part, tenant, unstoppable=True)
    assert (await seen(client, job_id))["allowed_transitions"] == []
    assert (await client.post(f"/v1/jobs/{job_id}/cancel")).status_code == 409


async def test_a_retry_begins_anew(part, client, runner, tenant):
    job_id = await start(part, tenant)
    await runner.step(tenant)
    await client.post(f"/v1/jobs/{job_id}/cancel")
    await runner.go_on(tenant.hex)

    again = await client.post(f"/v1/jobs/{job_id}/retry")
    assert again.status_code == 200
    assert (again.json()["status"], again.json()["done"]) == ("queued", 0)
    await runner.go_on(tenant.hex)

    assert (await seen(client, job_id))["status"] == "succeeded"
    assert (await client.get(f"/v1/jobs/{job_id}/result")).text == "1\n2\n3\n"


async def test_the_result_is_a_file_until_it_expires(part, client, runner, tenant, clock):
    job_id = await start(part, tenant)
    await runner.step(tenant)
    early = await client.get(f"/v1/jobs/{job_id}/result")
    assert (early.status_code, early.json()["code"]) == (409, "job_not_ended")
    await runner.go_on(tenant.hex)

    file = (await seen(client, job_id))["result"]
    assert (file["rows"], file["bytes"], file["url"]) == (3, 6, f"/v1/jobs/{job_id}/result")
    answer = await client.get(file["url"])
    assert (answer.status_code, answer.text) == (200, "1\n2\n3\n")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="numbers.csv"'
    missing = await client.get(f"/v1/jobs/{job_id}/errors")
    assert (missing.status_code, missing.json()["code"]) == (404, "job_file_not_found")

    clock.advance(seconds=FILES_LIFE.total_seconds() + 1)
    await forget_old_jobs(part.context.units)
    assert (await client.get(file["url"])).json()["code"] == "job_file_not_found"
    assert (await seen(client, job_id))["result"] is None
    clock.advance(seconds=JOB_LIFE.total_seconds())
    await forget_old_jobs(part.context.units)
    assert (await client.get(f"/v1/jobs/{job_id}")).status_code == 404


async def test_a_file_is_for_those_who_could_have_asked_for_it(part, client, runner, tenant):
    job_id = await start(part, tenant, file_scopes=["customers:read"])
    await runner.go_on(tenant.hex)
    refused = await client.get(f"/v1/jobs/{job_id}/result")
    assert (refused.status_code, refused.json()["missing_scopes"]) == (403, ["customers:read"])
    async with part.client(tenant, "jobs:read", "customers:read") as allowed:
        assert (await allowed.get(f"/v1/jobs/{job_id}/result")).status_code == 200
    [told] = await part.told(tenant, "audit.recorded")
    [taken] = told["records"]
    assert (taken["kind"], taken["action"]) == ("read", "jobs.result")
    assert taken["subjects"] == [{"object": "job", "id": str(job_id)}]


async def test_a_file_that_grows_too_large_ends_the_job(part, client, runner, tenant):
    job_id = await start(part, tenant)
    await runner.step(tenant)
    async with part.context.units.begin(tenant) as uow:
        await uow.execute(
            text(
                f"UPDATE {COUNTING}.job SET files = "
                "jsonb_set(files, '{result,bytes}', CAST(:size AS jsonb)) "
                "WHERE tenant_id = :tenant AND id = :job"
            ),
            {"size": str(MAX_FILE_BYTES), "tenant": tenant, "job": job_id},
        )
        await uow.commit()
    await runner.go_on(tenant.hex)
    job = await seen(client, job_id)
    assert (job["status"], job["error"]) == ("failed", "result_too_large")


async def test_jobs_are_listed_newest_first_page_by_page(part, client, runner, tenant, clock):
    jobs = []
    for _ in range(5):
        clock.advance(seconds=1)
        jobs.append(str(await start(part, tenant, to=1)))
    await runner.step(tenant)

    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await client.get("/v1/jobs", params=query)).json()
        found += [job["id"] for job in page["data"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == jobs[::-1]

    async def listed(**query: str) -> list[str]:
        answer = await client.get("/v1/jobs", params=query)
        assert answer.status_code == 200, answer.text
        return [job["id"] for job in answer.json()["data"]]

    assert await listed(status="succeeded") == jobs[:1]
    assert await listed(status="queued,running") == jobs[:0:-1]
    assert await listed(kind="counting") == jobs[::-1]
    assert await listed(kind="sorting") == []
    assert (await client.get("/v1/jobs", params={"status": "lost"})).status_code == 422


class TestFollowing:
    async def follow(
        self, client: Caller | httpx.AsyncClient, job_id: UUID, *, seen: str | None = None
    ) -> list[dict[str, str]]:
        headers = {"Last-Event-ID": seen} if seen else {}
        async with asyncio.timeout(30):
            answer = await client.get(f"/v1/jobs/{job_id}/events", headers=headers)
        assert answer.status_code in (200, 204), answer.text
        if answer.status_code == 200:
            assert answer.headers["content-type"].startswith("text/event-stream")
        return events_of(answer.text)

    async def test_a_job_is_followed_to_its_end(self, part, client, runner, tenant):
        job_id = await start(part, tenant, to=4, seconds=0.3)
        working = asyncio.create_task(runner.go_on(tenant.hex))
        events = await self.follow(client, job_id)
        await working

        jobs = [json.loads(event["data"]) for event in events]
        assert {event["event"] for event in events[:-1]} == {"progress"}
        assert (events[-1]["event"], jobs[-1]["status"]) == ("ended", "succeeded")
        done = [job["done"] for job in jobs]
        assert done == sorted(done)
        assert len(set(done)) >= 3, "progress was seen"
        assert [int(event["id"]) for event in events] == sorted({int(e["id"]) for e in events})

    async def test_who_was_cut_off_goes_on_after_the_last_event(self, part, client, runner, tenant):
        job_id = await start(part, tenant)
        await runner.step(tenant)
        now = str((await seen(client, job_id))["version"])
        following = asyncio.create_task(self.follow(client, job_id, seen=now))
        await runner.go_on(tenant.hex)
        events = await following
        assert now not in [event["id"] for event in events]
        assert events[-1]["event"] == "ended"

        # An EventSource comes again by itself, until it is told that there is nothing more.
        assert await self.follow(client, job_id, seen=events[-1]["id"]) == []
        assert [e["event"] for e in await self.follow(client, job_id)] == ["ended"]

    async def test_nobody_follows_what_is_not_theirs(self, part, client, tenant):
        job_id = await start(part, tenant)
        async with part.client(TenantId(new_id()), *SCOPES) as stranger:
            for path in ("", "/events", "/result", "/errors"):
                answer = await stranger.get(f"/v1/jobs/{job_id}{path}")
                assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
            for transition in ("cancel", "retry"):
                answer = await stranger.post(f"/v1/jobs/{job_id}/{transition}")
                assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
            assert (await stranger.get("/v1/jobs")).json()["data"] == []
        assert (await seen(client, job_id))["cancel_requested_at"] is None


def test_a_lease_is_longer_than_a_step_and_shorter_than_patience():
    assert timedelta(seconds=5) < LEASE < timedelta(minutes=1)
