"""What the gateway tells: shops, staff, channels, and what e-commerce platforms delivered."""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.event import Contract, Event


class TenantState(Contract):
    """A shop or chain, with the defaults of everything in it."""

    name: str
    slug: str
    timezone: str = "Asia/Ho_Chi_Minh"
    currency: str = "VND"
    locale: Literal["vi", "en"] = "vi"
    country: str = "VN"
    version: int = 1


class TenantProvisioned(Event):
    """A new shop: each service creates its defaults for it. Key: the tenant."""

    type: ClassVar[str] = "gateway.tenant_provisioned"
    tenant: TenantState


class StaffState(Contract):
    """A member of staff: who it is, which teams they are in and whose work they see.

    With a role of the shop's own (`role_id`), `role` is the built-in one that resembles it:
    `agent` for who answers tickets, `analyst` for who does not.
    """

    staff_id: UUID
    name: str
    email: str
    role: Literal["owner", "admin", "manager", "agent", "analyst"]
    role_id: UUID | None = None
    active: bool = True
    team_ids: tuple[UUID, ...] = ()
    visibility: Literal["all", "team", "own"] = "all"
    version: int = 1


class StaffChanged(Event):
    """A member of staff was added or changed, also by their role or teams. Key: the member."""

    type: ClassVar[str] = "gateway.staff_changed"
    staff: StaffState


class EmailChannelState(Contract):
    """An SMTP account that messages are sent through.

    `sealed_credentials` opens with `SecretBox` to `{"username": ..., "password": ...}`, or null.
    """

    connection_id: UUID
    host: str
    port: int
    security: Literal["none", "starttls", "tls"] = "none"
    sender_name: str
    sender_address: str
    sealed_credentials: str | None = None
    active: bool = True
    version: int = 1


class EmailChannelChanged(Event):
    """An e-mail channel was connected, changed or switched off. Key: the connection."""

    type: ClassVar[str] = "gateway.email_channel_changed"
    channel: EmailChannelState


class PlatformAddress(Contract):
    """An address as a platform has it, in the parts that it knows."""

    external_id: str | None = None
    name: str | None = None
    company: str | None = None
    phone: str | None = None
    street: str | None = None
    ward: str | None = None
    district: str | None = None
    city: str | None = None
    province: str | None = None
    country: str | None = None
    postal_code: str | None = None
    is_default: bool = False


class PlatformIdentity(Contract):
    """Who the person is, as a platform knows them. Texts are NFC; nothing is normalised further.

    `email_verified` only when the platform itself vouches for the address.
    """

    external_id: str | None = None
    email: str | None = None
    email_verified: bool = False
    phone: str | None = None
    name: str | None = None
    locale: str | None = None
    city: str | None = None
    province: str | None = None
    country: str | None = None
    gender: Literal["female", "male", "other"] | None = None
    birth_date: date | None = None
    company: str | None = None
    addresses: tuple[PlatformAddress, ...] = ()
    tags: tuple[str, ...] = ()
    note: str | None = None
    email_marketing: Literal["granted", "withdrawn"] | None = None
    sms_marketing: Literal["granted", "withdrawn"] | None = None


class PlatformOrigin(Contract):
    """Where a fact came from: `source` is the platform, e.g. `shopify`."""

    source: str
    connection_id: UUID
    delivery_id: UUID
    topic: str
    received_at: datetime


class PlatformCustomerReceived(Event):
    """A platform told of a customer. Key: derived from connection and external id."""

    type: ClassVar[str] = "gateway.platform_customer_received"
    origin: PlatformOrigin
    customer: PlatformIdentity
    changed_at: datetime | None = None
    deleted: bool = False


class PlatformPrivacyRequested(Event):
    """A platform passes on what one of its customers asks for by law. Key: as for the customer."""

    type: ClassVar[str] = "gateway.platform_privacy_requested"
    origin: PlatformOrigin
    kind: Literal["data_request", "redact"]
    customer: PlatformIdentity
    # What they ordered, as far as it is to be redacted: a guest is known by nothing else.
    orders: tuple[str, ...] = ()


class PlatformShopRedacted(Event):
    """A platform has what it told of a shop's customers be erased, days after it was disconnected.

    Key: derived from the connection.
    """

    type: ClassVar[str] = "gateway.platform_shop_redacted"
    origin: PlatformOrigin


class PlatformOrderLine(Contract):
    """One line of an order; money in minor units of the order's currency."""

    external_id: str | None = None
    product_id: str | None = None
    variant_id: str | None = None
    sku: str | None = None
    title: str
    quantity: int
    unit_price_minor: int
    total_minor: int
    discount_minor: int | None = None
    tax_minor: int | None = None
    category: str | None = None
    vendor: str | None = None


class PlatformDiscountCode(Contract):
    """A code that made an order cheaper."""

    code: str
    amount_minor: int | None = None


class PlatformPartLine(Contract):
    """Which goods of an order something is about, and how many."""

    line_id: str | None = None
    product_id: str | None = None
    variant_id: str | None = None
    sku: str | None = None
    title: str | None = None
    quantity: int
    amount_minor: int | None = None


class PlatformPayment(Contract):
    """Money that came in for an order, or is to."""

    external_id: str
    status: Literal["pending", "authorized", "paid", "failed", "voided"]
    amount_minor: int
    method: str | None = None
    reference: str | None = None
    paid_at: datetime | None = None
    changed_at: datetime | None = None


class PlatformRefund(Contract):
    """Money that went back."""

    external_id: str
    amount_minor: int
    reason: str | None = None
    lines: tuple[PlatformPartLine, ...] = ()
    refunded_at: datetime | None = None


class PlatformReturn(Contract):
    """Goods that came back, or are to."""

    external_id: str
    status: Literal["requested", "received", "refused"]
    reason: str | None = None
    lines: tuple[PlatformPartLine, ...] = ()
    restock: bool | None = None
    requested_at: datetime | None = None
    received_at: datetime | None = None


class PlatformFulfillment(Contract):
    """A parcel."""

    external_id: str
    status: Literal["pending", "shipped", "delivered", "failed", "cancelled"]
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    lines: tuple[PlatformPartLine, ...] = ()
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    changed_at: datetime | None = None


class PlatformOrder(Contract):
    """An order as a platform told of it; money in minor units of `currency`.

    Where it is confirmed to may be another address than the customer's own.
    """

    external_id: str
    number: str
    currency: str
    total_minor: int
    subtotal_minor: int = 0
    discount_minor: int = 0
    shipping_minor: int = 0
    tax_minor: int = 0
    refunded_minor: int = 0
    status: Literal["open", "completed", "cancelled"] = "open"
    financial_status: Literal[
        "pending", "paid", "partially_refunded", "refunded", "voided", "unknown"
    ] = "unknown"
    fulfillment_status: str | None = None
    channel: str | None = None
    store: str | None = None
    staff: str | None = None
    placed_at: datetime
    changed_at: datetime
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    discount_codes: tuple[PlatformDiscountCode, ...] = ()
    billing_address: PlatformAddress | None = None
    shipping_address: PlatformAddress | None = None
    further_shipping_addresses: tuple[PlatformAddress, ...] = ()
    contact_email: str | None = None
    contact_phone: str | None = None
    landing_page: str | None = None
    referrer: str | None = None
    lines: tuple[PlatformOrderLine, ...] = Field(default=())
    payments: tuple[PlatformPayment, ...] = ()
    refunds: tuple[PlatformRefund, ...] = ()
    returns: tuple[PlatformReturn, ...] = ()
    fulfillments: tuple[PlatformFulfillment, ...] = ()
    customer: PlatformIdentity | None = None


class PlatformOrderReceived(Event):
    """A platform told of an order. Key: derived from connection and external id."""

    type: ClassVar[str] = "gateway.platform_order_received"
    origin: PlatformOrigin
    order: PlatformOrder
    deleted: bool = False


class WebhookEndpointDisabled(Event):
    """A webhook endpoint was switched off because of how it answered. Key: the endpoint."""

    type: ClassVar[str] = "gateway.webhook_endpoint_disabled"
    endpoint_id: UUID
    url: str
    description: str | None = None
    reason: Literal["failing", "gone"]
    failing_since: datetime | None = None
    disabled_at: datetime


class StaffMailRequested(Event):
    """Something is to be written to a member of staff. Key: the member.

    `sealed` opens with `SecretBox` to `{"text": ...}`: what the mail says may open a door.
    """

    type: ClassVar[str] = "gateway.staff_mail_requested"
    mail_id: UUID
    kind: Literal["password_reset", "invitation"]
    recipient_name: str
    recipient_email: str
    locale: Literal["vi", "en"]
    subject: str
    sealed: str
