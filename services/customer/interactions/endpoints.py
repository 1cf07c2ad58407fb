"""`/v1/interactions`, and how a customer is being looked after."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status

from services.customer.deps import StaffIdDep
from services.customer.interactions.deps import InteractionServiceDep
from services.customer.interactions.repository import InteractionFilter
from services.customer.interactions.schemas import (
    CareRead,
    Code,
    Direction,
    InteractionCreate,
    InteractionKind,
    InteractionPatch,
    InteractionRead,
)
from shared.db.paging import PageRequest
from shared.moments import Instant
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1", tag="interactions")


async def interaction_filter(
    kind: InteractionKind | None = None,
    direction: Direction | None = None,
    staff_id: UUID | None = None,
    outcome: Code | None = None,
    started_from: Annotated[Instant | None, Query(alias="started_at[gte]")] = None,
    started_until: Annotated[Instant | None, Query(alias="started_at[lt]")] = None,
) -> InteractionFilter:
    """The filters of the list; all that are given must hold."""
    return InteractionFilter(
        kind=kind,
        direction=direction,
        staff_id=staff_id,
        outcome=outcome,
        started_from=started_from,
        started_until=started_until,
    )


@router.get(
    "/interactions",
    operation_id="interactions.list",
    dependencies=[requires("interactions:read")],
)
async def list_interactions(
    interactions: InteractionServiceDep,
    wanted: Annotated[InteractionFilter, Depends(interaction_filter)],
    request: Annotated[PageRequest, Depends(page_request)],
    customer_id: UUID | None = None,
) -> Page[InteractionRead]:
    """List interactions, newest first; with `customer_id` those of one person, all records.

    Without it, staff who see their own work see the interactions they had themselves; staff who
    see their teams' work also those of their teammates.
    """
    rows, cursor = await interactions.page(customer_id, wanted, request)
    data = [InteractionRead.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)


@router.post(
    "/interactions",
    status_code=status.HTTP_201_CREATED,
    operation_id="interactions.create",
    dependencies=[requires("interactions:write")],
)
async def create_interaction(
    body: InteractionCreate,
    response: Response,
    interactions: InteractionServiceDep,
    staff_id: StaffIdDep,
) -> InteractionRead:
    """Record a call, a chat, a visit, an e-mail; it appears in the customer's timeline at once.

    The text is not in the timeline, which names the interaction.
    """
    row = await interactions.create(body, caller_id=staff_id)
    response.headers["location"] = f"/v1/interactions/{row.id}"
    response.headers["etag"] = etag(row.version)
    return InteractionRead.model_validate(row._mapping)


@router.get(
    "/interactions/{interaction_id}",
    operation_id="interactions.get",
    dependencies=[requires("interactions:read")],
)
async def get_interaction(
    interaction_id: UUID, response: Response, interactions: InteractionServiceDep
) -> InteractionRead:
    """Get an interaction."""
    row = await interactions.get(interaction_id)
    response.headers["etag"] = etag(row.version)
    return InteractionRead.model_validate(row._mapping)


@router.patch(
    "/interactions/{interaction_id}",
    operation_id="interactions.update",
    dependencies=[requires("interactions:write")],
)
async def update_interaction(
    interaction_id: UUID,
    body: InteractionPatch,
    response: Response,
    interactions: InteractionServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> InteractionRead:
    """Complete or correct an interaction: how long, with what outcome, what was said."""
    row = await interactions.change(interaction_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return InteractionRead.model_validate(row._mapping)


@router.get(
    "/customers/{customer_id}/care",
    operation_id="customers.getCare",
    dependencies=[requires("interactions:read")],
)
async def get_care(customer_id: UUID, interactions: InteractionServiceDep) -> CareRead:
    """Get how a customer is being looked after: whose they are, when they were last in touch."""
    return await interactions.care(customer_id)
