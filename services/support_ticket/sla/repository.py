"""SQL of SLA policies. A change is a new version; old versions stay."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from services.support_ticket.sla.errors import SlaPolicyNotFound
from services.support_ticket.sla.models import sla_policy as policy
from services.support_ticket.sla.models import sla_policy_version as version_table
from services.support_ticket.sla.schemas import SlaPolicyPut, SlaPolicyRead, SlaTargets
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.web.resources import Page

_OF_TENANT = policy.c.tenant_id == bindparam("tenant")
_ORDER = (
    SortKey(policy.c.created_at, "created_at", parse_instant),
    SortKey(policy.c.id, "id", parse_id),
)
_BY_ID = select(policy).where(_OF_TENANT, policy.c.id == bindparam("policy"))
_LOCKED = _BY_ID.with_for_update()
_ADD_DEFAULT = (
    insert(policy)
    .on_conflict_do_nothing(
        index_elements=[policy.c.tenant_id], index_where=policy.c.is_default.is_(True)
    )
    .returning(policy.c.id)
)


class SlaPolicyRepository:
    """The policies of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def get(self, policy_id: UUID) -> SlaPolicyRead:
        """Raises SlaPolicyNotFound."""
        return await self._one(_BY_ID, policy_id)

    async def lock(self, policy_id: UUID) -> SlaPolicyRead:
        """The policy, which nobody else can change now. Raises SlaPolicyNotFound."""
        return await self._one(_LOCKED, policy_id)

    async def list_page(self, request: PageRequest) -> Page[SlaPolicyRead]:
        """The policies, oldest first."""
        statement = page(select(policy).where(_OF_TENANT), _ORDER, request)
        rows = await self._uow.rows(statement, {"tenant": self._uow.tenant_id})
        kept, cursor = next_cursor(rows, _ORDER, request.limit)
        return Page(data=[_read(row) for row in kept], next_cursor=cursor)

    async def ensure_default(self, *, name: str, calendar_id: UUID, targets: SlaTargets) -> None:
        """Create the default policy unless there is one."""
        now = self._uow.clock.now()
        values = {
            "tenant_id": self._uow.tenant_id,
            "id": new_id(),
            "version": 1,
            "name": name,
            "is_default": True,
            "calendar_id": calendar_id,
            "targets": targets.model_dump(),
            "created_at": now,
            "updated_at": now,
        }
        created: UUID | None = await self._uow.scalar(_ADD_DEFAULT, values)
        if created is not None:
            await self._keep_version(created, 1, calendar_id, targets)

    async def replace(self, current: SlaPolicyRead, wanted: SlaPolicyPut) -> None:
        """Make `wanted` the next version of a locked policy."""
        version = current.version + 1
        await self._uow.execute(
            update(policy)
            .where(policy.c.tenant_id == self._uow.tenant_id, policy.c.id == current.id)
            .values(
                name=wanted.name,
                calendar_id=wanted.calendar_id,
                targets=wanted.targets.model_dump(),
                version=version,
                updated_at=self._uow.clock.now(),
            )
        )
        await self._keep_version(current.id, version, wanted.calendar_id, wanted.targets)

    async def _keep_version(
        self, policy_id: UUID, version: int, calendar_id: UUID, targets: SlaTargets
    ) -> None:
        await self._uow.execute(
            insert(version_table).values(
                tenant_id=self._uow.tenant_id,
                policy_id=policy_id,
                version=version,
                calendar_id=calendar_id,
                targets=targets.model_dump(),
                created_at=self._uow.clock.now(),
            )
        )

    async def _one(self, statement: Any, policy_id: UUID) -> SlaPolicyRead:
        row = await self._uow.one_or_none(
            statement, {"tenant": self._uow.tenant_id, "policy": policy_id}
        )
        if row is None:
            raise SlaPolicyNotFound
        return _read(row)


def _read(row: Row[*tuple[Any, ...]]) -> SlaPolicyRead:
    return SlaPolicyRead(
        id=row.id,
        name=row.name,
        is_default=row.is_default,
        calendar_id=row.calendar_id,
        targets=SlaTargets.model_validate(row.targets),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
