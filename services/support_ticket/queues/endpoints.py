"""`/v1/queues`."""

from services.support_ticket.deps import QueueServiceDep
from services.support_ticket.queues.schemas import QueueRead
from shared.web.resources import Page
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/queues", tag="queues")


@router.get("", operation_id="queues.list", dependencies=[requires("queues:read")])
async def list_queues(queues: QueueServiceDep) -> Page[QueueRead]:
    """The shop's queues with their members. New tickets go to the members in turn."""
    return Page(data=await queues.list_all(), next_cursor=None)
