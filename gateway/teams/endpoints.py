"""The teams of a shop."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from gateway.deps import TeamServiceDep
from gateway.teams.schemas import TeamCreate, TeamMemberRead, TeamPatch, TeamRead
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/teams", tag="teams")


@router.post(
    "", status_code=201, operation_id="teams.create", dependencies=[requires("staff:write")]
)
async def create_team(body: TeamCreate, service: TeamServiceDep, response: Response) -> TeamRead:
    """Make a team; it has no members yet."""
    record = await service.create(body)
    response.headers["Location"] = f"/v1/teams/{record.id}"
    response.headers["ETag"] = etag(record.version)
    return TeamRead.of(record)


@router.get("", operation_id="teams.list", dependencies=[requires("staff:read")])
async def list_teams(
    service: TeamServiceDep, request: Annotated[PageRequest, Depends(page_request)]
) -> Page[TeamRead]:
    """The teams of the shop, the newest first."""
    records, cursor = await service.list_newest(request)
    return Page[TeamRead](data=[TeamRead.of(record) for record in records], next_cursor=cursor)


@router.get("/{team_id}", operation_id="teams.get", dependencies=[requires("staff:read")])
async def get_team(team_id: UUID, service: TeamServiceDep, response: Response) -> TeamRead:
    """One team."""
    record = await service.get(team_id)
    response.headers["ETag"] = etag(record.version)
    return TeamRead.of(record)


@router.patch("/{team_id}", operation_id="teams.update", dependencies=[requires("staff:write")])
async def update_team(
    team_id: UUID,
    body: TeamPatch,
    service: TeamServiceDep,
    response: Response,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> TeamRead:
    """Change what a team is called."""
    record = await service.change(team_id, body, expected_version=expected_version)
    response.headers["ETag"] = etag(record.version)
    return TeamRead.of(record)


@router.delete(
    "/{team_id}",
    status_code=204,
    operation_id="teams.delete",
    dependencies=[requires("staff:write")],
)
async def delete_team(team_id: UUID, service: TeamServiceDep) -> None:
    """Dissolve a team. Its members stay with the shop.

    You need what taking out each of them needs.
    """
    await service.delete(team_id)


@router.get(
    "/{team_id}/members", operation_id="teams.listMembers", dependencies=[requires("staff:read")]
)
async def list_team_members(
    team_id: UUID,
    service: TeamServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> Page[TeamMemberRead]:
    """Who is in a team, who joined last first."""
    members, cursor = await service.list_members(team_id, request)
    return Page[TeamMemberRead](
        data=[TeamMemberRead.of(member) for member in members], next_cursor=cursor
    )


@router.put(
    "/{team_id}/members/{staff_id}",
    operation_id="teams.putMember",
    dependencies=[requires("staff:write")],
)
async def put_team_member(team_id: UUID, staff_id: UUID, service: TeamServiceDep) -> TeamMemberRead:
    """Have somebody in a team. Whoever is there already stays, since when they joined.

    Nobody who can do what you cannot; and unless you see everything, only in a team of your own.
    """
    return TeamMemberRead.of(await service.put_member(team_id, staff_id))


@router.delete(
    "/{team_id}/members/{staff_id}",
    status_code=204,
    operation_id="teams.removeMember",
    dependencies=[requires("staff:write")],
)
async def remove_team_member(team_id: UUID, staff_id: UUID, service: TeamServiceDep) -> None:
    """Take somebody out of a team. You need what putting them there needs."""
    await service.remove_member(team_id, staff_id)
