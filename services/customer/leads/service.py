"""Decisions about leads."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.customers.repository import CustomerRepository
from services.customer.families.family import Families
from services.customer.leads.capture import LeadCapture, NewLead
from services.customer.leads.errors import AlreadyCustomer, AlreadyLead
from services.customer.leads.repository import LeadFilter, LeadRepository
from services.customer.leads.schemas import LeadCreate, LeadPatch
from services.customer.touches.origins import DIRECT
from services.customer.touches.service import add_touch
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.web.resources import check_version

_Row = Row[*tuple[Any, ...]]


class LeadService:
    """What clients can do with leads of customers that they see."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        leads: LeadRepository,
        customers: CustomerRepository,
        families: Families,
        capture: LeadCapture,
    ) -> None:
        self._uow = uow
        self._leads = leads
        self._customers = customers
        self._families = families
        self._capture = capture

    async def create(self, given: LeadCreate) -> _Row:
        """A lead that somebody of the shop tells of.

        Raises CustomerNotFound, CustomerIsErased, AlreadyCustomer, AlreadyLead.
        """
        await self._customers.get_unerased(given.customer_id)
        family = await self._families.lock(given.customer_id)
        if (await self._customers.get(family.root_id)).stage == "customer":
            raise AlreadyCustomer
        if await self._leads.find_of(family.member_ids) is not None:
            raise AlreadyLead
        now, origin = self._uow.clock.now(), given.attribution.origin()
        if origin.source != DIRECT or origin.landing_page is not None:
            await add_touch(self._uow, origin, customer_id=given.customer_id, at=now)
        added = await self._capture.keep(
            NewLead(
                customer_id=given.customer_id,
                intent=given.intent,
                source=origin.source,
                source_page=given.source_page or origin.landing_page,
                captured_at=now,
            )
        )
        return await self._leads.get(added.id)

    async def get(self, lead_id: UUID) -> _Row:
        """Raises LeadNotFound."""
        return await self._leads.get(lead_id)

    async def page(
        self, wanted: LeadFilter, request: PageRequest
    ) -> tuple[Sequence[_Row], str | None]:
        """A page of leads, captured last first, and the next cursor."""
        return await self._leads.page(wanted, request)

    async def change(
        self, lead_id: UUID, given: LeadPatch, *, expected_version: int | None
    ) -> _Row:
        """The lead after the change. Raises LeadNotFound, PreconditionFailed, CustomerIsErased."""
        before = await self._leads.get(lead_id, lock=True)
        check_version(before.version, expected_version)
        if given.intent is None or given.intent == before.intent:
            return before
        await self._customers.get_unerased(before.customer_id)
        changes = {"intent": given.intent, "updated_at": self._uow.clock.now()}
        await self._leads.save(lead_id, changes)
        return await self._leads.get(lead_id)

    async def count(self, wanted: LeadFilter) -> tuple[_Row, Sequence[_Row]]:
        """How many leads and conversions there are, of all and per form and source."""
        return await self._leads.count(wanted)
