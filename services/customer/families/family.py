"""One person, who may be many records; `docs/adr/0013` has the whole picture."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Integer,
    Uuid,
    bindparam,
    column,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.customers.errors import CustomerNotFound
from services.customer.customers.models import customer
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = customer.c.tenant_id == bindparam("tenant", type_=Uuid)
_ID: Final = bindparam("id", type_=Uuid)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_ROOT: Final = func.coalesce(customer.c.merged_into, customer.c.id)
_asked = func.unnest(_IDS).table_valued(column("id", Uuid)).render_derived(name="asked")
# One after the other by their ids: while a table fills whose statistics nobody has gathered yet,
# all at once might be looked for among everybody.
_record = (
    select(customer.c.id, _ROOT.label("root_id"))
    .where(_TENANT, customer.c.id == _asked.c.id)
    .limit(literal_column("1", Integer))
    .lateral("record")
)
_ROOTS: Final = select(*_record.c).join_from(_asked, _record, true())
_MEMBERS: Final = (
    select(customer.c.id)
    .where(_TENANT, or_(customer.c.id == _ID, customer.c.merged_into == _ID))
    .order_by(customer.c.id)
)
# Each half by an index of its own; of both in one condition many ids make a walk over everybody.
_all_members = union_all(
    _ROOTS,
    select(customer.c.id, _ROOT.label("root_id")).where(
        _TENANT, customer.c.merged_into == func.any(_IDS)
    ),
).subquery("member")
_ALL_MEMBERS: Final = select(*_all_members.c).order_by(_all_members.c.id)
_LOCK: Final = (
    select(customer.c.id)
    .where(_TENANT, customer.c.id == _ID, customer.c.merged_into.is_(None))
    .with_for_update()
)
# As an array of its own making the planner takes the ids to an index, however many there are.
_THESE: Final = func.array(select(func.unnest(_IDS)).scalar_subquery(), type_=ARRAY(Uuid))
_LOCK_ROOTS: Final = (
    select(customer.c.id)
    .where(_TENANT, customer.c.id == func.any(_THESE), customer.c.merged_into.is_(None))
    .order_by(customer.c.id)
    .with_for_update()
)
_LEFT: Final = select(customer.c.id).where(
    _TENANT, customer.c.id == func.any(_IDS), customer.c.erased_at.is_(None)
)
_PARENTS: Final = select(customer.c.id, customer.c.parent_id).where(
    _TENANT, customer.c.id == func.any(_IDS), customer.c.parent_id.is_not(None)
)
_HOLD: Final = (
    select(customer.c.id)
    .where(_TENANT, customer.c.id == _ID)
    .with_for_update(read=True, key_share=True)
)


class _Moved(Exception):
    """Merged or parted while we waited."""


@dataclass(frozen=True, slots=True)
class Family:
    """All records of one person. `root_id` stands for them; `member_ids` holds it, too."""

    root_id: UUID
    member_ids: tuple[UUID, ...]


class Families:
    """Who belongs to whom, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def of(self, customer_id: UUID) -> Family:
        """The family of any of its members. Raises CustomerNotFound."""
        roots = await self.roots([customer_id])
        if customer_id not in roots:
            raise CustomerNotFound
        root_id = roots[customer_id]
        members = await self._uow.scalars(_MEMBERS, {**self._tenant, "id": root_id})
        return Family(root_id, tuple(members))

    async def roots(self, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Who stands for each of these; ids that nobody has are left out."""
        if not customer_ids:
            return {}
        rows = await self._uow.rows(_ROOTS, {**self._tenant, "ids": list(customer_ids)})
        return {row.id: row.root_id for row in rows}

    async def of_all(self, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Who stands for each member of the families of these; ids nobody has are left out."""
        roots = set((await self.roots(customer_ids)).values())
        if not roots:
            return {}
        rows = await self._uow.rows(_ALL_MEMBERS, {**self._tenant, "ids": sorted(roots)})
        return {row.id: row.root_id for row in rows}

    async def erased(self, members: Mapping[UUID, UUID]) -> set[UUID]:
        """Of families, each member given with who stands for it, those all of whom were erased."""
        asked = {**self._tenant, "ids": sorted(members)}
        left = {members[customer_id] for customer_id in await self._uow.scalars(_LEFT, asked)}
        return set(members.values()) - left

    async def parents(self, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Into whom each of these was merged by itself; those that were not are left out."""
        rows = await self._uow.rows(_PARENTS, {**self._tenant, "ids": sorted(customer_ids)})
        return {row.id: row.parent_id for row in rows}

    async def lock_all(self, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
        """Who stands for each of these, all their families locked as by `lock`.

        In the order of the ids of those who stand for them: whoever locks several does so in one
        order, and nobody waits for each other. Ids that nobody has are left out.
        """
        while True:
            roots = await self.roots(customer_ids)
            try:
                async with self._uow.savepoint():
                    wanted = sorted(set(roots.values()))
                    locked = await self._uow.scalars(_LOCK_ROOTS, {**self._tenant, "ids": wanted})
                    if len(locked) < len(wanted) or await self.roots(customer_ids) != roots:
                        # Returning to the savepoint lets go of what was locked in vain.
                        raise _Moved
            except _Moved:
                continue
            return roots

    async def lock(self, customer_id: UUID) -> Family:
        """The family, nobody else merging it or writing to it until the commit.

        Raises CustomerNotFound.
        """
        while True:
            roots = await self.roots([customer_id])
            if customer_id not in roots:
                raise CustomerNotFound
            # Merged or parted while we waited for its row: then somebody else stands for it.
            locked = await self._uow.scalar(_LOCK, {**self._tenant, "id": roots[customer_id]})
            if locked is None:
                continue
            members = await self._uow.scalars(_MEMBERS, {**self._tenant, "id": locked})
            if customer_id in members:
                return Family(locked, tuple(members))

    async def hold(self, customer_id: UUID) -> None:
        """Wait for whoever works on this record, and have them wait until the commit.

        For a member of a locked family, before anything that others lock after the record.
        """
        await self._uow.scalar(_HOLD, {**self._tenant, "id": customer_id})
