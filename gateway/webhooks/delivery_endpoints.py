"""The log of an endpoint, and sending again."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from gateway.access.whole_shop import WHOLE_SHOP
from gateway.webhooks.deps import WebhookDeliveryServiceDep
from gateway.webhooks.record import WebhookDeliveryStatus
from gateway.webhooks.schemas import (
    ReplayCreate,
    ReplayRead,
    WebhookAttemptRead,
    WebhookDeliveryDetail,
    WebhookDeliveryRead,
)
from shared.db.paging import PageRequest
from shared.errors import FieldError, Invalid
from shared.pii import PII_READ
from shared.web.resources import Page, page_request
from shared.web.routing import requires, service_router

router = service_router(
    prefix="/v1/webhook-endpoints/{endpoint_id}", tag="webhooks", dependencies=[WHOLE_SHOP]
)


@router.get(
    "/deliveries",
    operation_id="webhookDeliveries.list",
    dependencies=[requires("webhooks:read")],
)
async def list_webhook_deliveries(
    endpoint_id: UUID,
    service: WebhookDeliveryServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    status: Annotated[
        str | None, Query(max_length=60, description="Only these", examples=["failed,pending"])
    ] = None,
) -> Page[WebhookDeliveryRead]:
    """What was or is to be sent to the endpoint, the newest events first."""
    rows, cursor = await service.list_newest(
        endpoint_id, statuses=_statuses(status), request=request
    )
    data = [WebhookDeliveryRead.of(row) for row in rows]
    return Page[WebhookDeliveryRead](data=data, next_cursor=cursor)


@router.get(
    "/deliveries/{event_id}",
    operation_id="webhookDeliveries.get",
    dependencies=[requires("webhooks:read")],
)
async def get_webhook_delivery(
    endpoint_id: UUID, event_id: UUID, service: WebhookDeliveryServiceDep
) -> WebhookDeliveryDetail:
    """One event on its way to the endpoint: what is sent, and the latest attempts."""
    row, body, attempts = await service.detail(endpoint_id, event_id)
    return WebhookDeliveryDetail.model_validate(
        {
            **WebhookDeliveryRead.of(row).model_dump(),
            "request_body": body,
            "latest_attempts": [WebhookAttemptRead.of(attempt) for attempt in attempts],
        }
    )


@router.get(
    "/attempts",
    operation_id="webhookAttempts.list",
    dependencies=[requires("webhooks:read")],
)
async def list_webhook_attempts(
    endpoint_id: UUID,
    service: WebhookDeliveryServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    event_id: Annotated[UUID | None, Query(description="Only of this event")] = None,
) -> Page[WebhookAttemptRead]:
    """Every request to the endpoint with its answer, the latest first."""
    rows, cursor = await service.list_attempts(endpoint_id, event_id=event_id, request=request)
    data = [WebhookAttemptRead.of(row) for row in rows]
    return Page[WebhookAttemptRead](data=data, next_cursor=cursor)


@router.post(
    "/deliveries/{event_id}/resends",
    status_code=202,
    operation_id="webhookDeliveries.resend",
    dependencies=[requires("webhooks:write", PII_READ)],
)
async def resend_webhook_delivery(
    endpoint_id: UUID, event_id: UUID, service: WebhookDeliveryServiceDep
) -> WebhookDeliveryRead:
    """Send one event again, whatever became of it before, under the same `webhook-id`."""
    return WebhookDeliveryRead.of(await service.resend(endpoint_id, event_id))


@router.post(
    "/replays",
    status_code=202,
    operation_id="webhookEndpoints.replay",
    dependencies=[requires("webhooks:write", PII_READ)],
)
async def replay_webhooks(
    endpoint_id: UUID, body: ReplayCreate, service: WebhookDeliveryServiceDep
) -> ReplayRead:
    """Send a range of events again. A long range takes several requests: see `has_more`."""
    replay = await service.replay(endpoint_id, body)
    return ReplayRead(
        endpoint_id=endpoint_id,
        queued=replay.queued,
        until=replay.until,
        has_more=replay.has_more,
    )


@router.post(
    "/tests",
    status_code=202,
    operation_id="webhookEndpoints.test",
    dependencies=[requires("webhooks:write")],
)
async def test_webhook_endpoint(
    endpoint_id: UUID, service: WebhookDeliveryServiceDep
) -> WebhookDeliveryRead:
    """Send the endpoint a `webhook_endpoint.test` event, whatever it listens to."""
    return WebhookDeliveryRead.of(await service.test(endpoint_id))


def _statuses(given: str | None) -> list[WebhookDeliveryStatus]:
    wanted = given.split(",") if given else []
    known = list(WebhookDeliveryStatus)
    if not set(wanted) <= set(known):
        fault = FieldError("/query/status", "unknown_value", f"Some of {', '.join(known)}")
        raise Invalid(errors=[fault])
    return [WebhookDeliveryStatus(status) for status in wanted]
