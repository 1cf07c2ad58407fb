"""SQL of snapshots."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from services.customer.snapshots.models import snapshot
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

Phase = Literal["customers", "orders", "done"]
BEFORE_ALL = UUID(int=0)

_TENANT = bindparam("tenant", type_=Uuid)
_ADD = insert(snapshot).on_conflict_do_nothing(index_elements=["tenant_id", "id"])
# Skipping what another worker has locked is the lease: it ends with that worker's transaction.
_LOCK_NEXT = (
    select(snapshot)
    .where(snapshot.c.tenant_id == _TENANT, snapshot.c.finished_at.is_(None))
    .order_by(snapshot.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_MOVE = (
    update(snapshot)
    .where(snapshot.c.tenant_id == _TENANT, snapshot.c.id == bindparam("snapshot_id", type_=Uuid))
    .values(
        phase=bindparam("new_phase", type_=Text),
        after_id=bindparam("new_after_id", type_=Uuid),
        told=bindparam("new_told", type_=snapshot.c.told.type),
        updated_at=bindparam("now", type_=Instant),
        finished_at=bindparam("new_finished_at", type_=Instant),
    )
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far a snapshot has come: everything up to `after_id` of its phase has been told."""

    id: UUID
    requested_by: str
    phase: Phase
    after_id: UUID
    told: int


class SnapshotRepository:
    """Snapshots, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def add(self, snapshot_id: UUID, *, requested_by: str) -> None:
        """Begin a snapshot; one that was begun before goes on as it is."""
        now = self._uow.clock.now()
        await self._uow.execute(
            _ADD,
            {
                "tenant_id": self._uow.tenant_id,
                "id": snapshot_id,
                "requested_by": requested_by,
                "phase": "customers",
                "after_id": BEFORE_ALL,
                "told": 0,
                "created_at": now,
                "updated_at": now,
            },
        )

    async def lock_next(self) -> Snapshot | None:
        """The oldest unfinished snapshot that no other worker has in hand."""
        row = await self._uow.one_or_none(_LOCK_NEXT, {"tenant": self._uow.tenant_id})
        if row is None:
            return None
        return Snapshot(row.id, row.requested_by, row.phase, row.after_id, row.told)

    async def move(self, moved: Snapshot) -> None:
        """Remember how far a locked snapshot has come."""
        now = self._uow.clock.now()
        finished_at: datetime | None = now if moved.phase == "done" else None
        await self._uow.execute(
            _MOVE,
            {
                "tenant": self._uow.tenant_id,
                "snapshot_id": moved.id,
                "new_phase": moved.phase,
                "new_after_id": moved.after_id,
                "new_told": moved.told,
                "now": now,
                "new_finished_at": finished_at,
            },
        )
