"""What a shop can ask about the members of its segments."""

from datetime import datetime
from uuid import UUID

from services.segmentation.membership.queries import MembershipQueries
from services.segmentation.membership.schemas import (
    MemberRead,
    MembershipChangeRead,
    OverlapRead,
)
from services.segmentation.segments.repository import SegmentRepository
from shared.db.paging import PageRequest
from shared.web.resources import Page


class MemberService:
    """The members of one tenant's segments."""

    def __init__(self, *, segments: SegmentRepository, memberships: MembershipQueries) -> None:
        self._segments = segments
        self._memberships = memberships

    async def members(
        self, segment_id: UUID, request: PageRequest, *, as_of: datetime | None
    ) -> Page[MemberRead]:
        """Who belongs to a segment now, or did at an instant. Raises SegmentNotFound."""
        await self._segments.get(segment_id)
        if as_of is None:
            return await self._memberships.members(segment_id, request)
        return await self._memberships.members_as_of(segment_id, as_of, request)

    async def changes(
        self, segment_id: UUID, request: PageRequest, *, customer_id: UUID | None
    ) -> Page[MembershipChangeRead]:
        """Who entered and left a segment, newest first. Raises SegmentNotFound."""
        await self._segments.get(segment_id)
        return await self._memberships.changes(segment_id, request, customer_id=customer_id)

    async def overlap(self, segment_id: UUID, other_id: UUID) -> OverlapRead:
        """How many belong to both segments, and to each alone. Raises SegmentNotFound."""
        await self._segments.get(segment_id)
        await self._segments.get(other_id)
        members = await self._memberships.count_by_segment([segment_id, other_id])
        both = await self._memberships.count_in_both(segment_id, other_id)
        return OverlapRead(
            segment_id=segment_id,
            other_id=other_id,
            both=both,
            only_this=members.get(segment_id, 0) - both,
            only_other=members.get(other_id, 0) - both,
        )
