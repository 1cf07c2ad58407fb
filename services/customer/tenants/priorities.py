"""Whom a shop believes when sources say different things of a customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.customer.tenants.models import source_priority
from shared.db.unit_of_work import UnitOfWork

STAFF: Final = "staff"

_TENANT: Final = bindparam("tenant", type_=Uuid)
_PRIORITY: Final = select(
    source_priority.c.sources,
    source_priority.c.fields,
    source_priority.c.updated_at,
    source_priority.c.version,
).where(source_priority.c.tenant_id == _TENANT)
_LOCK: Final = _PRIORITY.with_for_update()
_new = insert(source_priority)
_BEGIN: Final = _new.on_conflict_do_nothing(index_elements=["tenant_id"])
_PUT: Final = _new.on_conflict_do_update(
    index_elements=["tenant_id"],
    set_={name: _new.excluded[name] for name in ("sources", "fields", "updated_at", "version")},
)


@dataclass(frozen=True, slots=True)
class Priority:
    """Whom a shop believes first, in general and for single fields; the others are alike."""

    sources: Sequence[str] = (STAFF,)
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def rank(self, source: str, name: str) -> int:
        """The place of a source for a field, 0 being the first. A platform stands for its shops."""
        order = self.fields.get(name, self.sources)
        for known in (source, source.partition(":")[0]):
            if known in order:
                return order.index(known)
        return len(order)


UNDECIDED: Final = Priority()
"""What a shop begins with: people first, then whoever said it last."""


class PriorityRepository:
    """The priorities of a shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def current(self) -> Priority:
        """Whom the shop believes first; staff, as long as it has said nothing."""
        row = await self.find()
        return UNDECIDED if row is None else Priority(row.sources, row.fields)

    async def find(self) -> Row[*tuple[Any, ...]] | None:
        """What the shop has decided, if it has."""
        return await self._uow.one_or_none(_PRIORITY, self._tenant)

    async def lock(self) -> Row[*tuple[Any, ...]]:
        """What the shop has decided, nobody else deciding until the commit."""
        await self._uow.execute(_BEGIN, self._row(UNDECIDED.sources, UNDECIDED.fields, version=0))
        return await self._uow.one(_LOCK, self._tenant)

    async def put(
        self, sources: Sequence[str], fields: Mapping[str, Sequence[str]], *, version: int
    ) -> None:
        """Keep what the shop decides."""
        await self._uow.execute(_PUT, self._row(sources, fields, version=version))

    def _row(
        self, sources: Sequence[str], fields: Mapping[str, Sequence[str]], *, version: int
    ) -> dict[str, Any]:
        return {
            "tenant_id": self._uow.tenant_id,
            "sources": list(sources),
            "fields": {name: list(order) for name, order in fields.items()},
            "updated_at": self._uow.clock.now(),
            "version": version,
        }
