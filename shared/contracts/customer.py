"""What the customer service tells. Every event carries the full state, with its version."""

from datetime import date, datetime
from typing import Any, ClassVar, Literal, get_args
from uuid import UUID

from pydantic import Field

from shared.contracts.event import Contract, Event

ConsentStatus = Literal["granted", "withdrawn"]
ContactPurpose = Literal["marketing", "care"]
CONTACT_PURPOSES: tuple[str, ...] = get_args(ContactPurpose)


class PromisedFrequency(Contract):
    """At most so many messages in so many days, as the person was told who agreed."""

    max_messages: int
    per_days: int


class ConsentState(Contract):
    """The current consent for one purpose on one channel; absent means never asked.

    It counts until `expires_at`.
    """

    purpose: ContactPurpose
    channel: Literal["email", "sms", "zalo", "call"]
    status: ConsentStatus
    changed_at: datetime
    expires_at: datetime | None = None
    frequency: PromisedFrequency | None = None


class LunarDay(Contract):
    """A day of the Vietnamese lunar calendar; the year where it is known."""

    day: int
    month: int
    leap_month: bool = False
    year: int | None = None


class IncomeBand(Contract):
    """Income a month in major units: `at_least` so much, less than `below`."""

    currency: str
    at_least: str | None = None
    below: str | None = None


class AddressState(Contract):
    """Where a customer is first of all, with codes in both schemes of Vietnam as far as known."""

    street: str | None = None
    ward: str | None = None
    district: str | None = None
    city: str | None = None
    province: str | None = None
    country: str | None = None
    postal_code: str | None = None
    vn63_province_code: str | None = None
    vn63_district_code: str | None = None
    vn63_ward_code: str | None = None
    vn34_province_code: str | None = None
    vn34_province: str | None = None
    vn34_ward_code: str | None = None


class CustomerState(Contract):
    """A customer as other services may know them. `version` grows with every change.

    Order figures count orders that are neither cancelled nor voided; `total_spent_minor` is paid
    minus refunded, in minor units of `currency`. Who is `restricted` is kept and not used: not
    written to but in answer to their own requests.
    """

    customer_id: UUID
    version: int
    code: str
    stage: Literal["lead", "customer"]
    kind: Literal["person", "organisation"] = "person"
    relation: str = "customer"
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    gender: Literal["female", "male", "other"] | None = None
    birth_date: date | None = None
    given_name: str | None = None
    honorific: str | None = None
    birth_date_lunar: LunarDay | None = None
    occupation: str | None = None
    position: str | None = None
    income_band: IncomeBand | None = None
    preferences: tuple[str, ...] | None = None
    preferred_channel: str | None = None
    time_zone: str | None = None
    rating: int | None = None
    tax_code: str | None = None
    address: AddressState | None = None
    city: str | None = None
    province: str | None = None
    country: str | None = None
    source: str
    owner_id: UUID | None = None
    merged_into: UUID | None = None
    """The record that stands for this one; None for one that stands for itself."""

    tags: tuple[str, ...] = ()
    attributes: dict[str, Any] = Field(default_factory=dict)
    consents: tuple[ConsentState, ...] = ()
    restricted: bool = False
    removed: bool = False
    """Whether they were taken back with the import that brought them: they are nobody."""

    value_tier: Literal["standard", "silver", "gold", "vip"] = "standard"
    orders_count: int = 0
    total_spent_minor: int = 0
    currency: str = "VND"
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


FieldSensitivity = Literal["none", "personal", "sensitive"]


class CustomFieldState(Contract):
    """A field of the shop's own, as far as it matters who may see its values."""

    field_id: UUID
    key: str
    sensitivity: FieldSensitivity
    version: int


class CustomFieldDefined(Event):
    """A field of the shop's own was defined, changed, or is told again. Key: the field.

    Of one that is deleted nothing is told: what history has under its key stays as it was marked,
    until a field with this key is defined anew.
    """

    type: ClassVar[str] = "customer.custom_field_defined"
    field: CustomFieldState


class CustomerCreated(Event):
    """A customer became known. Key: the customer."""

    type: ClassVar[str] = "customer.created"
    customer: CustomerState


class CustomerUpdated(Event):
    """Anything about a customer changed, consents and order figures too. Key: the customer."""

    type: ClassVar[str] = "customer.updated"
    customer: CustomerState


class CustomerMerged(Event):
    """A record was merged: from now on another stands for it. Key: the record."""

    type: ClassVar[str] = "customer.merged"
    customer: CustomerState
    merge_id: UUID


class CustomerUnmerged(Event):
    """A record stands for itself again, or another one than before stands for it.

    Key: the record.
    """

    type: ClassVar[str] = "customer.unmerged"
    customer: CustomerState
    merge_id: UUID


class CustomerSnapshotted(Event):
    """The state again, for a consumer that rebuilds. Key: the customer."""

    type: ClassVar[str] = "customer.snapshotted"
    customer: CustomerState


class OrderLineState(Contract):
    """One line of an order; money in minor units of the order's currency."""

    product_id: str | None = None
    variant_id: str | None = None
    sku: str | None = None
    title: str
    category: str | None = None
    vendor: str | None = None
    quantity: int
    total_minor: int


class OrderState(Contract):
    """An order; money in minor units of `currency`. `version` grows with every change."""

    order_id: UUID
    customer_id: UUID
    version: int
    source: str
    external_id: str
    number: str
    status: Literal["open", "completed", "cancelled"]
    financial_status: Literal[
        "pending", "paid", "partially_refunded", "refunded", "voided", "unknown"
    ]
    fulfillment_status: str | None = None
    channel: str | None = None
    store: str | None = None
    staff: str | None = None
    currency: str
    total_minor: int
    discount_minor: int = 0
    shipping_minor: int = 0
    tax_minor: int = 0
    refunded_minor: int = 0
    returns_count: int = 0
    placed_at: datetime
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    lines: tuple[OrderLineState, ...] = ()


class OrderPlaced(Event):
    """A new order of a known customer. Key: the customer."""

    type: ClassVar[str] = "customer.order_placed"
    order: OrderState


class OrderUpdated(Event):
    """An order changed. Key: the customer."""

    type: ClassVar[str] = "customer.order_updated"
    order: OrderState


class OrderPaid(Event):
    """An order was paid for, also one that came paid. Key: the customer."""

    type: ClassVar[str] = "customer.order_paid"
    order: OrderState


class OrderFulfilled(Event):
    """An order is on its way. Key: the customer."""

    type: ClassVar[str] = "customer.order_fulfilled"
    order: OrderState


class OrderDelivered(Event):
    """An order has arrived. Key: the customer."""

    type: ClassVar[str] = "customer.order_delivered"
    order: OrderState


class OrderCancelled(Event):
    """An order was called off. Key: the customer."""

    type: ClassVar[str] = "customer.order_cancelled"
    order: OrderState


class OrderRefunded(Event):
    """More of an order's money went back. Key: the customer."""

    type: ClassVar[str] = "customer.order_refunded"
    order: OrderState


class OrderReturned(Event):
    """Goods of an order came back. Key: the customer."""

    type: ClassVar[str] = "customer.order_returned"
    order: OrderState


class OrderSnapshotted(Event):
    """The state again, for a consumer that rebuilds. Key: the customer."""

    type: ClassVar[str] = "customer.order_snapshotted"
    order: OrderState


class SnapshotCompleted(Event):
    """Everything that was there when the snapshot began has been told. Key: the job."""

    type: ClassVar[str] = "customer.snapshot_completed"
    requested_by: str
    job_id: UUID
