"""What platforms delivered, and what became of it."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from gateway.deliveries.schemas import DeliveryRead, DeliveryStatus
from gateway.deps import DeliveryServiceDep
from shared.db.paging import PageRequest
from shared.errors import FieldError, Invalid
from shared.web.resources import Page, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/connections/{connection_id}/deliveries", tag="connections")


@router.get("", operation_id="deliveries.list", dependencies=[requires("connections:read")])
async def list_deliveries(
    connection_id: UUID,
    service: DeliveryServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    status: Annotated[
        str | None, Query(max_length=60, description="Only these", examples=["failed,ignored"])
    ] = None,
) -> Page[DeliveryRead]:
    """What a platform delivered, the newest first, and what became of it."""
    rows, cursor = await service.list_newest(
        connection_id, statuses=_statuses(status), request=request
    )
    return Page[DeliveryRead](data=[DeliveryRead.of(row) for row in rows], next_cursor=cursor)


@router.post(
    "/{delivery_id}/replays",
    status_code=202,
    operation_id="deliveries.replay",
    dependencies=[requires("connections:write")],
)
async def replay_delivery(
    connection_id: UUID, delivery_id: UUID, service: DeliveryServiceDep
) -> DeliveryRead:
    """Read a delivery again from its stored bytes, as if it had just arrived.

    What it only names is fetched again. One whose body is not kept any more cannot be read
    again (`forgotten_at`).
    What it tells is compared with what is known by then: an old delivery changes nothing newer.
    """
    return DeliveryRead.of(await service.replay(connection_id, delivery_id))


def _statuses(given: str | None) -> list[DeliveryStatus]:
    wanted = given.split(",") if given else []
    known = list(DeliveryStatus)
    if not set(wanted) <= set(known):
        fault = FieldError("/query/status", "unknown_value", f"Some of {', '.join(known)}")
        raise Invalid(errors=[fault])
    return [DeliveryStatus(status) for status in wanted]
