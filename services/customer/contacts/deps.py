"""How the endpoints of `contacts` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.contacts.service import ContactService
from services.customer.deps import AskedDep


async def contact_service(asked: AskedDep) -> ContactService:
    """What clients can do with contact persons."""
    return ContactService(uow=asked.uow, shops=asked.shops, sight=asked.sight)


ContactServiceDep = Annotated[ContactService, Depends(contact_service)]
