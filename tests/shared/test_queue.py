"""The queue when Redis is away, silent or forgetful, and when a worker is told to stop."""

import asyncio
import time

from redis.asyncio import Redis

from cli.embedded.valkey import EmbeddedValkey
from shared.errors import Unavailable
from shared.queue import worker
from shared.queue.producer import Queue
from shared.queue.worker import PartWorker, Periodic, run_workers
from tests.support.logs import logs_of
from tests.support.waiting import eventually


class Counting:
    """A job that counts its runs and may take its time."""

    def __init__(self, seconds: float = 0) -> None:
        self.seconds = seconds
        self.begun = 0
        self.finished = 0

    async def __call__(self) -> None:
        self.begun += 1
        await asyncio.sleep(self.seconds)
        self.finished += 1


async def has_begun(job: Counting) -> bool:
    return job.begun > 0


async def test_a_job_with_a_name_waits_only_once(redis_url):
    queue = Queue(redis_url)
    async with Redis.from_url(redis_url) as redis:
        for _ in range(3):
            assert await queue.enqueue("named", "work", job_id="named:1")
        await queue.enqueue("named", "work")
        assert await redis.zcard("careloop:named") == 2
        await redis.delete("careloop:named")
    await queue.close()


async def test_an_absent_redis_is_told_and_not_raised(tmp_path):
    queue = Queue(f"unix://{tmp_path}/nothing.sock?db=0")
    assert not await queue.enqueue("anyone", "work")
    await queue.close()


async def test_a_redis_that_says_nothing_holds_nobody_up():
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    queue = Queue(f"redis://127.0.0.1:{port}/0", patience_seconds=0.2)
    started = time.monotonic()
    assert not await queue.enqueue("anyone", "work")
    assert time.monotonic() - started < 2
    await queue.close()
    silent.close()
    await silent.wait_closed()


async def test_a_worker_serves_again_when_redis_has_come_back(tmp_path):
    """What was running when it went away is not disturbed."""
    tmp_path.chmod(0o755)
    valkey = EmbeddedValkey(tmp_path / "valkey", persistent=False)
    valkey.start()
    try:
        job, slow, stop = Counting(), Counting(seconds=2), asyncio.Event()
        worker = PartWorker("phoenix", valkey.url(), 0.01, {"work": job, "slow": slow})
        running = asyncio.create_task(run_workers([worker], stop))
        queue = Queue(valkey.url())
        await queue.enqueue("phoenix", "slow")
        await eventually(lambda: has_begun(slow))
        await asyncio.to_thread(valkey.stop)
        assert not await queue.enqueue("phoenix", "work")
        await asyncio.to_thread(valkey.start)
        assert await queue.enqueue("phoenix", "work")
        await eventually(lambda: has_begun(job))
        stop.set()
        await running
        assert slow.finished == 1
        await queue.close()
    finally:
        valkey.stop()


async def test_a_worker_that_is_told_to_stop_lets_a_running_job_finish(redis_url):
    job, stop = Counting(seconds=0.3), asyncio.Event()
    worker = PartWorker("polite", redis_url, 0.01, {"work": job})
    running = asyncio.create_task(run_workers([worker], stop))
    queue = Queue(redis_url)
    await queue.enqueue("polite", "work")
    await eventually(lambda: has_begun(job))
    stop.set()
    await running
    assert job.finished == 1
    await queue.close()


async def test_long_work_hears_that_the_worker_ends(redis_url):
    ends, stop, rounds = asyncio.Event(), asyncio.Event(), []

    async def work_until_told() -> None:
        rounds.append("begun")
        await ends.wait()
        rounds.append("put down")

    worker = PartWorker(
        "hasty",
        redis_url,
        0.01,
        {},
        periodics=[Periodic("long", 0.01, work_until_told)],
        hurry=[ends.set],
    )
    running = asyncio.create_task(run_workers([worker], stop))

    async def began() -> list[str]:
        return rounds

    await eventually(began)
    stop.set()
    async with asyncio.timeout(30):
        await running
    assert rounds == ["begun", "put down"]


async def test_a_server_that_is_away_is_told_in_a_line_and_a_mistake_with_its_place(redis_url):
    async def wait_for_server() -> None:
        raise Unavailable

    async def make_a_mistake() -> None:
        raise KeyError("nothing")

    stop = asyncio.Event()
    jobs = {"wait": wait_for_server, "mistake": make_a_mistake}
    running = asyncio.create_task(run_workers([PartWorker("told", redis_url, 0.01, jobs)], stop))
    queue = Queue(redis_url)
    with logs_of(worker) as lines:
        for job in jobs:
            await queue.enqueue("told", job)

        async def told() -> set[tuple[str, bool]]:
            return {(line["event"], bool(line.get("exc_info"))) for line in lines}

        await eventually(
            told, lambda seen: seen == {("job_interrupted", False), ("job_failed", True)}
        )
    stop.set()
    await running
    await queue.close()
