"""SQL of the keys that rows are known again by."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Integer,
    Uuid,
    bindparam,
    column,
    delete,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.imports.models import import_key
from shared.db.prepared import Bound
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

LIVE: Final = UUID(int=0)
"""The scope of the keys that count; others are tried out."""

_TENANT: Final = bindparam("tenant", type_=Uuid)
_SCOPE: Final = bindparam("scope", type_=Uuid)
_keys = RowsParameter("key", import_key, ("key", "customer_id", "row"))
_asked = (
    func.unnest(bindparam("keys", type_=ARRAY(Uuid)))
    .table_valued(column("key", Uuid))
    .render_derived(name="asked")
)
# One after the other: all at once they might be compared with each key of the shop.
_known = (
    select(import_key.c.scope, import_key.c.key, import_key.c.customer_id, import_key.c.row)
    .where(
        import_key.c.tenant_id == _TENANT,
        import_key.c.scope == func.any(bindparam("scopes", type_=ARRAY(Uuid))),
        import_key.c.key == _asked.c.key,
    )
    .limit(literal_column("2", Integer))
    .lateral("known")
)
_KEYS: Final = select(*_known.c).join_from(_asked, _known, true())
_ADD_KEYS: Final = (
    insert(import_key)
    .from_select(["tenant_id", "scope", *_keys.columns], select(_TENANT, _SCOPE, *_keys.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "scope", "key"])
)
_FORGET_TRIED: Final = delete(import_key).where(
    import_key.c.tenant_id == _TENANT,
    import_key.c.scope == _SCOPE,
    import_key.c.key >= bindparam("first", type_=Uuid),
    import_key.c.key <= bindparam("last", type_=Uuid),
)
_FORGET_KEYS: Final = delete(import_key).where(
    import_key.c.tenant_id == _TENANT,
    import_key.c.scope == _SCOPE,
    import_key.c.customer_id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """Whom a key leads to, and the row that brought it."""

    customer_id: UUID
    row: int
    is_tried: bool
    """Whether it is of this dry run, and the customer perhaps nobody."""


class KeyRepository:
    """Keys of rows, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def keys(self, keys: Collection[UUID], *, scope: UUID) -> dict[UUID, KnownKey]:
        """Whom these keys lead to: those that count, and those of a dry run."""
        if not keys:
            return {}
        asked = {**self._tenant, "scopes": list({LIVE, scope}), "keys": list(keys)}
        found: dict[UUID, KnownKey] = {}
        for row in await self._uow.rows(_KEYS, asked):
            known = KnownKey(row.customer_id, row.row, is_tried=row.scope != LIVE)
            # What a dry run has tried comes after what is there.
            if row.key not in found or not known.is_tried:
                found[row.key] = known
        return found

    def bind(self, keys: Mapping[UUID, tuple[UUID, int]], *, scope: UUID) -> Bound:
        """Make ready what `add_bound` is to run: keys with customer and row; in any thread."""
        rows = [
            {"key": key, "customer_id": customer_id, "row": row}
            for key, (customer_id, row) in sorted(keys.items(), key=_in_order)
        ]
        return self._uow.bind(_ADD_KEYS, {**self._tenant, "scope": scope, **_keys.values(rows)})

    async def add_bound(self, bound: Bound) -> int:
        """Remember keys; how many nobody else has brought meanwhile."""
        return await self._uow.execute_bound(bound)

    async def forget_tried(self, scope: UUID, *, slice_: int, of: int) -> None:
        """Forget one of so many equal parts of what a dry run has tried: keys are digests."""
        first, last = slice_ * 2**128 // of, (slice_ + 1) * 2**128 // of - 1
        asked = {"scope": scope, "first": UUID(int=first), "last": UUID(int=last)}
        await self._uow.execute(_FORGET_TRIED, {**self._tenant, **asked})

    async def forget_keys(self, customer_ids: Collection[UUID]) -> None:
        """Let no row lead to these customers any more."""
        asked = {**self._tenant, "scope": LIVE, "ids": list(customer_ids)}
        await self._uow.execute(_FORGET_KEYS, asked)


def _in_order(keyed: tuple[UUID, object]) -> int:
    """All who add keys add them in one order: nobody waits for who waits for them."""
    return keyed[0].int
