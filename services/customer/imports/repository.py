"""SQL of imports."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Row, Update, Uuid, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_once

from services.customer.imports.errors import ImportNotFound
from services.customer.imports.models import customer_import, import_space
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

Import = Row[*tuple[Any, ...]]

NEWEST_FIRST: Final = (
    SortKey(customer_import.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(customer_import.c.id, "id", parse_id, descending=True),
)
_TENANT: Final = bindparam("tenant", type_=Uuid)
_IMPORT: Final = bindparam("this_import", type_=Uuid)
_ADD: Final = insert(customer_import).returning(*customer_import.c)
_BY_ID: Final = select(customer_import).where(
    customer_import.c.tenant_id == _TENANT, customer_import.c.id == _IMPORT
)
_LOCK: Final = _BY_ID.with_for_update()
_EXPIRED: Final = (
    select(customer_import.c.id)
    .where(
        customer_import.c.tenant_id == _TENANT,
        customer_import.c.files_expire_at < bindparam("now", type_=Instant),
    )
    .limit(20)
)
_hold = insert_once(import_space)
_HOLD_SPACE: Final = _hold.on_conflict_do_update(
    index_elements=["tenant_id"], set_={"measured_at": _hold.excluded.measured_at}
)
_WAITING: Final = select(
    func.count().label("files"),
    func.coalesce(func.sum(customer_import.c.received_bytes), 0).label("bytes"),
).where(
    customer_import.c.tenant_id == _TENANT,
    customer_import.c.files_expire_at.is_not(None),
    customer_import.c.id != _IMPORT,
)
_ENDED: Final = ("finished", "cancelled", "failed", "undone")
_TO_FORGET: Final = (
    select(customer_import)
    .where(
        customer_import.c.tenant_id == _TENANT,
        customer_import.c.forgotten_at.is_(None),
        customer_import.c.updated_at < bindparam("before", type_=Instant),
        customer_import.c.status.in_(_ENDED),
    )
    .order_by(customer_import.c.updated_at, customer_import.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_FORGET_TO: Final = (
    update(customer_import)
    .where(customer_import.c.tenant_id == _TENANT, customer_import.c.id == _IMPORT)
    .values(forgotten_to=bindparam("row", type_=Integer))
)
_FORGET: Final = (
    update(customer_import)
    .where(customer_import.c.tenant_id == _TENANT, customer_import.c.id == _IMPORT)
    .values(
        {
            name: bindparam(f"new_{name}", type_=customer_import.c[name].type)
            for name in ("columns", "dry_run", "run", "forgotten_at")
        }
    )
)

_emptied = RowsParameter("emptied", customer_import, ("id", "columns", "dry_run", "run"))
_EMPTY_SAMPLES: Final = (
    update(customer_import)
    .values({name: _emptied.source.c[name] for name in ("columns", "dry_run", "run")})
    .where(customer_import.c.tenant_id == _TENANT, customer_import.c.id == _emptied.source.c.id)
)


@cache
def _save(names: tuple[str, ...]) -> Update:
    """Saves these columns: a step saves the same ones as the step before."""
    columns = customer_import.c
    return (
        update(customer_import)
        .where(columns.tenant_id == _TENANT, columns.id == _IMPORT)
        .values(
            {name: bindparam(f"new_{name}", type_=columns[name].type) for name in names}
            | {"updated_at": bindparam("now", type_=Instant), "version": columns.version + 1}
        )
        .returning(*columns)
    )


class ImportRepository:
    """Imports, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any]) -> Import:
        """A new import."""
        return await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def get(self, import_id: UUID, *, lock: bool = False) -> Import:
        """Raises ImportNotFound."""
        asked = {**self._tenant, "this_import": import_id}
        row = await self._uow.one_or_none(_LOCK if lock else _BY_ID, asked)
        if row is None:
            raise ImportNotFound
        return row

    async def expired(self) -> list[UUID]:
        """The imports whose files are kept no longer."""
        asked = {**self._tenant, "now": self._uow.clock.now()}
        return list(await self._uow.scalars(_EXPIRED, asked))

    async def hold_space(self) -> None:
        """Have others wait who want to know for certain what lies there."""
        now = self._uow.clock.now()
        await self._uow.execute(_HOLD_SPACE, {"tenant_id": self._uow.tenant_id, "measured_at": now})

    async def waiting(self, *, besides: UUID) -> tuple[int, int]:
        """How many other imports have files lying, and how many bytes."""
        found = await self._uow.one(_WAITING, {**self._tenant, "this_import": besides})
        return int(found.files), int(found.bytes)

    async def find_to_forget(self, *, before: datetime) -> Import | None:
        """The import that ended first of those with which nothing was done since, locked."""
        return await self._uow.one_or_none(_TO_FORGET, {**self._tenant, "before": before})

    async def forget_to(self, import_id: UUID, row: int) -> None:
        """Keep that an import can be taken back no more, and up to which row it is forgotten."""
        await self._uow.execute(_FORGET_TO, {**self._tenant, "this_import": import_id, "row": row})

    async def forget(self, import_id: UUID, without_samples: Mapping[str, Any]) -> None:
        """Keep of an import what shows nobody; it counts as forgotten then."""
        new = {f"new_{name}": value for name, value in without_samples.items()}
        asked = {**self._tenant, "this_import": import_id}
        await self._uow.execute(
            _FORGET, {**asked, **new, "new_forgotten_at": self._uow.clock.now()}
        )

    async def empty_samples(self, without_samples: Iterable[Mapping[str, Any]]) -> None:
        """Forget whom samples of imports show. Nothing was done with those: their time goes on."""
        await self._uow.execute(
            _EMPTY_SAMPLES, {**self._tenant, **_emptied.values(without_samples)}
        )

    async def page(self, request: PageRequest) -> tuple[Sequence[Import], str | None]:
        """A page of imports, the newest first, and the next cursor."""
        wanted = select(customer_import).where(customer_import.c.tenant_id == _TENANT)
        rows = await self._uow.rows(page(wanted, NEWEST_FIRST, request), self._tenant)
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def save(self, import_id: UUID, changes: Mapping[str, Any]) -> Import:
        """The import with these columns changed and its version grown."""
        new = {f"new_{name}": value for name, value in changes.items()}
        asked = {**self._tenant, "this_import": import_id, "now": self._uow.clock.now()}
        return await self._uow.one(_save(tuple(sorted(changes))), {**asked, **new})
