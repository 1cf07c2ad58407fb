"""What an attempt's outcome makes of a message. Pure."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from services.messaging.delivery.outcomes import Outcome, postpone_delay, retry_delay
from services.messaging.messages.records import Message, Status

LEASE_EXPIRED: Final = Outcome("unknown", "LEASE_EXPIRED", "the sender went away while sending")


def settle(message: Message, outcome: Outcome, *, now: datetime) -> Message:
    """The message after one attempt: finished, or planned again for later.

    A postponed or released attempt does not count as one: the provider never saw the message.
    """
    match outcome.kind:
        case "sent" | "failed" | "unknown":
            return _finished(message, outcome.kind, outcome, now)
        case "deferred":
            delay = retry_delay(message.attempts)
            if delay is None:
                return _finished(message, "failed", outcome, now)
            return _again(message, outcome, now=now, due_at=now + delay)
        case "postponed":
            delay = postpone_delay(message.postponements)
            if delay is None:
                return _finished(message, "failed", outcome, now)
            again = _again(message, outcome, now=now, due_at=now + delay)
            return replace(
                again, attempts=message.attempts - 1, postponements=message.postponements + 1
            )
        case "released":
            again = _again(message, outcome, now=now, due_at=now)
            return replace(again, attempts=message.attempts - 1)


def _finished(message: Message, status: Status, outcome: Outcome, now: datetime) -> Message:
    return replace(
        message,
        status=status,
        reason=outcome.reason,
        detail=outcome.detail,
        lease_until=None,
        finished_at=now,
        version=message.version + 1,
        updated_at=now,
    )


def _again(message: Message, outcome: Outcome, *, now: datetime, due_at: datetime) -> Message:
    return replace(
        message,
        status="planned",
        reason=outcome.reason,
        detail=outcome.detail,
        lease_owner=None,
        lease_until=None,
        attempted_at=None,
        finished_at=None,
        due_at=due_at,
        version=message.version + 1,
        updated_at=now,
    )
