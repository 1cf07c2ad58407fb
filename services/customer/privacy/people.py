"""What a person is known by, so that every part finds what it has of them."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, bindparam, func, select

from services.customer.customers.models import customer, customer_identity
from services.customer.orders.models import customer_order
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.person import KnownPerson, PlatformObject

_TENANT: Final = bindparam("tenant", type_=Uuid)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_IDENTITIES: Final = select(customer_identity).where(
    customer_identity.c.tenant_id == _TENANT, customer_identity.c.customer_id == func.any(_IDS)
)
_CONTACTS: Final = select(customer.c.email, customer.c.phone).where(
    customer.c.tenant_id == _TENANT, customer.c.id == func.any(_IDS)
)
_ORDERS: Final = select(customer_order.c.connection_id, customer_order.c.external_id).where(
    customer_order.c.tenant_id == _TENANT,
    customer_order.c.customer_id == func.any(_IDS),
    customer_order.c.connection_id.is_not(None),
)


class PeopleRepository:
    """What people are known by, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def identities(self, member_ids: Sequence[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """All identities of these records."""
        return await self._uow.rows(_IDENTITIES, {**self._tenant, "ids": list(member_ids)})

    async def person(self, member_ids: Sequence[UUID]) -> KnownPerson:
        """Everything that these records are known by."""
        asked = {**self._tenant, "ids": list(member_ids)}
        identities = await self._uow.rows(_IDENTITIES, asked)
        contacts = await self._uow.rows(_CONTACTS, asked)
        orders = await self._uow.rows(_ORDERS, asked)
        emails = {row.value for row in identities if row.kind == "email"}
        phones = {row.value for row in identities if row.kind == "phone"}
        emails |= {row.email for row in contacts if row.email}
        phones |= {row.phone for row in contacts if row.phone}
        return KnownPerson(
            customer_ids=tuple(member_ids),
            emails=tuple(sorted({email.lower() for email in emails})),
            phones=tuple(sorted(phones)),
            accounts=tuple(
                PlatformObject(connection_id=row.connection_id, external_id=row.value)
                for row in identities
                if row.kind == "platform_id" and row.connection_id is not None
            ),
            orders=tuple(
                PlatformObject(connection_id=row.connection_id, external_id=row.external_id)
                for row in orders
            ),
        )
