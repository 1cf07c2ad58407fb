"""The clocks of a service level: how much business time is used up, and when it runs out.

Pure functions of a clock, a calendar and an instant. Business time is kept to the microsecond, so
that however often a clock is paused and resumed not a second is lost or won.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from services.support_ticket.calendars.clock import BusinessCalendar

_ZERO: Final = timedelta(0)


class Metric(StrEnum):
    """What a clock measures until."""

    FIRST_RESPONSE = "first_response"
    RESOLUTION = "resolution"


class ClockState(StrEnum):
    """The last two are final."""

    RUNNING = "running"
    PAUSED = "paused"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock. `consumed` is the business time used up before `running_since`.

    While it runs, `due_at` is when the target runs out. While paused it is None, unless the target
    had run out before: what is late stays late.
    """

    metric: Metric
    state: ClockState
    target: timedelta
    consumed: timedelta
    started_at: datetime
    running_since: datetime | None
    due_at: datetime | None
    ended_at: datetime | None = None

    @classmethod
    def start(
        cls, metric: Metric, target: timedelta, *, at: datetime, calendar: BusinessCalendar
    ) -> Self:
        """A clock that runs from `at`."""
        return cls(
            metric=metric,
            state=ClockState.RUNNING,
            target=target,
            consumed=_ZERO,
            started_at=at,
            running_since=at,
            due_at=calendar.add_business_time(at, target),
        )

    @property
    def has_ended(self) -> bool:
        """Whether nothing can change any more."""
        return self.state in (ClockState.FULFILLED, ClockState.CANCELLED)

    def consumed_by(self, at: datetime, calendar: BusinessCalendar) -> timedelta:
        """Business time used up until `at`."""
        if self.running_since is None:
            return self.consumed
        # Two machines' clocks may differ a little; time never runs backwards for that.
        passed = calendar.business_time_between(self.running_since, at)
        return self.consumed + max(passed, _ZERO)

    def is_late(self, at: datetime) -> bool:
        """Whether the target ran out before the clock ended, or before `at` while it has not."""
        return self.due_at is not None and (self.ended_at or at) > self.due_at

    def pause(self, at: datetime, calendar: BusinessCalendar) -> Self:
        """Stop counting; no effect unless it runs."""
        if self.state is not ClockState.RUNNING:
            return self
        return replace(
            self,
            state=ClockState.PAUSED,
            consumed=self.consumed_by(at, calendar),
            running_since=None,
            due_at=self.due_at if self.is_late(at) else None,
        )

    def resume(self, at: datetime, calendar: BusinessCalendar) -> Self:
        """Count on from `at`; no effect unless it is paused."""
        if self.state is not ClockState.PAUSED:
            return self
        return replace(
            self,
            state=ClockState.RUNNING,
            running_since=at,
            due_at=self.due_at or _due(at, self.target - self.consumed, calendar),
        )

    def retarget(self, target: timedelta, at: datetime, calendar: BusinessCalendar) -> Self:
        """Count towards another target; time used up stays used up.

        No effect on a clock that has ended or is late: a new target does not rewrite history.
        """
        if self.has_ended or self.is_late(at) or target == self.target:
            return self
        if self.running_since is None:
            return replace(self, target=target)
        remaining = target - self.consumed_by(at, calendar)
        return replace(self, target=target, due_at=_due(at, remaining, calendar))

    def fulfil(self, at: datetime, calendar: BusinessCalendar) -> Self:
        """What was promised has happened; no effect on a clock that has ended."""
        return self._end(ClockState.FULFILLED, at, calendar)

    def cancel(self, at: datetime, calendar: BusinessCalendar) -> Self:
        """What was promised will not happen any more; no effect on a clock that has ended."""
        return self._end(ClockState.CANCELLED, at, calendar)

    def _end(self, state: ClockState, at: datetime, calendar: BusinessCalendar) -> Self:
        if self.has_ended:
            return self
        consumed = self.consumed_by(at, calendar)
        return replace(self, state=state, consumed=consumed, running_since=None, ended_at=at)


def _due(at: datetime, remaining: timedelta, calendar: BusinessCalendar) -> datetime:
    # A shorter target may be used up already: then it is due now, not in the past.
    return calendar.add_business_time(at, max(remaining, _ZERO))
