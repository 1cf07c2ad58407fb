"""Prometheus metrics of sending."""

from collections.abc import Iterable

from prometheus_client import Counter

from services.messaging.messages.records import Message

MESSAGES_SETTLED = Counter(
    "careloop_messages_settled_total",
    "Messages that were sent, or will not be",
    ["origin", "status", "reason"],
)
MESSAGES_POSTPONED = Counter(
    "careloop_messages_postponed_total", "Messages put off to be tried again", ["reason"]
)


def count(messages: Iterable[Message]) -> None:
    """Count what has just been written down of these messages."""
    for message in messages:
        if message.finished_at is not None:
            labels = (message.origin, message.status, message.reason or "")
            MESSAGES_SETTLED.labels(*labels).inc()
        elif message.status == "planned" and message.reason is not None:
            MESSAGES_POSTPONED.labels(message.reason).inc()
