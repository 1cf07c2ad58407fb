"""Small things that a customer has several of, one of them the primary one: addresses, contacts.

A table of them has `customer_id`, `is_primary`, `created_at`, `updated_at` and `version`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Table, Uuid, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.families.family import Family
from shared.db.unit_of_work import UnitOfWork
from shared.errors import NotFound

Belonging = Row[*tuple[Any, ...]]
_FIXED: Final = frozenset({"tenant_id", "id", "customer_id", "created_at", "version"})


class BelongingStatements:
    """The statements of one table, built once, when a slice is imported."""

    def __init__(self, table: Table, *, missing: type[NotFound]) -> None:
        columns = [column for column in table.c if column.name != "tenant_id"]
        tenant = table.c.tenant_id == bindparam("tenant", type_=Uuid)
        this = table.c.id == bindparam("this", type_=Uuid)
        of = table.c.customer_id == func.any(bindparam("ids", type_=ARRAY(Uuid)))
        newest = (table.c.is_primary.desc(), table.c.created_at.desc(), table.c.id.desc())
        shown = and_(table.c.is_primary, table.c.id == bindparam("first", type_=Uuid))
        as_shown = [column for column in columns if column.name != "is_primary"]
        self.missing = missing
        self.changing = [column.name for column in columns if column.name not in _FIXED]
        self.add = insert(table).returning(*columns)
        self.one = select(*columns).where(tenant, this, of)
        self.list = select(*columns).where(tenant, of).order_by(*newest)
        self.primaries = (
            select(*columns).where(tenant, of, table.c.is_primary).order_by(*newest[1:])
        )
        self.shown = select(*as_shown, shown.label("is_primary")).where(tenant, of)
        self.shown_one = self.shown.where(this)
        self.shown_list = self.shown.order_by(shown.desc(), *newest[1:])
        self.count = select(func.count()).select_from(table).where(tenant, of)
        self.demote = (
            update(table)
            .where(tenant, of, table.c.is_primary)
            .values(
                is_primary=False,
                updated_at=bindparam("now", type_=table.c.updated_at.type),
                version=table.c.version + 1,
            )
        )
        self.save = (
            update(table)
            .where(tenant, this)
            .values({name: bindparam(name) for name in self.changing})
            .values(version=table.c.version + 1)
            .returning(*columns)
        )
        self.delete = delete(table).where(tenant, this)


def first_of_all(
    primaries: Sequence[Belonging],
    root_id: UUID,
    *,
    fits: Callable[[Belonging], bool] | None = None,
) -> Belonging | None:
    """Which of a person's records' primary ones is theirs, the newest of them given first.

    It is one that `fits`, else that of the record that stands for the person, else the newest.
    """
    own_first = sorted(primaries, key=lambda row: bool(row.customer_id != root_id))
    fitting = (row for row in own_first if fits is not None and fits(row))
    return next(fitting, next(iter(own_first), None))


class Belongings:
    """One kind of belonging, inside one unit of work. A person is named by all their records."""

    def __init__(self, uow: UnitOfWork, statements: BelongingStatements) -> None:
        self._uow = uow
        self._sql = statements
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any]) -> Belonging:
        """The new one. A primary one takes the place of another."""
        if columns["is_primary"]:
            await self._demote(columns["customer_id"])
        return await self._uow.one(self._sql.add, {"tenant_id": self._uow.tenant_id, **columns})

    async def get(self, belonging_id: UUID, *, of: Collection[UUID]) -> Belonging:
        """Raises what its kind is missing by."""
        asked = {**self._tenant, "this": belonging_id, "ids": list(of)}
        row = await self._uow.one_or_none(self._sql.one, asked)
        if row is None:
            raise self._sql.missing
        return row

    async def list_of(self, customer_ids: Collection[UUID]) -> Sequence[Belonging]:
        """All of them, the primary one first, then the newest."""
        return await self._uow.rows(self._sql.list, {**self._tenant, "ids": list(customer_ids)})

    async def primaries_of(self, customer_ids: Collection[UUID]) -> Sequence[Belonging]:
        """The primary one of each record that has one, the newest first."""
        return await self._uow.rows(
            self._sql.primaries, {**self._tenant, "ids": list(customer_ids)}
        )

    async def shown(
        self, family: Family, *, fits: Callable[[Belonging], bool] | None = None
    ) -> Sequence[Belonging]:
        """All that a person has, of which one at most is shown as the primary one.

        Each record keeps its own. It is the first that `fits`, else that of the record that stands
        for the person, else the newest.
        """
        named = await self._named(family, fits)
        return await self._uow.rows(self._sql.shown_list, named)

    async def shown_one(
        self,
        belonging_id: UUID,
        family: Family,
        *,
        fits: Callable[[Belonging], bool] | None = None,
    ) -> Belonging:
        """One of those. Raises what its kind is missing by."""
        named = {**await self._named(family, fits), "this": belonging_id}
        row = await self._uow.one_or_none(self._sql.shown_one, named)
        if row is None:
            raise self._sql.missing
        return row

    async def _named(
        self, family: Family, fits: Callable[[Belonging], bool] | None
    ) -> Mapping[str, Any]:
        rows = await self.primaries_of(family.member_ids)
        best = first_of_all(rows, family.root_id, fits=fits)
        ids = {**self._tenant, "ids": list(family.member_ids)}
        return {**ids, "first": best.id if best is not None else None}

    async def count(self, customer_id: UUID) -> int:
        """How many one record has."""
        return int(await self._uow.scalar(self._sql.count, {**self._tenant, "ids": [customer_id]}))

    async def save(self, before: Belonging, columns: Mapping[str, Any]) -> Belonging:
        """The same after a change, its version grown. A primary one takes the place of another."""
        if columns["is_primary"] and not before.is_primary:
            await self._demote(before.customer_id)
        changed = {name: columns[name] for name in self._sql.changing}
        return await self._uow.one(self._sql.save, {**self._tenant, "this": before.id, **changed})

    async def delete(self, belonging_id: UUID) -> None:
        """Forget it."""
        await self._uow.execute(self._sql.delete, {**self._tenant, "this": belonging_id})

    async def _demote(self, customer_id: UUID) -> None:
        now = self._uow.clock.now()
        await self._uow.execute(
            self._sql.demote, {**self._tenant, "ids": [customer_id], "now": now}
        )
