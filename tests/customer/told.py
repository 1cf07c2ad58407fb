"""Events as other services tell them, for the tests of this one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from shared.contracts.gateway import (
    PlatformCustomerReceived,
    PlatformIdentity,
    PlatformOrder,
    PlatformOrderLine,
    PlatformOrderReceived,
    PlatformOrigin,
)
from shared.contracts.support_ticket import TicketState
from shared.ids import new_id

DAY = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
SHOPIFY = UUID("0199d6a2-b1c9-7e4f-9b1f-000000000001")
WOO = UUID("0199d6a2-b1c9-7e4f-9b1f-000000000002")


def later(**by: float) -> datetime:
    return DAY + timedelta(**by)


def origin(source: str = "shopify", topic: str = "orders/create") -> PlatformOrigin:
    return PlatformOrigin(
        source=source,
        connection_id=SHOPIFY if source == "shopify" else WOO,
        delivery_id=new_id(),
        topic=topic,
        received_at=DAY,
    )


def key(*parts: object) -> UUID:
    return uuid5(SHOPIFY, "/".join(map(str, parts)))


def platform_customer(
    external_id: str | None = "207119551",
    *,
    source: str = "shopify",
    changed_at: datetime | None = DAY,
    deleted: bool = False,
    **said: Any,
) -> tuple[UUID, PlatformCustomerReceived]:
    event = PlatformCustomerReceived(
        origin=origin(source, "customers/create"),
        customer=PlatformIdentity(external_id=external_id, **said),
        changed_at=changed_at,
        deleted=deleted,
    )
    return key(source, external_id), event


def platform_order(
    external_id: str = "820982911946154508",
    *,
    source: str = "shopify",
    buyer: PlatformIdentity | None = None,
    deleted: bool = False,
    **order: Any,
) -> tuple[UUID, PlatformOrderReceived]:
    known = {
        "number": f"#{external_id[-4:]}",
        "currency": "VND",
        "total_minor": 398_000,
        "financial_status": "paid",
        "placed_at": DAY,
        "changed_at": DAY,
        "lines": (line(),),
    }
    event = PlatformOrderReceived(
        origin=origin(source),
        order=PlatformOrder(external_id=external_id, customer=buyer, **{**known, **order}),
        deleted=deleted,
    )
    return key(source, external_id), event


def line(title: str = "Áo dài lụa", **columns: Any) -> PlatformOrderLine:
    known = {"quantity": 2, "unit_price_minor": 199_000, "total_minor": 398_000}
    return PlatformOrderLine(title=title, **{**known, **columns})


def ticket(customer_id: UUID | None, **columns: Any) -> TicketState:
    known = {
        "ticket_id": new_id(),
        "version": 1,
        "code": "T-000045",
        "customer_id": customer_id,
        "subject": "Áo bị rách",
        "type": "complaint",
        "urgency": "high",
        "priority": "high",
        "status": "new",
        "channel": "web",
        "opened_at": DAY,
    }
    return TicketState(**{**known, **columns})
