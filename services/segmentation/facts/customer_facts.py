"""One customer's facts in memory: the same columns as the tables, for evaluating and explaining."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from uuid import UUID

NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFacts:
    """A row of `profile`; None is unknown."""

    customer_id: UUID
    code: str | None = None
    full_name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    gender: str | None = None
    birth_date: date | None = None
    city: str | None = None
    province: str | None = None
    country: str | None = None
    stage: str | None = None
    source: str | None = None
    kind: str = "person"
    relation: str = "customer"
    occupation: str | None = None
    position: str | None = None
    preferences: tuple[str, ...] = ()
    preferred_channel: str | None = None
    rating: int | None = None
    tax_code: str | None = None
    income_currency: str | None = None
    income_at_least_minor: int | None = None
    income_below_minor: int | None = None
    vn63_province: str | None = None
    vn34_province: str | None = None
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, object] = field(default_factory=lambda: NOTHING)
    consent: Mapping[str, object] = field(default_factory=lambda: NOTHING)
    consent_ends: Mapping[str, object] = field(default_factory=lambda: NOTHING)
    created_at: datetime | None = None
    orders_count: int = 0
    paid_orders_count: int = 0
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    total_spent_minor: int = 0
    currency: str | None = None
    tickets_count: int = 0
    open_tickets_count: int = 0
    open_complaints_count: int = 0
    last_csat: int | None = None
    last_csat_at: datetime | None = None
    last_ticket_at: datetime | None = None
    messages_sent_count: int = 0
    last_message_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFact:
    """A row of `order_fact`."""

    order_id: UUID
    placed_at: datetime
    status: str
    total_minor: int
    currency: str
    financial_status: str | None = None
    fulfillment_status: str | None = None
    channel: str | None = None
    refunded_minor: int = 0
    lines_count: int = 0
    skus: tuple[str, ...] = ()
    product_titles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFact:
    """A row of `ticket_fact`."""

    ticket_id: UUID
    type: str
    status_category: str
    opened_at: datetime
    priority: str | None = None
    urgency: str | None = None
    channel: str | None = None
    resolved_at: datetime | None = None
    csat: int | None = None
    csat_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFact:
    """A row of `message_fact`."""

    message_id: UUID
    channel: str
    status: str
    purpose: str | None = None
    template: str | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    opened_at: datetime | None = None
    clicked_at: datetime | None = None


Fact = OrderFact | TicketFact | MessageFact


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFacts:
    """Everything that a rule may look at for one customer."""

    profile: ProfileFacts
    orders: tuple[OrderFact, ...] = ()
    tickets: tuple[TicketFact, ...] = ()
    messages: tuple[MessageFact, ...] = ()
