"""SQL of single identities."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Text, Uuid, bindparam, delete, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.customers.errors import IdentityTaken
from services.customer.customers.models import customer_identity
from services.customer.identities.errors import IdentityNotFound
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = customer_identity.c.tenant_id == bindparam("tenant", type_=Uuid)
_BY_ID: Final = select(customer_identity).where(
    _TENANT,
    customer_identity.c.customer_id == func.any(bindparam("members", type_=ARRAY(Uuid))),
    customer_identity.c.id == bindparam("this", type_=Uuid),
)
_LOCK: Final = _BY_ID.with_for_update()
_OWN: Final = (
    select(customer_identity)
    .where(
        _TENANT,
        customer_identity.c.customer_id == bindparam("customer", type_=Uuid),
        *(
            customer_identity.c[name] == bindparam(f"of_{name}", type_=Text)
            for name in ("kind", "scope", "value")
        ),
    )
    .with_for_update()
)
_REMOVE: Final = delete(customer_identity).where(
    _TENANT,
    customer_identity.c.customer_id == bindparam("customer", type_=Uuid),
    customer_identity.c.id == bindparam("this", type_=Uuid),
)
_ADD: Final = (
    insert(customer_identity)
    .on_conflict_do_nothing(
        index_elements=["tenant_id", "kind", "scope", "value"],
        index_where=text("standing = 'verified'"),
    )
    .returning(*customer_identity.c)
)


class SingleIdentityRepository:
    """Identities one by one, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def get(
        self, member_ids: Sequence[UUID], identity_id: UUID, *, lock: bool = False
    ) -> Row[*tuple[Any, ...]]:
        """An identity of any record of a person. Raises IdentityNotFound."""
        wanted = {**self._tenant, "members": list(member_ids), "this": identity_id}
        row = await self._uow.one_or_none(_LOCK if lock else _BY_ID, wanted)
        if row is None:
            raise IdentityNotFound
        return row

    async def find(
        self, customer_id: UUID, *, kind: str, scope: str, value: str
    ) -> Row[*tuple[Any, ...]] | None:
        """What a record has of this value, ended or not; nobody else changes it meanwhile."""
        named = {"of_kind": kind, "of_scope": scope, "of_value": value}
        return await self._uow.one_or_none(_OWN, {**self._tenant, "customer": customer_id, **named})

    async def add(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new one. Raises IdentityTaken when it is verified and somebody else's."""
        row = await self._uow.one_or_none(_ADD, {"tenant_id": self._uow.tenant_id, **columns})
        if row is None:
            raise IdentityTaken
        return row

    async def replace(
        self, before: Row[*tuple[Any, ...]], changes: Mapping[str, Any]
    ) -> Row[*tuple[Any, ...]]:
        """The same, changed, its version grown. Raises IdentityTaken.

        Written anew: of an insertion the database says whose a value is, of an update it fails.
        """
        await self.remove(before)
        return await self.add({**before._mapping, **changes, "version": before.version + 1})

    async def remove(self, row: Row[*tuple[Any, ...]]) -> None:
        """Forget it."""
        wanted = {"customer": row.customer_id, "this": row.id}
        await self._uow.execute(_REMOVE, {**self._tenant, **wanted})
