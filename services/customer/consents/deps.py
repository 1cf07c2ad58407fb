"""How the endpoints of `consents` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.consents.repository import ConsentRepository
from services.customer.consents.service import ConsentService
from services.customer.customers.repository import CustomerRepository
from services.customer.deps import AskedDep


async def consent_service(asked: AskedDep) -> ConsentService:
    """What clients can do with consents."""
    uow, sight = asked.uow, asked.sight
    return ConsentService(
        uow=uow,
        consents=ConsentRepository(uow),
        customers=CustomerRepository(uow, sight=sight),
        sight=sight,
    )


ConsentServiceDep = Annotated[ConsentService, Depends(consent_service)]
