"""How the endpoints of `tasks` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.colleagues.repository import ColleagueRepository
from services.customer.customers.repository import CustomerRepository
from services.customer.deps import AskedDep
from services.customer.families.family import Families
from services.customer.tasks.repository import TaskRepository
from services.customer.tasks.service import TaskService
from services.customer.timeline.repository import TimelineRepository


async def task_service(asked: AskedDep) -> TaskService:
    """What clients can do with tasks."""
    uow, sight = asked.uow, asked.sight
    return TaskService(
        uow=uow,
        tasks=TaskRepository(uow, sight=sight),
        customers=CustomerRepository(uow, sight=sight),
        families=Families(uow),
        colleagues=ColleagueRepository(uow),
        timeline=TimelineRepository(uow),
    )


TaskServiceDep = Annotated[TaskService, Depends(task_service)]
