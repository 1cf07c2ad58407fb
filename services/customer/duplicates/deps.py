"""How the endpoints of `duplicates` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.duplicates.service import DuplicateService


async def duplicate_service(asked: AskedDep) -> DuplicateService:
    """What clients can do with duplicate candidates."""
    return DuplicateService(duplicates=DuplicateRepository(asked.uow, sight=asked.sight))


DuplicateServiceDep = Annotated[DuplicateService, Depends(duplicate_service)]
