"""Reports over all parts."""

from gateway.deps import CareLoopReportsDep
from gateway.reports.schemas import CareLoopReport
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/reports", tag="reports")


@router.get("/care-loop", operation_id="reports.careLoop", dependencies=[requires("reports:read")])
async def get_care_loop(reports: CareLoopReportsDep) -> CareLoopReport:
    """The care loop in numbers: what came in, who is known, grouped, told, asked and answered.

    `reconciliation` holds the counts of different parts against each other.
    """
    return await reports.care_loop()
