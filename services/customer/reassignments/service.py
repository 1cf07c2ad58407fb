"""Starting reassignments, and whose a customer was."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.assignment.repository import AssignmentRepository
from services.customer.colleagues.errors import UnknownStaff
from services.customer.families.seen import SeenPeople
from services.customer.reassignments.schemas import KIND, ReassignmentCreate
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Forbidden, Invalid
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobRead
from shared.jobs.work import JobKinds
from shared.security.sight import Sight


class ReassignmentService:
    """Gives many customers to other staff, and tells who was given whom."""

    def __init__(
        self,
        uow: UnitOfWork,
        *,
        rules: AssignmentRepository,
        people: SeenPeople,
        jobs: JobRepository,
        kinds: JobKinds,
        sight: Sight | None,
    ) -> None:
        self._uow = uow
        self._rules = rules
        self._people = people
        self._jobs = jobs
        self._kinds = kinds
        self._sight = sight

    async def start(self, wanted: ReassignmentCreate) -> JobRead:
        """A job that moves the customers.

        Raises Forbidden for callers who do not see everybody, UnknownStaff, Invalid.
        """
        if self._sight is not None:
            raise Forbidden("Customers are moved by those who see all customers")
        if wanted.from_owner_id in wanted.to_staff_ids:
            fault = FieldError("/body/to_staff_ids", "same_staff", "They have these customers")
            raise Invalid(errors=[fault])
        if set(wanted.to_staff_ids) - await self._rules.staff_at_work(wanted.to_staff_ids):
            raise UnknownStaff("/body/to_staff_ids")
        asked = wanted.model_dump(mode="json", exclude_none=True)
        job_id = await self._jobs.add(KIND, detail=asked)
        self._kinds.wake_after_commit(self._uow)
        return self._kinds.described(await self._jobs.get(job_id))

    async def log_of(
        self, customer_id: UUID, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of whose a person was, the newest first. Raises CustomerNotFound."""
        family = await self._people.family(customer_id)
        return await self._rules.log_of(family.member_ids, request)
