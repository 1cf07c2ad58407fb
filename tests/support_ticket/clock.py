"""A clock that the tests set."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def local(text: str) -> datetime:
    """An instant by the wall clock of Vietnam."""
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM)


# An ordinary Monday, in the morning.
MONDAY = local("2027-03-01T10:00")


class TestClock:
    """Stands still until it is moved."""

    __test__ = False

    def __init__(self) -> None:
        self._now = MONDAY

    def now(self) -> datetime:
        return self._now.astimezone(ZoneInfo("UTC"))

    def set(self, at: datetime) -> None:
        self._now = at

    def advance(self, **duration: float) -> None:
        self._now = self._now + timedelta(**duration)
