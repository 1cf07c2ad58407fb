"""A connection as the gateway holds it."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy import Row

from shared.contracts.gateway import EmailChannelState

ConnectionKind = Literal["platform", "email"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRecord:
    """One row of `connection`, without its tenant. Secrets are sealed."""

    id: UUID
    kind: ConnectionKind
    platform: str | None
    name: str
    options: dict[str, Any]
    sealed_secret: str | None
    sealed_previous_secret: str | None
    previous_secret_until: datetime | None
    sealed_access_token: str | None
    active: bool
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

    def email_channel(self) -> EmailChannelState:
        """What the messaging service sends through."""
        return EmailChannelState(
            connection_id=self.id,
            sealed_credentials=self.sealed_secret,
            active=self.active,
            version=self.version,
            **self.options,
        )


COLUMNS = tuple(field.name for field in fields(ConnectionRecord))
EMAIL_OPTIONS = ("host", "port", "security", "sender_name", "sender_address")
PLATFORM_OPTIONS = ("emails_verified",)
STORE_FIELDS = ("store", "access_token")
