"""The gateway as an application on a real database, with small applications behind it."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from gateway.app import create_app
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import InProcessUpstream, Upstream
from shared.ids import TenantId, new_id
from shared.settings import SERVICES
from tests.gateway.echo import create_echo

OPERATOR_KEY = "operator-key-of-the-tests"


class TestClock:
    """A clock that a test can put forward."""

    __test__ = False

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
async def clock() -> AsyncIterator[TestClock]:
    clock = session_clock
    yield clock
    clock.ahead = timedelta()


session_clock = TestClock()


@pytest.fixture(scope="session")
def gateway_settings(root_key: str, database_url: str, redis_url: str) -> GatewaySettings:
    return GatewaySettings(
        secret_key=root_key,
        admin_database_url=database_url,
        redis_url=redis_url,
        operator_key=OPERATOR_KEY,
        # All tests come from one address; how many guesses it has is a matter of some of them.
        login_failures_per_client=100_000,
        access_log=False,
        outbound_allow="127.0.0.1,smtp.example.com",
        _env_file=None,
    )


@pytest.fixture(scope="session")
async def gateway(gateway_settings: GatewaySettings) -> AsyncIterator[FastAPI]:
    """The gateway in front of one echoing application per service."""
    upstreams: dict[str, Upstream] = {
        name: InProcessUpstream(create_echo(name, gateway_settings.root_key)) for name in SERVICES
    }
    app = create_app(gateway_settings, upstreams, clock=session_clock)
    async with app.router.lifespan_context(app):
        yield app


def client_of(app: FastAPI, credential: str | None = None) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {credential}"} if credential else {}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://careloop", headers=headers
    )


@pytest.fixture
async def anybody(gateway: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without a credential."""
    async with client_of(gateway) as client:
        yield client


@dataclass(frozen=True)
class Shop:
    """A shop with its owner's login."""

    app: FastAPI
    tenant_id: TenantId
    slug: str
    email: str
    password: str
    access_token: str

    @property
    def owner(self) -> httpx.AsyncClient:
        return client_of(self.app, self.access_token)

    async def key(self, *scopes: str, **options: str) -> str:
        answer = await self.owner.post(
            "/v1/api-keys", json={"name": "test", "scopes": list(scopes), **options}
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["key"]

    async def client(self, *scopes: str) -> httpx.AsyncClient:
        return client_of(self.app, await self.key(*scopes))


async def make_shop(
    app: FastAPI, *, email: str | None = None, password: str = "mot-hai-ba-bon"
) -> Shop:
    slug = f"shop-{new_id().hex[-12:]}"
    email = email or f"owner-{slug}@example.com"
    owner = {"name": "Nguyễn Văn Đức", "email": email, "password": password}
    async with client_of(app, OPERATOR_KEY) as operator:
        answer = await operator.post(
            "/v1/tenants", json={"name": "Hoa Sen", "slug": slug, "owner": owner}
        )
    assert answer.status_code == 201, answer.text
    login = {"email": email, "password": password, "shop": slug}
    async with client_of(app) as client:
        session = await client.post("/v1/auth/login", json=login)
    assert session.status_code == 200, session.text
    tenant_id = TenantId(type(new_id())(answer.json()["id"]))
    return Shop(app, tenant_id, slug, email, password, session.json()["access_token"])


@pytest.fixture
async def shop(gateway: FastAPI) -> Shop:
    """A shop of its own for the test."""
    return await make_shop(gateway)


@pytest.fixture(scope="session")
async def other_node(gateway_settings: GatewaySettings) -> AsyncIterator[FastAPI]:
    """Another process of the same gateway: its own caches, the same database."""
    upstreams: dict[str, Upstream] = {
        name: InProcessUpstream(create_echo(name, gateway_settings.root_key)) for name in SERVICES
    }
    app = create_app(gateway_settings, upstreams, clock=session_clock)
    async with app.router.lifespan_context(app):
        yield app


def sign(secret: str, body: bytes) -> str:
    """The signature that Shopify and WooCommerce send."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
