"""Jobs and their files are not kept for ever."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Uuid, bindparam, delete

from shared.db.sweeps import in_every_tenant
from shared.db.tables import Instant, part_tables
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.jobs.files import JobFiles

LISTING: Final = "tenants_with_ended_jobs"
JOB_LIFE: Final = timedelta(days=90)


async def forget_old_jobs(units: UnitsOfWork) -> None:
    """Delete files whose time has come, and jobs that ended long ago."""
    job = part_tables(units.schema).job
    forget = delete(job).where(
        job.c.tenant_id == bindparam("tenant", type_=Uuid),
        job.c.finished_at < bindparam("before", type_=Instant),
    )
    before = units.clock.now() - JOB_LIFE

    async def forget_jobs(tenant_id: TenantId) -> None:
        async with units.begin(tenant_id) as uow:
            await JobFiles(uow, schema=units.schema).expire()
            await uow.execute(forget, {"tenant": tenant_id, "before": before})
            await uow.commit()

    await in_every_tenant(units, LISTING, forget_jobs)
