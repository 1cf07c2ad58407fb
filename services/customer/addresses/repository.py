"""SQL of addresses."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.addresses.errors import AddressNotFound
from services.customer.addresses.models import customer_address
from services.customer.families.belongings import BelongingStatements
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

ADDRESSES: Final = BelongingStatements(customer_address, missing=AddressNotFound)
_COLUMNS: Final = tuple(column.name for column in customer_address.c if column.name != "tenant_id")
_new = RowsParameter("address", customer_address, _COLUMNS)
_ADD_MANY: Final = (
    insert(customer_address)
    .from_select(["tenant_id", *_COLUMNS], select(bindparam("tenant", type_=Uuid), *_new.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
    .returning(customer_address.c.id)
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
        known = [{**dict.fromkeys(_COLUMNS), **row} for row in rows]
        await uow.rows(_ADD_MANY, {"tenant": uow.tenant_id, **_new.values(known)})
