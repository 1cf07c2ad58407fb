"""Starting reassignments, and whose a customer was."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from services.customer.assignment.repository import AssignmentRepository
from services.customer.colleagues.errors import UnknownStaff
from services.customer.families.seen import SeenPeople
from services.customer.reassignments.errors import FormerStaff
from services.customer.reassignments.schemas import (
    KIND,
    UNDO_KIND,
    HandoverCreate,
    ReassignmentCreate,
)
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Forbidden, Invalid
from shared.jobs.errors import JobNotEnded, JobNotFound
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobRead, JobStatus
from shared.jobs.work import JobKinds
from shared.security.sight import Sight

_UNENDED: Final = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})


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
        await self._check(wanted.from_owner_id, wanted.to_staff_ids)
        return await self._start(KIND, wanted.model_dump(mode="json", exclude_none=True))

    async def hand_over(self, wanted: HandoverCreate) -> JobRead:
        """A job that moves everything that somebody has to others.

        Raises Forbidden for callers who do not see everybody, UnknownStaff, Invalid.
        """
        await self._check(wanted.from_staff_id, wanted.to_staff_ids)
        everything = ReassignmentCreate(
            from_owner_id=wanted.from_staff_id,
            to_staff_ids=wanted.to_staff_ids,
            hand_over=["tasks", "appointments"],
        )
        asked = everything.model_dump(mode="json", exclude_none=True)
        return await self._start(KIND, {**asked, "everything": True})

    async def undo(self, job_id: UUID) -> JobRead:
        """A job that gives back what another has moved.

        Raises Forbidden for callers who do not see everybody, JobNotFound, JobNotEnded,
        FormerStaff.
        """
        self._check_sight()
        job = await self._jobs.get(job_id)
        if job.kind != KIND:
            raise JobNotFound
        if job.status in _UNENDED:
            raise JobNotEnded(job.status)
        former = UUID(job.detail["from_owner_id"])
        if former not in await self._rules.staff_at_work([former]):
            raise FormerStaff
        return await self._start(UNDO_KIND, {"reassignment_job_id": str(job_id)})

    async def _check(self, from_id: UUID, to_staff_ids: Sequence[UUID]) -> None:
        self._check_sight()
        if from_id in to_staff_ids:
            fault = FieldError("/body/to_staff_ids", "same_staff", "They have these customers")
            raise Invalid(errors=[fault])
        if set(to_staff_ids) - await self._rules.staff_at_work(to_staff_ids):
            raise UnknownStaff("/body/to_staff_ids")

    def _check_sight(self) -> None:
        if self._sight is not None:
            raise Forbidden("Customers are moved by those who see all customers")

    async def _start(self, kind: str, detail: Mapping[str, Any]) -> JobRead:
        job_id = await self._jobs.add(kind, detail=dict(detail))
        self._kinds.wake_after_commit(self._uow)
        return self._kinds.described(await self._jobs.get(job_id))

    async def log_of(
        self, customer_id: UUID, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of whose a person was, the newest first. Raises CustomerNotFound."""
        family = await self._people.family(customer_id)
        return await self._rules.log_of(family.member_ids, request)
