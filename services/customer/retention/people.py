"""The people whom a rule is asked about, and what protects their data."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, bindparam, func, or_, select

from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import CustomerRepository
from services.customer.families.family import Families
from services.customer.privacy.models import legal_hold, privacy_request
from services.customer.retention.judging import Person
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)
_MEMBERS: Final = bindparam("members", type_=ARRAY(Uuid))
_HELD: Final[Select[Any]] = select(legal_hold.c.customer_id).where(
    legal_hold.c.tenant_id == _TENANT,
    legal_hold.c.customer_id == func.any(_MEMBERS),
    legal_hold.c.released_at.is_(None),
    or_(legal_hold.c.until.is_(None), legal_hold.c.until > bindparam("now", type_=Instant)),
)
_HAVE_ASKED: Final[Select[Any]] = select(privacy_request.c.customer_id).where(
    privacy_request.c.tenant_id == _TENANT,
    privacy_request.c.customer_id == func.any(_MEMBERS),
    privacy_request.c.closed_at.is_(None),
)


class RetentionPeople:
    """People as rules judge them, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._families = Families(uow)
        self._customers = CustomerRepository(uow)

    async def look_at(self, customer_ids: Collection[UUID]) -> dict[UUID, Person]:
        """The people of whom these are records, by who stands for them."""
        roots = await self._families.of_all(customer_ids)
        if not roots:
            return {}
        members = defaultdict[UUID, list[CustomerRecord]](list)
        for record in await self._customers.records(roots):
            members[roots[record.id]].append(record)
        asked = {"tenant": self._uow.tenant_id, "members": sorted(roots)}
        now = {"now": self._uow.clock.now()}
        held = {roots[each] for each in await self._uow.scalars(_HELD, {**asked, **now})}
        waiting = {roots[each] for each in await self._uow.scalars(_HAVE_ASKED, asked)}
        return {
            root_id: Person(
                root=next(record for record in records if record.id == root_id),
                members=tuple(records),
                is_held=root_id in held,
                has_asked=root_id in waiting,
            )
            for root_id, records in members.items()
        }

    async def lock(self, customer_ids: Collection[UUID]) -> dict[UUID, Person]:
        """The same, nobody else writing to them until the commit."""
        await self._families.lock_all(customer_ids)
        return await self.look_at(customer_ids)
