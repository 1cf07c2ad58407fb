"""How the endpoints of `touches` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.customers.repository import CustomerRepository
from services.customer.deps import AskedDep
from services.customer.families.family import Families
from services.customer.touches.repository import TouchRepository
from services.customer.touches.service import TouchService


async def touch_service(asked: AskedDep) -> TouchService:
    """What clients can do with touches."""
    uow = asked.uow
    return TouchService(
        uow=uow,
        touches=TouchRepository(uow),
        customers=CustomerRepository(uow, sight=asked.sight),
        families=Families(uow),
    )


TouchServiceDep = Annotated[TouchService, Depends(touch_service)]
