"""Members of `/v1/segments`, and `/v1/segment-memberships`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.segmentation.deps import (
    ExplanationServiceDep,
    MemberServiceDep,
    PreviewServiceDep,
)
from services.segmentation.membership.schemas import (
    ExplanationRead,
    MemberRead,
    MembershipChangeRead,
    MembershipList,
    OverlapRead,
    PreviewRead,
    PreviewRequest,
)
from shared.db.paging import PageRequest
from shared.moments import Instant
from shared.web.resources import Page, page_request
from shared.web.routing import PrincipalDep, requires, service_router

router = service_router(prefix="/v1/segments", tag="segments")
memberships_router = service_router(prefix="/v1/segment-memberships", tag="segments")

PageRequestDep = Annotated[PageRequest, Depends(page_request)]


@router.post("/preview", operation_id="segments.preview", dependencies=[requires("segments:read")])
async def preview_segment(
    wanted: PreviewRequest, previews: PreviewServiceDep, principal: PrincipalDep
) -> PreviewRead:
    """Try a rule: how many customers it matches now, and some of them. Nothing is kept.

    A rule that asks about personal data needs `pii:read`.
    """
    return await previews.preview(wanted, principal=principal)


@router.get(
    "/{segment_id}/members",
    operation_id="segments.listMembers",
    dependencies=[requires("segments:read")],
)
async def list_members(
    segment_id: UUID,
    members: MemberServiceDep,
    paging: PageRequestDep,
    as_of: Annotated[
        Instant | None, Query(description="Who belonged at this instant; now without it")
    ] = None,
) -> Page[MemberRead]:
    """Who belongs to the segment, those who entered last first.

    With `as_of` the answer comes from the history, in the order of the customers' ids.
    """
    return await members.members(segment_id, paging, as_of=as_of)


@router.get(
    "/{segment_id}/history",
    operation_id="segments.listHistory",
    dependencies=[requires("segments:read")],
)
async def list_history(
    segment_id: UUID,
    members: MemberServiceDep,
    paging: PageRequestDep,
    customer_id: Annotated[UUID | None, Query(description="Of one customer only")] = None,
) -> Page[MembershipChangeRead]:
    """Every entry into and exit from the segment, newest first, with what caused it."""
    return await members.changes(segment_id, paging, customer_id=customer_id)


@router.get(
    "/{segment_id}/overlap/{other_id}",
    operation_id="segments.overlap",
    dependencies=[requires("segments:read")],
)
async def overlap(segment_id: UUID, other_id: UUID, members: MemberServiceDep) -> OverlapRead:
    """How many customers belong to both segments, and how many to one of them alone."""
    return await members.overlap(segment_id, other_id)


@router.get(
    "/{segment_id}/explain/{customer_id}",
    operation_id="segments.explain",
    dependencies=[requires("segments:read")],
)
async def explain_membership(
    segment_id: UUID,
    customer_id: UUID,
    explanations: ExplanationServiceDep,
    principal: PrincipalDep,
) -> ExplanationRead:
    """Why the customer belongs to the segment, or why not.

    Every node of the rule with its truth, the value that was compared and the orders, tickets or
    messages it was made of; and when time alone will change the answer.
    """
    return await explanations.explain(segment_id, customer_id, principal=principal)


@memberships_router.get(
    "", operation_id="segmentMemberships.list", dependencies=[requires("segments:read")]
)
async def list_memberships(
    customer_id: Annotated[UUID, Query(description="Whose segments")],
    explanations: ExplanationServiceDep,
    principal: PrincipalDep,
) -> MembershipList:
    """The segments that a customer belongs to, each with the reason."""
    return await explanations.memberships_of(customer_id, principal=principal)
