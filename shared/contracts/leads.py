"""What the customer service tells of people who left their details."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.event import Contract, Event

LeadIntent = Literal["wants_meeting", "wants_information", "follows_brand"]


class LeadState(Contract):
    """A lead. `source` is where the first visit came from; `version` grows with every change."""

    lead_id: UUID
    version: int
    customer_id: UUID
    form_id: UUID | None = None
    intent: LeadIntent
    source: str
    source_page: str | None = None
    captured_at: datetime
    converted_at: datetime | None = None


class LeadCaptured(Event):
    """Somebody left their details. Key: the customer."""

    type: ClassVar[str] = "customer.lead_captured"
    lead: LeadState


class LeadConverted(Event):
    """A lead paid a first order. Key: the customer.

    What is known of the capture is absent when the customer came in another way, such as an import.
    """

    type: ClassVar[str] = "customer.lead_converted"
    customer_id: UUID
    converted_at: datetime
    lead_id: UUID | None = None
    form_id: UUID | None = None
    intent: LeadIntent | None = None
    source: str | None = None
    source_page: str | None = None
    captured_at: datetime | None = None


class LeadConfirmationRequested(Event):
    """Somebody is to be asked by mail whether it was they who agreed. Key: the customer.

    `url` opens the page without login; it is a credential.
    """

    type: ClassVar[str] = "customer.lead_confirmation_requested"
    submission_id: UUID
    customer_id: UUID
    email: str
    name: str | None = None
    locale: str
    url: str
