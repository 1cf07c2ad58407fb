"""Looking at deliveries, and having one read again."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from gateway.connections.repository import ConnectionRepository
from gateway.deliveries.repository import DeliveryRepository
from gateway.deliveries.schemas import DeliveryStatus
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId


class DeliveryService:
    """Deliveries through the connections of one shop."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        connections: ConnectionRepository,
        deliveries: DeliveryRepository,
        wake: Callable[[TenantId], Awaitable[None]],
        wake_fetching: Callable[[TenantId], Awaitable[None]],
    ) -> None:
        self._uow = uow
        self._connections = connections
        self._deliveries = deliveries
        self._wake = wake
        self._wake_fetching = wake_fetching

    async def list_newest(
        self, connection_id: UUID, *, statuses: Sequence[DeliveryStatus], request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of deliveries. Raises ConnectionNotFound."""
        await self._connections.get(connection_id)
        return await self._deliveries.list_newest(connection_id, statuses=statuses, request=request)

    async def replay(self, connection_id: UUID, delivery_id: UUID) -> Row[*tuple[Any, ...]]:
        """Have the stored bytes read again. Raises DeliveryNotFound, DeliveryForgotten."""
        row = await self._deliveries.replay(connection_id, delivery_id)

        async def wake() -> None:
            is_to_fetch = row.status == DeliveryStatus.FETCHING
            await (self._wake_fetching if is_to_fetch else self._wake)(self._uow.tenant_id)

        self._uow.after_commit(wake)
        return row
