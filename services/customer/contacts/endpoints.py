"""`/v1/customers/{customer_id}/contacts`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.contacts.deps import ContactServiceDep
from services.customer.contacts.schemas import (
    ContactPersonCreate,
    ContactPersonList,
    ContactPersonPatch,
    ContactPersonRead,
)
from shared.web.resources import etag, if_match
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/customers/{customer_id}/contacts", tag="customers")

_READ = requires("customers:read")
_WRITE = requires("customers:write")


@router.get("", operation_id="customers.listContacts", dependencies=[_READ])
async def list_contacts(customer_id: UUID, contacts: ContactServiceDep) -> ContactPersonList:
    """List whom to speak to at a customer, the primary one first, then the newest."""
    rows = await contacts.list_of(customer_id)
    return ContactPersonList(data=[ContactPersonRead.model_validate(row) for row in rows])


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="customers.createContact",
    dependencies=[_WRITE],
)
async def create_contact(
    customer_id: UUID, body: ContactPersonCreate, response: Response, contacts: ContactServiceDep
) -> ContactPersonRead:
    """Add somebody to speak to at a customer; the first is the primary one."""
    row = await contacts.create(customer_id, body)
    response.headers["location"] = f"/v1/customers/{customer_id}/contacts/{row.id}"
    response.headers["etag"] = etag(row.version)
    return ContactPersonRead.model_validate(row)


@router.get("/{contact_id}", operation_id="customers.getContact", dependencies=[_READ])
async def get_contact(
    customer_id: UUID, contact_id: UUID, response: Response, contacts: ContactServiceDep
) -> ContactPersonRead:
    """Get a contact person."""
    row = await contacts.get(customer_id, contact_id)
    response.headers["etag"] = etag(row.version)
    return ContactPersonRead.model_validate(row)


@router.patch("/{contact_id}", operation_id="customers.updateContact", dependencies=[_WRITE])
async def update_contact(
    customer_id: UUID,
    contact_id: UUID,
    body: ContactPersonPatch,
    response: Response,
    contacts: ContactServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> ContactPersonRead:
    """Change a contact person."""
    row = await contacts.change(customer_id, contact_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return ContactPersonRead.model_validate(row)


@router.delete(
    "/{contact_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="customers.deleteContact",
    dependencies=[_WRITE],
)
async def delete_contact(
    customer_id: UUID, contact_id: UUID, contacts: ContactServiceDep
) -> Response:
    """Remove a contact person."""
    await contacts.delete(customer_id, contact_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
