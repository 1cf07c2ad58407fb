"""`/v1/customers/{id}/notes`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.deps import StaffIdDep
from services.customer.notes.deps import NoteServiceDep
from services.customer.notes.schemas import PersonNoteCreate, PersonNotePatch, PersonNoteRead
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/customers/{customer_id}/notes", tag="interactions")

_READ = requires("interactions:read")
_WRITE = requires("interactions:write")


@router.get("", operation_id="customers.listNotes", dependencies=[_READ])
async def list_notes(
    customer_id: UUID,
    notes: NoteServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> Page[PersonNoteRead]:
    """List the notes about a customer: pinned ones first, then the newest."""
    rows, cursor = await notes.page(customer_id, request)
    return Page(
        data=[PersonNoteRead.model_validate(row._mapping) for row in rows], next_cursor=cursor
    )


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="customers.createNote",
    dependencies=[_WRITE],
)
async def create_note(
    customer_id: UUID,
    body: PersonNoteCreate,
    response: Response,
    notes: NoteServiceDep,
    staff_id: StaffIdDep,
) -> PersonNoteRead:
    """Write a note about a customer."""
    row = await notes.create(customer_id, body, created_by=staff_id)
    response.headers["location"] = f"/v1/customers/{customer_id}/notes/{row.id}"
    response.headers["etag"] = etag(row.version)
    return PersonNoteRead.model_validate(row._mapping)


@router.get("/{note_id}", operation_id="customers.getNote", dependencies=[_READ])
async def get_note(
    customer_id: UUID, note_id: UUID, response: Response, notes: NoteServiceDep
) -> PersonNoteRead:
    """Get a note about a customer."""
    row = await notes.get(customer_id, note_id)
    response.headers["etag"] = etag(row.version)
    return PersonNoteRead.model_validate(row._mapping)


@router.patch("/{note_id}", operation_id="customers.updateNote", dependencies=[_WRITE])
async def update_note(
    customer_id: UUID,
    note_id: UUID,
    body: PersonNotePatch,
    response: Response,
    notes: NoteServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> PersonNoteRead:
    """Change a note, or pin it on top of the others."""
    row = await notes.change(customer_id, note_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return PersonNoteRead.model_validate(row._mapping)


@router.delete(
    "/{note_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="customers.deleteNote",
    dependencies=[_WRITE],
)
async def delete_note(
    customer_id: UUID,
    note_id: UUID,
    notes: NoteServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> None:
    """Delete a note; the timeline keeps that there was one, and not what it said."""
    await notes.remove(customer_id, note_id, expected_version=expected_version)
