"""Decisions about whom to believe, and answers to who said what."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.customer.customers.says import Say, all_says
from services.customer.families.seen import SeenPeople
from services.customer.provenance.repository import ProvenanceRepository
from services.customer.provenance.schemas import (
    KIND,
    FieldProvenanceRead,
    LostSayRead,
    ProvenanceRead,
    SourcePriorityRead,
    SourcePriorityWrite,
)
from services.customer.tenants.priorities import STAFF, UNDECIDED, PriorityRepository
from shared.db.unit_of_work import UnitOfWork
from shared.errors import Forbidden
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobRead
from shared.jobs.work import JobKinds
from shared.security.sight import Sight
from shared.web.resources import check_version


class ProvenanceService:
    """What clients may know of who said what, and decide of whom to believe."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        provenance: ProvenanceRepository,
        priorities: PriorityRepository,
        people: SeenPeople,
        jobs: JobRepository,
        kinds: JobKinds,
        sight: Sight | None,
    ) -> None:
        self._uow = uow
        self._provenance = provenance
        self._priorities = priorities
        self._people = people
        self._jobs = jobs
        self._kinds = kinds
        self._sight = sight

    async def of(self, customer_id: UUID) -> ProvenanceRead:
        """Who said what of a person. Raises CustomerNotFound."""
        _, record = await self._people.person(customer_id)
        record = replace(record, provenance=await self._provenance.of(record.id))
        fields = [_field(name, says) for name, says in all_says(record)]
        return ProvenanceRead(customer_id=record.id, data=fields)

    async def priority(self) -> SourcePriorityRead:
        """Whom the shop believes."""
        row = await self._priorities.find()
        if row is None:
            return SourcePriorityRead(
                sources=list(UNDECIDED.sources), fields={}, updated_at=None, version=0
            )
        return SourcePriorityRead.model_validate(row._mapping)

    async def decide(
        self, given: SourcePriorityWrite, *, expected_version: int | None
    ) -> SourcePriorityRead:
        """Believe these from now on. Raises PreconditionFailed."""
        before = await self._priorities.lock()
        check_version(before.version, expected_version)
        await self._priorities.put(given.sources, given.fields, version=before.version + 1)
        return await self.priority()

    async def apply(self) -> JobRead:
        """A job that decides anew of everybody.

        Raises Forbidden for callers who do not see everybody.
        """
        if self._sight is not None:
            raise Forbidden("All customers are changed by those who see all customers")
        job_id = await self._jobs.add(KIND, detail={})
        self._kinds.wake_after_commit(self._uow)
        return self._kinds.described(await self._jobs.get(job_id))


def _field(name: str, says: Sequence[Say]) -> FieldProvenanceRead:
    counting, *others = says
    return FieldProvenanceRead(
        field=name,
        **_said(counting),
        others=[LostSayRead(**_said(other), overruled=other.overruled) for other in others],
    )


def _said(say: Say) -> dict[str, Any]:
    staff_id = say.source.removeprefix(f"{STAFF}:") if say.by_hand else None
    return {
        "source": STAFF if say.by_hand else say.source,
        "staff_id": staff_id,
        "at": say.at,
        "value": say.value,
    }
