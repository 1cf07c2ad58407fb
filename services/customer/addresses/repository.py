"""SQL of addresses. Every statement is built once, when this is imported."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.addresses.errors import AddressNotFound
from services.customer.addresses.models import customer_address
from shared.db.unit_of_work import UnitOfWork

_COLUMNS: Final = [c for c in customer_address.c if c.name != "tenant_id"]
_TENANT: Final = customer_address.c.tenant_id == bindparam("tenant", type_=Uuid)
_ID: Final = customer_address.c.id == bindparam("address", type_=Uuid)
_OF: Final = customer_address.c.customer_id == func.any(bindparam("ids", type_=ARRAY(Uuid)))
_ADD: Final = insert(customer_address).returning(*_COLUMNS)
_ONE: Final = select(*_COLUMNS).where(_TENANT, _ID, _OF)
_LIST: Final = (
    select(*_COLUMNS)
    .where(_TENANT, _OF)
    .order_by(
        customer_address.c.is_primary.desc(),
        customer_address.c.created_at.desc(),
        customer_address.c.id.desc(),
    )
)
_COUNT: Final = select(func.count()).select_from(customer_address).where(_TENANT, _OF)
_DEMOTE: Final = (
    update(customer_address)
    .where(_TENANT, _OF, customer_address.c.is_primary)
    .values(
        is_primary=False,
        updated_at=bindparam("now", type_=customer_address.c.updated_at.type),
        version=customer_address.c.version + 1,
    )
)
_CHANGED: Final = [
    c.name for c in _COLUMNS if c.name not in {"id", "customer_id", "created_at", "version"}
]
_SAVE: Final = (
    update(customer_address)
    .where(_TENANT, _ID)
    .values({name: bindparam(name) for name in _CHANGED})
    .values(version=customer_address.c.version + 1)
    .returning(*_COLUMNS)
)
_DELETE: Final = delete(customer_address).where(_TENANT, _ID)


class AddressRepository:
    """Addresses, inside one unit of work. Customers are named by all records of a person."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new address."""
        return await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def get(self, address_id: UUID, *, of: Collection[UUID]) -> Row[*tuple[Any, ...]]:
        """Raises AddressNotFound."""
        asked = {**self._tenant, "address": address_id, "ids": list(of)}
        row = await self._uow.one_or_none(_ONE, asked)
        if row is None:
            raise AddressNotFound
        return row

    async def list_of(self, customer_ids: Collection[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """All of them, the primary one first, then the newest."""
        return await self._uow.rows(_LIST, {**self._tenant, "ids": list(customer_ids)})

    async def count(self, customer_id: UUID) -> int:
        """How many a record has."""
        return int(await self._uow.scalar(_COUNT, {**self._tenant, "ids": [customer_id]}))

    async def demote(self, customer_id: UUID) -> None:
        """Let none of a record's be the primary one."""
        now = self._uow.clock.now()
        await self._uow.execute(_DEMOTE, {**self._tenant, "ids": [customer_id], "now": now})

    async def save(self, address_id: UUID, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The address with these columns, all that may change, and its version grown."""
        changed = {name: columns[name] for name in _CHANGED}
        return await self._uow.one(_SAVE, {**self._tenant, "address": address_id, **changed})

    async def delete(self, address_id: UUID) -> None:
        """Forget it."""
        await self._uow.execute(_DELETE, {**self._tenant, "address": address_id})
