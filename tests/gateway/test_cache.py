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


async def test_what_is_not_there_pushes_out_nothing_that_is() -> None:
    cache: TimedCache[str, int | None] = TimedCache(clock=Time(), seconds=4, size=2, misses=2)
    source, asked = Source(), []
    assert await cache.get("there", source) == 1

    async def nothing() -> None:
        asked.append(1)

    for key in ("a", "b", "c", "c"):
        assert await cache.get(key, nothing) is None
    assert len(asked) == 3
    assert await cache.get("a", nothing) is None
    assert len(asked) == 4
    assert await cache.get("there", source) == 1


async def test_what_was_there_is_known_until_it_is_not_found_any_more() -> None:
    time = Time()
    cache: TimedCache[str, int | None] = TimedCache(clock=time, seconds=4)
    assert "a" not in cache
    await cache.get("a", Source())
    time.moment += timedelta(seconds=5)
    assert "a" in cache

    async def nothing() -> None:
        return

    await cache.get("a", nothing)
    assert "a" not in cache
