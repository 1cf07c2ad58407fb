"""SQL of scans for duplicates, and of what the shop has decided about them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Row,
    Text,
    Uuid,
    bindparam,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.customer.duplicate_scans.errors import ScanNotFound
from services.customer.duplicate_scans.models import (
    duplicate_policy,
    duplicate_scan,
)
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.prepared import Rows
from shared.db.unit_of_work import UnitOfWork

NEWEST_FIRST: Final = (
    SortKey(duplicate_scan.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(duplicate_scan.c.id, "id", parse_id, descending=True),
)

_TENANT: Final = bindparam("tenant", type_=Uuid)
_SCAN: Final = bindparam("scan", type_=Uuid)

_BY_ID: Final = select(duplicate_scan).where(
    duplicate_scan.c.tenant_id == _TENANT, duplicate_scan.c.id == _SCAN
)
_new_scan = insert(duplicate_scan)
_ADD: Final = _new_scan.on_conflict_do_nothing(
    index_elements=["tenant_id"], index_where=text("status = 'running'")
).returning(duplicate_scan.c.id)
_RUNNING: Final = select(duplicate_scan.c.id).where(
    duplicate_scan.c.tenant_id == _TENANT, duplicate_scan.c.status == "running"
)
_LAST: Final = (
    select(duplicate_scan.c.created_at)
    .where(
        duplicate_scan.c.tenant_id == _TENANT,
        duplicate_scan.c.status == bindparam("status", type_=Text),
    )
    .order_by(duplicate_scan.c.created_at.desc())
    .limit(1)
)
_NEWEST: Final = (
    select(duplicate_scan.c.created_at)
    .where(duplicate_scan.c.tenant_id == _TENANT)
    .order_by(duplicate_scan.c.created_at.desc())
    .limit(1)
)
_REMAINS: Final = (
    select(duplicate_scan.c.id)
    .where(
        duplicate_scan.c.tenant_id == _TENANT,
        duplicate_scan.c.has_remains,
        duplicate_scan.c.status != "running",
    )
    .order_by(duplicate_scan.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_POLICY: Final = select(duplicate_policy).where(duplicate_policy.c.tenant_id == _TENANT)
_LOCK_POLICY: Final = _POLICY.with_for_update()
_ADD_POLICY: Final = (
    insert(duplicate_policy)
    .on_conflict_do_nothing(index_elements=["tenant_id"])
    .returning(*duplicate_policy.c)
)


class ScanRepository:
    """Scans of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def add(
        self, scan_id: UUID, *, mode: str, min_score: int, changed_since: datetime | None
    ) -> bool:
        """A new scan that runs; False when another does."""
        now = self._uow.clock.now()
        begun = await self._uow.scalar(
            _ADD,
            {
                "tenant_id": self._uow.tenant_id,
                "id": scan_id,
                "mode": mode,
                "min_score": min_score,
                "status": "running",
                "changed_since": changed_since,
                **_NOTHING_FOUND,
                "has_remains": True,
                "created_at": now,
                "updated_at": now,
            },
        )
        return begun is not None

    async def running(self) -> UUID | None:
        """The scan that runs."""
        found: UUID | None = await self._uow.scalar(_RUNNING, self._tenant)
        return found

    async def last_succeeded(self) -> datetime | None:
        """When the last scan was begun that reached its end."""
        parameters = {**self._tenant, "status": "succeeded"}
        found: datetime | None = await self._uow.scalar(_LAST, parameters)
        return found

    async def last_begun(self) -> datetime | None:
        """When the last scan was begun, whatever became of it."""
        found: datetime | None = await self._uow.scalar(_NEWEST, self._tenant)
        return found

    async def get(self, scan_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises ScanNotFound."""
        row = await self._uow.one_or_none(_BY_ID, self._of(scan_id))
        if row is None:
            raise ScanNotFound
        return row

    async def page(self, request: PageRequest) -> tuple[Rows, str | None]:
        """A page of scans, newest first, and the next cursor."""
        mine = select(duplicate_scan).where(duplicate_scan.c.tenant_id == _TENANT)
        rows = await self._uow.rows(page(mine, NEWEST_FIRST, request), self._tenant)
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def save(self, scan_id: UUID, **changes: Any) -> None:
        """Change columns of a scan."""
        await self._uow.execute(
            update(duplicate_scan)
            .where(
                duplicate_scan.c.tenant_id == self._uow.tenant_id, duplicate_scan.c.id == scan_id
            )
            .values(**changes, updated_at=self._uow.clock.now())
        )

    async def begin_anew(self, scan_id: UUID) -> None:
        """Let a scan that has ended run again, as if it had found nothing."""
        await self.save(
            scan_id, status="running", has_remains=True, finished_at=None, **_NOTHING_FOUND
        )

    async def lock_remains(self) -> UUID | None:
        """A scan that has ended and left something behind, in nobody else's hands."""
        found: UUID | None = await self._uow.scalar(_REMAINS, self._tenant)
        return found

    async def policy(self, *, lock: bool = False) -> Row[*tuple[Any, ...]] | None:
        """What the shop has decided, if it has."""
        return await self._uow.one_or_none(_LOCK_POLICY if lock else _POLICY, self._tenant)

    async def add_policy(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]] | None:
        """The first decision; None when the shop has got one meanwhile."""
        return await self._uow.one_or_none(
            _ADD_POLICY, {"tenant_id": self._uow.tenant_id, **columns}
        )

    async def save_policy(self, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The decision with these columns changed and its version grown."""
        statement = (
            update(duplicate_policy)
            .where(duplicate_policy.c.tenant_id == self._uow.tenant_id)
            .values(**changes, version=duplicate_policy.c.version + 1)
            .returning(*duplicate_policy.c)
        )
        return await self._uow.one(statement)

    def _of(self, scan_id: UUID) -> dict[str, Any]:
        return {**self._tenant, "scan": scan_id}


_NOTHING_FOUND: Final[Mapping[str, Any]] = {
    "customers": 0,
    "comparisons": 0,
    "pairs": 0,
    "new_pairs": 0,
    "skipped": [],
}
