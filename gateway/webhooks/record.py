"""Endpoints and deliveries as the gateway holds them."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy import Row

from shared.contracts.gateway import WebhookEndpointDisabled

DisabledReason = Literal["failing", "gone"]


class WebhookDeliveryStatus(StrEnum):
    """What became of sending one event to one endpoint."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRecord:
    """One row of `webhook_endpoint`, without its tenant. Secrets and headers are sealed."""

    id: UUID
    url: str
    description: str | None
    event_types: list[str]
    sealed_headers: str | None
    rate_limit: int | None
    enabled: bool
    disabled_reason: DisabledReason | None
    disabled_at: datetime | None
    sealed_secret: str
    sealed_previous_secret: str | None
    previous_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The record in a row that has its columns."""
        return cls(**{name: getattr(row, name) for name in COLUMNS})

    def as_row(self) -> dict[str, Any]:
        """The columns by name."""
        return {name: getattr(self, name) for name in COLUMNS}

    def sealed_secrets(self, now: datetime) -> list[str]:
        """What to sign with, the newest first; two while a rotation's time runs."""
        secrets = [self.sealed_secret]
        until = self.previous_secret_until
        if self.sealed_previous_secret is not None and until is not None and now < until:
            secrets.append(self.sealed_previous_secret)
        return secrets

    def disabled_event(self, *, failing_since: datetime | None) -> WebhookEndpointDisabled:
        """What the shop is told when its endpoint was switched off."""
        assert self.disabled_reason is not None  # noqa: S101  (it was switched off by us)
        assert self.disabled_at is not None  # noqa: S101
        return WebhookEndpointDisabled(
            endpoint_id=self.id,
            url=self.url,
            description=self.description,
            reason=self.disabled_reason,
            failing_since=failing_since,
            disabled_at=self.disabled_at,
        )


COLUMNS = tuple(field.name for field in fields(EndpointRecord))
