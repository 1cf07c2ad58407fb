"""How the endpoints of `consents` get what they call."""

from typing import Annotated

from fastapi import Depends, Request

from services.customer.consents.repository import ConsentRepository
from services.customer.consents.service import ConsentService
from services.customer.consents.text_repository import ConsentTextRepository
from services.customer.consents.text_service import ConsentTextService
from services.customer.deps import AskedDep
from services.customer.families.seen import SeenPeople
from shared.web.auditing import actor_of
from shared.web.routing import PrincipalDep


async def consent_service(
    asked: AskedDep, principal: PrincipalDep, request: Request
) -> ConsentService:
    """What clients can do with consents."""
    uow, sight = asked.uow, asked.sight
    return ConsentService(
        uow=uow,
        consents=ConsentRepository(uow),
        texts=ConsentTextRepository(uow),
        people=SeenPeople(uow, sight=sight),
        sight=sight,
        actor=actor_of(principal, request, action="customers.recordConsent"),
    )


async def consent_text_service(asked: AskedDep) -> ConsentTextService:
    """What clients can do with the wordings of consents."""
    return ConsentTextService(uow=asked.uow, texts=ConsentTextRepository(asked.uow))


ConsentServiceDep = Annotated[ConsentService, Depends(consent_service)]
ConsentTextServiceDep = Annotated[ConsentTextService, Depends(consent_text_service)]
