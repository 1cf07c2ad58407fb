"""The people whom a caller may work with: the root says whose they are, whoever is named."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, bindparam, exists

from services.customer.colleagues.sight import owner_is_seen
from services.customer.customers.models import customer
from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import CustomerRepository, unerased
from services.customer.families.family import Families, Family
from shared.db.aliases import stands_for
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

_TENANT: Final = bindparam("tenant", type_=Uuid)
_record = customer.alias("named_record")
_root = customer.alias("named_root")


def person_is_seen(customer_id: ColumnElement[Any], *, of_teams: bool) -> ColumnElement[bool]:
    """The condition on something that was written with the id of a customer's record.

    Its parameters are `Sight.parameters` and `tenant`.
    """
    stands_for_it = and_(
        _root.c.tenant_id == _TENANT,
        _root.c.id == stands_for(_record),
    )
    return (
        exists()
        .select_from(_record.join(_root, stands_for_it))
        .where(
            _record.c.tenant_id == _TENANT,
            _record.c.id == customer_id,
            owner_is_seen(_root.c.owner_id, of_teams=of_teams),
        )
    )


class SeenPeople:
    """Families, as far as a caller sees them, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None) -> None:
        self._families = Families(uow)
        self._customers = CustomerRepository(uow, sight=sight)

    async def family(self, customer_id: UUID) -> Family:
        """The family of a record. Raises CustomerNotFound, also for people who are not seen."""
        return (await self.person(customer_id))[0]

    async def unerased(self, customer_id: UUID) -> Family:
        """The family of somebody of whom there is something to say.

        Raises CustomerNotFound, CustomerIsErased.
        """
        family, record = await self.person(customer_id)
        unerased(record)
        return family

    async def person(self, customer_id: UUID) -> tuple[Family, CustomerRecord]:
        """The family, and the record that stands for it. Raises CustomerNotFound."""
        family = await self._families.of(customer_id)
        return family, await self._customers.get(family.root_id)
