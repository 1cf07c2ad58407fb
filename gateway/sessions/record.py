"""A session as the gateway holds it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.staff.record import StaffRecord


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One row of `session` that has not ended."""

    id: UUID
    staff_id: UUID
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    user_agent: str | None
    client_ip: str | None


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that has not ended, and whose it is."""

    member: StaffRecord
    expires_at: datetime
    last_used_at: datetime | None
