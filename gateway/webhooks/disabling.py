"""Switching off an endpoint that takes nothing, and telling the shop so."""

from dataclasses import replace
from uuid import UUID

import structlog

from gateway.webhooks.delivery_repository import DeliveryRepository
from gateway.webhooks.errors import EndpointNotFound
from gateway.webhooks.outcomes import QueueState
from gateway.webhooks.repository import EndpointRepository
from shared.db.unit_of_work import UnitOfWork

_log = structlog.get_logger(__name__)
WHY_CANCELLED = "endpoint_disabled"


async def disable(uow: UnitOfWork, endpoint_id: UUID, state: QueueState) -> None:
    """Switch the endpoint off for the reason in `state`; what waits for it is called off."""
    endpoints = EndpointRepository(uow)
    try:
        before = await endpoints.lock(endpoint_id)
    except EndpointNotFound:
        return
    if not before.enabled:
        return
    now = uow.clock.now()
    after = replace(
        before,
        enabled=False,
        disabled_reason=state.disabled,
        disabled_at=now,
        updated_at=now,
        version=before.version + 1,
    )
    await endpoints.save(after)
    await DeliveryRepository(uow).cancel_pending(endpoint_id, why=WHY_CANCELLED)
    uow.append(after.disabled_event(failing_since=state.failing_since), key=endpoint_id)
    _log.warning("webhook_endpoint_disabled", endpoint=endpoint_id.hex, reason=state.disabled)
