"""SQL of staff. Every statement is built once, when this is imported."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, and_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, insert

from gateway.access.scopes import Role
from gateway.roles.models import role
from gateway.staff.errors import StaffEmailTaken, StaffNotFound
from gateway.staff.models import staff
from gateway.staff.record import COLUMNS, StaffRecord
from gateway.staff_policy.models import staff_policy
from gateway.teams.models import team_member
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork

NEWEST = (
    SortKey(staff.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(staff.c.id, "id", parse_id, descending=True),
)
_TEAMS = (
    select(func.array_agg(aggregate_order_by(team_member.c.team_id, team_member.c.team_id)))
    .where(team_member.c.tenant_id == bindparam("tenant"), team_member.c.staff_id == staff.c.id)
    .correlate(staff)
    .scalar_subquery()
)
STAFF_COLUMNS = [
    *[staff.c[column] for column in COLUMNS.values()],
    role.c.scopes.label("role_scopes"),
    role.c.visibility.label("role_visibility"),
    staff_policy.c.visibility.label("policy_visibility"),
    staff_policy.c.second_factor_for.label("policy_second_factor_for"),
    _TEAMS.label("team_ids"),
]
"""What a `StaffRecord` is made of, from `STAFF_SOURCE`."""
STAFF_SOURCE = staff.outerjoin(
    role,
    and_(
        role.c.tenant_id == staff.c.tenant_id,
        role.c.tenant_id == bindparam("tenant"),
        role.c.id == staff.c.role_id,
    ),
).outerjoin(
    staff_policy,
    and_(
        staff_policy.c.tenant_id == staff.c.tenant_id,
        staff_policy.c.tenant_id == bindparam("tenant"),
    ),
)
_TENANT = staff.c.tenant_id == bindparam("tenant")
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_READ: Select[Any] = select(*STAFF_COLUMNS).select_from(STAFF_SOURCE).where(_TENANT)
_ADD = insert(staff).on_conflict_do_nothing(index_elements=["tenant_id", "email_key"])
_BY_ID = _READ.where(staff.c.id == bindparam("id"))
_LOCK = _BY_ID.with_for_update(of=staff)
_BY_EMAIL = _READ.where(staff.c.email_key == bindparam("email_key"))
_BY_IDS = _READ.where(staff.c.id == func.any(_IDS)).order_by(staff.c.id)
_OWNERS = (
    select(staff.c.id)
    .where(_TENANT, staff.c.role == "owner", staff.c.active)
    .order_by(staff.c.id)
    .with_for_update()
)
_WITH_ROLE = select(staff.c.id).where(_TENANT, staff.c.role_id == bindparam("role_id"))
_WITH_BUILT_IN = select(staff.c.id).where(
    _TENANT, staff.c.role == bindparam("built_in"), staff.c.role_id.is_(None)
)
_IN_TEAM = _READ.where(
    select(team_member.c.staff_id)
    .where(
        team_member.c.tenant_id == bindparam("tenant"),
        team_member.c.staff_id == staff.c.id,
        team_member.c.team_id == bindparam("team_id"),
    )
    .correlate(staff)
    .exists()
)
_CHANGED = (
    *("name", "role", "role_id", "visibility", "password_hash", "active", "second_factor_at"),
    *("updated_at", "version"),
)
_SAVE = (
    update(staff)
    .where(_TENANT, staff.c.id == bindparam("staff_id"))
    .values({name: bindparam(name) for name in _CHANGED})
)
_HOLD_ALL = (
    select(staff.c.id)
    .where(_TENANT, staff.c.id == func.any(_IDS))
    .order_by(staff.c.id)
    .with_for_update()
)
_NEW_VERSION = (
    update(staff)
    .where(_TENANT, staff.c.id == func.any(_IDS))
    .values(version=staff.c.version + 1, updated_at=bindparam("now"))
)


class StaffRepository:
    """Staff of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, record: StaffRecord) -> None:
        """Raises StaffEmailTaken."""
        values = {"tenant_id": self._uow.tenant_id, **record.as_row()}
        if await self._uow.execute(_ADD, values) == 0:
            raise StaffEmailTaken

    async def get(self, staff_id: UUID) -> StaffRecord:
        """Raises StaffNotFound."""
        found = await self.find(staff_id)
        if found is None:
            raise StaffNotFound
        return found

    async def find(self, staff_id: UUID) -> StaffRecord | None:
        """The member with this id."""
        row = await self._uow.one_or_none(_BY_ID, {**self._tenant, "id": staff_id})
        return StaffRecord.of(row) if row else None

    async def lock(self, staff_id: UUID) -> StaffRecord:
        """The member, kept from changing until the end. Raises StaffNotFound."""
        found = await self.find_to_change(staff_id)
        if found is None:
            raise StaffNotFound
        return found

    async def find_to_change(self, staff_id: UUID) -> StaffRecord | None:
        """The member with this id, kept from changing until the end."""
        row = await self._uow.one_or_none(_LOCK, {**self._tenant, "id": staff_id})
        return StaffRecord.of(row) if row else None

    async def find_by_email(self, email_key: str) -> StaffRecord | None:
        """The member who logs in with this address."""
        row = await self._uow.one_or_none(_BY_EMAIL, {**self._tenant, "email_key": email_key})
        return StaffRecord.of(row) if row else None

    async def list_by_ids(self, staff_ids: Sequence[UUID]) -> Sequence[StaffRecord]:
        """Some members, by id."""
        rows = await self._uow.rows(_BY_IDS, {**self._tenant, "ids": list(staff_ids)})
        return [StaffRecord.of(row) for row in rows]

    async def lock_owners(self) -> Sequence[UUID]:
        """The owners who can log in, kept from changing until the end."""
        return await self._uow.scalars(_OWNERS, self._tenant)

    async def with_role(self, role_id: UUID) -> Sequence[UUID]:
        """Everybody who has a role of the shop's own, active or not."""
        return await self._uow.scalars(_WITH_ROLE, {**self._tenant, "role_id": role_id})

    async def with_built_in_role(self, built_in: Role) -> Sequence[UUID]:
        """Everybody who has a built-in role, active or not."""
        return await self._uow.scalars(_WITH_BUILT_IN, {**self._tenant, "built_in": built_in.value})

    async def save(self, record: StaffRecord) -> None:
        """Write what may change of a locked record."""
        values = {name: value for name, value in record.as_row().items() if name in _CHANGED}
        await self._uow.execute(_SAVE, {**self._tenant, **values, "staff_id": record.id})

    async def give_new_version(self, staff_ids: Sequence[UUID], *, now: datetime) -> None:
        """Count on the versions of members of whom something changed that is kept elsewhere."""
        ids = {**self._tenant, "ids": list(staff_ids)}
        # In one order, so that two who do this meet in no deadlock.
        await self._uow.rows(_HOLD_ALL, ids)
        await self._uow.execute(_NEW_VERSION, {**ids, "now": now})

    async def list_newest(
        self, request: PageRequest, *, team_id: UUID | None = None
    ) -> tuple[Sequence[StaffRecord], str | None]:
        """A page of staff, or of a team, the newest first, and the next page's cursor."""
        statement = _READ if team_id is None else _IN_TEAM
        team = {} if team_id is None else {"team_id": team_id}
        rows = await self._uow.rows(page(statement, NEWEST, request), {**self._tenant, **team})
        kept, cursor = next_cursor(rows, NEWEST, request.limit)
        return [StaffRecord.of(row) for row in kept], cursor
