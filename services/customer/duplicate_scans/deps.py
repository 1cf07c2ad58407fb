"""How the endpoints of scans get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep
from services.customer.duplicate_scans.repository import ScanRepository
from services.customer.duplicate_scans.service import ScanService
from shared.jobs.endpoints import job_kinds
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds


async def scan_service(
    asked: AskedDep, kinds: Annotated[JobKinds, Depends(job_kinds)]
) -> ScanService:
    """Scans for duplicates."""
    return ScanService(
        asked.uow,
        scans=ScanRepository(asked.uow),
        jobs=JobRepository(asked.uow, schema=asked.part.units.schema),
        kinds=kinds,
        sight=asked.sight,
    )


ScanServiceDep = Annotated[ScanService, Depends(scan_service)]
