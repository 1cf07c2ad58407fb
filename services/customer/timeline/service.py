"""Reading timelines."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.timeline.errors import TimelineNotFound
from services.customer.timeline.repository import EntryFilter, TimelineRepository
from shared.db.paging import PageRequest
from shared.security.sight import Sight


class TimelineService:
    """What clients can do with the timelines of customers whom they see."""

    def __init__(
        self,
        *,
        timeline: TimelineRepository,
        sight: Sight | None,
    ) -> None:
        self._timeline = timeline
        self._sight = sight

    async def page(
        self, customer_id: UUID, wanted: EntryFilter, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of a customer's timeline, newest first. Raises TimelineNotFound."""
        if self._sight is not None and not await self._timeline.is_seen(customer_id, self._sight):
            raise TimelineNotFound
        rows, cursor = await self._timeline.list_of(customer_id, wanted, request)
        if not rows and not await self._timeline.is_known(customer_id):
            raise TimelineNotFound
        return rows, cursor
