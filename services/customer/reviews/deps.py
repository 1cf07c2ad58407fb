"""How the endpoints of `reviews` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep, owner_of
from services.customer.families.seen import SeenPeople
from services.customer.orders.repository import OrderRepository
from services.customer.reviews.repository import ReviewRepository
from services.customer.reviews.service import ReviewService, Writer
from services.customer.reviews.telling import ReviewTelling
from services.customer.reviews.voting import ReviewVoting
from services.customer.timeline.repository import TimelineRepository
from shared.security.principal import Principal
from shared.web.routing import PrincipalDep

TRUSTED = "reviews:write"


async def review_service(asked: AskedDep, principal: PrincipalDep) -> ReviewService:
    """What clients can do with reviews."""
    uow, sight = asked.uow, asked.sight
    reviews = ReviewRepository(uow, sight=sight)
    return ReviewService(
        uow=uow,
        reviews=reviews,
        orders=OrderRepository(uow),
        people=SeenPeople(uow, sight=sight),
        telling=ReviewTelling(uow=uow, reviews=reviews, timeline=TimelineRepository(uow)),
        writer=_writer(principal),
    )


async def review_voting(asked: AskedDep, principal: PrincipalDep) -> ReviewVoting:
    """What clients can do with votes on reviews."""
    return ReviewVoting(
        uow=asked.uow,
        reviews=ReviewRepository(asked.uow, sight=asked.sight),
        people=SeenPeople(asked.uow, sight=asked.sight),
        writer=_writer(principal),
    )


def _writer(principal: Principal) -> Writer:
    trusted = TRUSTED in principal.scopes
    return Writer(owner_of(principal), trusted, principal.client_ip or None)


ReviewServiceDep = Annotated[ReviewService, Depends(review_service)]
ReviewVotingDep = Annotated[ReviewVoting, Depends(review_voting)]
