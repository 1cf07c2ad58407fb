"""The API keys of a shop."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response

from gateway.api_keys.schemas import ApiKeyCreate, ApiKeyCreated, ApiKeyRead
from gateway.deps import ApiKeyServiceDep
from shared.db.paging import PageRequest
from shared.web.resources import TELLS_A_SECRET, Page, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/api-keys", tag="api-keys")


@router.post(
    "", status_code=201, operation_id="apiKeys.create", dependencies=[requires("api_keys:write")]
)
async def create_api_key(
    body: ApiKeyCreate, service: ApiKeyServiceDep, response: Response
) -> ApiKeyCreated:
    """Make a key for a program. The answer holds its secret, which is never told again.

    A key gets no scope that its maker does not have.
    """
    created = await service.issue(body)
    response.headers["Location"] = f"/v1/api-keys/{created.id}"
    response.headers.update(TELLS_A_SECRET)
    return created


@router.get("", operation_id="apiKeys.list", dependencies=[requires("api_keys:read")])
async def list_api_keys(
    service: ApiKeyServiceDep, request: Annotated[PageRequest, Depends(page_request)]
) -> Page[ApiKeyRead]:
    """The keys of the shop, the newest first, revoked ones too."""
    rows, cursor = await service.list_newest(request)
    return Page[ApiKeyRead](data=[ApiKeyRead.of(row) for row in rows], next_cursor=cursor)


@router.delete(
    "/{api_key_id}",
    status_code=204,
    operation_id="apiKeys.revoke",
    dependencies=[requires("api_keys:write")],
)
async def revoke_api_key(api_key_id: UUID, service: ApiKeyServiceDep) -> None:
    """Refuse a key from now on; every process has heard of it within 5 seconds."""
    await service.revoke(api_key_id)
