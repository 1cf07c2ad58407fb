"""Who did what: every part tells the gateway, which keeps the audit log of a shop."""

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict  # Before Python 3.12 pydantic takes no other.

from shared.contracts.event import Contract, Event

ActorKind = Literal["staff", "api_key", "shopper", "public", "system"]
AuditKind = Literal["change", "read", "access"]


class FieldChange(Contract):
    """A field before and after, as the API shows them."""

    old: Any = None
    new: Any = None


class AuditSubject(TypedDict):
    """An object that somebody did something with. A list names each that it shows: plain data."""

    object: str
    id: str


class AuditRecord(Contract):
    """One thing that one caller did.

    `kind` is `change` for writes, `read` for personal data seen in full, and `access` for logins
    and what belongs to them. `action` is the operation of the API, or what stands for it.
    """

    id: UUID
    at: datetime
    kind: AuditKind
    action: str
    actor_kind: ActorKind
    actor_id: str
    request_id: str | None = None
    client_ip: str | None = None
    user_agent: str | None = None
    subjects: tuple[AuditSubject, ...] = ()
    changes: dict[str, FieldChange] = Field(default_factory=dict)
    detail: dict[str, Any] = Field(default_factory=dict)


class AuditRecorded(Event):
    """What was done in one unit of work, or the reads of one moment. Key: the first record."""

    type: ClassVar[str] = "audit.recorded"
    records: tuple[AuditRecord, ...]
