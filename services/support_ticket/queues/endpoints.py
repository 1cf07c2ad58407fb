"""`/v1/queues`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from services.support_ticket.deps import QueueServiceDep
from services.support_ticket.queues.schemas import QueueRead, QueueUpdate
from shared.web.resources import Page, etag, if_match
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/queues", tag="queues")


@router.get("", operation_id="queues.list", dependencies=[requires("queues:read")])
async def list_queues(queues: QueueServiceDep) -> Page[QueueRead]:
    """The shop's queues with their members. New tickets go to the members in turn."""
    return Page(data=await queues.list_all(), next_cursor=None)


@router.get("/{queue_id}", operation_id="queues.get", dependencies=[requires("queues:read")])
async def get_queue(queue_id: UUID, queues: QueueServiceDep, response: Response) -> QueueRead:
    """One queue with its members."""
    found = await queues.get(queue_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/{queue_id}", operation_id="queues.update", dependencies=[requires("queues:write")])
async def update_queue(
    queue_id: UUID,
    wanted: QueueUpdate,
    queues: QueueServiceDep,
    response: Response,
    expected: Annotated[int | None, Depends(if_match)],
) -> QueueRead:
    """Rename a queue, or say whose it is.

    Staff who see their teams' work see everything in the queues of their teams. New tickets of the
    queue are for its team; what is in it already stays with the team it was for.
    """
    changed = await queues.update(queue_id, wanted, expected_version=expected)
    response.headers["ETag"] = etag(changed.version)
    return changed
