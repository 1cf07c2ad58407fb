"""Which function of a consumer applies which events."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import Protocol

from shared.contracts.event import Event
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope

Apply = Callable[[UnitOfWork, Sequence[Envelope]], Awaitable[None]]


class Applies(Protocol):
    """What a consumer does with the events of one batch, inside the batch's transaction."""

    async def __call__(self, uow: UnitOfWork, events: Sequence[Envelope]) -> None:
        """Apply `events`, which are in order. Raising undoes the whole batch."""
        ...


class EventHandlers:
    """A table of event type -> function.

    A function is given runs of events: consecutive events of a batch that belong to the same
    function arrive together, so that it can work set-wise. Where the functions know nothing of
    each other (`independent`), each is given all its events of a batch at once.
    """

    def __init__(self, *, independent: bool = False) -> None:
        self._table: dict[str, Apply] = {}
        self._independent = independent
        self._afterwards: list[Apply] = []

    def on(self, *events: type[Event], apply: Apply) -> "EventHandlers":
        """Have `apply` called for these events. Raises ValueError when one is taken already."""
        for event in events:
            if event.type in self._table:
                raise ValueError(f"{event.type} has a handler already")
            self._table[event.type] = apply
        return self

    def afterwards(self, apply: Apply) -> "EventHandlers":
        """Have `apply` called with every batch, once all its events were applied."""
        self._afterwards.append(apply)
        return self

    @property
    def types(self) -> frozenset[str]:
        """The event types that have a handler."""
        return frozenset(self._table)

    async def __call__(self, uow: UnitOfWork, events: Sequence[Envelope]) -> None:
        """Apply the events in order; types without a handler are passed over."""
        known = [event for event in events if event.type in self._table]
        if self._independent:
            # Sorting is stable: every function has its events in order.
            order = {apply: place for place, apply in enumerate(self._table.values())}
            known.sort(key=lambda event: order[self._table[event.type]])
        for apply, run in groupby(known, key=lambda event: self._table[event.type]):
            await apply(uow, list(run))
        for apply in self._afterwards if known else ():
            await apply(uow, known)
