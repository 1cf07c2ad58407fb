"""This service's part of the care-loop report, which the gateway composes."""

from services.customer.reports.deps import CountsDep
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/care-loop-counts", tag="reports")


@router.get(
    "",
    operation_id="customer.careLoopCounts",
    dependencies=[requires("reports:read")],
    include_in_schema=False,
)
async def care_loop_counts(counts: CountsDep) -> dict[str, int]:
    """How many of everything the shop has in this service."""
    return await counts.counts()
