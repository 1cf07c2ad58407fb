"""SQL of queues and their members."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.types import Uuid

from services.support_ticket.agents.models import agent
from services.support_ticket.queues.errors import QueueNotFound
from services.support_ticket.queues.models import queue, queue_member
from services.support_ticket.queues.schemas import QueueMemberRead
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

_DEFAULT = select(queue.c.id).where(
    queue.c.tenant_id == bindparam("tenant"), queue.c.is_default.is_(True)
)
_ADD_DEFAULT = insert(queue).on_conflict_do_nothing(
    index_elements=[queue.c.tenant_id], index_where=queue.c.is_default.is_(True)
)
_JOINING = RowsParameter("joining", queue_member, ("agent_id",))
_joined = (
    select(queue.c.tenant_id, queue.c.id, _JOINING.source.c.agent_id)
    .select_from(queue.join(_JOINING.source, queue.c.is_default.is_(True)))
    .where(queue.c.tenant_id == bindparam("tenant"))
    .cte("joined")
    .prefix_with("MATERIALIZED")
)
_JOIN_DEFAULT = (
    insert(queue_member)
    .from_select(
        ["tenant_id", "queue_id", "agent_id", "joined_at"],
        select(*_joined.c, bindparam("now", type_=queue_member.c.joined_at.type)),
    )
    .on_conflict_do_nothing(index_elements=list(queue_member.primary_key.columns))
)
_LEAVE = delete(queue_member).where(
    queue_member.c.tenant_id == bindparam("tenant"),
    queue_member.c.agent_id == bindparam("agents", type_=ARRAY(Uuid)).any_(),
)
_QUEUES = (
    select(queue).where(queue.c.tenant_id == bindparam("tenant")).order_by(queue.c.name, queue.c.id)
)
_BY_ID = select(queue).where(
    queue.c.tenant_id == bindparam("tenant"), queue.c.id == bindparam("queue")
)
_LOCKED = _BY_ID.with_for_update()
_MEMBERS = (
    select(queue_member.c.queue_id, agent.c.id, agent.c.name, agent.c.role)
    .join_from(
        queue_member,
        agent,
        (agent.c.tenant_id == queue_member.c.tenant_id) & (agent.c.id == queue_member.c.agent_id),
    )
    .where(queue_member.c.tenant_id == bindparam("tenant"))
    .order_by(agent.c.name, agent.c.id)
)


class QueueRepository:
    """The queues of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def ensure_default(self, *, name: str) -> None:
        """Create the default queue unless there is one."""
        await self._uow.execute(
            _ADD_DEFAULT,
            {
                "tenant_id": self._uow.tenant_id,
                "id": new_id(),
                "name": name,
                "is_default": True,
                "created_at": self._uow.clock.now(),
            },
        )

    async def find_default(self) -> UUID | None:
        """The id of the default queue."""
        found: UUID | None = await self._uow.scalar(_DEFAULT, {"tenant": self._uow.tenant_id})
        return found

    async def join_default(self, agents: Iterable[UUID]) -> None:
        """Have these agents take from the default queue."""
        rows = _JOINING.values({"agent_id": agent} for agent in agents)
        await self._uow.execute(
            _JOIN_DEFAULT, {"tenant": self._uow.tenant_id, "now": self._uow.clock.now(), **rows}
        )

    async def leave(self, agents: Sequence[UUID]) -> None:
        """Have these agents take from no queue any more."""
        await self._uow.execute(_LEAVE, {"tenant": self._uow.tenant_id, "agents": list(agents)})

    async def list_all(self) -> Sequence[Row[*tuple[Any, ...]]]:
        """Every queue by name; a shop has a handful."""
        return await self._uow.rows(_QUEUES, {"tenant": self._uow.tenant_id})

    async def get(self, queue_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises QueueNotFound."""
        row = await self._uow.one_or_none(
            _LOCKED if lock else _BY_ID, {"tenant": self._uow.tenant_id, "queue": queue_id}
        )
        if row is None:
            raise QueueNotFound
        return row

    async def save(self, queue_id: UUID, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """A locked queue with these columns changed and its version grown."""
        statement = (
            update(queue)
            .where(queue.c.tenant_id == self._uow.tenant_id, queue.c.id == queue_id)
            .values(**changes, version=queue.c.version + 1)
            .returning(queue)
        )
        return await self._uow.one(statement)

    async def list_members(self) -> dict[UUID, list[QueueMemberRead]]:
        """The members of every queue, by name."""
        members: dict[UUID, list[QueueMemberRead]] = {}
        for row in await self._uow.rows(_MEMBERS, {"tenant": self._uow.tenant_id}):
            member = QueueMemberRead(agent_id=row.id, name=row.name, role=row.role)
            members.setdefault(row.queue_id, []).append(member)
        return members
