"""What a delivery turns out to say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID, uuid5

from gateway.platforms.reading import Payload, PayloadNotUnderstood
from shared.contracts.gateway import (
    PlatformCustomerReceived,
    PlatformIdentity,
    PlatformOrder,
    PlatformOrderReceived,
    PlatformOrigin,
    PlatformPrivacyRequested,
    PlatformShopRedacted,
)

ObjectKind = Literal["customer", "order", "shop"]
Consent = Literal["granted", "withdrawn"]
OrderStatus = Literal["open", "completed", "cancelled"]
FinancialStatus = Literal["pending", "paid", "partially_refunded", "refunded", "voided", "unknown"]

_A_GUEST: Final = "guest"
_NAMESPACE: Final = UUID("6d1d5c2e-3f0b-4a57-9c58-0c7f1e5a8b41")


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery that can be read: where it came from, and its JSON object."""

    origin: PlatformOrigin
    payload: Payload = field(default_factory=dict)
    triggered_at: datetime | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def told_at(self) -> datetime:
        """When the platform told it, as far as it says so."""
        return self.triggered_at or self.origin.received_at


@dataclass(frozen=True, slots=True)
class Told:
    """Something about a customer, an order or the whole shop."""

    kind: ObjectKind
    object_id: str
    event: (
        PlatformCustomerReceived
        | PlatformOrderReceived
        | PlatformPrivacyRequested
        | PlatformShopRedacted
    )

    @property
    def key(self) -> UUID:
        """The same for everything that one connection ever tells of one object."""
        connection_id = self.event.origin.connection_id
        return uuid5(_NAMESPACE, f"{connection_id}:{self.kind}:{self.object_id}")


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing that the services would want to know; the delivery itself is kept."""

    reason: str


Reader = Callable[[Delivered], Told | Ignored]
"""Reads one topic of one platform. Raises PayloadNotUnderstood."""


def told_customer(
    delivered: Delivered,
    identity: PlatformIdentity,
    *,
    changed_at: datetime,
    deleted: bool = False,
) -> Told:
    """News of a customer, who has an id at the platform."""
    if identity.external_id is None:
        raise PayloadNotUnderstood("no id")
    event = PlatformCustomerReceived(
        origin=delivered.origin, customer=identity, changed_at=changed_at, deleted=deleted
    )
    return Told("customer", identity.external_id, event)


def told_order(delivered: Delivered, order: PlatformOrder) -> Told:
    """News of an order."""
    event = PlatformOrderReceived(origin=delivered.origin, order=order)
    return Told("order", order.external_id, event)


def told_order_deleted(delivered: Delivered, order_id: str) -> Told:
    """All that is left to tell is the id; the rest of the contract is filled in."""
    order = PlatformOrder(
        external_id=order_id,
        number=order_id,
        currency="VND",
        total_minor=0,
        status="cancelled",
        placed_at=delivered.told_at,
        changed_at=delivered.told_at,
    )
    event = PlatformOrderReceived(origin=delivered.origin, order=order, deleted=True)
    return Told("order", order_id, event)


def told_shop_redacted(delivered: Delivered, shop_id: str) -> Told:
    """That the platform has all that it told be erased."""
    return Told("shop", shop_id, PlatformShopRedacted(origin=delivered.origin))


def told_privacy_request(
    delivered: Delivered,
    identity: PlatformIdentity,
    *,
    kind: Literal["data_request", "redact"],
    orders: tuple[str, ...] = (),
) -> Told:
    """What a customer of the platform asks for by law; a guest has no id there."""
    event = PlatformPrivacyRequested(
        origin=delivered.origin, kind=kind, customer=identity, orders=orders
    )
    return Told("customer", identity.external_id or _A_GUEST, event)


def recognisable(identity: PlatformIdentity) -> PlatformIdentity | None:
    """The identity, unless it says nothing of anybody."""
    known = identity.external_id or identity.email or identity.phone or identity.name
    return identity if known else None
