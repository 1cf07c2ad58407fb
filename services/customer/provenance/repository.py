"""SQL of whom a shop believes, and of who said what."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.customer.customers.models import customer
from services.customer.provenance.models import source_priority
from services.customer.provenance.says import NEWEST, Priority
from shared.db.unit_of_work import UnitOfWork

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
_PROVENANCE: Final = select(customer.c.provenance).where(
    customer.c.tenant_id == _TENANT, customer.c.id == bindparam("id", type_=Uuid)
)


class ProvenanceRepository:
    """Priorities and says, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def priority(self) -> Priority:
        """Whom the shop believes first; staff, as long as it has said nothing."""
        row = await self.find()
        return NEWEST if row is None else Priority(row.sources, row.fields)

    async def find(self) -> Row[*tuple[Any, ...]] | None:
        """What the shop has decided, if it has."""
        return await self._uow.one_or_none(_PRIORITY, self._tenant)

    async def lock(self) -> Row[*tuple[Any, ...]]:
        """What the shop has decided, nobody else deciding until the commit."""
        await self._uow.execute(_BEGIN, self._row(NEWEST.sources, NEWEST.fields, version=0))
        return await self._uow.one(_LOCK, self._tenant)

    async def put(
        self, sources: Sequence[str], fields: Mapping[str, Sequence[str]], *, version: int
    ) -> None:
        """Keep what the shop decides."""
        await self._uow.execute(_PUT, self._row(sources, fields, version=version))

    async def of(self, customer_id: UUID) -> Mapping[str, Any] | None:
        """What is stored of who said what of a record."""
        found: Mapping[str, Any] | None = await self._uow.scalar(
            _PROVENANCE, {**self._tenant, "id": customer_id}
        )
        return found

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
