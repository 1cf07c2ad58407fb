"""How the endpoints of `identities` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.customers.identity_repository import IdentityRepository
from services.customer.deps import AskedDep
from services.customer.families.seen import SeenPeople
from services.customer.following import pair_weighing
from services.customer.identities.repository import SingleIdentityRepository
from services.customer.identities.service import IdentityService


async def identity_service(asked: AskedDep) -> IdentityService:
    """What clients can do with identities."""
    uow = asked.uow
    return IdentityService(
        uow=uow,
        identities=SingleIdentityRepository(uow),
        known=IdentityRepository(uow),
        people=SeenPeople(uow, sight=asked.sight),
        shops=asked.shops,
        erased=asked.erased,
        weighing=pair_weighing(uow),
    )


IdentityServiceDep = Annotated[IdentityService, Depends(identity_service)]
