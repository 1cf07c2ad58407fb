"""How the endpoints of `timeline` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep
from services.customer.timeline.repository import TimelineRepository
from services.customer.timeline.service import TimelineService


async def timeline_service(asked: AskedDep) -> TimelineService:
    """What clients can do with timelines."""
    return TimelineService(timeline=TimelineRepository(asked.uow), sight=asked.sight)


TimelineServiceDep = Annotated[TimelineService, Depends(timeline_service)]
