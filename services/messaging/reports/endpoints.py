"""`/v1/care-loop-counts`: this service's part of the gateway's care-loop report."""

from services.messaging.deps import ReportServiceDep
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/care-loop-counts", tag="reports")


@router.get(
    "",
    operation_id="messaging.careLoopCounts",
    dependencies=[requires("reports:read")],
    include_in_schema=False,
)
async def care_loop_counts(service: ReportServiceDep) -> dict[str, int]:
    """Messages planned and what became of them, messages that came in, people who said stop."""
    return await service.care_loop_counts()
