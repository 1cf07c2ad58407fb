"""Those who left their details."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from gateway.events.projection import From, PublicObject, Whole
from gateway.events.public.base import EventBase
from shared.contracts import leads as l
from shared.contracts.event import Event
from shared.contracts.leads import LeadIntent
from shared.pii import pii


class EventLead(PublicObject):
    """Somebody who left their details, and what they want."""

    id: Annotated[UUID, From("lead_id")]
    object: Literal["lead"] = "lead"
    version: int
    customer_id: UUID
    form_id: UUID | None = None
    intent: LeadIntent
    source: str = Field(description="Where the first visit came from", examples=["zalo"])
    source_page: Annotated[str | None, pii("words")] = None
    captured_at: datetime
    converted_at: datetime | None = None


class EventLeadConversion(PublicObject):
    """Somebody paid a first order; what is known of how they were won, if they left details."""

    object: Literal["lead_conversion"] = "lead_conversion"
    customer_id: UUID
    converted_at: datetime
    lead_id: UUID | None = None
    form_id: UUID | None = None
    intent: LeadIntent | None = None
    source: str | None = None
    source_page: Annotated[str | None, pii("words")] = None
    captured_at: datetime | None = None


class LeadData(PublicObject):
    """A lead."""

    lead: EventLead


class LeadConversionData(PublicObject):
    """A lead that became a customer."""

    conversion: Annotated[EventLeadConversion, Whole()]


class LeadCaptured(EventBase):
    """Somebody left their details, by a form or with staff."""

    type: Literal["customer.lead_captured"]
    data: LeadData


class LeadConverted(EventBase):
    """A lead paid a first order, and is a customer now."""

    type: Literal["customer.lead_converted"]
    data: LeadConversionData


LeadEvent = LeadCaptured | LeadConverted

EVENTS: Final[Mapping[type[Event], type[EventBase]]] = {
    l.LeadCaptured: LeadCaptured,
    l.LeadConverted: LeadConverted,
}
