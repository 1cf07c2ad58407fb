"""The API keys of a shop."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from gateway.api_keys.schemas import (
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyPatch,
    ApiKeyRead,
    ApiKeyRotationCreate,
)
from gateway.deps import ApiKeyServiceDep
from shared.db.paging import PageRequest
from shared.web.resources import TELLS_A_SECRET, Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/api-keys", tag="api-keys")


@router.post(
    "", status_code=201, operation_id="apiKeys.create", dependencies=[requires("api_keys:write")]
)
async def create_api_key(
    body: ApiKeyCreate, service: ApiKeyServiceDep, response: Response
) -> ApiKeyCreated:
    """Make a key for a program. The answer holds its secret, which is never told again.

    A key gets no scope that its maker does not have. A `publishable` key may stand in a web page:
    it can do nothing but send messages in, and works only in pages of its `allowed_origins`.
    """
    created = await service.issue(body)
    response.headers["Location"] = f"/v1/api-keys/{created.id}"
    response.headers["ETag"] = etag(created.version)
    response.headers.update(TELLS_A_SECRET)
    return created


@router.get("", operation_id="apiKeys.list", dependencies=[requires("api_keys:read")])
async def list_api_keys(
    service: ApiKeyServiceDep, request: Annotated[PageRequest, Depends(page_request)]
) -> Page[ApiKeyRead]:
    """The keys of the shop, the newest first, revoked ones too."""
    rows, cursor = await service.list_newest(request)
    return Page[ApiKeyRead](data=[ApiKeyRead.of(row) for row in rows], next_cursor=cursor)


@router.get("/{api_key_id}", operation_id="apiKeys.get", dependencies=[requires("api_keys:read")])
async def get_api_key(
    api_key_id: UUID, service: ApiKeyServiceDep, response: Response
) -> ApiKeyRead:
    """One key, also a revoked one."""
    key = await service.get(api_key_id)
    response.headers["ETag"] = etag(key.version)
    return key


@router.patch(
    "/{api_key_id}", operation_id="apiKeys.update", dependencies=[requires("api_keys:write")]
)
async def update_api_key(
    api_key_id: UUID,
    body: ApiKeyPatch,
    service: ApiKeyServiceDep,
    response: Response,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> ApiKeyRead:
    """Change a key's name, from where it may be used, how often, and until when.

    Every process has heard of it within 5 seconds. You need every scope that the key has.
    """
    key = await service.change(api_key_id, body, expected_version=expected_version)
    response.headers["ETag"] = etag(key.version)
    return key


@router.post(
    "/{api_key_id}/rotations",
    status_code=201,
    operation_id="apiKeys.rotate",
    dependencies=[requires("api_keys:write")],
)
async def rotate_api_key(
    api_key_id: UUID, body: ApiKeyRotationCreate, service: ApiKeyServiceDep, response: Response
) -> ApiKeyCreated:
    """Give a key a new secret, which is told in this answer and never again.

    The old secret stays good for `overlap_seconds`, so that programs can change over one by one; a
    secret from a rotation before ends at once. You need every scope that the key has.
    """
    rotated = await service.rotate(api_key_id, body)
    response.headers["ETag"] = etag(rotated.version)
    response.headers.update(TELLS_A_SECRET)
    return rotated


@router.delete(
    "/{api_key_id}",
    status_code=204,
    operation_id="apiKeys.revoke",
    dependencies=[requires("api_keys:write")],
)
async def revoke_api_key(api_key_id: UUID, service: ApiKeyServiceDep) -> None:
    """Refuse a key from now on; every process has heard of it within 5 seconds."""
    await service.revoke(api_key_id)
