"""What belongs to logging in, in the audit log: where it happens, no caller is known by a token."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.audit.trail import Actor, AuditEntry
from shared.contracts.audit import AuditSubject
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Device:
    """Where a request comes from, as far as it says."""

    client_ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


def record_access(
    uow: UnitOfWork,
    action: str,
    staff_id: UUID,
    *,
    device: Device,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Leave a word of what a member of staff, or somebody in their name, did to get in."""
    uow.act_for(
        Actor(
            kind="staff",
            id=str(staff_id),
            action=action,
            request_id=device.request_id,
            client_ip=device.client_ip,
            user_agent=device.user_agent,
        )
    )
    subject = AuditSubject(object="staff", id=str(staff_id))
    uow.record(AuditEntry([subject], kind="access", detail=detail))
