"""A shop in the segmentation service, and what happens in it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from services.segmentation.membership.sweeps import TimeSweeps
from services.segmentation.wiring import Wiring
from shared.contracts.customer import (
    CustomerMerged,
    CustomerState,
    CustomerUnmerged,
    CustomerUpdated,
    OrderPlaced,
    OrderState,
)
from shared.contracts.event import Event
from shared.contracts.gateway import TenantProvisioned, TenantState
from shared.contracts.messaging import MessageSent, MessageState
from shared.contracts.support_ticket import SurveyAnswered, TicketState, TicketUpdated
from shared.ids import TenantId, new_id
from shared.jobs.runner import JobRunner
from tests.support.harness import ServiceHarness

START = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
SCOPES = ("segments:read", "segments:write", "jobs:read", "jobs:write", "reports:read")
MEMBERSHIP_EVENTS = ("segmentation.segment_entered", "segmentation.segment_left")
Told = tuple[UUID, Event]


class ManualClock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    def reset(self) -> None:
        self._now = START

    def set(self, instant: datetime) -> None:
        self._now = instant

    def advance(self, **time: float) -> None:
        self._now += timedelta(**time)


def customer(customer_id: UUID | None = None, *, version: int = 1, **known: Any) -> Told:
    """A customer as the customer service tells of them, with the key of the event."""
    customer_id = customer_id or new_id()
    defaults = {
        "code": "KH000001",
        "stage": "customer",
        "source": "shopify",
        "created_at": START,
        "updated_at": START,
    }
    state = CustomerState(customer_id=customer_id, version=version, **(defaults | known))
    return customer_id, CustomerUpdated(customer=state)


def merged(customer_id: UUID, into: UUID, *, version: int = 2, **known: Any) -> Told:
    """A record for which another stands from now on."""
    _, told = customer(customer_id, version=version, merged_into=into, **known)
    assert isinstance(told, CustomerUpdated)
    return customer_id, CustomerMerged(customer=told.customer, merge_id=new_id())


def unmerged(
    customer_id: UUID, into: UUID | None = None, *, version: int = 3, **known: Any
) -> Told:
    """A record that stands for itself again, or for which another one than before stands."""
    _, told = customer(customer_id, version=version, merged_into=into, **known)
    assert isinstance(told, CustomerUpdated)
    return customer_id, CustomerUnmerged(customer=told.customer, merge_id=new_id())


def order(
    customer_id: UUID, *, order_id: UUID | None = None, version: int = 1, **known: Any
) -> Told:
    """An order of a customer."""
    defaults = {
        "source": "shopify",
        "external_id": "1001",
        "number": "1001",
        "status": "open",
        "financial_status": "paid",
        "currency": "VND",
        "total_minor": 450_000,
        "placed_at": START,
    }
    state = OrderState(
        order_id=order_id or new_id(),
        customer_id=customer_id,
        version=version,
        **(defaults | known),
    )
    return customer_id, OrderPlaced(order=state)


def ticket_state(
    customer_id: UUID | None, *, ticket_id: UUID | None = None, version: int = 1, **known: Any
) -> TicketState:
    defaults = {
        "code": "T-000001",
        "subject": "Giao nhầm màu",
        "type": "complaint",
        "urgency": "normal",
        "priority": "normal",
        "status": "open",
        "channel": "web",
        "opened_at": START,
    }
    return TicketState(
        ticket_id=ticket_id or new_id(),
        customer_id=customer_id,
        version=version,
        **(defaults | known),
    )


def ticket(customer_id: UUID | None, **known: Any) -> Told:
    """A ticket of a customer."""
    state = ticket_state(customer_id, **known)
    return state.ticket_id, TicketUpdated(ticket=state)


def survey(customer_id: UUID, score: int, *, answered_at: datetime = START, **known: Any) -> Told:
    """A customer's answer to a survey about a ticket."""
    state = ticket_state(customer_id, **known)
    answered = SurveyAnswered(
        survey_id=new_id(), ticket=state, score=score, answered_at=answered_at
    )
    return state.ticket_id, answered


def message(customer_id: UUID, *, version: int = 1, **known: Any) -> Told:
    """A message to a customer."""
    defaults = {
        "message_id": new_id(),
        "channel": "email",
        "message_class": "care",
        "status": "sent",
        "origin": "automation",
        "planned_at": START,
        "finished_at": START,
    }
    state = MessageState(customer_id=customer_id, version=version, **(defaults | known))
    return state.message_id, MessageSent(message=state)


class Shop:
    """One tenant: what others tell of it, what clients ask, what the worker does."""

    def __init__(self, service: ServiceHarness, clock: ManualClock, tenant: TenantId) -> None:
        self.service = service
        self.clock = clock
        self.tenant = tenant
        self.wiring: Wiring = service.app.state.wiring
        self.work = JobRunner(
            units=service.context.units,
            kinds=self.wiring.job_kinds(),
            wake=self.wiring.waker.wake,
        )
        self.sweeps = TimeSweeps(units=service.context.units, active=self.wiring.active)

    async def provision(self, **settings: Any) -> None:
        """The gateway tells of the shop."""
        state = TenantState(**{"name": "Hoa Mai", "slug": self.tenant.hex, **settings})
        await self.service.receive(
            self.tenant, "gateway", [(self.tenant, TenantProvisioned(tenant=state))]
        )
        await self.finish_runs()

    async def hear(self, *told: Told, source: str = "customer") -> None:
        """Another service tells something, in one batch."""
        await self.service.receive(self.tenant, source, told)

    async def finish_runs(self) -> int:
        """The worker does everything there is to do; in how many steps."""
        steps = 0
        while await self.work.step(self.tenant):
            steps += 1
        return steps

    async def pass_time(self, **time: float) -> int:
        """Time passes and the worker looks; how many customers it moved."""
        self.clock.advance(**time)
        return await self.sweeps.sweep_tenant(self.tenant)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        scopes: Sequence[str] = SCOPES,
        sees_pii: bool = True,
        **options: Any,
    ) -> httpx.Response:
        """A client's request."""
        async with self.service.client(self.tenant, *scopes, sees_pii=sees_pii) as client:
            return await client.request(method, path, json=body, **options)

    async def get(self, path: str, **query: Any) -> Any:
        """What a client is answered."""
        response = await self.call("GET", path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    async def add_segment(self, key: str, rule: dict[str, Any]) -> dict[str, Any]:
        """A client makes a segment, and the worker evaluates everybody."""
        body = {"key": key, "name": {"vi": key, "en": key}, "rule": rule}
        response = await self.call("POST", "/v1/segments", body)
        assert response.status_code == 201, response.text
        await self.finish_runs()
        created: dict[str, Any] = response.json()
        return created

    async def segment(self, key: str) -> dict[str, Any]:
        """The segment of a key, as a client sees it."""
        [found] = (await self.get("/v1/segments", key=key))["data"]
        segment: dict[str, Any] = found
        return segment

    async def members(self, key: str, **query: Any) -> set[UUID]:
        """Who belongs to the segment, asked page by page."""
        segment = await self.segment(key)
        found: set[UUID] = set()
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(f"/v1/segments/{segment['id']}/members", **query, **cursor)
            found |= {UUID(member["customer_id"]) for member in page["data"]}
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    async def moves(self) -> list[tuple[str, str, UUID]]:
        """What was told of entries and exits: entered or left, the segment's key, the customer."""
        told = await self.service.told(self.tenant, *MEMBERSHIP_EVENTS)
        return [
            (
                event["type"].removeprefix("segmentation.segment_"),
                event["membership"]["segment_key"],
                UUID(event["membership"]["customer_id"]),
            )
            for event in told
        ]

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What lies in the database."""
        async with self.service.context.units.begin(self.tenant) as uow:
            return [tuple(row) for row in await uow.rows(text(sql), {"tenant": self.tenant})]

    async def run_sql(self, sql: str) -> None:
        """Change what lies in the database behind the service's back."""
        async with self.service.context.units.begin(self.tenant) as uow:
            await uow.execute(text(sql), {"tenant": self.tenant})
            await uow.commit()


def ids(told: Iterable[Told]) -> set[UUID]:
    """The keys of what was told."""
    return {key for key, _ in told}
