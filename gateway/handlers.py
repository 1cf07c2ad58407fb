"""The gateway listens to nobody: it is the first to hear."""

from shared.stream.handlers import EventHandlers


def build_handlers() -> EventHandlers:
    """No reactions."""
    return EventHandlers()
