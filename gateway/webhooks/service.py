"""Decisions about webhook endpoints."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from gateway.webhooks.delivery_repository import DeliveryRepository
from gateway.webhooks.disabling import WHY_CANCELLED
from gateway.webhooks.errors import HeadersRequired, TooManyEndpoints, UrlRefused
from gateway.webhooks.record import EndpointRecord
from gateway.webhooks.repository import EndpointRepository
from gateway.webhooks.schemas import (
    SecretRotationCreate,
    WebhookEndpointCreate,
    WebhookEndpointPatch,
)
from gateway.webhooks.signing import new_secret
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import first_id_at, new_id
from shared.outbound.guard import OutboundGuard, OutboundRefused, read_url
from shared.security.keys import SecretBox
from shared.web.resources import check_version

MOST_ENDPOINTS: Final = 1000
_DAY: Final = timedelta(hours=24)


class EndpointService:
    """What a shop does with its webhook endpoints."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        endpoints: EndpointRepository,
        deliveries: DeliveryRepository,
        guard: OutboundGuard,
        box: SecretBox,
    ) -> None:
        self._uow = uow
        self._endpoints = endpoints
        self._deliveries = deliveries
        self._guard = guard
        self._box = box

    async def create(self, given: WebhookEndpointCreate) -> tuple[EndpointRecord, str]:
        """A new endpoint and its secret. Raises UrlRefused, TooManyEndpoints."""
        # Before the first statement: names are looked up outside of any transaction.
        await self._check_url(given.url)
        if await self._endpoints.count() >= MOST_ENDPOINTS:
            raise TooManyEndpoints(f"{MOST_ENDPOINTS:,} at most")
        secret, now = new_secret(), self._uow.clock.now()
        record = EndpointRecord(
            id=new_id(),
            url=given.url,
            description=given.description,
            event_types=given.event_types,
            sealed_headers=self._seal_headers(given.headers),
            rate_limit=given.rate_limit,
            enabled=given.enabled,
            disabled_reason=None,
            disabled_at=None,
            sealed_secret=self._seal(secret),
            sealed_previous_secret=None,
            previous_secret_until=None,
            created_at=now,
            updated_at=now,
            version=1,
        )
        await self._endpoints.add(record)
        return record, secret

    async def get(self, endpoint_id: UUID) -> EndpointRecord:
        """Raises EndpointNotFound."""
        return await self._endpoints.get(endpoint_id)

    async def list_newest(
        self, request: PageRequest
    ) -> tuple[Sequence[EndpointRecord], str | None]:
        """A page of endpoints."""
        return await self._endpoints.list_newest(request)

    async def change(
        self, endpoint_id: UUID, given: WebhookEndpointPatch, *, expected_version: int | None
    ) -> EndpointRecord:
        """The endpoint after the change.

        Raises EndpointNotFound, PreconditionFailed, UrlRefused, HeadersRequired.
        """
        if given.url is not None:
            await self._check_url(given.url)
        before = await self._endpoints.lock(endpoint_id)
        check_version(before.version, expected_version)
        if before.sealed_headers and given.headers is None and _leads_elsewhere(before, given.url):
            raise HeadersRequired
        after = replace(
            before,
            **self._changes(given),
            updated_at=self._uow.clock.now(),
            version=before.version + 1,
        )
        if after.enabled and not before.enabled:
            after = replace(after, disabled_reason=None, disabled_at=None)
            await self._endpoints.forget_trouble(endpoint_id)
        if before.enabled and not after.enabled:
            await self._deliveries.cancel_pending(endpoint_id, why=WHY_CANCELLED)
        await self._endpoints.save(after)
        return after

    async def delete(self, endpoint_id: UUID) -> None:
        """Send it nothing any more. Raises EndpointNotFound."""
        await self._endpoints.lock(endpoint_id)
        await self._deliveries.cancel_pending(endpoint_id, why="endpoint_deleted")
        await self._endpoints.delete(endpoint_id)

    async def secret(self, endpoint_id: UUID) -> tuple[EndpointRecord, str]:
        """The endpoint with its signing secret. Raises EndpointNotFound."""
        record = await self._endpoints.get(endpoint_id)
        return record, self._box.open(record.sealed_secret)["secret"]

    async def rotate(
        self, endpoint_id: UUID, given: SecretRotationCreate
    ) -> tuple[EndpointRecord, str]:
        """A new signing secret; the one before signs, too, for a while. Raises EndpointNotFound."""
        before = await self._endpoints.lock(endpoint_id)
        secret, now = new_secret(), self._uow.clock.now()
        keep = given.keep_old_for > 0
        after = replace(
            before,
            sealed_secret=self._seal(secret),
            sealed_previous_secret=before.sealed_secret if keep else None,
            previous_secret_until=now + timedelta(seconds=given.keep_old_for) if keep else None,
            updated_at=now,
            version=before.version + 1,
        )
        await self._endpoints.save(after)
        return after, secret

    async def stats(self, endpoint_id: UUID) -> dict[str, Any]:
        """How the endpoint does. Raises EndpointNotFound."""
        await self._endpoints.get(endpoint_id)
        since = first_id_at(self._uow.clock.now() - _DAY)
        return await self._endpoints.stats(endpoint_id, first_id=since)

    def header_names(self, record: EndpointRecord) -> list[str]:
        """The names of the headers that are sent along."""
        return sorted(self._box.open(record.sealed_headers)) if record.sealed_headers else []

    def _changes(self, given: WebhookEndpointPatch) -> dict[str, Any]:
        named = given.model_fields_set
        changes = {
            name: getattr(given, name)
            for name in ("url", "event_types", "enabled")
            if getattr(given, name) is not None
        }
        changes |= {
            name: getattr(given, name) for name in ("description", "rate_limit") if name in named
        }
        if given.headers is not None:
            changes["sealed_headers"] = self._seal_headers(given.headers)
        return changes

    async def _check_url(self, url: str) -> None:
        try:
            await self._guard.check_url(url)
        except OutboundRefused as error:
            raise UrlRefused(error) from error

    def _seal(self, secret: str) -> str:
        return self._box.seal({"secret": secret})

    def _seal_headers(self, headers: dict[str, str]) -> str | None:
        return self._box.seal(headers) if headers else None


def _leads_elsewhere(before: EndpointRecord, url: str | None) -> bool:
    """Whether another receiver (RFC 6454, "origin") would get what is sent."""
    return url is not None and _origin(url) != _origin(before.url)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    read = read_url(url)
    return read.scheme, read.raw_host, read.port
