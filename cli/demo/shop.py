"""A shop to work in: made over the public API by whoever holds the operator key."""

import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from cli.demo.client import Api
from gateway.access.scopes import GRANTABLE

OWNER_NAME = "Nguyễn Minh Anh"


@dataclass(frozen=True, slots=True)
class Connection:
    """A platform that delivers to the shop."""

    platform: str
    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop with everything that its owner needs to start."""

    tenant_id: str
    slug: str
    api_key: str
    owner_email: str
    owner_password: str
    connections: tuple[Connection, ...]

    def connection(self, platform: str) -> Connection:
        """The connection of a platform. Raises StopIteration when there is none."""
        return next(c for c in self.connections if c.platform == platform)


async def open_shop(http: httpx.AsyncClient, *, operator_key: str, name: str, slug: str) -> Shop:
    """Create a shop, log its owner in, make an API key, connect Shopify and WooCommerce.

    Raises StoryFailed when any of it is refused.
    """
    password = secrets.token_urlsafe(12)
    email = f"owner@{slug}.example.com"
    owner = {"name": OWNER_NAME, "email": email, "password": password}
    tenant = await Api(http, operator_key).post(
        "/v1/tenants", {"name": name, "slug": slug, "owner": owner}
    )
    session = await Api(http).post("/v1/auth/login", {"email": email, "password": password})
    as_owner = Api(http, session["access_token"])
    key = await as_owner.post("/v1/api-keys", {"name": "Demo", "scopes": sorted(GRANTABLE)})
    connections = [
        await _connect(as_owner, "shopify"),
        # This shop's plugin confirms the address of every account before it may order.
        await _connect(as_owner, "woocommerce", emails_verified=True),
    ]
    return Shop(tenant["id"], slug, key["key"], email, password, tuple(connections))


async def _connect(api: Api, platform: str, **options: Any) -> Connection:
    made = await api.post("/v1/connections", {"platform": platform, **options})
    return Connection(platform, made["id"], made["secret"])
