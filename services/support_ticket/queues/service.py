"""The queues of a shop, with who takes from them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.support_ticket.agents.errors import UnknownTeam
from services.support_ticket.agents.repository import AgentRepository
from services.support_ticket.queues.repository import QueueRepository
from services.support_ticket.queues.schemas import QueueMemberRead, QueueRead, QueueUpdate
from shared.web.resources import check_version


class QueueService:
    """The queues of one tenant."""

    def __init__(self, *, queues: QueueRepository, agents: AgentRepository) -> None:
        self._queues = queues
        self._agents = agents

    async def list_all(self) -> list[QueueRead]:
        """Every queue by name, with its members by name."""
        members = await self._queues.list_members()
        return [_read(row, members.get(row.id, [])) for row in await self._queues.list_all()]

    async def get(self, queue_id: UUID) -> QueueRead:
        """Raises QueueNotFound."""
        return await self._with_members(await self._queues.get(queue_id))

    async def update(
        self, queue_id: UUID, wanted: QueueUpdate, *, expected_version: int | None
    ) -> QueueRead:
        """Raises QueueNotFound, PreconditionFailed, UnknownTeam."""
        current = await self._queues.get(queue_id, lock=True)
        check_version(current.version, expected_version)
        given = wanted.model_dump(exclude_unset=True)
        changes = {name: new for name, new in given.items() if getattr(current, name) != new}
        if not changes:
            return await self._with_members(current)
        team_id = changes.get("team_id")
        if team_id is not None and not await self._agents.is_team(team_id):
            raise UnknownTeam
        return await self._with_members(await self._queues.save(queue_id, changes))

    async def _with_members(self, row: Row[*tuple[Any, ...]]) -> QueueRead:
        members = await self._queues.list_members()
        return _read(row, members.get(row.id, []))


def _read(row: Row[*tuple[Any, ...]], members: list[QueueMemberRead]) -> QueueRead:
    return QueueRead(
        id=row.id,
        name=row.name,
        is_default=row.is_default,
        team_id=row.team_id,
        members=members,
        version=row.version,
        created_at=row.created_at,
    )
