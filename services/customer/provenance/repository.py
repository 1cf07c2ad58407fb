"""SQL of who said what."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Row, Uuid, bindparam, select

from services.customer.customers.models import customer
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)
_PROVENANCE: Final = select(customer.c.provenance).where(
    customer.c.tenant_id == _TENANT, customer.c.id == bindparam("id", type_=Uuid)
)

# Who was merged stays as they were.
_WAS_TOLD: Final = customer.c.provenance.is_not(None) & customer.c.merged_into.is_(None)
_WALK: Final = (
    select(customer.c.id, _WAS_TOLD.label("was_told"))
    .where(customer.c.tenant_id == _TENANT, customer.c.id > bindparam("after", type_=Uuid))
    .order_by(customer.c.id)
    .limit(bindparam("at_most", type_=Integer))
)


class ProvenanceRepository:
    """Who said what, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def of(self, customer_id: UUID) -> Mapping[str, Any] | None:
        """What is stored of who said what of a record."""
        found: Mapping[str, Any] | None = await self._uow.scalar(
            _PROVENANCE, {**self._tenant, "id": customer_id}
        )
        return found

    async def walk(self, after: UUID, at_most: int) -> Sequence[Row[*tuple[Any, ...]]]:
        """The ids that follow, and whether anybody has told of them since they came."""
        return await self._uow.rows(_WALK, {**self._tenant, "after": after, "at_most": at_most})
