"""How the endpoints of `reports` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep
from services.customer.reports.repository import CountRepository


async def count_repository(asked: AskedDep) -> CountRepository:
    """How many of everything there are."""
    return CountRepository(asked.uow)


CountsDep = Annotated[CountRepository, Depends(count_repository)]
