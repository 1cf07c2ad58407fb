"""What follows from an answer, for the delivery and for the endpoint's queue. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.webhooks.attempting import Answer
from gateway.webhooks.record import DisabledReason, WebhookDeliveryStatus
from gateway.webhooks.schedule import has_failed_for_good, next_try

_GONE: Final = 410
# Too many requests, unavailable: said of the receiver, not of this one event.
_OVERLOADED: Final = frozenset({429, 503})
_SLOW_MS: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """How a receiver does."""

    troubled: bool = False
    failures: int = 0
    failing_since: datetime | None = None
    paused_until: datetime | None = None
    disabled: DisabledReason | None = None

    @property
    def is_failing(self) -> bool:
        """Whether its last answer was none, or a bad one."""
        return self.failures > 0

    def after(self, answer: Answer, *, now: datetime) -> "QueueState":
        """The state once this answer is in."""
        if answer.succeeded:
            return QueueState(troubled=answer.duration_ms > _SLOW_MS)
        since = self.failing_since or now
        overloaded = answer.status in _OVERLOADED and answer.asked_to_wait is not None
        return replace(
            self,
            troubled=True,
            failures=self.failures + 1,
            failing_since=since,
            paused_until=now + answer.asked_to_wait  # type: ignore[operator]
            if overloaded
            else self.paused_until,
            disabled=_reason_to_disable(answer, since, now=now),
        )

    @property
    def shall_rest(self) -> bool:
        """Whether nothing more is to be sent in this turn."""
        return self.is_failing or self.disabled is not None


def _reason_to_disable(answer: Answer, since: datetime, *, now: datetime) -> DisabledReason | None:
    if answer.status == _GONE:
        return "gone"
    return "failing" if has_failed_for_good(since, now=now) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a delivery is after an attempt."""

    endpoint_id: UUID
    event_id: UUID
    status: WebhookDeliveryStatus
    tries: int
    due_at: datetime | None
    finished_at: datetime | None
    last_status: int | None
    last_error: str | None


def outcome_of(
    answer: Answer, *, endpoint_id: UUID, event_id: UUID, tries: int, now: datetime
) -> Outcome:
    """The delivery after its `tries`-th try since it was last asked for."""
    due_at = None
    if not answer.succeeded and answer.status != _GONE:
        due_at = next_try(tries, now=now, asked_to_wait=answer.asked_to_wait)
    status = WebhookDeliveryStatus.PENDING if due_at else WebhookDeliveryStatus.FAILED
    if answer.succeeded:
        status = WebhookDeliveryStatus.SUCCEEDED
    return Outcome(
        endpoint_id=endpoint_id,
        event_id=event_id,
        status=status,
        tries=tries,
        due_at=due_at,
        finished_at=None if due_at else now,
        last_status=answer.status,
        last_error=answer.error,
    )


def given_up(endpoint_id: UUID, event_id: UUID, *, why: str, now: datetime) -> Outcome:
    """A delivery for which there is nothing to send any more."""
    return Outcome(
        endpoint_id=endpoint_id,
        event_id=event_id,
        status=WebhookDeliveryStatus.FAILED,
        tries=0,
        due_at=None,
        finished_at=now,
        last_status=None,
        last_error=why,
    )
