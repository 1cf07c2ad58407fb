"""Decisions about notes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.families.seen import SeenPeople
from services.customer.notes.repository import NoteRepository
from services.customer.notes.schemas import PersonNoteCreate, PersonNotePatch
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.web.resources import check_version


class NoteService:
    """What clients can do with notes about customers whom they see."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        notes: NoteRepository,
        people: SeenPeople,
        timeline: TimelineRepository,
    ) -> None:
        self._uow = uow
        self._notes = notes
        self._people = people
        self._timeline = timeline

    async def create(
        self, customer_id: UUID, given: PersonNoteCreate, *, created_by: UUID | None
    ) -> Row[*tuple[Any, ...]]:
        """A new note. Raises CustomerNotFound, CustomerIsErased."""
        await self._people.unerased(customer_id)
        now = self._uow.clock.now()
        columns = {
            **given.model_dump(),
            "id": new_id(),
            "customer_id": customer_id,
            "created_by": created_by,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        row = await self._notes.add(columns)
        await self._tell(row, "note.added")
        return row

    async def get(self, customer_id: UUID, note_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises CustomerNotFound, NoteNotFound."""
        family = await self._people.family(customer_id)
        return await self._notes.get(family.member_ids, note_id)

    async def page(
        self, customer_id: UUID, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of a person's notes. Raises CustomerNotFound."""
        family = await self._people.family(customer_id)
        return await self._notes.page_of(family.member_ids, request)

    async def change(
        self,
        customer_id: UUID,
        note_id: UUID,
        given: PersonNotePatch,
        *,
        expected_version: int | None,
    ) -> Row[*tuple[Any, ...]]:
        """The note after the change.

        Raises CustomerNotFound, CustomerIsErased, NoteNotFound, PreconditionFailed.
        """
        await self._people.unerased(customer_id)
        before = await self._held(customer_id, note_id)
        check_version(before.version, expected_version)
        said = given.model_dump(exclude_unset=True)
        changes = {name: new for name, new in said.items() if getattr(before, name) != new}
        if not changes:
            return before
        return await self._notes.save(note_id, {**changes, "updated_at": self._uow.clock.now()})

    async def remove(
        self, customer_id: UUID, note_id: UUID, *, expected_version: int | None
    ) -> None:
        """Forget a note. Raises CustomerNotFound, NoteNotFound, PreconditionFailed."""
        before = await self._held(customer_id, note_id)
        check_version(before.version, expected_version)
        await self._notes.remove(note_id)
        await self._tell(before, "note.removed")

    async def _held(self, customer_id: UUID, note_id: UUID) -> Row[*tuple[Any, ...]]:
        family = await self._people.family(customer_id)
        return await self._notes.get(family.member_ids, note_id, lock=True)

    async def _tell(self, row: Row[*tuple[Any, ...]], kind: str) -> None:
        entry = Entry(
            customer_id=row.customer_id,
            type=kind,
            occurred_at=self._uow.clock.now(),
            data={"note_id": str(row.id)},
        )
        await self._timeline.add([entry])
