"""The go-back-N protocol of a stream, as pure decisions. `docs/event-stream.md` draws it.

The source numbers committed events 1, 2, 3, … and sends batches of consecutive positions to each
consumer, a window ahead of what that consumer has acknowledged. The consumer takes a batch only
where it continues its cursor; one that came too early waits in memory for what is before it.
After a silence the source goes back to the last acknowledged position, with one batch at a time
until it hears again: a consumer that is away must not find its queue full of repetitions.
Batches may be lost, doubled, delayed or reordered; the cursor only moves forward.

What `Progress.step` leaves behind is either everything sent or something unacknowledged. So the
sweep, which looks for unnumbered and for unacknowledged events, finds all work there is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Generic, Protocol, TypeVar

WINDOW = 4000
MAX_BATCH_EVENTS = 500
MAX_BATCH_BYTES = 1 << 20
FIRST_RESEND = timedelta(seconds=2)
LAST_RESEND = timedelta(seconds=15)
MOST_RESENDS = 10


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
        """Keep a batch for later; when too many wait, those farthest ahead give way."""
        known = self._parked.get(batch.first)
        if known is None or known.last < batch.last:
            self._parked[batch.first] = batch
        if len(self._parked) > MAX_PARKED:
            del self._parked[max(self._parked)]

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
    """How far a source is with one consumer. Invariant: acked <= sent.

    `waiting_since` is the last sign of life while something is unacknowledged.
    """

    acked: int
    sent: int
    resends: int
    waiting_since: datetime

    def step(self, last_position: int, now: datetime) -> "tuple[Progress, range]":
        """The positions to send now, and the state once they are on their way.

        `last_position` is the stream's last one. After a silence it goes back first.
        """
        before = self._gone_back() if self.is_silent(now) else self
        positions = before._sendable(last_position)
        return before._after_sending(positions, now), positions

    def acknowledged(self, position: int, now: datetime) -> "Progress":
        """The consumer has everything up to `position`; older news change nothing."""
        if position <= self.acked:
            return self
        return Progress(position, max(self.sent, position), 0, now)

    def is_silent(self, now: datetime) -> bool:
        """Whether an acknowledgement is overdue; the patience doubles with each resend."""
        if self.acked >= self.sent:
            return False
        patience: timedelta = min(FIRST_RESEND * 2**self.resends, LAST_RESEND)
        return now - self.waiting_since >= patience

    def _gone_back(self) -> "Progress":
        resends = min(self.resends + 1, MOST_RESENDS)
        return Progress(self.acked, self.acked, resends, self.waiting_since)

    def _sendable(self, last_position: int) -> range:
        ahead = MAX_BATCH_EVENTS if self.resends else WINDOW
        return range(self.sent + 1, min(last_position, self.acked + ahead) + 1)

    def _after_sending(self, positions: range, now: datetime) -> "Progress":
        if not positions:
            return self
        # Were the clock set anew by each sending, a lost batch would not be missed while others
        # follow it.
        since = now if self.acked == self.sent else self.waiting_since
        return Progress(self.acked, positions.stop - 1, self.resends, since)
