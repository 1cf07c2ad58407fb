"""How the endpoints of `loyalty` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.customers.repository import CustomerRepository
from services.customer.deps import AskedDep, current_shop, owner_of
from services.customer.families.family import Families
from services.customer.loyalty.accounts import AccountService
from services.customer.loyalty.ledger_repository import LedgerRepository
from services.customer.loyalty.repository import LoyaltyRepository
from services.customer.loyalty.service import ProgrammeService
from services.customer.tenants.shops import Shop
from shared.web.routing import PrincipalDep


async def programme_service(
    asked: AskedDep, shop: Annotated[Shop, Depends(current_shop)]
) -> ProgrammeService:
    """What a shop can decide about its loyalty programme."""
    return ProgrammeService(uow=asked.uow, loyalty=LoyaltyRepository(asked.uow), shop=shop)


async def account_service(asked: AskedDep, principal: PrincipalDep) -> AccountService:
    """What clients can do with points."""
    uow = asked.uow
    return AccountService(
        uow=uow,
        loyalty=LoyaltyRepository(uow),
        ledger=LedgerRepository(uow),
        customers=CustomerRepository(uow, sight=asked.sight),
        families=Families(uow),
        actor_id=principal.actor_id,
        owner=owner_of(principal),
    )


ProgrammeServiceDep = Annotated[ProgrammeService, Depends(programme_service)]
AccountServiceDep = Annotated[AccountService, Depends(account_service)]
