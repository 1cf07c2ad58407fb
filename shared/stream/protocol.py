"""The go-back-N protocol of a stream, as pure decisions. `docs/event-stream.md` draws it.

The source numbers committed events 1, 2, 3, … and sends batches of consecutive positions to each
consumer, a window ahead of what that consumer has acknowledged. The consumer takes a batch only
where it continues its cursor; one that came too early waits in memory for what is before it.
After a silence the source goes back to the last acknowledged position. Batches may be lost,
doubled, delayed or reordered; the cursor only moves forward.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Generic, Protocol, TypeVar

WINDOW = 4000
MAX_BATCH_EVENTS = 500
MAX_BATCH_BYTES = 1 << 20
FIRST_RESEND = timedelta(seconds=2)
LAST_RESEND = timedelta(seconds=60)


class Verdict(Enum):
    """What a consumer does with a batch."""

    APPLY = "apply"
    STALE = "stale"
    GAP = "gap"


def judge(cursor: int, first: int, last: int) -> Verdict:
    """Whether positions `first`..`last` continue a cursor, were seen before, or leave a gap."""
    if last <= cursor:
        return Verdict.STALE
    if first > cursor + 1:
        return Verdict.GAP
    return Verdict.APPLY


class Ranged(Protocol):
    """Something that covers the positions `first`..`last`."""

    @property
    def first(self) -> int:
        """The first position."""
        ...

    @property
    def last(self) -> int:
        """The last position."""
        ...


BatchT = TypeVar("BatchT", bound=Ranged)
MAX_PARKED = 64


class Parking(Generic[BatchT]):
    """Batches that came before their turn. A convenience: what is dropped will be sent again."""

    def __init__(self) -> None:
        self._parked: dict[int, BatchT] = {}

    def __len__(self) -> int:
        return len(self._parked)

    def park(self, batch: BatchT) -> None:
        """Keep a batch for later, unless too many wait already."""
        if len(self._parked) < MAX_PARKED:
            self._parked[batch.first] = batch

    def following(self, cursor: int) -> BatchT | None:
        """Take out a batch that continues `cursor`; what lies behind the cursor is dropped."""
        for first in sorted(self._parked):
            if judge(cursor, first, self._parked[first].last) is Verdict.GAP:
                return None
            batch = self._parked.pop(first)
            if batch.last > cursor:
                return batch
        return None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a source is with one consumer. Invariant: acked <= sent."""

    acked: int
    sent: int
    resends: int
    sent_at: datetime

    def silent(self, now: datetime) -> bool:
        """Whether an acknowledgement is overdue; the patience doubles with each resend."""
        if self.acked >= self.sent:
            return False
        patience: timedelta = min(FIRST_RESEND * 2**self.resends, LAST_RESEND)
        return now - self.sent_at >= patience

    def gone_back(self) -> "Progress":
        """Start over after the last acknowledged position."""
        return Progress(self.acked, self.acked, min(self.resends + 1, 10), self.sent_at)

    def acknowledged(self, position: int, now: datetime) -> "Progress":
        """The consumer has everything up to `position`; older news change nothing."""
        if position <= self.acked:
            return self
        return Progress(position, max(self.sent, position), 0, now)

    def sendable(self, last_position: int) -> range:
        """The positions to send now, within the window."""
        return range(self.sent + 1, min(last_position, self.acked + WINDOW) + 1)

    def after_sending(self, positions: range, now: datetime) -> "Progress":
        """The state once `positions` are on their way."""
        return Progress(self.acked, positions.stop - 1, self.resends, now) if positions else self
