"""What the gateway remembers of the database's answers."""

from datetime import UTC, datetime, timedelta

from gateway.cache import TimedCache


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


class Source:
    """Says how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> int:
        self.asked += 1
        return self.asked


async def test_an_answer_is_good_for_its_time() -> None:
    time, source = Time(), Source()
    cache: TimedCache[str, int] = TimedCache(clock=time, seconds=4)
    assert [await cache.get("a", source) for _ in range(3)] == [1, 1, 1]
    time.moment += timedelta(seconds=4)
    assert await cache.get("a", source) == 2


async def test_whoever_doubts_has_it_asked_anew_once_a_second() -> None:
    time, source = Time(), Source()
    cache: TimedCache[str, int] = TimedCache(clock=time, seconds=4)
    assert await cache.get("a", source) == 1
    assert [await cache.renew("a", source) for _ in range(3)] == [2, 2, 2]
    assert await cache.get("a", source) == 2
    time.moment += timedelta(seconds=1)
    assert [await cache.renew("a", source) for _ in range(3)] == [3, 3, 3]


async def test_the_oldest_goes_when_there_are_too_many() -> None:
    time, source = Time(), Source()
    cache: TimedCache[str, int] = TimedCache(clock=time, seconds=4, size=2)
    for key in ("a", "b", "c"):
        await cache.renew(key, source)
    assert await cache.get("c", source) == 3
    assert await cache.get("a", source) == 4
