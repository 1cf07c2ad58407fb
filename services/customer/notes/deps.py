"""How the endpoints of `notes` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep
from services.customer.families.seen import SeenPeople
from services.customer.notes.repository import NoteRepository
from services.customer.notes.service import NoteService
from services.customer.timeline.repository import TimelineRepository


async def note_service(asked: AskedDep) -> NoteService:
    """What clients can do with notes."""
    uow, sight = asked.uow, asked.sight
    return NoteService(
        uow=uow,
        notes=NoteRepository(uow),
        people=SeenPeople(uow, sight=sight),
        timeline=TimelineRepository(uow),
    )


NoteServiceDep = Annotated[NoteService, Depends(note_service)]
