"""The injected clock: nothing in the house asks the machine for the time by itself."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the current instant as an aware UTC datetime."""

    def now(self) -> datetime:
        """The current instant, time zone UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The machine's current instant, time zone UTC."""
        return datetime.now(UTC)
