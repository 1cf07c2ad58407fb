"""Receiving webhooks: check the signature, keep the raw delivery once, answer at once.

Nothing is parsed here. What a delivery says is read later, in the worker, where it can take its
time and fail without anybody waiting; the raw bytes stay and can be read again.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from gateway.connections.errors import ConnectionNotFound
from gateway.deliveries.repository import DeliveryRepository, NewDelivery
from gateway.hooks.connections import HookConnection, HookConnections
from gateway.hooks.dialects import ASKING, DIALECTS, Headers
from gateway.hooks.errors import SignatureRefused
from gateway.platforms.platform import THIN, Platform
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId, new_id
from shared.observability.tracing import current_trace_parent


class Receiver:
    """Takes deliveries in; each costs one transaction with one statement.

    What only names an object waits until that was fetched.
    """

    def __init__(
        self,
        *,
        units: UnitsOfWork,
        connections: HookConnections,
        wake: Callable[[TenantId], Awaitable[None]],
        wake_fetching: Callable[[TenantId], Awaitable[None]],
    ) -> None:
        self._units = units
        self._connections = connections
        self._wake = wake
        self._wake_fetching = wake_fetching

    async def receive(
        self, platform: str, connection_id: str, headers: Headers, body: bytes
    ) -> None:
        """Keep a delivery, unless it is there already.

        Whoever cannot sign learns nothing of a connection, not even whether there is one: for them
        an unknown or switched-off one is as any other. Raises ConnectionNotFound for a platform
        that nobody knows; SignatureRefused, and then nothing was kept.
        """
        if platform not in DIALECTS:
            raise ConnectionNotFound
        dialect = DIALECTS[Platform(platform)]
        if dialect.is_ping(headers, body):
            return
        now = self._units.clock.now()
        connection = await self._connection(platform, connection_id)
        if connection is None or not dialect.is_from(
            connection.secrets(now), headers, body, now=now
        ):
            raise SignatureRefused
        label = dialect.label(headers, body)
        is_thin = connection.platform in THIN
        delivery = NewDelivery(
            id=new_id(),
            connection_id=connection.id,
            platform=connection.platform.value,
            topic=label.topic,
            dedup_key=label.dedup_key,
            body=body,
            triggered_at=label.triggered_at,
            received_at=now,
            trace=current_trace_parent(),
            to_fetch=is_thin,
        )
        async with self._units.begin(connection.tenant_id) as uow:
            fresh = await DeliveryRepository(uow).add(delivery)
            await uow.commit()
        if fresh:
            wake = self._wake_fetching if is_thin else self._wake
            await wake(connection.tenant_id)

    async def confirm(self, platform: str, connection_id: str, token: str | None) -> None:
        """Say that a platform's question whether it is to deliver here is meant for us.

        The token is the connection's id, which whoever set the webhook up has told the platform.
        Raises ConnectionNotFound.
        """
        connection = await self._connection(platform, connection_id)
        if connection is None or connection.platform not in ASKING or token != str(connection.id):
            raise ConnectionNotFound

    async def _connection(self, platform: str, connection_id: str) -> HookConnection | None:
        try:
            found = await self._connections.find(UUID(connection_id))
        except ValueError:
            return None
        return found if found is not None and found.platform == platform else None
