"""Reading timelines."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.timeline.errors import TimelineNotFound
from services.customer.timeline.repository import NEWEST_FIRST, TimelineRepository
from shared.db.paging import PageRequest, next_cursor


class TimelineService:
    """What clients can do with timelines."""

    def __init__(self, *, timeline: TimelineRepository) -> None:
        self._timeline = timeline

    async def page(
        self, customer_id: UUID, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of a customer's timeline, newest first. Raises TimelineNotFound."""
        rows = await self._timeline.list_of(customer_id, request)
        # Every customer's timeline begins with an entry: only strangers have none.
        if not rows and request.cursor is None:
            raise TimelineNotFound
        return next_cursor(rows, NEWEST_FIRST, request.limit)
