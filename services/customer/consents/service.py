"""Decisions about consents."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.consents.recording import Answer, ConsentRecorder
from services.customer.consents.repository import ConsentRepository
from services.customer.consents.schemas import ConsentCreate
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import CustomerRepository
from services.customer.families.family import Families
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid
from shared.security.sight import Sight


class ConsentService:
    """What clients can do with consents."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        consents: ConsentRepository,
        customers: CustomerRepository,
        sight: Sight | None,
    ) -> None:
        self._uow = uow
        self._sight = sight
        self._consents = consents
        self._customers = customers

    async def record(self, customer_id: UUID, given: ConsentCreate) -> dict[str, Any]:
        """The ledger's new row; the answer counts from now on, unless a later one is known.

        Raises CustomerNotFound; Invalid for an answer of the future.
        """
        changes = CustomerChanges(self._uow, sight=self._sight)
        await changes.lock([customer_id])
        changes[customer_id]
        now = self._uow.clock.now()
        if given.at is not None and given.at > now:
            fault = FieldError("/body/at", "future", "The time has not come yet")
            raise Invalid(errors=[fault])
        answer = Answer(
            customer_id=customer_id,
            purpose=given.purpose,
            channel=given.channel,
            status=given.status,
            at=given.at or now,
            source=given.source,
            proof=given.proof,
        )
        rows = await ConsentRecorder(uow=self._uow, changes=changes).record([answer])
        await changes.save()
        return rows[0]

    async def list_of(
        self, customer_id: UUID, request: PageRequest
    ) -> tuple[CustomerRecord, Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A customer with what counts now, and a page of the ledger. Raises CustomerNotFound."""
        customer = await self._customers.get(customer_id)
        family = await Families(self._uow).of(customer_id)
        rows, cursor = await self._consents.list_of(family.member_ids, request)
        return customer, rows, cursor
