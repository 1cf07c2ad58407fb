"""This service's part in the care loop's report, for the gateway."""

from services.segmentation.deps import ReportRepositoryDep
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/care-loop-counts", tag="reports")


@router.get(
    "",
    operation_id="segmentation.careLoopCounts",
    include_in_schema=False,
    dependencies=[requires("reports:read")],
)
async def care_loop_counts(reports: ReportRepositoryDep) -> dict[str, int]:
    """Customers and orders known, entries and exits, members of each segment."""
    return await reports.care_loop_counts()
