"""Decisions about touches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.customers.repository import CustomerRepository
from services.customer.families.family import Families
from services.customer.touches.origins import Origin
from services.customer.touches.repository import TouchRepository
from services.customer.touches.schemas import TouchCreate
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid
from shared.ids import new_id

_Row = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Touches:
    """A page of touches, the cursor of the next, and the ends of the whole list."""

    rows: Sequence[_Row]
    cursor: str | None
    first: _Row | None
    last: _Row | None


class TouchService:
    """What clients can do with touches of customers that they see."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        touches: TouchRepository,
        customers: CustomerRepository,
        families: Families,
    ) -> None:
        self._uow = uow
        self._touches = touches
        self._customers = customers
        self._families = families

    async def record(self, given: TouchCreate) -> _Row:
        """The new touch.

        Raises CustomerNotFound, CustomerIsErased; Invalid for a visit of the future.
        """
        now = self._uow.clock.now()
        if given.occurred_at is not None and given.occurred_at > now:
            fault = FieldError("/body/occurred_at", "future", "The time has not come yet")
            raise Invalid(errors=[fault])
        await self._customers.get_unerased(given.customer_id)
        return await add_touch(
            self._uow, given.origin(), customer_id=given.customer_id, at=given.occurred_at or now
        )

    async def list_of(self, customer_id: UUID, request: PageRequest) -> Touches:
        """How somebody came, through whichever of their records. Raises CustomerNotFound."""
        await self._customers.get(customer_id)
        family = await self._families.of(customer_id)
        rows, cursor = await self._touches.page(family.member_ids, request)
        first, last = await self._touches.ends(family.member_ids)
        return Touches(rows, cursor, first, last)


async def add_touch(
    uow: UnitOfWork,
    origin: Origin,
    *,
    customer_id: UUID,
    at: datetime,
    form_id: UUID | None = None,
) -> _Row:
    """Keep how somebody came."""
    return await TouchRepository(uow).add(
        {
            **origin.as_row(),
            "id": new_id(),
            "customer_id": customer_id,
            "form_id": form_id,
            "occurred_at": at,
            "created_at": uow.clock.now(),
        }
    )
