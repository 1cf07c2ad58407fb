"""Reading timelines."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.timeline.errors import TimelineNotFound
from services.customer.timeline.repository import TimelineRepository
from shared.db.paging import PageRequest


class TimelineService:
    """What clients can do with timelines."""

    def __init__(self, *, timeline: TimelineRepository) -> None:
        self._timeline = timeline

    async def page(
        self, customer_id: UUID, types: Sequence[str] | None, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of a customer's timeline, newest first. Raises TimelineNotFound."""
        rows, cursor = await self._timeline.list_of(customer_id, types, request)
        # Every customer's timeline begins with an entry: only strangers have none.
        if not rows and not await self._timeline.has_entries(customer_id):
            raise TimelineNotFound
        return rows, cursor
