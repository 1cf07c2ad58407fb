"""How the endpoints of `outcomes` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.outcomes.repository import OutcomeRepository
from services.customer.outcomes.service import OutcomeService
from shared.web.routing import UnitOfWorkDep


async def outcome_service(uow: UnitOfWorkDep) -> OutcomeService:
    """The shop's words for outcomes."""
    return OutcomeService(uow=uow, outcomes=OutcomeRepository(uow))


OutcomeServiceDep = Annotated[OutcomeService, Depends(outcome_service)]
