"""How the endpoints of `interactions` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.colleagues.repository import ColleagueRepository
from services.customer.customers.deps import CalendarDep
from services.customer.deps import AskedDep
from services.customer.families.seen import SeenPeople
from services.customer.interactions.repository import InteractionRepository
from services.customer.interactions.service import InteractionService
from services.customer.timeline.repository import TimelineRepository


async def interaction_service(asked: AskedDep, calendar: CalendarDep) -> InteractionService:
    """What clients can do with interactions."""
    uow, sight = asked.uow, asked.sight
    return InteractionService(
        uow=uow,
        interactions=InteractionRepository(uow, sight=sight),
        people=SeenPeople(uow, sight=sight),
        colleagues=ColleagueRepository(uow),
        timeline=TimelineRepository(uow),
        calendar=calendar,
    )


InteractionServiceDep = Annotated[InteractionService, Depends(interaction_service)]
