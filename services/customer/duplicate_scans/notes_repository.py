"""SQL of what a scan for duplicates reads, and writes down for the time it runs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Delete,
    Integer,
    Select,
    SmallInteger,
    Table,
    Uuid,
    bindparam,
    case,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.customers.models import customer, customer_identity
from services.customer.duplicate_scans.models import scan_key, scan_pair, scan_person
from services.customer.duplicates.models import duplicate_candidate
from services.customer.duplicates.repository import Proposal
from shared.db.prepared import Rows
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

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
    # What was theirs once, or is several people's, speaks for nobody.
    customer_identity.c.valid_until.is_(None),
    customer_identity.c.shared.is_(False),
)
_ALONE: Final = select(customer.c.id).where(
    customer.c.tenant_id == _TENANT,
    customer.c.id == func.any(_IDS),
    customer.c.merged_into.is_(None),
    customer.c.erased_at.is_(None),
)


def _writes(rows: RowsParameter, table: Table, keys: Sequence[str]) -> Any:
    given = insert(table).from_select(
        ["tenant_id", "scan_id", *rows.columns], select(_TENANT, _SCAN, *rows.source.c)
    )
    return given.on_conflict_do_nothing(index_elements=["tenant_id", "scan_id", *keys])


_people = RowsParameter("person", scan_person, ("customer_id", "person", "is_changed"))
_keys = RowsParameter("key", scan_key, ("block", "customer_id", "kind", "is_changed"))
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
    .having(func.count() > 1, func.bool_or(scan_key.c.is_changed))
    .order_by(scan_key.c.block)
)
_ONE_BLOCK: Final = select(
    func.min(scan_key.c.kind).label("kind"), func.count().label("customers")
).where(*_of_scan_keys, scan_key.c.block == bindparam("block", type_=BigInteger))
_COMMON: Final = (
    select(scan_key.c.block)
    .where(
        *_of_scan_keys,
        scan_key.c.block > _AFTER,
        scan_key.c.block <= _BEFORE,
        scan_key.c.kind == func.any(bindparam("kinds", type_=ARRAY(SmallInteger))),
    )
    .group_by(scan_key.c.block)
    .having(func.count() > _AT_MOST)
)
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


class ScanNotes:
    """What one scan reads and notes, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, scan_id: UUID) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}
        self._scan: Mapping[str, Any] = {**self._tenant, "scan": scan_id}

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
        people: Iterable[Mapping[str, Any]],
        keys: Iterable[Mapping[str, Any]],
    ) -> None:
        """Note people and their keys."""
        await self._uow.execute(_ADD_PEOPLE, {**self._scan, **_people.values(people)})
        await self._uow.execute(_ADD_KEYS, {**self._scan, **_keys.values(keys)})

    async def bound(self, *, after: int, rows: int) -> int | None:
        """The key that so many rows lie before; None when there are not so many left."""
        parameters = {**self._scan, "after_block": after, "at_most": rows}
        found: int | None = await self._uow.scalar(_BOUND, parameters)
        return found

    async def common(
        self, *, after: int, until: int, kinds: Collection[int], more_than: int
    ) -> Sequence[int]:
        """The keys of these kinds, after one and up to another, that more than so many have."""
        return await self._uow.scalars(
            _COMMON,
            {
                **self._scan,
                "after_block": after,
                "before_block": until,
                "kinds": list(kinds),
                "at_most": more_than,
            },
        )

    async def blocks(self, *, after: int, before: int) -> list[Block]:
        """The blocks of two and more between two keys in which somebody has to be compared."""
        parameters = {**self._scan, "after_block": after, "before_block": before}
        rows = await self._uow.rows(_BLOCKS, parameters)
        return [Block(key, kind, ids) for key, kind, ids in rows]

    async def size_of(self, block: int) -> tuple[int, int]:
        """The kind of a block, and of how many customers it is."""
        row = await self._uow.one(_ONE_BLOCK, {**self._scan, "block": block})
        return row.kind, row.customers

    async def people(self, customer_ids: Sequence[UUID]) -> Rows:
        """What was noted of these."""
        return await self._uow.rows(_PEOPLE, {**self._scan, "ids": customer_ids})

    async def keep_pairs(self, proposals: Sequence[Proposal]) -> int:
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
        return await self._uow.execute(_ADD_PAIRS, {**self._scan, **_pairs.values(rows)})

    async def pairs(self, *, after: tuple[UUID, UUID], at_most: int) -> list[FoundPair]:
        """Noted pairs in the order of their ids."""
        rows = await self._uow.rows(
            _PAIRS,
            {
                **self._scan,
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
        """Those of these who have not been merged into others, nor erased."""
        return set(await self._uow.scalars(_ALONE, {**self._tenant, "ids": customer_ids}))

    async def forget(self, *, rows: int) -> bool:
        """Delete some of what a scan noted; whether there is more."""
        for (bound, forget), forget_rest in zip(_FORGET, _FORGET_REST, strict=True):
            until = await self._uow.scalar(bound, {**self._scan, "at_most": rows})
            if until is not None:
                await self._uow.execute(forget, {**self._scan, "until": until})
                return True
            # What is left is little.
            if await self._uow.execute(forget_rest, self._scan):
                return True
        return False
