"""The queues of a shop, with who takes from them."""

from services.support_ticket.queues.repository import QueueRepository
from services.support_ticket.queues.schemas import QueueRead


class QueueService:
    """The queues of one tenant."""

    def __init__(self, *, queues: QueueRepository) -> None:
        self._queues = queues

    async def list_all(self) -> list[QueueRead]:
        """Every queue by name, with its members by name."""
        members = await self._queues.list_members()
        return [
            QueueRead(
                id=row.id,
                name=row.name,
                is_default=row.is_default,
                members=members.get(row.id, []),
                created_at=row.created_at,
            )
            for row in await self._queues.list_all()
        ]
