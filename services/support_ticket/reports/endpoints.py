"""`/v1/care-loop-counts`: for the gateway's report, not for clients."""

from services.support_ticket.deps import CareLoopCountsDep
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1", tag="reports")


@router.get(
    "/care-loop-counts",
    operation_id="supportTicket.careLoopCounts",
    dependencies=[requires("reports:read")],
    include_in_schema=False,
)
async def care_loop_counts(counts: CareLoopCountsDep) -> dict[str, int]:
    """How many tickets, replies, surveys and so on there are."""
    return await counts.read()
