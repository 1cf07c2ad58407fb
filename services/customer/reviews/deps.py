"""How the endpoints of `reviews` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep, owner_of
from services.customer.families.seen import SeenPeople
from services.customer.orders.repository import OrderRepository
from services.customer.reviews.repository import ReviewRepository
from services.customer.reviews.service import ReviewService, Writer
from services.customer.timeline.repository import TimelineRepository
from shared.web.routing import PrincipalDep

TRUSTED = "reviews:write"


async def review_service(asked: AskedDep, principal: PrincipalDep) -> ReviewService:
    """What clients can do with reviews."""
    uow, sight = asked.uow, asked.sight
    trusted = TRUSTED in principal.scopes
    return ReviewService(
        uow=uow,
        reviews=ReviewRepository(uow, sight=sight),
        orders=OrderRepository(uow),
        people=SeenPeople(uow, sight=sight),
        timeline=TimelineRepository(uow),
        writer=Writer(owner_of(principal), trusted, principal.client_ip or None),
    )


ReviewServiceDep = Annotated[ReviewService, Depends(review_service)]
