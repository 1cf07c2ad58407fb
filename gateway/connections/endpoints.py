"""The platforms and channels of a shop."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Depends, Response

from gateway.connections.schemas import (
    ConnectionCreate,
    ConnectionCreated,
    ConnectionPatch,
    ConnectionRead,
    EmailConnectionCreate,
    RotationCreate,
    RotationRead,
)
from gateway.deps import ConnectionServiceDep, PublicUrlDep
from shared.db.paging import PageRequest
from shared.web.resources import TELLS_A_SECRET, Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/connections", tag="connections")


@router.post(
    "",
    status_code=201,
    operation_id="connections.create",
    dependencies=[requires("connections:write")],
)
async def create_connection(
    body: ConnectionCreate,
    service: ConnectionServiceDep,
    public_url: PublicUrlDep,
    response: Response,
) -> ConnectionCreated:
    """Connect a platform, or an e-mail account with `kind: email`.

    A platform's answer holds its signing secret, which is never told again, and the `hook_url` to
    enter at the platform.
    """
    secret = None
    if isinstance(body, EmailConnectionCreate):
        record = await service.connect_email(body)
    else:
        record, secret = await service.connect_platform(body)
    response.headers["Location"] = f"/v1/connections/{record.id}"
    response.headers.update(TELLS_A_SECRET)
    response.headers["ETag"] = etag(record.version)
    read = ConnectionRead.of(record, public_url=public_url)
    return ConnectionCreated(**read.model_dump(), secret=secret)


@router.get("", operation_id="connections.list", dependencies=[requires("connections:read")])
async def list_connections(
    service: ConnectionServiceDep,
    public_url: PublicUrlDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> Page[ConnectionRead]:
    """The connections of the shop, the newest first."""
    records, cursor = await service.list_newest(request)
    data = [ConnectionRead.of(record, public_url=public_url) for record in records]
    return Page[ConnectionRead](data=data, next_cursor=cursor)


@router.get(
    "/{connection_id}",
    operation_id="connections.get",
    dependencies=[requires("connections:read")],
)
async def get_connection(
    connection_id: UUID,
    service: ConnectionServiceDep,
    public_url: PublicUrlDep,
    response: Response,
) -> ConnectionRead:
    """One connection."""
    record = await service.get(connection_id)
    response.headers["ETag"] = etag(record.version)
    return ConnectionRead.of(record, public_url=public_url)


@router.patch(
    "/{connection_id}",
    operation_id="connections.update",
    dependencies=[requires("connections:write")],
)
async def update_connection(
    connection_id: UUID,
    body: ConnectionPatch,
    service: ConnectionServiceDep,
    public_url: PublicUrlDep,
    response: Response,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> ConnectionRead:
    """Change a connection, or switch it off with `active: false`.

    A platform that is switched off gets 404 for its deliveries. An e-mail account that moves to
    another `host`, `port` or `security` needs its `username` and `password` again.
    """
    record = await service.change(connection_id, body, expected_version=expected_version)
    response.headers["ETag"] = etag(record.version)
    return ConnectionRead.of(record, public_url=public_url)


@router.post(
    "/{connection_id}/rotations",
    status_code=201,
    operation_id="connections.rotate",
    dependencies=[requires("connections:write")],
)
async def rotate_secret(
    connection_id: UUID,
    service: ConnectionServiceDep,
    response: Response,
    body: Annotated[RotationCreate | None, Body()] = None,
) -> RotationRead:
    """Replace the signing secret. Both secrets are good until the old one's time is over."""
    record, secret = await service.rotate(connection_id, body or RotationCreate())
    response.headers.update(TELLS_A_SECRET)
    return RotationRead(
        connection_id=record.id,
        secret=secret,
        previous_secret_until=record.previous_secret_until,
    )
