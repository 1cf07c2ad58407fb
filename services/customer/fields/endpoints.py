"""`/v1/custom-fields`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.fields.deps import FieldServiceDep
from services.customer.fields.schemas import (
    CustomFieldCreate,
    CustomFieldList,
    CustomFieldPatch,
    CustomFieldPolicyRead,
    CustomFieldPolicyWrite,
    CustomFieldRead,
    MisfitRead,
)
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/custom-fields", tag="custom-fields")

_READ = requires("custom_fields:read")
_WRITE = requires("custom_fields:write")


@router.get("", operation_id="customFields.list", dependencies=[_READ])
async def list_fields(fields: FieldServiceDep) -> CustomFieldList:
    """List the fields that the shop has defined, archived ones too, the oldest first."""
    return CustomFieldList(data=await fields.list_all())


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="customFields.create",
    dependencies=[_WRITE],
)
async def create_field(
    body: CustomFieldCreate, response: Response, fields: FieldServiceDep
) -> CustomFieldRead:
    """Define a field of the shop's own. Its values stand in the `attributes` of customers.

    From now on clients write only what fits it, and lists filter and sort by it. What customers
    have under its key already is read by the job `rebuild_job_id`.
    """
    field = await fields.create(body)
    response.headers["location"] = f"/v1/custom-fields/{field.id}"
    response.headers["etag"] = etag(field.version)
    return field


@router.get("/policy", operation_id="customFields.getPolicy", dependencies=[_READ])
async def get_policy(response: Response, fields: FieldServiceDep) -> CustomFieldPolicyRead:
    """Get what becomes of attributes that no field defines."""
    policy = await fields.policy()
    response.headers["etag"] = etag(policy.version)
    return policy


@router.put(
    "/policy",
    operation_id="customFields.replacePolicy",
    dependencies=[_WRITE],
)
async def replace_policy(
    body: CustomFieldPolicyWrite, response: Response, fields: FieldServiceDep
) -> CustomFieldPolicyRead:
    """Say what becomes of attributes that no field defines: they are free, or (strict) refused.

    What is there stays.
    """
    policy = await fields.put_policy(body)
    response.headers["etag"] = etag(policy.version)
    return policy


@router.get("/{field_id}", operation_id="customFields.get", dependencies=[_READ])
async def get_field(field_id: UUID, response: Response, fields: FieldServiceDep) -> CustomFieldRead:
    """Get a field."""
    field = await fields.get(field_id)
    response.headers["etag"] = etag(field.version)
    return field


@router.patch("/{field_id}", operation_id="customFields.update", dependencies=[_WRITE])
async def update_field(
    field_id: UUID,
    body: CustomFieldPatch,
    response: Response,
    fields: FieldServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> CustomFieldRead:
    """Change a field. While customers have values its type stays, and the options they have.

    For another type define another field. Archived, it takes no new values.
    """
    field = await fields.change(field_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(field.version)
    return field


@router.delete(
    "/{field_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="customFields.delete",
    dependencies=[_WRITE],
)
async def delete_field(
    field_id: UUID,
    fields: FieldServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> None:
    """Delete a field that no customer has anything in; one that is in use is archived instead."""
    await fields.remove(field_id, expected_version=expected_version)


@router.get(
    "/{field_id}/misfits",
    operation_id="customFields.listMisfits",
    dependencies=[_READ, requires("customers:read")],
)
async def list_misfits(
    field_id: UUID,
    fields: FieldServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> Page[MisfitRead]:
    """List what customers have in a field and cannot have: it came by a form or was there before.

    It is kept as it came, and found by no filter.
    """
    rows, cursor = await fields.misfits(field_id, request)
    data = [MisfitRead(customer_id=r.customer_id, code=r.fault, value=r.value) for r in rows]
    return Page(data=data, next_cursor=cursor)
