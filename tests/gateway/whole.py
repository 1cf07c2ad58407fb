"""The whole house on a real socket: the gateway and the four services, in one process or in two."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import httpx
from fastapi import FastAPI

from gateway.access.scopes import GRANTABLE
from gateway.app import create_app
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import HttpUpstream, InProcessUpstream, Upstream
from services.customer.app import create_app as create_customer
from services.customer.settings import CustomerSettings
from services.messaging.app import create_app as create_messaging
from services.messaging.settings import MessagingSettings
from services.segmentation.app import create_app as create_segmentation
from services.segmentation.settings import SegmentationSettings
from services.support_ticket.app import create_app as create_support_ticket
from services.support_ticket.settings import SupportTicketSettings
from shared.settings import PartSettings
from tests.gateway.conftest import make_shop
from tests.support.serving import serving

Topology = Literal["in process", "over HTTP"]
_PARTS: dict[str, tuple[Any, Any]] = {
    "customer": (create_customer, CustomerSettings),
    "segmentation": (create_segmentation, SegmentationSettings),
    "support_ticket": (create_support_ticket, SupportTicketSettings),
    "messaging": (create_messaging, MessagingSettings),
}


@dataclass(frozen=True)
class WholeHouse:
    """A running house with a shop, its owner, and a key that may do everything."""

    url: str
    app: FastAPI
    tenant_id: UUID
    key: str
    owner: str

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def client(self, credential: str | None = None, **options: Any) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {credential or self.key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, **options)


@asynccontextmanager
async def whole_house(
    settings: GatewaySettings, *, topology: Topology = "in process", **changes: Any
) -> AsyncIterator[WholeHouse]:
    """Serve everything with `changes` of the settings; no worker runs."""
    settings = settings.model_copy(update=changes)
    common = settings.model_dump(include=set(PartSettings.model_fields) - {"own_database_url"})
    async with AsyncExitStack() as stack:
        upstreams: dict[str, Upstream] = {}
        for name, (create, kind) in _PARTS.items():
            part = create(kind(**common, _env_file=None))
            if topology == "in process":
                upstreams[name] = InProcessUpstream(part)
            else:
                await stack.enter_async_context(part.router.lifespan_context(part))
                upstreams[name] = HttpUpstream(await stack.enter_async_context(serving(part)))
        app = create_app(settings, upstreams)
        await stack.enter_async_context(app.router.lifespan_context(app))
        url = await stack.enter_async_context(serving(app))
        shop = await make_shop(app)
        key = await shop.key(*GRANTABLE)
        yield WholeHouse(url, app, shop.tenant_id, key, shop.access_token)
