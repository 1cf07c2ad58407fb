"""The roles of a shop: those that everybody has, and those it has made itself."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from gateway.deps import RoleServiceDep
from gateway.roles.schemas import BuiltInRoles, RoleCreate, RolePatch, RoleRead
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/roles", tag="roles")


@router.post(
    "", status_code=201, operation_id="roles.create", dependencies=[requires("staff:write")]
)
async def create_role(body: RoleCreate, service: RoleServiceDep, response: Response) -> RoleRead:
    """Make a role. It can have no scope that you do not have yourself."""
    record = await service.create(body)
    response.headers["Location"] = f"/v1/roles/{record.id}"
    response.headers["ETag"] = etag(record.version)
    return RoleRead.of(record)


@router.get("", operation_id="roles.list", dependencies=[requires("staff:read")])
async def list_roles(
    service: RoleServiceDep, request: Annotated[PageRequest, Depends(page_request)]
) -> Page[RoleRead]:
    """The roles that the shop has made, the newest first."""
    records, cursor = await service.list_newest(request)
    return Page[RoleRead](data=[RoleRead.of(record) for record in records], next_cursor=cursor)


@router.get("/built-in", operation_id="roles.listBuiltIn", dependencies=[requires("staff:read")])
async def list_built_in_roles() -> BuiltInRoles:
    """The roles that every shop has, and what they let their members do."""
    return BuiltInRoles.all()


@router.get("/{role_id}", operation_id="roles.get", dependencies=[requires("staff:read")])
async def get_role(role_id: UUID, service: RoleServiceDep, response: Response) -> RoleRead:
    """One role that the shop has made."""
    record = await service.get(role_id)
    response.headers["ETag"] = etag(record.version)
    return RoleRead.of(record)


@router.patch("/{role_id}", operation_id="roles.update", dependencies=[requires("staff:write")])
async def update_role(
    role_id: UUID,
    body: RolePatch,
    service: RoleServiceDep,
    response: Response,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> RoleRead:
    """Change a role. Its members, also those who are logged in, feel it within 5 seconds."""
    record = await service.change(role_id, body, expected_version=expected_version)
    response.headers["ETag"] = etag(record.version)
    return RoleRead.of(record)


@router.delete(
    "/{role_id}",
    status_code=204,
    operation_id="roles.delete",
    dependencies=[requires("staff:write")],
)
async def delete_role(role_id: UUID, service: RoleServiceDep) -> None:
    """Give a role up. One that somebody has stays: give them another role first."""
    await service.delete(role_id)
