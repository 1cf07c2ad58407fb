"""The public objects that events carry. They change by addition only: receivers rely on them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from gateway.events.projection import Amount, From, PublicObject
from shared.contracts.leads import LeadIntent
from shared.contracts.privacy import PrivacyRequestKind, PrivacyRequestStatus
from shared.contracts.support_ticket import TicketStatus, TicketType
from shared.money import MoneyRead
from shared.pii import pii

Channel = Literal["email", "sms", "zalo", "call"]


class CustomerConsent(PublicObject):
    """What a customer has said about one purpose on one channel."""

    purpose: Literal["marketing", "care"]
    channel: Channel
    status: Literal["granted", "withdrawn"]
    changed_at: datetime


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


class EventLunarDay(PublicObject):
    """A day of the Vietnamese lunar calendar; the year where it is known."""

    day: int
    month: int
    leap_month: bool = False
    year: int | None = None


class EventIncomeBand(PublicObject):
    """Income a month: `at_least` so much, and less than `below`."""

    currency: str
    at_least: str | None = None
    below: str | None = None


class EventAddress(PublicObject):
    """Where a customer is first of all, with codes in both schemes of Vietnam as far as known."""

    street: Annotated[str | None, pii("address")] = None
    ward: str | None = None
    district: str | None = None
    province: str | None = None
    country: str | None = None
    postal_code: str | None = None
    vn63_province_code: str | None = None
    vn63_district_code: str | None = None
    vn63_ward_code: str | None = None
    vn34_province_code: str | None = None
    vn34_province: str | None = None
    vn34_ward_code: str | None = None


class EventCustomer(PublicObject):
    """A customer as of the event. `version` grows with every change: keep the highest.

    The figures count orders that are neither cancelled nor voided; `total_spent` is paid minus
    refunded.
    """

    id: Annotated[UUID, From("customer_id")]
    object: Literal["customer"] = "customer"
    version: int
    code: str = Field(examples=["KH000123"])
    stage: Literal["lead", "customer"]
    kind: Literal["person", "organisation"] = "person"
    relation: str = "customer"
    name: Annotated[str | None, pii("name")] = None
    email: Annotated[str | None, pii("email")] = None
    phone: Annotated[str | None, pii("phone")] = None
    locale: str | None = None
    gender: Literal["female", "male", "other"] | None = None
    birth_date: Annotated[date | None, pii("date")] = None
    given_name: Annotated[str | None, pii("name")] = None
    honorific: str | None = None
    birth_date_lunar: Annotated[EventLunarDay | None, pii("date")] = None
    occupation: str | None = None
    position: str | None = None
    income_band: Annotated[EventIncomeBand | None, pii("sensitive")] = None
    preferences: list[str] | None = None
    preferred_channel: str | None = None
    time_zone: str | None = None
    rating: int | None = None
    tax_code: Annotated[str | None, pii("words")] = None
    address: EventAddress | None = None
    city: str | None = None
    province: str | None = None
    country: str | None = None
    source: str
    merged_into: UUID | None = Field(
        default=None, description="Who stands for this record since it was merged"
    )
    tags: list[str] = Field(default_factory=list)
    attributes: Annotated[dict[str, Any], pii("document")] = Field(default_factory=dict)
    consents: list[CustomerConsent]
    value_tier: Literal["standard", "silver", "gold", "vip"] = "standard"
    orders_count: int = 0
    total_spent: Annotated[MoneyRead, Amount("total_spent_minor")]
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


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


class EventOrderLine(PublicObject):
    """One line of an order."""

    product_id: str | None = None
    variant_id: str | None = None
    sku: str | None = None
    title: str
    category: str | None = None
    vendor: str | None = None
    quantity: int
    total: Annotated[MoneyRead, Amount("total_minor")]


class EventOrder(PublicObject):
    """An order as of the event."""

    id: Annotated[UUID, From("order_id")]
    object: Literal["order"] = "order"
    version: int
    customer_id: UUID
    source: str = Field(examples=["shopify"])
    external_id: str = Field(description="As the source names it")
    number: str = Field(examples=["#1001"])
    status: Literal["open", "completed", "cancelled"]
    financial_status: Literal[
        "pending", "paid", "partially_refunded", "refunded", "voided", "unknown"
    ]
    fulfillment_status: str | None = None
    channel: str | None = None
    store: str | None = None
    staff: str | None = None
    total: Annotated[MoneyRead, Amount("total_minor")]
    discount: Annotated[MoneyRead, Amount("discount_minor")]
    shipping: Annotated[MoneyRead, Amount("shipping_minor")]
    tax: Annotated[MoneyRead, Amount("tax_minor")]
    refunded: Annotated[MoneyRead, Amount("refunded_minor")]
    returns_count: int = 0
    placed_at: datetime
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: Annotated[str | None, pii("words")] = None
    lines: list[EventOrderLine]


class EventReview(PublicObject):
    """What somebody said of a product, or of an order, as of the event."""

    id: Annotated[UUID, From("review_id")]
    object: Literal["review"] = "review"
    version: int
    kind: Literal["product", "order"]
    customer_id: UUID | None = None
    order_id: UUID | None = None
    product_id: str | None = None
    rating: int
    title: Annotated[str | None, pii("words")] = None
    text: Annotated[str | None, pii("words")] = None
    photos: list[str] = Field(default_factory=list)
    author_name: Annotated[str | None, pii("name")] = None
    verified: bool = False
    status: Literal["pending", "published", "rejected", "private"]
    created_at: datetime
    published_at: datetime | None = None


class EventTicket(PublicObject):
    """A ticket as of the event."""

    id: Annotated[UUID, From("ticket_id")]
    object: Literal["ticket"] = "ticket"
    version: int
    code: str = Field(examples=["T-000045"])
    customer_id: UUID | None = None
    subject: str
    type: TicketType
    urgency: Literal["low", "normal", "high", "critical"]
    priority: Literal["low", "normal", "high", "urgent"]
    status: TicketStatus
    channel: str
    assignee_id: UUID | None = None
    resolution: str | None = None
    csat: int | None = None
    opened_at: datetime
    first_response_due_at: datetime | None = None
    resolution_due_at: datetime | None = None
    first_responded_at: datetime | None = None
    resolved_at: datetime | None = None


class EventReply(PublicObject):
    """What an agent answered, publicly. Notes never appear in events."""

    id: Annotated[UUID, From("message_id")]
    object: Literal["reply"] = "reply"
    agent_name: str | None = None
    body: Annotated[str, pii("address")]
    channel: str = "email"


class EventSurvey(PublicObject):
    """The answer to a survey. `score` runs from 1 to `scale_max`."""

    id: Annotated[UUID, From("survey_id")]
    object: Literal["survey"] = "survey"
    kind: Literal["csat"] = "csat"
    score: int
    scale_max: int = 5
    comment: Annotated[str | None, pii("address")] = None
    answered_at: datetime


class EventMessage(PublicObject):
    """One message to one recipient, and how it went."""

    id: Annotated[UUID, From("message_id")]
    object: Literal["message"] = "message"
    version: int
    customer_id: UUID | None = None
    channel: Literal["email"]
    message_class: Literal["transactional", "care", "advertising"]
    status: Literal["planned", "sending", "sent", "suppressed", "failed", "unknown", "cancelled"]
    reason: str | None = Field(default=None, description="Why it was not sent, a stable code")
    origin: Literal["automation", "ticket_reply", "survey", "api", "staff", "lead_form"]
    origin_id: UUID | None = None
    subject: str | None = None
    planned_at: datetime
    finished_at: datetime | None = None


class EventMembership(PublicObject):
    """One customer's entry into or exit from one segment."""

    object: Literal["segment_membership"] = "segment_membership"
    segment_id: UUID
    segment_key: str
    segment_name: str
    rule_version: int
    customer_id: UUID
    at: datetime
    reason: str


class EventUnsubscription(PublicObject):
    """A person said stop on a channel."""

    object: Literal["unsubscription"] = "unsubscription"
    customer_id: UUID | None = None
    channel: Literal["email", "sms", "zalo"]
    address: Annotated[str, pii("contact")]
    purpose: Literal["marketing", "all"] = "marketing"
    at: datetime


class EventInboundMessage(PublicObject):
    """Somebody wrote to the shop."""

    id: Annotated[UUID, From("inbound_id")]
    object: Literal["inbound_message"] = "inbound_message"
    channel: Literal["email", "zalo", "facebook", "sms", "web_chat", "phone", "marketplace"]
    external_id: str
    conversation_ref: str | None = None
    customer_id: UUID | None = None
    sender_name: Annotated[str | None, pii("name")] = None
    sender_email: Annotated[str | None, pii("email")] = None
    sender_phone: Annotated[str | None, pii("phone")] = None
    subject: str | None = None
    text: Annotated[str, pii("address")]
    received_at: datetime


class EventStaff(PublicObject):
    """A member of staff as of the event."""

    id: Annotated[UUID, From("staff_id")]
    object: Literal["staff"] = "staff"
    version: int
    name: str
    email: str
    role: str
    active: bool


class EventWebhookEndpoint(PublicObject):
    """An endpoint that is sent nothing any more."""

    id: Annotated[UUID, From("endpoint_id")]
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    url: str
    description: str | None = None
    reason: Literal["failing", "gone"] = Field(
        description="`gone`: it answered 410. `failing`: it answered nothing good for days"
    )
    failing_since: datetime | None = None
    disabled_at: datetime


class EventTask(PublicObject):
    """Something to be done for a customer, by somebody or by anybody of a role."""

    id: Annotated[UUID, From("task_id")]
    object: Literal["task"] = "task"
    version: int
    customer_id: UUID | None = None
    kind: Literal["follow_up", "call", "message", "other"]
    title: str
    priority: int = Field(description="From 0 to 3, 3 before everything else")
    assignee_id: UUID | None = None
    assignee_role: str | None = None
    due_at: datetime | None = None
    ticket_id: UUID | None = None


class EventDuplicateScan(PublicObject):
    """A scan of all customers for duplicates, and what it has found."""

    id: Annotated[UUID, From("scan_id")]
    object: Literal["duplicate_scan"] = "duplicate_scan"
    mode: Literal["full", "changed"]
    min_score: int
    customers: int
    pairs: int = Field(description="Who may be one person, known or not")
    new_pairs: int = Field(description="Of them those who were no candidates before")
    created_at: datetime
    finished_at: datetime


class EventAppointment(PublicObject):
    """When a customer and a member of staff meet."""

    id: Annotated[UUID, From("appointment_id")]
    object: Literal["appointment"] = "appointment"
    version: int
    customer_id: UUID
    staff_id: UUID | None = None
    title: str
    place: str | None = None
    starts_at: datetime
    ends_at: datetime
    customer_channels: list[Channel] = Field(
        default_factory=list,
        description="By which the customer has agreed to hear of care; none: do not remind them",
    )
