"""A feed as server-sent events: what was missed, then what happens, until one side leaves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Final

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from gateway.events.following import Followers
from gateway.events.rendering import event_json
from gateway.events.repository import FeedRepository
from gateway.events.service import Feed, FeedPage
from shared.audit.reads import ReadLog
from shared.audit.trail import Actor, AuditEntry, audit_record
from shared.clock import Clock
from shared.contracts.audit import AuditSubject
from shared.db.failures import is_conflict, is_outage
from shared.db.unit_of_work import UnitsOfWork
from shared.errors import CareloopError
from shared.ids import TenantId
from shared.pii import NO_MARKS, FieldMarks
from shared.privacy.field_marks import ReadMarks
from shared.web.sse import HEARTBEAT_SECONDS, LIFE_SECONDS

_PAGE: Final = 200
_RECONNECT_MS: Final = 2000
_OUTAGE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What one listener has asked for."""

    tenant_id: TenantId
    after: int
    types: frozenset[str] | None
    mask: Callable[[bytes, FieldMarks], bytes] | None
    actor: Actor


class FeedStreams:
    """Streams of any number of listeners. Each reads in units of work of its own."""

    def __init__(
        self,
        *,
        units: UnitsOfWork,
        followers: Followers,
        reads: ReadLog,
        clock: Clock,
        marks: ReadMarks,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        life_seconds: float = LIFE_SECONDS,
    ) -> None:
        self._units = units
        self._followers = followers
        self._reads = reads
        self._clock = clock
        self._marks = marks
        self._heartbeat_seconds = heartbeat_seconds
        self._life_seconds = life_seconds

    async def listen(self, subscription: Subscription) -> AsyncIterator[bytes]:
        """The stream: what follows the position, then what happens.

        Every frame that moves on names its position, so that who comes back misses nothing. It
        ends when the process does, where the feed was forgotten meanwhile, and when its time is
        over: whoever comes back shows its credentials again.
        """
        position = subscription.after
        yield format_sse_event(comment="listening", retry=_RECONNECT_MS, id=str(position))
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._life_seconds
        while not self._followers.is_closing and (left := ends_at - loop.time()) > 0:
            try:
                page = await self._read(subscription, position)
            except CareloopError as error:
                # 410: the listener was too slow. It comes back with its cursor and is told why.
                yield format_sse_event(comment=error.code)
                return
            if page is None:
                await asyncio.sleep(_OUTAGE_SECONDS)
                continue
            events, marks = page
            for frame in _frames(events, subscription, marks, after=position):
                yield frame
            position = events.until
            if not events.has_more and not await self._followers.wait_for_more(
                subscription.tenant_id, after=position, seconds=min(self._heartbeat_seconds, left)
            ):
                yield KEEPALIVE_COMMENT

    async def _read(
        self, subscription: Subscription, after: int
    ) -> tuple[FeedPage, FieldMarks] | None:
        """The next page, once it is known who sees it; None while the database is away.

        With it, what the shop has marked itself, for those who are shown it masked.
        """
        try:
            async with self._units.begin(subscription.tenant_id) as uow:
                feed = Feed(FeedRepository(uow))
                page = await feed.read(after, types=subscription.types, limit=_PAGE)
                marks = await self._marks(uow) if subscription.mask and page.events else NO_MARKS
            await self._record(subscription, page)
        except CareloopError as error:
            if is_outage(error):
                return None
            raise
        except Exception as error:
            if is_outage(error) or is_conflict(error):
                return None
            raise
        return page, marks

    async def _record(self, subscription: Subscription, page: FeedPage) -> None:
        """Have the audit log know who is about to see these events in full."""
        if subscription.mask is not None or not page.events:
            return
        shown = [AuditSubject(object="event", id=str(row.id)) for row in page.events]
        record = audit_record(subscription.actor, AuditEntry(shown, kind="read"), self._clock.now())
        await self._reads.record(subscription.tenant_id, record)


def _frames(
    page: FeedPage, subscription: Subscription, marks: FieldMarks, *, after: int
) -> Iterator[bytes]:
    for row in page.events:
        event = event_json(row)
        data = subscription.mask(event, marks) if subscription.mask else event
        yield format_sse_event(data_str=data.decode(), event=row.type, id=str(row.position))
        after = row.position
    if page.until > after:
        # Others were filtered out. The listener need not look through them again.
        yield format_sse_event(comment="passed over", id=str(page.until))
