"""How the endpoints of `referrals` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.customers.repository import CustomerRepository
from services.customer.deps import AskedDep, owner_of
from services.customer.families.family import Families
from services.customer.orders.figures_repository import OrderFiguresRepository
from services.customer.referrals.repository import ReferralRepository
from services.customer.referrals.service import ReferralService
from shared.web.routing import PrincipalDep


async def referral_service(asked: AskedDep, principal: PrincipalDep) -> ReferralService:
    """What clients can do with referrals."""
    uow, sight = asked.uow, asked.sight
    return ReferralService(
        uow=uow,
        referrals=ReferralRepository(uow, sight=sight),
        customers=CustomerRepository(uow, sight=sight),
        families=Families(uow),
        order_figures=OrderFiguresRepository(uow),
        sight=sight,
        owner=owner_of(principal),
    )


ReferralServiceDep = Annotated[ReferralService, Depends(referral_service)]
