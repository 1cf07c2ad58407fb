"""Slowing down those who guess passwords."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.errors import TooManyRequests

_MOST_KEPT: Final = 10_000


class TooManyLogins(TooManyRequests):
    """Too many failures for one address; whether it exists makes no difference."""

    code = "too_many_logins"
    title = "Too many failed logins with this address"


class LoginGuard:
    """Counts failed logins per address in this process; after too many, none is tried for a while.

    It counts addresses that nobody has as well, so that a refusal tells nothing. Sessions that are
    already open are not touched by it.
    """

    def __init__(self, *, clock: Clock, failures: int, window: timedelta) -> None:
        self._clock = clock
        self._most = failures
        self._window = window
        self._failed: dict[str, deque[datetime]] = {}

    def check(self, address: str) -> None:
        """Raises TooManyLogins while there were too many failures lately."""
        times = self._recent(address)
        if len(times) >= self._most:
            wait = times[0] + self._window - self._clock.now()
            raise TooManyLogins(headers={"Retry-After": str(int(wait.total_seconds()) + 1)})

    def failed(self, address: str) -> None:
        """One more failure."""
        times = self._recent(address)
        times.append(self._clock.now())
        self._failed.pop(address, None)
        while len(self._failed) >= _MOST_KEPT:
            del self._failed[next(iter(self._failed))]
        self._failed[address] = times

    def succeeded(self, address: str) -> None:
        """Whoever knows the password may start over."""
        self._failed.pop(address, None)

    def _recent(self, address: str) -> deque[datetime]:
        times = self._failed.get(address, deque(maxlen=self._most))
        while times and times[0] + self._window <= self._clock.now():
            times.popleft()
        return times
