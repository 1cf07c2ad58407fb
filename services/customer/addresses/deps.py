"""How the endpoints of `addresses` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.addresses.service import AddressService
from services.customer.addresses.units import units
from services.customer.deps import AskedDep
from services.customer.following import pair_weighing


async def address_service(asked: AskedDep) -> AddressService:
    """What clients can do with addresses."""
    return AddressService(
        uow=asked.uow,
        units=units(),
        sight=asked.sight,
        weighing=pair_weighing(asked.uow),
    )


AddressServiceDep = Annotated[AddressService, Depends(address_service)]
