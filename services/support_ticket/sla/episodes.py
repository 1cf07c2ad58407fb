"""The clocks of one episode of a ticket: what happens to them when something happens to it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.support_ticket.calendars.clock import BusinessCalendar
from services.support_ticket.calendars.opening_hours import CalendarVersion
from services.support_ticket.sla.clocks import Clock, ClockState, Metric
from services.support_ticket.sla.schemas import Priority, SlaTargets

_EVENT_OF_STATE: Final = {
    ClockState.RUNNING: "resumed",
    ClockState.PAUSED: "paused",
    ClockState.FULFILLED: "fulfilled",
    ClockState.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class SlaTerms:
    """The promise under which an episode runs: one version of a policy and of its calendar."""

    policy_id: UUID
    policy_version: int
    targets: SlaTargets
    calendar: CalendarVersion

    def start(self, priority: Priority, at: datetime) -> "EpisodeClocks":
        """The clocks of an episode that begins at `at`."""
        target, hours = self.targets.of(priority), self.calendar.calendar(at.year)
        clocks = [
            Clock.start(metric, target.of(metric), at=at, calendar=hours) for metric in Metric
        ]
        return EpisodeClocks(clocks, hours)


@dataclass(frozen=True, slots=True)
class ClockEvent:
    """Something that happened to a clock, and how the clock stood afterwards."""

    kind: str
    clock: Clock
    at: datetime


class EpisodeClocks:
    """The clocks of one episode; remembers what was done to them."""

    def __init__(self, clocks: Iterable[Clock], calendar: BusinessCalendar) -> None:
        self.calendar = calendar
        self.events: list[ClockEvent] = []
        self._clocks = {clock.metric: clock for clock in clocks}

    def __getitem__(self, metric: Metric) -> Clock:
        return self._clocks[metric]

    def all(self) -> list[Clock]:
        """The clocks, in the order of the metrics."""
        return [self._clocks[metric] for metric in Metric if metric in self._clocks]

    def due_at(self, metric: Metric) -> datetime | None:
        """When a target runs out, as far as can be said now."""
        return self._clocks[metric].due_at

    def wait_for_customer(self, at: datetime) -> None:
        """The shop has answered and waits: the time until the customer writes is not its own."""
        self._change(Metric.RESOLUTION, at, lambda clock: clock.pause(at, self.calendar))

    def go_on(self, at: datetime) -> None:
        """The shop's time counts again."""
        self._change(Metric.RESOLUTION, at, lambda clock: clock.resume(at, self.calendar))

    def answered(self, at: datetime) -> None:
        """A person of the shop has answered in public; nothing else fulfils a first response."""
        self._change(Metric.FIRST_RESPONSE, at, lambda clock: clock.fulfil(at, self.calendar))

    def resolved(self, at: datetime) -> None:
        """The episode ends; a first response that was never given is never given now."""
        self._change(Metric.RESOLUTION, at, lambda clock: clock.fulfil(at, self.calendar))
        self._change(Metric.FIRST_RESPONSE, at, lambda clock: clock.cancel(at, self.calendar))

    def retarget(self, targets: SlaTargets, priority: Priority, at: datetime) -> None:
        """The ticket has another priority now."""
        target = targets.of(priority)
        for clock in self.all():
            wanted = target.of(clock.metric)
            changed = clock.retarget(wanted, at, self.calendar)
            self._keep(clock, changed, "retargeted", at)

    def _change(self, metric: Metric, at: datetime, change: Callable[[Clock], Clock]) -> None:
        clock = self._clocks[metric]
        changed = change(clock)
        self._keep(clock, changed, _EVENT_OF_STATE[changed.state], at)

    def _keep(self, clock: Clock, changed: Clock, kind: str, at: datetime) -> None:
        if changed != clock:
            self._clocks[clock.metric] = changed
            self.events.append(ClockEvent(kind, changed, at))
