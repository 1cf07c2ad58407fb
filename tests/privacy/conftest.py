"""All parts of the house on one database, and their events carried between them, step by step."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from gateway.app import create_app as create_gateway
from gateway.handlers import build_handlers as gateway_handlers
from gateway.settings import GatewaySettings
from services.customer.app import create_app as create_customer
from services.customer.handlers import build_handlers as customer_handlers
from services.customer.jobs import build_job_kinds
from services.customer.settings import CustomerSettings
from services.messaging.app import create_app as create_messaging
from services.messaging.handlers import build_handlers as messaging_handlers
from services.messaging.settings import MessagingSettings
from services.segmentation.app import create_app as create_segmentation
from services.segmentation.handlers import build_handlers as segmentation_handlers
from services.segmentation.settings import SegmentationSettings
from services.support_ticket.app import create_app as create_support_ticket
from services.support_ticket.handlers import build_handlers as support_ticket_handlers
from services.support_ticket.settings import SupportTicketSettings
from shared.contracts.event import Event
from shared.contracts.gateway import TenantProvisioned, TenantState
from shared.contracts.topology import SUBSCRIPTIONS
from shared.ids import TenantId, new_id
from shared.jobs.runner import JobRunner
from shared.stream.consumer import Consumer
from shared.stream.envelope import Batch, Envelope, StreamId
from tests.support.harness import ServiceHarness

_PARTS: dict[str, tuple[Any, Any, Any]] = {
    "gateway": (lambda settings: create_gateway(settings, {}), gateway_handlers, GatewaySettings),
    "customer": (create_customer, customer_handlers, CustomerSettings),
    "segmentation": (create_segmentation, segmentation_handlers, SegmentationSettings),
    "support_ticket": (create_support_ticket, support_ticket_handlers, SupportTicketSettings),
    "messaging": (create_messaging, messaging_handlers, MessagingSettings),
}


@dataclass
class Household:
    """The five parts; what one has told is carried to the others when the test says so."""

    parts: dict[str, ServiceHarness]
    consumers: dict[str, Consumer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, part in self.parts.items():
            units, queue = part.context.units, part.context.queue
            self.consumers[name] = Consumer(units=units, queue=queue, handlers=part.handlers)

    async def finish_jobs(self, tenant: TenantId) -> None:
        """Do what the customer service's jobs can do now."""
        context = self.parts["customer"].context
        kinds = build_job_kinds(context)
        await JobRunner(units=context.units, kinds=kinds, wake=_nobody).go_on(tenant.hex)


async def _nobody(_tenant: TenantId) -> None:
    """Nobody needs to be woken: the test calls."""


@dataclass
class HouseShop:
    """One shop in all parts."""

    house: Household
    tenant: TenantId
    carried: dict[tuple[str, str], int] = field(default_factory=dict)

    def client(self, part: str, *scopes: str, **options: Any) -> httpx.AsyncClient:
        return self.house.parts[part].client(self.tenant, *scopes, **options)

    async def settle(self, *, away: Sequence[str] = ()) -> None:
        """Carry everything that was told until nobody has anything to tell any more.

        Parts that are `away` hear nothing; what was for them waits.
        """
        while await self._carry(away):
            pass

    async def _carry(self, away: Sequence[str]) -> bool:
        has_carried = False
        for source, consumers in SUBSCRIPTIONS.items():
            rows = await self._told(source)
            for consumer, types in consumers.items():
                start = self.carried.get((source, consumer), 0)
                wanted = [row for row in rows if row.type in types]
                new = wanted[start:]
                if consumer in away or not new:
                    continue
                await self._hand(source, consumer, new, first=start + 1)
                self.carried[source, consumer] = len(wanted)
                has_carried = True
        return has_carried

    async def _told(self, source: str) -> Sequence[Any]:
        async with self.house.parts[source].context.units.begin(self.tenant) as uow:
            return await uow.rows(
                text(
                    "SELECT id, key, type, data, context, occurred_at"
                    f" FROM {source}.outbox WHERE tenant_id = :tenant ORDER BY recorded_at, id"
                ),
                {"tenant": self.tenant},
            )

    async def _hand(self, source: str, consumer: str, rows: Sequence[Any], *, first: int) -> None:
        stream = StreamId(self.tenant, source)
        envelopes = [
            Envelope(
                tenant_id=self.tenant,
                source=source,
                position=first + place,
                id=row.id,
                key=row.key,
                type=row.type,
                occurred_at=row.occurred_at,
                data=row.data,
                context={},
            )
            for place, row in enumerate(rows)
        ]
        batch = Batch(stream, first, first + len(rows) - 1, envelopes)
        await self.house.consumers[consumer].receive(batch)

    async def tell(self, source: str, *events: tuple[UUID, Event]) -> None:
        """Have a part tell something that only the world outside could have made it tell."""
        async with self.house.parts[source].context.units.begin(self.tenant) as uow:
            for key, event in events:
                uow.append(event, key=key)
            await uow.commit()

    async def rows(self, part: str, table: str, where: str = "true", **values: Any) -> list[Any]:
        """Rows of a part's table, as the part sees them."""
        async with self.house.parts[part].context.units.begin(self.tenant) as uow:
            return list(
                await uow.rows(
                    text(f"SELECT * FROM {part}.{table} WHERE tenant_id = :tenant AND ({where})"),
                    {"tenant": self.tenant, **values},
                )
            )


@pytest.fixture(scope="session")
async def household(database_url: str, redis_url: str, root_key: str) -> AsyncIterator[Household]:
    parts: dict[str, ServiceHarness] = {}
    async with AsyncExitStack() as running:
        for name, (create, handlers, settings_class) in _PARTS.items():
            settings = settings_class(
                secret_key=root_key,
                admin_database_url=database_url,
                redis_url=redis_url,
                access_log=False,
                _env_file=None,
            )
            app = create(settings)
            context = app.state.context
            await running.enter_async_context(app.router.lifespan_context(app))
            parts[name] = ServiceHarness(app, context, handlers(context))
        yield Household(parts)


@pytest.fixture
def open_shop(household: Household) -> Callable[..., Awaitable[HouseShop]]:
    async def opened(**defaults: str) -> HouseShop:
        tenant = TenantId(new_id())
        shop = HouseShop(household, tenant)
        state = TenantState(**{"name": "Hoa Mai", "slug": tenant.hex, **defaults})
        await shop.tell("gateway", (tenant, TenantProvisioned(tenant=state)))
        await shop.settle()
        return shop

    return opened


@pytest.fixture
async def shop(open_shop: Callable[..., Awaitable[HouseShop]]) -> HouseShop:
    return await open_shop()
