"""Receiving webhooks: check the signature, keep the raw delivery once, answer at once.

Nothing is parsed here. What a delivery says is read later, in the worker, where it can take its
time and fail without anybody waiting; the raw bytes stay and can be read again.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from gateway.connections.errors import ConnectionNotFound
from gateway.deliveries.repository import DeliveryRepository, NewDelivery
from gateway.hooks.connections import HookConnections
from gateway.hooks.dialects import DIALECTS, Headers, is_signed
from gateway.hooks.errors import SignatureRefused
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId, new_id


class Receiver:
    """Takes deliveries in; each costs one transaction with one statement."""

    def __init__(
        self,
        *,
        units: UnitsOfWork,
        connections: HookConnections,
        wake: Callable[[TenantId], Awaitable[None]],
    ) -> None:
        self._units = units
        self._connections = connections
        self._wake = wake

    async def receive(
        self, platform: str, connection_id: str, headers: Headers, body: bytes
    ) -> None:
        """Keep a delivery, unless it is there already.

        Raises ConnectionNotFound; SignatureRefused, and then nothing was kept.
        """
        connection = await self._connections.get(_parse_id(connection_id))
        if connection.platform != platform:
            raise ConnectionNotFound
        dialect = DIALECTS[connection.platform]
        now = self._units.clock.now()
        signature = dialect.signature(headers)
        if signature is None and dialect.is_ping(headers, body):
            return
        if not is_signed(body, signature, connection.secrets(now)):
            raise SignatureRefused
        label = dialect.label(headers, body)
        delivery = NewDelivery(
            id=new_id(),
            connection_id=connection.id,
            platform=connection.platform.value,
            topic=label.topic,
            dedup_key=label.dedup_key,
            body=body,
            triggered_at=label.triggered_at,
            received_at=now,
        )
        async with self._units.begin(connection.tenant_id) as uow:
            fresh = await DeliveryRepository(uow).add(delivery)
            await uow.commit()
        if fresh:
            await self._wake(connection.tenant_id)


def _parse_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ConnectionNotFound from error
