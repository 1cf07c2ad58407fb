"""What the law gives people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from gateway.events.projection import From, PublicObject, Whole
from gateway.events.public.base import EventBase
from shared.contracts import privacy as p
from shared.contracts import retention
from shared.contracts.event import Event
from shared.contracts.privacy import PrivacyRequestKind, PrivacyRequestStatus


class EventPrivacyRequest(PublicObject):
    """What somebody asks for by law, and by when they must have it."""

    request_id: UUID
    version: int
    kind: PrivacyRequestKind
    status: PrivacyRequestStatus
    customer_id: UUID | None = None
    law: str
    received_at: datetime
    acknowledge_by: datetime | None = None
    acknowledged_at: datetime | None = None
    due_at: datetime
    extended: bool = False
    closed_at: datetime | None = None


class EventErasure(PublicObject):
    """Whose data are gone: forget them too."""

    erasure_id: UUID
    customer_id: UUID
    customer_ids: tuple[UUID, ...]
    erased_at: datetime


class EventRetentionRun(PublicObject):
    """A run of the retention rules, in figures."""

    id: Annotated[UUID, From("run_id")]
    object: Literal["retention_run"] = "retention_run"
    kind: Literal["nightly", "manual", "dry_run"]
    status: Literal["finished", "cancelled", "failed"]
    rules: int = Field(description="How many were to be followed")
    people: int = Field(description="Whose time was over, rule by rule")
    amounts: dict[str, int] = Field(description="How much of what it was")
    left_alone: dict[str, int] = Field(description="Who keeps it for the time being, and why")
    started_at: datetime
    finished_at: datetime


class PrivacyRequestData(PublicObject):
    """A request by law."""

    request: EventPrivacyRequest


class ErasureData(PublicObject):
    """The end of a person's data."""

    erasure: Annotated[EventErasure, Whole()]


class RetentionRunData(PublicObject):
    """A run of the retention rules."""

    run: EventRetentionRun


class CustomerErased(EventBase):
    """A person's data are gone everywhere: whoever copied them has to forget them, too."""

    type: Literal["customer.erased"]
    data: ErasureData


class PrivacyRequestReceived(EventBase):
    """Somebody asked for what the law gives them."""

    type: Literal["privacy_request.received"]
    data: PrivacyRequestData


class PrivacyRequestUpdated(EventBase):
    """A request by law went on: it was acknowledged, extended, begun, completed, refused."""

    type: Literal["privacy_request.updated"]
    data: PrivacyRequestData


class PrivacyRequestDue(EventBase):
    """The time to answer a request by law is about to run out."""

    type: Literal["privacy_request.due"]
    data: PrivacyRequestData


class RetentionRunFinished(EventBase):
    """A run of the retention rules has come to an end."""

    type: Literal["retention_run.finished"]
    data: RetentionRunData


PrivacyEvent = (
    CustomerErased
    | PrivacyRequestReceived
    | PrivacyRequestUpdated
    | PrivacyRequestDue
    | RetentionRunFinished
)

EVENTS: Final[Mapping[type[Event], type[EventBase]]] = {
    p.CustomerErased: CustomerErased,
    p.PrivacyRequestReceived: PrivacyRequestReceived,
    p.PrivacyRequestUpdated: PrivacyRequestUpdated,
    p.PrivacyRequestDue: PrivacyRequestDue,
    retention.RetentionRunFinished: RetentionRunFinished,
}
