"""SQL of the ledger of merges."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Select,
    Uuid,
    bindparam,
    column,
    exists,
    func,
    insert,
    select,
    true,
    update,
)

from services.customer.families.seen import person_is_seen
from services.customer.merges.errors import MergeNotFound
from services.customer.merges.models import customer_merge, customer_merge_record
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

# Ids of merges grow with time.
NEWEST_FIRST: Final = (SortKey(customer_merge.c.id, "id", parse_id, descending=True),)

_TENANT: Final = bindparam("tenant", type_=Uuid)
_MEMBERS: Final = bindparam("members", type_=ARRAY(Uuid))
_records = RowsParameter("record", customer_merge_record, ("merge_id", "customer_id", "stays"))
_ADD: Final = insert(customer_merge).returning(*customer_merge.c)
_ADD_RECORDS: Final = (
    insert(customer_merge_record)
    .from_select(["tenant_id", *_records.columns], select(_TENANT, *_records.source.c))
    .returning(customer_merge_record.c.customer_id)
)
_ALL: Final = select(customer_merge).where(customer_merge.c.tenant_id == _TENANT)
_BY_ID: Final = _ALL.where(customer_merge.c.id == bindparam("id", type_=Uuid))
_LOCK: Final = _BY_ID.with_for_update()
_STANDING: Final = _ALL.where(
    customer_merge.c.survivor_id == func.any(_MEMBERS), customer_merge.c.status == "done"
).order_by(customer_merge.c.id)
_asked = func.unnest(_MEMBERS).table_valued(column("id", Uuid)).render_derived(name="asked")
# One record after the other: all at once they might be looked for in every merge of the shop.
_standing = (
    select(customer_merge.c.survivor_id, customer_merge.c.taken)
    .where(
        customer_merge.c.tenant_id == _TENANT,
        customer_merge.c.survivor_id == _asked.c.id,
        customer_merge.c.status == "done",
    )
    .lateral("standing")
)
_TAKEN_BY: Final = select(*_standing.c).join_from(_asked, _standing, true())
_changed = RowsParameter("changed", customer_merge, ("id", "taken", "tags_added", "outcome"))
_SAVE: Final = (
    update(customer_merge)
    .values(
        taken=_changed.source.c.taken,
        tags_added=_changed.source.c.tags_added,
        outcome=_changed.source.c.outcome,
        version=customer_merge.c.version + 1,
    )
    .where(customer_merge.c.tenant_id == _TENANT, customer_merge.c.id == _changed.source.c.id)
)
_emptied = RowsParameter("emptied", customer_merge, ("id", "taken", "tags_added", "outcome"))
_FORGET: Final = (
    update(customer_merge)
    .values({name: _emptied.source.c[name] for name in ("taken", "tags_added", "outcome")})
    .values(version=customer_merge.c.version + 1)
    .where(customer_merge.c.tenant_id == _TENANT, customer_merge.c.id == _emptied.source.c.id)
)
_of_records = (
    select(customer_merge_record.c.merge_id)
    .where(
        customer_merge_record.c.tenant_id == _TENANT,
        customer_merge_record.c.customer_id == func.any(_MEMBERS),
    )
    .distinct()
)
_INVOLVING: Final = _ALL.where(customer_merge.c.id.in_(_of_records)).order_by(customer_merge.c.id)


def _all_are_seen(*, of_teams: bool) -> ColumnElement[bool]:
    """Whether a caller sees everybody of a merge."""
    unseen = exists().where(
        customer_merge_record.c.tenant_id == _TENANT,
        customer_merge_record.c.merge_id == customer_merge.c.id,
        ~person_is_seen(customer_merge_record.c.customer_id, of_teams=of_teams),
    )
    return ~unseen


class MergeRepository:
    """Merges, inside one unit of work. What a caller asks for is narrowed to their `sight`."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any], *, stays: UUID) -> Row[*tuple[Any, ...]]:
        """The new merge, all columns but the tenant given."""
        row = await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})
        records = [
            {"merge_id": row.id, "customer_id": customer_id, "stays": customer_id == stays}
            for customer_id in (stays, *map(UUID, row.merged_ids))
        ]
        await self._uow.rows(_ADD_RECORDS, {**self._tenant, **_records.values(records)})
        return row

    async def get(self, merge_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises MergeNotFound. Locked, it is asked for whoever does not see it, too."""
        statement = _LOCK if lock else self._narrowed(_BY_ID)
        row = await self._uow.one_or_none(statement, {**self._asked(), "id": merge_id})
        if row is None:
            raise MergeNotFound
        return row

    async def standing(self, member_ids: Collection[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """The merges into these records that were not undone, the oldest first."""
        return await self._uow.rows(_STANDING, {**self._tenant, "members": sorted(member_ids)})

    async def taken_by(
        self, record_ids: Collection[UUID]
    ) -> list[tuple[UUID, Sequence[Mapping[str, Any]]]]:
        """What each merge into these records that was not undone has taken, and into which."""
        asked = {**self._tenant, "members": sorted(record_ids)}
        rows = await self._uow.rows(_TAKEN_BY, asked)
        return [(row.survivor_id, row.taken) for row in rows]

    async def involving(self, record_ids: Collection[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """The merges that any of these records was part of, undone or not, the oldest first."""
        return await self._uow.rows(_INVOLVING, {**self._tenant, "members": sorted(record_ids)})

    async def save(self, changed: Sequence[Mapping[str, Any]]) -> None:
        """Write what merges that stand have taken and left, by their `id`."""
        if changed:
            await self._uow.execute(_SAVE, {**self._tenant, **_changed.values(changed)})

    async def forget(self, emptied: Sequence[Mapping[str, Any]]) -> None:
        """Write what is left of merges after fields were emptied for good, by their `id`."""
        if emptied:
            await self._uow.execute(_FORGET, {**self._tenant, **_emptied.values(emptied)})

    async def mark_undone(self, merge_id: UUID, *, actor_id: str) -> Row[*tuple[Any, ...]]:
        """The merge, undone."""
        statement = (
            update(customer_merge)
            .where(
                customer_merge.c.tenant_id == self._uow.tenant_id, customer_merge.c.id == merge_id
            )
            .values(
                status="undone",
                undone_at=self._uow.clock.now(),
                undone_by=actor_id,
                version=customer_merge.c.version + 1,
            )
            .returning(*customer_merge.c)
        )
        return await self._uow.one(statement)

    async def take_out(self, merge_id: UUID, rest: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The merge, which stands for the rest of its people; `rest` are the columns of that."""
        statement = (
            update(customer_merge)
            .where(
                customer_merge.c.tenant_id == self._uow.tenant_id, customer_merge.c.id == merge_id
            )
            .values(**rest, version=customer_merge.c.version + 1)
            .returning(*customer_merge.c)
        )
        return await self._uow.one(statement)

    async def page(
        self, status: str | None, member_ids: Collection[UUID] | None, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of merges (that these records were part of, if given), newest first."""
        wanted = self._narrowed(_ALL)
        asked: dict[str, Any] = {**self._asked()}
        if status is not None:
            wanted = wanted.where(customer_merge.c.status == status)
        if member_ids is not None:
            wanted = wanted.where(customer_merge.c.id.in_(_of_records))
            asked["members"] = sorted(member_ids)
        rows = await self._uow.rows(page(wanted, NEWEST_FIRST, request), asked)
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    def _narrowed(self, statement: Select[Any]) -> Select[Any]:
        if self._sight is None:
            return statement
        return statement.where(_all_are_seen(of_teams=self._sight.of_teams))

    def _asked(self) -> Mapping[str, Any]:
        """The tenant, and who looks."""
        if self._sight is None:
            return self._tenant
        return {**self._tenant, **self._sight.parameters()}
