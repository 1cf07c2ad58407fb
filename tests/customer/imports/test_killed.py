"""A worker that is killed in the middle of an import, as a real process."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from shared.db.tables import part_tables
from shared.ids import TenantId
from shared.jobs.runner import JobRunner
from tests.customer.imports.shop import Importing, counts, table
from tests.support.harness import ServiceHarness

WORKER = """
import asyncio, sys
from services.customer.jobs import build_job_kinds
from services.customer.settings import CustomerSettings
from shared.jobs.runner import JobRunner
from shared.part.context import build_context

async def nobody(_tenant):
    pass

async def main():
    context = build_context(CustomerSettings(_env_file=None))
    kinds = build_job_kinds(context)
    await JobRunner(units=context.units, kinds=kinds, wake=nobody).go_on(sys.argv[1])

asyncio.run(main())
"""
ROWS, CHUNK = 200, 5


@pytest.mark.capability(123)
async def test_what_was_taken_in_when_it_is_killed_is_taken_in_once(
    importing: Importing,
    new_runner: Callable[..., JobRunner],
    service: ServiceHarness,
    shop: TenantId,
    database_url: str,
    redis_url: str,
    root_key: str,
) -> None:
    importing.runner = new_runner(CHUNK)
    rows = [(f"Khách {n}", f"09{n:08}", f"M{n}") for n in range(ROWS)]
    read = await importing.read(table(("Tên", "SĐT", "Mã hội viên"), *rows))
    job = await importing.begin(read)
    known = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WORKER, shop.hex),
        env={**os.environ, **known, "CARELOOP_SECRET_KEY": root_key},
    )
    while (await importing.client.get(job)).json()["done"] < 2 * CHUNK:
        assert worker.returncode is None
        await asyncio.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    await worker.wait()
    found = (await importing.client.get(job)).json()
    assert (found["status"], found["done"] < ROWS) == ("running", True)
    assert len(await importing.rows(read)) == found["done"]
    await expire_lease(service, shop)
    await importing.work()
    done = await importing.get(read)
    assert (done["status"], counts(done["run"])) == ("finished", (ROWS, 0, 0, 0, 0))
    numbers = [int(row["row"]) for row in await importing.outcomes(done)]
    assert numbers == list(range(2, ROWS + 2))
    importing.runner = new_runner(ROWS)
    again = await importing.take_in(table(("Tên", "SĐT", "Mã hội viên"), *rows))
    assert counts(again["run"]) == (0, 0, ROWS, 0, 0)


async def expire_lease(service: ServiceHarness, shop: TenantId) -> None:
    """As if its time had passed."""
    units = service.context.units
    table_ = part_tables(units.schema).job
    async with units.begin(shop) as uow:
        past = uow.clock.now() - timedelta(seconds=1)
        leased = (table_.c.tenant_id == shop, table_.c.lease_owner.is_not(None))
        await uow.execute(update(table_).where(*leased).values(lease_until=past))
        await uow.commit()
