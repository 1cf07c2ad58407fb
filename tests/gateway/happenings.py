"""What services tell, for tests of the feed and of webhooks."""

from datetime import UTC, datetime
from uuid import UUID

from fastapi import FastAPI

from gateway.handlers import build_handlers
from shared.contracts.customer import CustomerState, CustomerUpdated, OrderPlaced, OrderState
from shared.contracts.event import Event
from shared.contracts.support_ticket import TicketCreated, TicketState
from shared.ids import TenantId, new_id
from tests.support.harness import ServiceHarness

AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def customer(name: str = "Nguyễn Văn Đức", *, version: int = 1) -> CustomerState:
    return CustomerState(
        customer_id=new_id(),
        version=version,
        code="KH000001",
        stage="customer",
        name=name,
        email="duc@example.com",
        phone="+84912345678",
        source="shopify",
        total_spent_minor=1_250_000,
        created_at=AT,
        updated_at=AT,
    )


def customer_updated(name: str = "Nguyễn Văn Đức", *, version: int = 1) -> tuple[UUID, Event]:
    state = customer(name, version=version)
    return state.customer_id, CustomerUpdated(customer=state)


def order_placed() -> tuple[UUID, Event]:
    state = OrderState(
        order_id=new_id(),
        customer_id=new_id(),
        version=1,
        source="shopify",
        external_id="820982911946154508",
        number="#1001",
        status="open",
        financial_status="paid",
        currency="VND",
        total_minor=350_000,
        placed_at=AT,
    )
    return state.customer_id, OrderPlaced(order=state)


def ticket_created() -> tuple[UUID, Event]:
    state = TicketState(
        ticket_id=new_id(),
        version=1,
        code="T-000001",
        customer_id=None,
        subject="Hàng bị vỡ",
        type="complaint",
        urgency="high",
        priority="high",
        status="new",
        channel="email",
        opened_at=AT,
    )
    return state.ticket_id, TicketCreated(ticket=state)


def listener(gateway: FastAPI) -> ServiceHarness:
    """Hands events to the gateway as its worker gets them."""
    return ServiceHarness(gateway, gateway.state.context, build_handlers(gateway.state.context))


async def happen(harness: ServiceHarness, tenant_id: TenantId, *events: tuple[UUID, Event]) -> None:
    """Let these happen, each at the service whose event it is, in one batch per service."""
    by_source: dict[str, list[tuple[UUID, Event]]] = {}
    for key, event in events:
        by_source.setdefault(event.type.split(".")[0], []).append((key, event))
    for source, told in by_source.items():
        await harness.receive(tenant_id, source, told)
