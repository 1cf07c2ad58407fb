"""Decisions about interactions."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.colleagues.errors import UnknownStaff
from services.customer.colleagues.repository import ColleagueRepository
from services.customer.customers.calendar import Calendar
from services.customer.customers.errors import CustomerNotFound
from services.customer.families.seen import SeenPeople
from services.customer.interactions.errors import InteractionNotFound, NotYetHappened
from services.customer.interactions.repository import (
    InteractionFilter,
    InteractionRepository,
    Touch,
)
from services.customer.interactions.schemas import CareRead, InteractionCreate, InteractionPatch
from services.customer.outcomes.choosing import Outcomes
from services.customer.tasks.following_up import Finished, FollowUps
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.web.resources import check_version


class InteractionService:
    """What clients can do with interactions of customers whom they see."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        interactions: InteractionRepository,
        people: SeenPeople,
        colleagues: ColleagueRepository,
        timeline: TimelineRepository,
        calendar: Calendar,
    ) -> None:
        self._uow = uow
        self._interactions = interactions
        self._people = people
        self._colleagues = colleagues
        self._timeline = timeline
        self._calendar = calendar

    async def create(
        self, given: InteractionCreate, *, caller_id: UUID | None
    ) -> Row[*tuple[Any, ...]]:
        """A new interaction, told in the customer's timeline.

        Raises CustomerNotFound, CustomerIsErased, UnknownStaff, NotYetHappened, OutcomeNotDefined.
        """
        await self._people.unerased(given.customer_id)
        await self._check_outcome(given.kind, given.outcome)
        if given.staff_id is not None and not await self._colleagues.is_active(given.staff_id):
            raise UnknownStaff("/body/staff_id")
        now = self._uow.clock.now()
        started_at = given.started_at or now
        if started_at > now:
            raise NotYetHappened
        columns = {
            **given.model_dump(),
            "id": new_id(),
            "staff_id": given.staff_id or caller_id,
            "started_at": started_at,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        row = await self._interactions.add(columns)
        touch = Touch(row.customer_id, row.started_at, row.kind, row.staff_id, counts=True)
        await self._interactions.touch([touch])
        await self._timeline.add([_entry(row)])
        await self._follow_up(row)
        return row

    async def get(self, interaction_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises InteractionNotFound."""
        return await self._seen(await self._interactions.get(interaction_id))

    async def change(
        self, interaction_id: UUID, given: InteractionPatch, *, expected_version: int | None
    ) -> Row[*tuple[Any, ...]]:
        """The interaction after the change.

        Raises InteractionNotFound, PreconditionFailed, CustomerIsErased, OutcomeNotDefined.
        """
        before = await self._seen(await self._interactions.get(interaction_id, lock=True))
        check_version(before.version, expected_version)
        said = given.model_dump(exclude_unset=True)
        changes = {name: new for name, new in said.items() if getattr(before, name) != new}
        if not changes:
            return before
        await self._people.unerased(before.customer_id)
        await self._check_outcome(before.kind, changes.get("outcome"))
        changes["updated_at"] = self._uow.clock.now()
        after = await self._interactions.save(interaction_id, changes)
        await self._timeline.rewrite(_entry(after))
        if "outcome" in changes:
            await self._follow_up(after)
        return after

    async def page(
        self, customer_id: UUID | None, wanted: InteractionFilter, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of interactions, newest first: a person's, or all that the caller sees.

        Raises CustomerNotFound.
        """
        if customer_id is None:
            return await self._interactions.page(wanted, request)
        family = await self._people.family(customer_id)
        return await self._interactions.page_of(family.member_ids, wanted, request)

    async def care(self, customer_id: UUID) -> CareRead:
        """How a person is being looked after. Raises CustomerNotFound."""
        family, root = await self._people.person(customer_id)
        care = await self._interactions.care_of(family.member_ids)
        last = care.last_interaction_at if care is not None else None
        return CareRead(
            customer_id=root.id,
            owner_id=root.owner_id,
            last_interaction_at=last,
            last_interaction_kind=care.last_interaction_kind if care is not None else None,
            last_staff_id=care.last_staff_id if care is not None else None,
            days_since_last_interaction=self._calendar.days_since(last),
            interactions_count=int(care.interactions_count) if care is not None else 0,
        )

    async def _check_outcome(self, kind: str, word: str | None) -> None:
        await Outcomes(self._uow).check("/body/outcome", "interaction", kind, word)

    async def _follow_up(self, row: Row[*tuple[Any, ...]]) -> None:
        finished = Finished(
            id=row.id,
            subject="interaction",
            kind=row.kind,
            word=row.outcome,
            customer_id=row.customer_id,
            staff_id=row.staff_id,
        )
        await FollowUps(self._uow).after(finished)

    async def _seen(self, row: Row[*tuple[Any, ...]]) -> Row[*tuple[Any, ...]]:
        try:
            await self._people.family(row.customer_id)
        except CustomerNotFound as error:
            raise InteractionNotFound from error
        return row


def _entry(row: Row[*tuple[Any, ...]]) -> Entry:
    """What was said stands in the interaction, not in the timeline."""
    return Entry(
        id=row.id,
        customer_id=row.customer_id,
        type=f"interaction.{row.kind}",
        occurred_at=row.started_at,
        data={
            "interaction_id": str(row.id),
            "direction": row.direction,
            "channel": row.channel,
            "staff_id": str(row.staff_id) if row.staff_id else None,
            "duration_s": row.duration_s,
            "outcome": row.outcome,
        },
    )
