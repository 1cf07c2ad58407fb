"""The staff of a shop."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from gateway.deps import StaffServiceDep
from gateway.staff.schemas import StaffCreate, StaffPatch, StaffRead
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/staff", tag="staff")


@router.post(
    "", status_code=201, operation_id="staff.create", dependencies=[requires("staff:write")]
)
async def create_staff(
    body: StaffCreate, service: StaffServiceDep, response: Response
) -> StaffRead:
    """Add a member of staff, who can log in at once with this address and password.

    Without a password they get an e-mail with a link to choose one, which works for a week. You
    can give no role that can do what you cannot; only an owner makes owners.
    """
    record = await service.hire(body)
    response.headers["Location"] = f"/v1/staff/{record.id}"
    response.headers["ETag"] = etag(record.version)
    return StaffRead.of(record)


@router.get("", operation_id="staff.list", dependencies=[requires("staff:read")])
async def list_staff(
    service: StaffServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    team_id: Annotated[UUID | None, Query(description="Only who is in this team")] = None,
) -> Page[StaffRead]:
    """The staff of the shop, or of a team, the newest first."""
    records, cursor = await service.list_newest(request, team_id=team_id)
    return Page[StaffRead](data=[StaffRead.of(record) for record in records], next_cursor=cursor)


@router.get("/{staff_id}", operation_id="staff.get", dependencies=[requires("staff:read")])
async def get_staff(staff_id: UUID, service: StaffServiceDep, response: Response) -> StaffRead:
    """One member of staff."""
    record = await service.get(staff_id)
    response.headers["ETag"] = etag(record.version)
    return StaffRead.of(record)


@router.patch("/{staff_id}", operation_id="staff.update", dependencies=[requires("staff:write")])
async def update_staff(
    staff_id: UUID,
    body: StaffPatch,
    service: StaffServiceDep,
    response: Response,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> StaffRead:
    """Change name, role, visibility or password, or lock a member out with `active: false`.

    A new password and being locked out end the member's sessions, and no link that they were sent
    to choose a password works any more. That, another role and another visibility are felt
    everywhere within 5 seconds.
    """
    record = await service.change(staff_id, body, expected_version=expected_version)
    response.headers["ETag"] = etag(record.version)
    return StaffRead.of(record)


@router.post(
    "/{staff_id}/invitations",
    status_code=202,
    operation_id="staff.invite",
    dependencies=[requires("staff:write")],
)
async def invite_staff(staff_id: UUID, service: StaffServiceDep) -> None:
    """Send a member of staff a new link to choose a password.

    It works for a week; for who has a password already it works for an hour.
    """
    await service.invite_again(staff_id)
