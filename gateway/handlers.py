"""What the gateway does with what it is told."""

from gateway.audit_log.handlers import keep_records
from shared.contracts.audit import AuditRecorded
from shared.stream.handlers import EventHandlers


def build_handlers() -> EventHandlers:
    """The table of reactions."""
    return EventHandlers().on(AuditRecorded, apply=keep_records)
