"""Webhook endpoints: where a shop has its events sent."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Depends, Response

from gateway.access.whole_shop import WHOLE_SHOP
from gateway.webhooks.deps import WebhookEndpointServiceDep
from gateway.webhooks.schemas import (
    SecretRotationCreate,
    WebhookEndpointCreate,
    WebhookEndpointCreated,
    WebhookEndpointPatch,
    WebhookEndpointRead,
    WebhookSecretRead,
    WebhookStatsRead,
)
from shared.db.paging import PageRequest
from shared.pii import PII_READ
from shared.web.resources import TELLS_A_SECRET, Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/webhook-endpoints", tag="webhooks", dependencies=[WHOLE_SHOP])


# What is sent holds personal data in full: who lets it be sent must be allowed to see it.
@router.post(
    "",
    status_code=201,
    operation_id="webhookEndpoints.create",
    dependencies=[requires("webhooks:write", PII_READ)],
)
async def create_webhook_endpoint(
    body: WebhookEndpointCreate, service: WebhookEndpointServiceDep, response: Response
) -> WebhookEndpointCreated:
    """Have events sent to a URL of yours, signed by the Standard Webhooks specification.

    The URL must be https and lead to the public internet. Verify what arrives with `secret` and
    one of the specification's libraries. An event may arrive more than once and out of order:
    `webhook-id` stays the same, and `position` and `version` tell what is newer.
    """
    record, secret = await service.create(body)
    response.headers["Location"] = f"/v1/webhook-endpoints/{record.id}"
    response.headers.update(TELLS_A_SECRET)
    response.headers["ETag"] = etag(record.version)
    read = WebhookEndpointRead.of(record, header_names=service.header_names(record))
    return WebhookEndpointCreated(**read.model_dump(), secret=secret)


@router.get("", operation_id="webhookEndpoints.list", dependencies=[requires("webhooks:read")])
async def list_webhook_endpoints(
    service: WebhookEndpointServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
) -> Page[WebhookEndpointRead]:
    """The endpoints of the shop, the newest first."""
    records, cursor = await service.list_newest(request)
    data = [
        WebhookEndpointRead.of(record, header_names=service.header_names(record))
        for record in records
    ]
    return Page[WebhookEndpointRead](data=data, next_cursor=cursor)


@router.get(
    "/{endpoint_id}",
    operation_id="webhookEndpoints.get",
    dependencies=[requires("webhooks:read")],
)
async def get_webhook_endpoint(
    endpoint_id: UUID, service: WebhookEndpointServiceDep, response: Response
) -> WebhookEndpointRead:
    """One endpoint."""
    record = await service.get(endpoint_id)
    response.headers["ETag"] = etag(record.version)
    return WebhookEndpointRead.of(record, header_names=service.header_names(record))


@router.patch(
    "/{endpoint_id}",
    operation_id="webhookEndpoints.update",
    dependencies=[requires("webhooks:write", PII_READ)],
)
async def update_webhook_endpoint(
    endpoint_id: UUID,
    body: WebhookEndpointPatch,
    service: WebhookEndpointServiceDep,
    response: Response,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> WebhookEndpointRead:
    """Change an endpoint, or switch it off and on with `enabled`.

    What waits for an endpoint that is switched off is called off, and what happens meanwhile is
    not kept for it: replay it afterwards. A `url` of another scheme, host or port needs the
    `headers` again, if there are any.
    """
    record = await service.change(endpoint_id, body, expected_version=expected_version)
    response.headers["ETag"] = etag(record.version)
    return WebhookEndpointRead.of(record, header_names=service.header_names(record))


@router.delete(
    "/{endpoint_id}",
    status_code=204,
    operation_id="webhookEndpoints.delete",
    dependencies=[requires("webhooks:write")],
)
async def delete_webhook_endpoint(endpoint_id: UUID, service: WebhookEndpointServiceDep) -> None:
    """Send it nothing any more. Its log can no longer be read."""
    await service.delete(endpoint_id)


@router.get(
    "/{endpoint_id}/secret",
    operation_id="webhookEndpoints.getSecret",
    dependencies=[requires("webhooks:write")],
)
async def get_webhook_secret(
    endpoint_id: UUID, service: WebhookEndpointServiceDep, response: Response
) -> WebhookSecretRead:
    """What to verify signatures with."""
    record, secret = await service.secret(endpoint_id)
    response.headers.update(TELLS_A_SECRET)
    return WebhookSecretRead(
        endpoint_id=record.id, secret=secret, previous_secret_until=record.previous_secret_until
    )


@router.post(
    "/{endpoint_id}/secret-rotations",
    status_code=201,
    operation_id="webhookEndpoints.rotateSecret",
    dependencies=[requires("webhooks:write")],
)
async def rotate_webhook_secret(
    endpoint_id: UUID,
    service: WebhookEndpointServiceDep,
    response: Response,
    body: Annotated[SecretRotationCreate | None, Body()] = None,
) -> WebhookSecretRead:
    """Replace the secret. Until the old one's time is over, everything has two signatures."""
    record, secret = await service.rotate(endpoint_id, body or SecretRotationCreate())
    response.headers.update(TELLS_A_SECRET)
    return WebhookSecretRead(
        endpoint_id=record.id, secret=secret, previous_secret_until=record.previous_secret_until
    )


@router.get(
    "/{endpoint_id}/stats",
    operation_id="webhookEndpoints.stats",
    dependencies=[requires("webhooks:read")],
)
async def get_webhook_stats(
    endpoint_id: UUID, service: WebhookEndpointServiceDep
) -> WebhookStatsRead:
    """How the endpoint does: what waits, and how the attempts of the last 24 hours ended."""
    return WebhookStatsRead(endpoint_id=endpoint_id, **await service.stats(endpoint_id))
