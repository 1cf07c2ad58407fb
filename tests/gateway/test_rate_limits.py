"""How often one may ask: by this process alone, by several together, and over the API."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from cli.embedded.valkey import EmbeddedValkey
from gateway.access.opaque import OpaqueToken
from gateway.access.rate_limit import RateLimit
from gateway.app import create_app
from gateway.limits import limiter as limiter_module
from gateway.limits.bucket import Bucket
from gateway.limits.limiter import RateLimiter
from gateway.limits.shared_buckets import SharedBuckets
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import InProcessUpstream
from shared.ids import new_id
from shared.settings import SERVICES
from tests.gateway.conftest import Shop, client_of, make_shop
from tests.gateway.echo import create_echo
from tests.support.logs import logs_of
from tests.support.waiting import eventually

NOWHERE = "redis://127.0.0.1:1/0"
SLOW = 3600


class Time:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def take(limiter: RateLimiter, name: str, limit: RateLimit, times: int = 1) -> int:
    """How many of `times` requests are let through."""
    return sum(limiter.spend(limiter.bucket(name, limit)) is None for _ in range(times))


def a_name() -> str:
    return f"test:{new_id().hex}"


@asynccontextmanager
async def limiter_on(redis_url: str, **options) -> AsyncIterator[RateLimiter]:
    limiter = RateLimiter(SharedBuckets(redis_url), settle_seconds=0.01, **options)
    try:
        yield limiter
    finally:
        await limiter.close()


class TestLimit:
    @pytest.mark.parametrize(
        ("text", "limit"), [("600/60", RateLimit(600, 60)), (" 5/1s ", RateLimit(5, 1))]
    )
    def test_it_is_written_as_requests_and_seconds(self, text: str, limit: RateLimit) -> None:
        assert RateLimit.parse(text) == limit

    @pytest.mark.parametrize("text", ["", "600", "0/60", "60/0", "-1/2", "1/1/1", "ten/60"])
    def test_nonsense_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError):
            RateLimit.parse(text)

    def test_the_environment_says_it(self, monkeypatch, root_key: str) -> None:
        monkeypatch.setenv("CARELOOP_RATE_LIMIT_KEY", "7/3")
        settings = GatewaySettings(secret_key=root_key, _env_file=None)
        assert settings.rate_limit_key == RateLimit(7, 3)


class TestBucket:
    def test_it_never_lets_more_through_than_it_holds_and_gets_back(self) -> None:
        dice = random.Random(7)
        for _ in range(30):
            limit = RateLimit(dice.randint(1, 40), dice.randint(1, 20))
            now = 0.0
            bucket = Bucket("x", limit, now)
            let_through: list[float] = []
            for _ in range(200):
                now += dice.choice([0, 0, 0, dice.random(), dice.random() * limit.seconds])
                if bucket.refill(now) >= 1:
                    bucket.spend()
                    let_through.append(now)
            for first, start in enumerate(let_through):
                for inside, end in enumerate(let_through[first:], 1):
                    assert inside <= limit.requests + (end - start) * limit.per_second + 1e-6

    def test_who_waits_as_long_as_told_is_let_through(self) -> None:
        bucket = Bucket("x", RateLimit(3, 60), 0)
        for _ in range(3):
            bucket.spend()
        assert bucket.refill(0) < 1
        assert bucket.next_in == 20
        assert bucket.full_in == 60
        assert bucket.refill(19.9) < 1
        assert bucket.refill(20) >= 1


class TestSharing:
    async def test_processes_share_what_there_is(self, redis_url: str) -> None:
        name, limit = a_name(), RateLimit(50, SLOW)
        async with limiter_on(redis_url) as one, limiter_on(redis_url) as other:
            assert take(one, name, limit, 30) == 30
            await one.settled()
            assert take(other, name, limit) == 1
            await other.settled()
            assert take(other, name, limit, 100) == 19
            await other.settled()
            # What it let through in ignorance of the other is a debt, not a gift.
            assert take(one, name, limit, 100) == 20
            await one.settled()
            assert one.bucket(name, limit).tokens == pytest.approx(-20, abs=0.1)

    async def test_several_processes_in_the_long_run_let_through_what_one_may(
        self, redis_url: str
    ) -> None:
        name, limit = a_name(), RateLimit(20, 1)
        loop = asyncio.get_running_loop()
        async with (
            limiter_on(redis_url) as one,
            limiter_on(redis_url) as two,
            limiter_on(redis_url) as three,
        ):
            started = loop.time()
            let_through = 0
            while (passed := loop.time() - started) < 3:
                let_through += sum(take(each, name, limit) for each in (one, two, three))
                await asyncio.sleep(0.001)
        # A bucketful, what comes back, and a little that was let through before all had heard.
        most = limit.requests + passed * limit.per_second
        assert most * 0.9 <= let_through <= most + 3 * 3

    async def test_it_is_one_round_trip_for_many_buckets(self, redis_url: str) -> None:
        shared = SharedBuckets(redis_url)
        async with limiter_on(redis_url) as limiter:
            for number in range(300):
                take(limiter, a_name(), RateLimit(number + 1, SLOW))
            before = (await shared._redis.info("commandstats")).get("cmdstat_evalsha", {})
            await limiter.settled()
            after = (await shared._redis.info("commandstats"))["cmdstat_evalsha"]
        await shared.close()
        # Others settle theirs by the same Redis.
        assert after["calls"] - before.get("calls", 0) < 30

    async def test_a_forgotten_bucket_expires(self, redis_url: str) -> None:
        name = a_name()
        async with limiter_on(redis_url) as limiter:
            take(limiter, name, RateLimit(10, 10))
            await limiter.settled()
            shared = SharedBuckets(redis_url)
            assert 0 < await shared._redis.pttl(name) <= 2100
            await shared.close()


class TestWithoutRedis:
    async def test_it_is_neither_closed_nor_without_limit(self) -> None:
        name, limit, time = a_name(), RateLimit(10, 10), Time()
        async with limiter_on(NOWHERE, monotonic=time, retry_seconds=0.01) as limiter:
            assert take(limiter, name, limit, 50) == 10
            time.now += 3
            assert take(limiter, name, limit, 50) == 3

    async def test_it_tells_once_and_comes_back_when_redis_does(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        valkey = EmbeddedValkey(tmp_path / "valkey", persistent=False)
        valkey.start()
        url = valkey.url()
        name, limit = a_name(), RateLimit(100, SLOW)
        with logs_of(limiter_module) as logs:
            async with (
                limiter_on(url, retry_seconds=0.05) as one,
                limiter_on(url, retry_seconds=0.05) as other,
            ):
                assert take(one, name, limit, 10) == 10
                await one.settled()
                valkey.stop()
                for _ in range(3):
                    assert take(one, name, limit, 10) == 10
                    await asyncio.sleep(0.02)
                assert take(one, name, limit, 100) == 60
                valkey.start()
                try:
                    await eventually(lambda: _true(not one._is_alone), seconds=15)
                    await one.settled()
                    take(other, name, limit)
                    await other.settled()
                    # What was spent while Redis was away is known to the others now.
                    assert other.bucket(name, limit).tokens < 11
                finally:
                    await one.close()
                    await other.close()
                    valkey.stop()
        told = [entry["event"] for entry in logs]
        assert told.count("rate_limits_local_only") == 1
        assert told.count("rate_limits_shared_again") == 1

    async def test_a_redis_that_says_nothing_holds_nobody_up(self) -> None:
        async def silence(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0)
            hushed.append(writer)

        hushed: list[asyncio.StreamWriter] = []
        server = await asyncio.start_server(silence, "127.0.0.1", 0)
        url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
        loop = asyncio.get_running_loop()
        async with limiter_on(url) as limiter:
            started = loop.time()
            assert take(limiter, a_name(), RateLimit(5, SLOW), 9) == 5
            await asyncio.sleep(0.01)
            assert loop.time() - started < 0.3
        for writer in hushed:
            writer.close()
        server.close()
        await server.wait_closed()


async def _true(value: bool) -> bool:
    return value


class TestMemory:
    async def test_full_buckets_are_forgotten_before_others(self) -> None:
        async with limiter_on(NOWHERE, monotonic=Time(), most_kept=100) as limiter:
            limit = RateLimit(10, SLOW)
            assert take(limiter, "spent", limit, 99) == 10
            for number in range(1000):
                limiter.bucket(f"idle {number}", limit)
            assert len(limiter._buckets) <= 100
            assert take(limiter, "spent", limit) == 0


@pytest.fixture
async def tight(gateway_settings: GatewaySettings) -> AsyncIterator[FastAPI]:
    """A gateway with small limits, in an installation (a key space) of its own."""
    changes = {
        "rate_limit_key": RateLimit(5, SLOW),
        "rate_limit_staff": RateLimit(50, SLOW),
        "rate_limit_shopper": RateLimit(3, SLOW),
        "rate_limit_shop": RateLimit(60, SLOW),
        "rate_limit_address": RateLimit(4, SLOW),
        "rate_limit_page": RateLimit(2, SLOW),
        "rate_limit_hook": RateLimit(3, SLOW),
    }
    settings = gateway_settings.model_copy(update=changes)
    upstreams = {name: InProcessUpstream(create_echo(name, settings.root_key)) for name in SERVICES}
    app = create_app(settings, upstreams)
    async with app.router.lifespan_context(app):
        yield app


def at(
    app: FastAPI, address: str | None = None, credential: str | None = None
) -> httpx.AsyncClient:
    """Somebody at an address (a new one by itself), which is what limits of addresses go by."""
    if address is None:
        number = new_id().int
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    headers = {"authorization": f"Bearer {credential}"} if credential else {}
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://careloop", headers=headers)


class TestOverTheApi:
    @pytest.fixture
    async def shop(self, gateway: FastAPI, tight: FastAPI) -> Shop:
        made = await make_shop(gateway)
        return Shop(tight, made.tenant_id, made.slug, made.email, made.password, made.access_token)

    async def test_every_answer_says_how_the_caller_stands(self, shop: Shop) -> None:
        async with await shop.client("customers:read") as client:
            answer = await client.get("/v1/customers")
        assert answer.headers["ratelimit-policy"] == '"caller";q=5;w=3600, "shop";q=60;w=3600'
        assert answer.headers["ratelimit"] == '"caller";r=4;t=720'

    async def test_a_key_that_is_used_up_is_refused_and_told_when_to_come_back(
        self, shop: Shop
    ) -> None:
        async with await shop.client("customers:read") as client:
            answers = [await client.get("/v1/customers") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        refused = answers[-1]
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["code"] == "rate_limited"
        assert refused.json()["policy"] == "caller"
        assert 0 < int(refused.headers["retry-after"]) <= 720
        assert refused.headers["ratelimit"].startswith('"caller";r=0;t=')
        assert refused.headers["x-content-type-options"] == "nosniff"

    async def test_errors_count_and_tell_too(self, shop: Shop) -> None:
        async with await shop.client("customers:read") as client:
            answer = await client.post("/v1/staff", json={})
        assert answer.status_code == 403
        assert '"caller";r=4' in answer.headers["ratelimit"]

    async def test_one_key_does_not_use_up_another(self, shop: Shop) -> None:
        first, second = [await shop.client("customers:read") for _ in range(2)]
        async with first, second:
            for _ in range(6):
                used_up = await first.get("/v1/customers")
            fresh = await second.get("/v1/customers")
        assert (used_up.status_code, fresh.status_code) == (429, 200)

    async def test_all_keys_together_meet_the_limit_of_the_shop(self, shop: Shop) -> None:
        statuses = []
        keys = [await shop.key("customers:read") for _ in range(10)]
        for key in keys:
            async with client_of(shop.app, key) as client:
                statuses += [(await client.get("/v1/customers")).status_code for _ in range(5)]
        assert statuses == [200] * 50
        # Sixty for the shop, of which making the keys took ten.
        async with client_of(shop.app, shop.access_token) as owner:
            refused = await owner.get("/v1/customers")
        assert (refused.status_code, refused.json()["policy"]) == (429, "shop")

    async def test_shoppers_have_a_limit_of_their_own(self, shop: Shop) -> None:
        async with await shop.client("shopper_tokens:write") as backend:
            body = {"customer_id": str(new_id())}
            token = (await backend.post("/v1/shopper-tokens", json=body)).json()["token"]
        async with client_of(shop.app, token) as shopper:
            statuses = [(await shopper.get("/v1/tickets")).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]

    async def test_who_shows_bad_credentials_too_often_is_refused(self, tight: FastAPI) -> None:
        async with at(tight, credential="cl_nonsense") as client:
            statuses = [(await client.get("/v1/customers")).status_code for _ in range(6)]
        assert statuses == [401] * 4 + [429] * 2

    async def test_good_credentials_work_from_an_address_that_showed_bad_ones(
        self, tight: FastAPI, shop: Shop
    ) -> None:
        address, key = "192.0.2.77", await shop.key("customers:read")
        async with at(tight, credential=key) as client:
            assert (await client.get("/v1/customers")).status_code == 200
        async with at(tight, address) as client:
            while (await client.get("/v1/customers")).status_code != 429:
                pass
        for credential in (key, shop.access_token):
            async with at(tight, address, credential) as client:
                assert (await client.get("/v1/customers")).status_code == 200

    async def test_keys_are_not_looked_up_for_an_address_that_showed_too_many_bad_ones(
        self, tight: FastAPI, shop: Shop
    ) -> None:
        address, good = "192.0.2.78", await shop.key("customers:read")
        statuses = []
        for _ in range(5):
            made_up = OpaqueToken.issue("cl", shop.tenant_id).text
            async with at(tight, address, made_up) as client:
                statuses.append((await client.get("/v1/customers")).status_code)
        assert statuses == [401] * 4 + [429]
        # That even a good one is refused here shows that nobody looked.
        async with at(tight, address, good) as client:
            assert (await client.get("/v1/customers")).status_code == 429
        async with at(tight, credential=good) as client:
            assert (await client.get("/v1/customers")).status_code == 200

    async def test_logging_in_is_limited_by_address(self, tight: FastAPI) -> None:
        body = {"refresh_token": "nonsense"}
        async with at(tight) as client:
            answers = [await client.post("/v1/auth/refresh", json=body) for _ in range(5)]
            assert answers[0].headers["ratelimit-policy"] == '"address";q=4;w=3600'
        async with at(tight) as neighbour:
            other = await neighbour.post("/v1/auth/refresh", json=body)
        assert [answer.status_code for answer in answers] == [401] * 4 + [429]
        assert other.status_code == 401

    async def test_the_addresses_of_one_ipv6_site_are_one(self, tight: FastAPI) -> None:
        site = f"2001:db8:{new_id().int & 0xFFFF:x}:7:"
        statuses = []
        for number in range(5):
            async with at(tight, f"{site}:{number}") as client:
                answer = await client.post("/v1/auth/refresh", json={"refresh_token": "x"})
                statuses.append(answer.status_code)
        assert statuses == [401] * 4 + [429]

    async def test_pages_and_hooks_have_limits_of_their_own(self, tight: FastAPI) -> None:
        async with at(tight) as client:
            pages = [(await client.get("/pages/surveys/nonsense")).status_code for _ in range(3)]
            hook = f"/v1/hooks/shopify/{new_id()}"
            hooks = [(await client.post(hook, content=b"{}")).status_code for _ in range(4)]
        assert pages == [404, 404, 429]
        assert hooks == [401, 401, 401, 429]

    async def test_probes_are_never_limited(self, tight: FastAPI) -> None:
        async with at(tight) as client:
            answers = [await client.get("/healthz") for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200}

    async def test_limits_can_be_left_to_somebody_else(
        self, gateway_settings: GatewaySettings, shop: Shop
    ) -> None:
        settings = gateway_settings.model_copy(
            update={"rate_limits": False, "rate_limit_key": RateLimit(1, SLOW)}
        )
        echo = InProcessUpstream(create_echo("customer", settings.root_key))
        app = create_app(settings, {"customer": echo})
        key = await shop.key("customers:read")
        async with app.router.lifespan_context(app), client_of(app, key) as client:
            answers = [await client.get("/v1/customers") for _ in range(3)]
        assert {answer.status_code for answer in answers} == {200}
        assert "ratelimit" not in answers[0].headers
