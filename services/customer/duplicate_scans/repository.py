"""SQL of scans for duplicates, and of what the shop has decided about them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Delete,
    Integer,
    Row,
    Select,
    Table,
    Text,
    Uuid,
    bindparam,
    case,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.customers.models import customer, customer_identity
from services.customer.duplicate_scans.errors import ScanNotFound
from services.customer.duplicate_scans.models import (
    duplicate_policy,
    duplicate_scan,
    scan_key,
    scan_pair,
    scan_person,
)
from services.customer.duplicates.models import duplicate_candidate
from services.customer.duplicates.repository import Proposal
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.prepared import Rows
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

NEWEST_FIRST: Final = (
    SortKey(duplicate_scan.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(duplicate_scan.c.id, "id", parse_id, descending=True),
)
FIRST_BLOCK: Final = -(2**63)
LAST_BLOCK: Final = 2**63 - 1

_TENANT: Final = bindparam("tenant", type_=Uuid)
_SCAN: Final = bindparam("scan", type_=Uuid)
_AFTER_ID: Final = bindparam("after_id", type_=Uuid)
_AT_MOST: Final = bindparam("at_most", type_=Integer)
_AFTER: Final = bindparam("after_block", type_=BigInteger)
_BEFORE: Final = bindparam("before_block", type_=BigInteger)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))

_ROOTS: Final = (
    select(
        customer.c.id,
        customer.c.kind,
        customer.c.name,
        customer.c.gender,
        customer.c.birth_date,
        customer.c.province,
        customer.c.profile,
        customer.c.updated_at,
    )
    .where(
        customer.c.tenant_id == _TENANT,
        customer.c.id > _AFTER_ID,
        customer.c.merged_into.is_(None),
    )
    .order_by(customer.c.id)
    .limit(_AT_MOST)
)
_MEMBERS: Final = select(customer.c.id, customer.c.merged_into.label("root_id")).where(
    customer.c.tenant_id == _TENANT, customer.c.merged_into == func.any(_IDS)
)
_IDENTITIES: Final = select(
    customer_identity.c.customer_id,
    customer_identity.c.kind,
    customer_identity.c.value,
    case((customer_identity.c.standing == "verified", True), else_=False).label("is_verified"),
).where(
    customer_identity.c.tenant_id == _TENANT,
    customer_identity.c.customer_id == func.any(_IDS),
    customer_identity.c.kind != "platform_id",
)
_ALONE: Final = select(customer.c.id).where(
    customer.c.tenant_id == _TENANT,
    customer.c.id == func.any(_IDS),
    customer.c.merged_into.is_(None),
)


def _writes(rows: RowsParameter, table: Table, keys: Sequence[str]) -> Any:
    given = insert(table).from_select(
        ["tenant_id", "scan_id", *rows.columns], select(_TENANT, _SCAN, *rows.source.c)
    )
    return given.on_conflict_do_nothing(index_elements=["tenant_id", "scan_id", *keys])


_people = RowsParameter("person", scan_person, ("customer_id", "person", "is_changed"))
_keys = RowsParameter("key", scan_key, ("block", "customer_id", "kind"))
_pairs = RowsParameter("pair", scan_pair, ("older_id", "newer_id", "score", "reasons"))
_ADD_PEOPLE: Final = _writes(_people, scan_person, ["customer_id"])
_ADD_KEYS: Final = _writes(_keys, scan_key, ["block", "customer_id"])
_ADD_PAIRS: Final = _writes(_pairs, scan_pair, ["older_id", "newer_id"])

_of_scan_keys: Final = (scan_key.c.tenant_id == _TENANT, scan_key.c.scan_id == _SCAN)
_BOUND: Final = (
    select(scan_key.c.block)
    .where(*_of_scan_keys, scan_key.c.block > _AFTER)
    .order_by(scan_key.c.block)
    .offset(_AT_MOST)
    .limit(1)
)
_BLOCKS: Final = (
    select(
        scan_key.c.block,
        func.min(scan_key.c.kind).label("kind"),
        func.array_agg(scan_key.c.customer_id, type_=ARRAY(Uuid)).label("ids"),
    )
    .where(*_of_scan_keys, scan_key.c.block > _AFTER, scan_key.c.block < _BEFORE)
    .group_by(scan_key.c.block)
    .having(func.count() > 1)
    .order_by(scan_key.c.block)
)
_ONE_BLOCK: Final = select(
    func.min(scan_key.c.kind).label("kind"), func.count().label("customers")
).where(*_of_scan_keys, scan_key.c.block == bindparam("block", type_=BigInteger))
_PEOPLE: Final = select(
    scan_person.c.customer_id, scan_person.c.person, scan_person.c.is_changed
).where(
    scan_person.c.tenant_id == _TENANT,
    scan_person.c.scan_id == _SCAN,
    scan_person.c.customer_id == func.any(_IDS),
)
_after_pair: Final = (scan_pair.c.older_id > _AFTER_ID) | (
    (scan_pair.c.older_id == _AFTER_ID)
    & (scan_pair.c.newer_id > bindparam("after_newer_id", type_=Uuid))
)
_PAIRS: Final = (
    select(
        scan_pair.c.older_id,
        scan_pair.c.newer_id,
        scan_pair.c.score,
        scan_pair.c.reasons,
        duplicate_candidate.c.id.label("candidate_id"),
    )
    .outerjoin(
        duplicate_candidate,
        (duplicate_candidate.c.tenant_id == _TENANT)
        & (duplicate_candidate.c.older_id == scan_pair.c.older_id)
        & (duplicate_candidate.c.newer_id == scan_pair.c.newer_id),
    )
    .where(
        scan_pair.c.tenant_id == _TENANT,
        scan_pair.c.scan_id == _SCAN,
        scan_pair.c.older_id >= _AFTER_ID,
        _after_pair,
    )
    .order_by(scan_pair.c.older_id, scan_pair.c.newer_id)
    .limit(_AT_MOST)
)


def _forgetting(table: Table, order: str) -> tuple[Select[Any], Delete]:
    """The place that so many rows of a scan lie before, and what deletes them: a range."""
    of_scan = (table.c.tenant_id == _TENANT, table.c.scan_id == _SCAN)
    column = table.c[order]
    bound = select(column).where(*of_scan).order_by(column).offset(_AT_MOST).limit(1)
    until = bindparam("until", type_=column.type)
    return bound, delete(table).where(*of_scan, column <= until)


_FORGET: Final = (
    _forgetting(scan_key, "block"),
    _forgetting(scan_person, "customer_id"),
    _forgetting(scan_pair, "older_id"),
)
_FORGET_REST: Final = tuple(
    delete(table).where(table.c.tenant_id == _TENANT, table.c.scan_id == _SCAN)
    for table in (scan_key, scan_person, scan_pair)
)

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


@dataclass(frozen=True, slots=True)
class Block:
    """Customers who have a key of a kind (its place in `BLOCK_KINDS`) in common."""

    key: int
    kind: int
    ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class FoundPair:
    """Two customers who may be one; `is_known` when they are a candidate already."""

    proposal: Proposal
    is_known: bool


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

    async def roots(self, after_id: UUID, at_most: int) -> Rows:
        """Those who stand for a person and whose ids follow `after_id`, in that order."""
        return await self._uow.rows(
            _ROOTS, {**self._tenant, "after_id": after_id, "at_most": at_most}
        )

    async def members(self, root_ids: Sequence[UUID]) -> dict[UUID, UUID]:
        """The records that were merged into these, and into which one."""
        rows = await self._uow.rows(_MEMBERS, {**self._tenant, "ids": root_ids})
        return {row.id: row.root_id for row in rows}

    async def identities(self, customer_ids: Sequence[UUID]) -> Rows:
        """E-mail addresses and numbers of these records."""
        return await self._uow.rows(_IDENTITIES, {**self._tenant, "ids": customer_ids})

    async def write_down(
        self,
        scan_id: UUID,
        people: Iterable[Mapping[str, Any]],
        keys: Iterable[Mapping[str, Any]],
    ) -> None:
        """Note people and their keys for the time of a scan."""
        await self._uow.execute(_ADD_PEOPLE, {**self._of(scan_id), **_people.values(people)})
        await self._uow.execute(_ADD_KEYS, {**self._of(scan_id), **_keys.values(keys)})

    async def bound(self, scan_id: UUID, *, after: int, rows: int) -> int | None:
        """The key that so many rows lie before; None when there are not so many left."""
        parameters = {**self._of(scan_id), "after_block": after, "at_most": rows}
        found: int | None = await self._uow.scalar(_BOUND, parameters)
        return found

    async def blocks(self, scan_id: UUID, *, after: int, before: int) -> list[Block]:
        """The blocks of two and more between two keys."""
        parameters = {**self._of(scan_id), "after_block": after, "before_block": before}
        rows = await self._uow.rows(_BLOCKS, parameters)
        return [Block(row.block, row.kind, row.ids) for row in rows]

    async def size_of(self, scan_id: UUID, block: int) -> tuple[int, int]:
        """The kind of a block, and of how many customers it is."""
        row = await self._uow.one(_ONE_BLOCK, {**self._of(scan_id), "block": block})
        return row.kind, row.customers

    async def people(self, scan_id: UUID, customer_ids: Sequence[UUID]) -> Rows:
        """What was noted of these."""
        return await self._uow.rows(_PEOPLE, {**self._of(scan_id), "ids": customer_ids})

    async def keep_pairs(self, scan_id: UUID, proposals: Sequence[Proposal]) -> int:
        """Note pairs, `first` being the older; how many were not noted before."""
        rows = [
            {
                "older_id": pair.first,
                "newer_id": pair.second,
                "score": pair.score,
                "reasons": list(pair.reasons),
            }
            for pair in proposals
        ]
        return await self._uow.execute(_ADD_PAIRS, {**self._of(scan_id), **_pairs.values(rows)})

    async def pairs(
        self, scan_id: UUID, *, after: tuple[UUID, UUID], at_most: int
    ) -> list[FoundPair]:
        """Noted pairs in the order of their ids."""
        rows = await self._uow.rows(
            _PAIRS,
            {
                **self._of(scan_id),
                "after_id": after[0],
                "after_newer_id": after[1],
                "at_most": at_most,
            },
        )
        return [
            FoundPair(
                Proposal(row.older_id, row.newer_id, row.score, row.reasons),
                is_known=row.candidate_id is not None,
            )
            for row in rows
        ]

    async def still_alone(self, customer_ids: Sequence[UUID]) -> set[UUID]:
        """Those of these who have not been merged into others."""
        return set(await self._uow.scalars(_ALONE, {**self._tenant, "ids": customer_ids}))

    async def forget(self, scan_id: UUID, *, rows: int) -> bool:
        """Delete some of what a scan noted; whether there is more."""
        scan = self._of(scan_id)
        for (bound, forget), forget_rest in zip(_FORGET, _FORGET_REST, strict=True):
            until = await self._uow.scalar(bound, {**scan, "at_most": rows})
            if until is not None:
                await self._uow.execute(forget, {**scan, "until": until})
                return True
            # What is left is little.
            if await self._uow.execute(forget_rest, scan):
                return True
        return False

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
