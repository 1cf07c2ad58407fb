"""Reading the feed without ever missing a position."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from gateway.events.catalogue import PUBLIC_TYPES, matching_types, unknown_patterns
from gateway.events.errors import CursorExpired, CursorInvalid, TypesUnknown
from gateway.events.repository import Bounds, FeedRepository

# How many positions one reading may look through for rare types.
_WINDOW: Final = 20_000
_MOST_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some events, and the position up to which nothing is left out."""

    events: Sequence[Row[*tuple[Any, ...]]]
    until: int
    has_more: bool


class Feed:
    """The feed of one shop."""

    def __init__(self, events: FeedRepository, *, window: int = _WINDOW) -> None:
        self._events = events
        self._window = window

    async def get(self, event_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises EventNotFound."""
        return await self._events.get(event_id)

    async def start(self, cursor: str | None, *, pointer: str, newest: bool = False) -> int:
        """The position to read after: a cursor's, or the oldest there is, or the newest.

        Raises CursorInvalid, CursorExpired.
        """
        bounds = await self._events.bounds()
        if cursor is None:
            return bounds.last if newest else bounds.forgotten
        if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= _MOST_DIGITS):
            raise CursorInvalid(pointer, "Use next_cursor, or the position of an event")
        position = int(cursor)
        if position > bounds.last:
            raise CursorInvalid(pointer, "The feed has not come that far")
        _check_kept(position, bounds)
        return position

    async def read(self, after: int, *, types: frozenset[str] | None, limit: int) -> FeedPage:
        """What follows a position. Raises CursorExpired when a part of that was forgotten."""
        last = (await self._events.bounds()).last
        until = min(last, after + self._window)
        if until <= after:
            return FeedPage((), after, has_more=False)
        chosen = None if types is None else sorted(types)
        events = await self._events.between(after, until, types=chosen, limit=limit)
        # Asked after the events were read: what has gone missing before that is known by now.
        _check_kept(after, await self._events.bounds())
        if len(events) == limit:
            until = events[-1].position
        return FeedPage(events, until, has_more=until < last)


def types_of(given: str | None, *, pointer: str) -> frozenset[str] | None:
    """The types that a filter `ticket.*,order.placed` lets pass; None for all.

    Raises TypesUnknown.
    """
    patterns = [pattern.strip() for pattern in given.split(",")] if given else []
    unknown = unknown_patterns(patterns)
    if unknown:
        raise TypesUnknown(pointer, unknown)
    types = matching_types(patterns)
    return None if not patterns or len(types) == len(PUBLIC_TYPES) else types


def _check_kept(position: int, bounds: Bounds) -> None:
    if position < bounds.forgotten:
        raise CursorExpired(oldest=bounds.forgotten)
