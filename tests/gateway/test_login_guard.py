"""Guessing gets slow on every node together, and never stops for good nor runs free."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from gateway.sessions.attempts import AttemptRule, Keys, LocalAttempts, SharedAttempts
from gateway.sessions.guard import LoginGuard, TooManyLogins
from tests.gateway.conftest import Shop, client_of, make_shop
from tests.gateway.staff import log_in

NOBODYS = "redis://127.0.0.1:1/0"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 10, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def address() -> str:
    return f"{uuid4().hex}@example.com"


@pytest.fixture
async def shared(redis_url: str) -> AsyncIterator[SharedAttempts]:
    attempts = SharedAttempts(redis_url)
    yield attempts
    await attempts.close()


def guard_at(
    attempts: SharedAttempts, clock: Clock, *, failures: int = 10, per_client: int = 100
) -> LoginGuard:
    return LoginGuard(
        attempts,
        clock=clock,
        failures=failures,
        failures_per_client=per_client,
        window_seconds=300,
    )


@pytest.fixture
def guard(shared: SharedAttempts, clock: Clock) -> LoginGuard:
    return guard_at(shared, clock)


async def waits_for(guard: LoginGuard, address: str, client_ip: str | None = None) -> int:
    """Seconds that a guess is told to wait; 0 when it was admitted and counted."""
    try:
        await guard.admit(address, client_ip)
    except TooManyLogins as refused:
        return int(refused.headers["Retry-After"])
    return 0


async def test_each_guess_costs_more_than_the_one_before(
    guard: LoginGuard, clock: Clock, address: str
) -> None:
    waits = []
    for _ in range(14):
        assert await waits_for(guard, address) == 0
        wait = 0
        if len(waits) >= 4:
            wait = await waits_for(guard, address)
            clock.pass_by(wait)
        waits.append(wait)
    assert waits[:9] == [0, 0, 0, 0, 1, 2, 4, 8, 16]
    assert waits[9:11] == [300, 600]
    assert waits == sorted(waits)
    assert waits[-1] <= 3600


async def test_all_nodes_count_together(
    redis_url: str, guard: LoginGuard, clock: Clock, address: str
) -> None:
    other_attempts = SharedAttempts(redis_url)
    other = guard_at(other_attempts, clock)
    for _ in range(3):
        assert await waits_for(guard, address) == 0
    for _ in range(2):
        assert await waits_for(other, address) == 0
    assert await waits_for(guard, address) == await waits_for(other, address) == 1
    await other.succeeded(address, None)
    assert await waits_for(guard, address) == 0
    await other.close()


async def test_a_thousand_at_once_are_no_way_around(guard: LoginGuard, address: str) -> None:
    waits = await asyncio.gather(*(waits_for(guard, address) for _ in range(60)))
    assert sum(wait == 0 for wait in waits) == 5


async def test_a_refused_guess_is_not_counted(
    guard: LoginGuard, clock: Clock, address: str
) -> None:
    for _ in range(5):
        await waits_for(guard, address)
    for _ in range(50):
        assert await waits_for(guard, address) == 1
    clock.pass_by(1)
    assert await waits_for(guard, address) == 0


async def test_guesses_are_forgotten_with_time(
    guard: LoginGuard, clock: Clock, address: str
) -> None:
    for _ in range(5):
        await waits_for(guard, address)
    clock.pass_by(5 * 1800)
    for _ in range(4):
        assert await waits_for(guard, address) == 0


async def test_one_client_with_many_addresses_is_slowed_down_too(
    shared: SharedAttempts, clock: Clock
) -> None:
    guard, client = guard_at(shared, clock, per_client=20), f"client-{uuid4().hex}"
    waits = [await waits_for(guard, f"{n}-{uuid4().hex}", client) for n in range(11)]
    assert waits == [0] * 10 + [1]
    assert await waits_for(guard, uuid4().hex, f"client-{uuid4().hex}") == 0


async def test_the_client_addresses_of_one_ipv6_site_are_one(
    shared: SharedAttempts, clock: Clock
) -> None:
    guard, site = guard_at(shared, clock, per_client=20), f"2001:db8:{uuid4().hex[:4]}:7:"
    waits = [await waits_for(guard, uuid4().hex, f"{site}:{n}") for n in range(11)]
    assert waits == [0] * 10 + [1]
    await guard.succeeded(uuid4().hex, f"{site}:ffff")
    assert await waits_for(guard, uuid4().hex, f"{site}:77") == 0


async def test_an_address_that_reads_like_a_member_is_still_an_address(
    guard: LoginGuard, address: str
) -> None:
    for _ in range(5):
        await guard.admit(address, None, what="code")
    for prefix in ("", "code:"):
        assert await waits_for(guard, f"{prefix}{address}") == 0
        await guard.succeeded(f"{prefix}{address}", None)
    with pytest.raises(TooManyLogins):
        await guard.admit(address, None, what="code")


async def test_those_who_get_in_do_not_use_up_what_their_office_has(
    shared: SharedAttempts, clock: Clock
) -> None:
    guard, client = guard_at(shared, clock, per_client=20), f"client-{uuid4().hex}"
    for _ in range(50):
        someone = uuid4().hex
        assert await waits_for(guard, someone, client) == 0
        await guard.succeeded(someone, client)


async def test_what_was_no_guess_is_given_back(guard: LoginGuard, address: str) -> None:
    for _ in range(30):
        assert await waits_for(guard, address, "client") == 0
        await guard.was_no_guess(address, "client")


class TestWithoutRedis:
    async def test_each_process_counts_alone(self, clock: Clock, address: str) -> None:
        attempts = SharedAttempts(NOBODYS)
        guard = guard_at(attempts, clock)
        waits = []
        for _ in range(11):
            assert await waits_for(guard, address) == 0
            waits.append(await waits_for(guard, address) if len(waits) >= 4 else 0)
            clock.pass_by(waits[-1])
        assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 300, 600]
        await guard.succeeded(address, None)
        assert await waits_for(guard, address) == 0
        await guard.was_no_guess(address, None)
        await guard.close()

    async def test_what_all_knew_is_not_forgotten_when_it_goes(
        self, shared: SharedAttempts, clock: Clock, address: str
    ) -> None:
        guard = guard_at(shared, clock)
        for _ in range(5):
            assert await waits_for(guard, address) == 0
        guard._shared = SharedAttempts(NOBODYS)
        assert await waits_for(guard, address) == 1

    async def test_when_it_comes_back_empty_counting_goes_on(
        self, redis_url: str, guard: LoginGuard, address: str
    ) -> None:
        for _ in range(5):
            await waits_for(guard, address)
        async with Redis.from_url(redis_url) as redis:
            for key in await redis.keys("careloop:login:*"):
                await redis.delete(key)
        assert [await waits_for(guard, address) for _ in range(6)] == [0, 0, 0, 0, 0, 1]


class TestOneRule:
    """What Redis computes and what a process computes alone is the same."""

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["a", "b", "ab"]),
                st.integers(0, 4000),
                st.sampled_from(["take", "take", "take", "take", "give_back", "forget"]),
            ),
            max_size=25,
        ),
        st.integers(1, 12),
    )
    async def test_for_any_course_of_events(
        self, shared: SharedAttempts, steps: list[tuple[str, int, str]], limit: int
    ) -> None:
        local, run = LocalAttempts(), uuid4().hex
        rule = AttemptRule(limit=limit, first_wait=300, longest_wait=3600, decay=600)
        now = 1_800_000_000.0
        for names, seconds, what in steps:
            now += seconds / 4
            keys: Keys = [(f"test:{run}:{name}", rule) for name in names]
            if what == "take":
                alone = local.take(keys, now=now)
                together, _ = await shared.take(keys, now=now)
                assert together == pytest.approx(alone, abs=0.01)
            elif what == "give_back":
                local.give_back(keys[0][0])
                await shared.give_back(keys[0][0])
            else:
                local.forget(keys[0][0])
                await shared.forget(keys[0][0])


class TestSeveralShops:
    """Who makes an account for somebody's address knows its password, and no other shop's."""

    @pytest.fixture
    async def home(self, gateway: FastAPI, address: str) -> Shop:
        return await make_shop(gateway, email=address)

    @pytest.fixture
    async def trap(self, gateway: FastAPI, address: str, home: Shop) -> Shop:
        return await make_shop(gateway, email=address, password="mat-khau-do-toi-dat")

    @pytest.mark.parametrize("named", [True, False])
    async def test_a_login_at_one_wipes_out_no_guesses_at_another(
        self, gateway: FastAPI, address: str, home: Shop, trap: Shop, named: bool
    ) -> None:
        for _ in range(4):
            assert (await log_in(gateway, home, address, "wrong-password")).status_code == 401
        for _ in range(3):
            body = {"email": address, "password": trap.password}
            async with client_of(gateway) as client:
                entered = await client.post(
                    "/v1/auth/login", json={**body, "shop": trap.slug} if named else body
                )
            assert entered.status_code == 200
        assert (await log_in(gateway, home, address, "wrong-password")).status_code == 401
        assert (await log_in(gateway, home, address, "wrong-password")).status_code == 429

    async def test_who_knows_all_starts_over(
        self, gateway: FastAPI, address: str, home: Shop
    ) -> None:
        second = await make_shop(gateway, email=address)
        for _ in range(4):
            assert (await log_in(gateway, second, address, "wrong-password")).status_code == 401
        async with client_of(gateway) as client:
            body = {"email": address, "password": home.password}
            assert (await client.post("/v1/auth/login", json=body)).status_code == 409
        for _ in range(5):
            assert (await log_in(gateway, second, address, "wrong-password")).status_code == 401
