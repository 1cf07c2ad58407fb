"""How the endpoints of `care_statistics` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.assignment.repository import AssignmentRepository
from services.customer.care_statistics.repository import CareStatisticsRepository
from services.customer.care_statistics.service import CareStatisticsService
from services.customer.deps import AskedDep


async def care_statistics_service(asked: AskedDep) -> CareStatisticsService:
    """What staff did for customers."""
    statistics = CareStatisticsRepository(asked.uow, sight=asked.sight)
    rules = AssignmentRepository(asked.uow)
    return CareStatisticsService(
        uow=asked.uow, statistics=statistics, rules=rules, shops=asked.shops
    )


CareStatisticsDep = Annotated[CareStatisticsService, Depends(care_statistics_service)]
