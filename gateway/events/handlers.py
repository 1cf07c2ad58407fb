"""Filling the feed: what the services tell becomes what the outside is told."""

from collections.abc import Awaitable, Callable, Sequence

from gateway.events.announcing import Announce
from gateway.events.catalogue import PUBLISHED
from gateway.events.repository import FeedRepository, NewEvent
from shared.db.unit_of_work import UnitOfWork
from shared.json import dumps_text
from shared.stream.envelope import Envelope

Spread = Callable[[UnitOfWork, Sequence[NewEvent], range], Awaitable[None]]
"""Writes down who is to be sent events of these positions."""


class FeedWriter:
    """Appends public events in the transaction that also moves the stream's cursor.

    So each event has one place in the feed, whatever is sent twice. Who is to be sent it by
    webhook is written down in the same transaction.
    """

    def __init__(self, *, spread: Spread, announce: Announce) -> None:
        self._spread = spread
        self._announce = announce

    async def apply(self, uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        """Publish what is in the catalogue."""
        events = [_published(envelope) for envelope in envelopes]
        positions = await FeedRepository(uow).append(events)
        await self._spread(uow, events, positions)

        async def announce() -> None:
            await self._announce(uow.tenant_id)

        uow.after_commit(announce)


def _published(envelope: Envelope) -> NewEvent:
    published = PUBLISHED[envelope.type]
    return NewEvent(
        id=envelope.id,
        type=published.name,
        occurred_at=envelope.occurred_at,
        data=dumps_text(published.project(envelope.data)),
    )
