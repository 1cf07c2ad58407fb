"""SQL of addresses."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.addresses.errors import AddressNotFound
from services.customer.addresses.models import customer_address, removed_address
from services.customer.families.belongings import BelongingStatements
from shared.db.prepared import Bound
from shared.db.rows import NewRows, RowsParameter
from shared.db.unit_of_work import UnitOfWork

ADDRESSES: Final = BelongingStatements(customer_address, missing=AddressNotFound)
_COLUMNS: Final = tuple(column.name for column in customer_address.c if column.name != "tenant_id")
_new = NewRows("address", customer_address, _COLUMNS)
_ADD_MANY: Final = (
    insert(customer_address)
    .from_select(["tenant_id", *_COLUMNS], select(bindparam("tenant", type_=Uuid), *_new.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
)

_FORGET: Final = delete(customer_address).where(
    customer_address.c.tenant_id == bindparam("tenant", type_=Uuid),
    customer_address.c.customer_id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
)


async def forget_addresses(uow: UnitOfWork, customer_ids: Sequence[UUID]) -> None:
    """Forget all addresses of many customers, who tell of none either."""
    await uow.execute(_FORGET, {"tenant": uow.tenant_id, "ids": list(customer_ids)})


async def add_addresses(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> None:
    """Addresses of many customers, none of whom has a primary one if theirs is to be it."""
    if rows:
        await uow.execute_bound(bind_addresses(uow, rows))


def bind_addresses(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> Bound:
    """Make ready what `add_addresses` runs, in any thread."""
    known = [{**dict.fromkeys(_COLUMNS), **row} for row in rows]
    return uow.bind(_ADD_MANY, {"tenant": uow.tenant_id, **_new.values(known)})


_TENANT: Final = bindparam("tenant", type_=Uuid)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_KEPT: Final = frozenset({"id", "customer_id", "created_at", "version", "is_primary"})
_CHANGING: Final = tuple(name for name in _COLUMNS if name not in _KEPT)
_LIST: Final = (
    select(*[customer_address.c[name] for name in _COLUMNS])
    .where(
        customer_address.c.tenant_id == _TENANT, customer_address.c.customer_id == func.any(_IDS)
    )
    .order_by(customer_address.c.created_at, customer_address.c.id)
)
_changed = RowsParameter("changed", customer_address, ("id", *_CHANGING))
_CHANGE: Final = (
    update(customer_address)
    .where(customer_address.c.tenant_id == _TENANT, customer_address.c.id == _changed.source.c.id)
    .values({name: _changed.source.c[name] for name in _CHANGING})
    .values(version=customer_address.c.version + 1)
)
_preferred = RowsParameter("preferred", customer_address, ("id", "is_primary", "updated_at"))
_PREFER: Final = (
    update(customer_address)
    .where(customer_address.c.tenant_id == _TENANT, customer_address.c.id == _preferred.source.c.id)
    .values(
        is_primary=_preferred.source.c.is_primary,
        updated_at=_preferred.source.c.updated_at,
        version=customer_address.c.version + 1,
    )
)
_KEY: Final = ("customer_id", "source", "external_id")
_REMOVED: Final = select(
    removed_address.c.customer_id,
    removed_address.c.source,
    removed_address.c.external_id,
    removed_address.c.told,
).where(removed_address.c.tenant_id == _TENANT, removed_address.c.customer_id == func.any(_IDS))
_remove = insert(removed_address)
_REMOVE: Final = _remove.on_conflict_do_update(
    index_elements=["tenant_id", *_KEY],
    set_={"told": _remove.excluded.told, "removed_at": _remove.excluded.removed_at},
)
_back = RowsParameter("back", removed_address, _KEY)
_COME_BACK: Final = delete(removed_address).where(
    removed_address.c.tenant_id == _TENANT,
    *(removed_address.c[name] == _back.source.c[name] for name in _KEY),
)

AddressKey = tuple[UUID, str, str]
"""Whose address, who tells of it, and what they call it."""


@dataclass(slots=True)
class AddressNews:
    """What is to be written of addresses that sources told of."""

    added: list[dict[str, Any]] = field(default_factory=list)
    changed: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    come_back: list[AddressKey] = field(default_factory=list)
    demoted: dict[UUID, datetime] = field(default_factory=dict)
    promoted: dict[UUID, datetime] = field(default_factory=dict)

    def demote(self, row: Mapping[str, Any], *, now: datetime) -> None:
        """Another is the primary one now."""
        if self.promoted.pop(row["id"], None) is None and not self._is_new(row):
            self.demoted[row["id"]] = now

    def promote(self, row: Mapping[str, Any], *, now: datetime) -> None:
        """This is the primary one now."""
        if self.demoted.pop(row["id"], None) is None and not self._is_new(row):
            self.promoted[row["id"]] = now

    def _is_new(self, row: Mapping[str, Any]) -> bool:
        return any(added["id"] == row["id"] for added in self.added)


class ToldAddresses:
    """Addresses that sources tell of, of many customers, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def list_of(self, customer_ids: Collection[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """All addresses of these records, the oldest first."""
        return await self._uow.rows(_LIST, {**self._tenant, "ids": list(customer_ids)})

    async def removed(self, customer_ids: Collection[UUID]) -> dict[AddressKey, str]:
        """What was removed here, and what its source said of it then."""
        rows = await self._uow.rows(_REMOVED, {**self._tenant, "ids": list(customer_ids)})
        return {(row.customer_id, row.source, row.external_id): row.told for row in rows}

    async def remove(self, row: Row[*tuple[Any, ...]]) -> None:
        """Remember that an address was removed here which its source will tell again."""
        key = {name: getattr(row, name) for name in _KEY}
        now = self._uow.clock.now()
        told = {"told": row.told, "removed_at": now, "tenant_id": self._uow.tenant_id}
        await self._uow.execute(_REMOVE, {**key, **told})

    async def write(self, news: AddressNews) -> None:
        """Write all news; a customer's primary address gives way before another takes its place."""
        if news.changed:
            await self._uow.execute(
                _CHANGE, {**self._tenant, **_changed.values(news.changed.values())}
            )
        await self._prefer(news.demoted, is_primary=False)
        await add_addresses(self._uow, news.added)
        await self._prefer(news.promoted, is_primary=True)
        if news.come_back:
            keys = [dict(zip(_KEY, key, strict=True)) for key in news.come_back]
            await self._uow.execute(_COME_BACK, {**self._tenant, **_back.values(keys)})

    async def _prefer(self, rows: Mapping[UUID, datetime], *, is_primary: bool) -> None:
        if rows:
            values: Iterable[Mapping[str, Any]] = (
                {"id": id_, "is_primary": is_primary, "updated_at": at} for id_, at in rows.items()
            )
            await self._uow.execute(_PREFER, {**self._tenant, **_preferred.values(values)})
