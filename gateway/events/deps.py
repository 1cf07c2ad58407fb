"""How the feed's endpoints get what they work with."""

from typing import Annotated

from fastapi import Depends

from gateway.events.rendering import EventMask
from gateway.events.repository import FeedRepository
from gateway.events.service import Feed
from gateway.events.streaming import FeedStreams
from gateway.outgoing import OutgoingDep
from shared.web.draining import Draining, current_draining
from shared.web.routing import UnitOfWorkDep


async def feed(uow: UnitOfWorkDep) -> Feed:
    """The feed of the caller's shop."""
    return Feed(FeedRepository(uow))


async def feed_streams(
    outgoing: OutgoingDep, draining: Annotated[Draining, Depends(current_draining)]
) -> FeedStreams:
    """Streams of feeds, which end when the process is told to."""
    outgoing.followers.leave_with(draining)
    return outgoing.streams


async def event_mask(outgoing: OutgoingDep) -> EventMask:
    """Hides personal data."""
    return outgoing.mask


FeedDep = Annotated[Feed, Depends(feed)]
FeedStreamsDep = Annotated[FeedStreams, Depends(feed_streams)]
EventMaskDep = Annotated[EventMask, Depends(event_mask)]
