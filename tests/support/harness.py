"""One service on its own: its real application and its real consumer, on a real database."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from shared.contracts.audit import AuditRecorded
from shared.contracts.event import Event
from shared.ids import TenantId, new_id
from shared.part.context import PartContext
from shared.pii import PII_READ
from shared.security.principal import PRINCIPAL_HEADER, Principal, PrincipalKind, Visibility
from shared.stream.consumer import Consumer
from shared.stream.envelope import Batch, Envelope, StreamId
from shared.stream.handlers import EventHandlers


class ServiceHarness:
    """Speaks HTTP to a service and hands it events, one tenant per caller."""

    def __init__(self, app: FastAPI, context: PartContext[Any], handlers: EventHandlers) -> None:
        self.app = app
        self.context = context
        self.handlers = handlers
        self._consumer = Consumer(units=context.units, queue=context.queue, handlers=handlers)
        self._positions: dict[StreamId, int] = {}

    def client(
        self,
        tenant_id: TenantId,
        *scopes: str,
        kind: PrincipalKind = PrincipalKind.API_KEY,
        actor_id: str = "test",
        customer_id: UUID | None = None,
        sees_pii: bool = True,
        visibility: Visibility = Visibility.ALL,
        team_ids: Iterable[UUID] = (),
    ) -> httpx.AsyncClient:
        """A client that the gateway has let in with these scopes, and with `pii:read`."""
        granted = frozenset(scopes) | ({PII_READ} if sees_pii else frozenset())
        principal = Principal(
            tenant_id,
            kind,
            actor_id,
            granted,
            new_id().hex,
            customer_id,
            visibility,
            frozenset(team_ids),
        )
        token = self.context.principals.mint(principal)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url="http://service",
            headers={PRINCIPAL_HEADER: token},
        )

    async def receive(
        self, tenant_id: TenantId, source: str, events: Iterable[tuple[UUID, Event]]
    ) -> None:
        """Have the service consume `events` (with their keys) from `source`, as one batch."""
        stream = StreamId(tenant_id, source)
        first = self._positions.get(stream, 0) + 1
        now = self.context.clock.now()
        envelopes = [
            Envelope(
                tenant_id=tenant_id,
                source=source,
                position=first + offset,
                id=new_id(),
                key=key,
                type=event.type,
                occurred_at=now,
                data=event.model_dump(mode="json"),
                context={},
            )
            for offset, (key, event) in enumerate(events)
        ]
        self._positions[stream] = first + len(envelopes) - 1
        await self._consumer.receive(Batch(stream, first, first + len(envelopes) - 1, envelopes))

    async def told(self, tenant_id: TenantId, *types: str) -> Sequence[dict[str, Any]]:
        """The events the service has appended for a tenant, oldest first: type, key and data.

        Those for the audit log only when they are asked for.
        """
        async with self.context.units.begin(tenant_id) as uow:
            rows = await uow.rows(
                text(
                    f"SELECT type, key, data FROM {self.context.units.schema}.outbox "
                    "WHERE tenant_id = :tenant ORDER BY recorded_at, id"
                ),
                {"tenant": tenant_id},
            )
        return [
            {"type": row.type, "key": row.key, **row.data}
            for row in rows
            if (row.type in types if types else row.type != AuditRecorded.type)
        ]
