"""One shop as the tests of this service see it: what it is told, what it does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx

from services.messaging.delivery.service import Delivery
from shared.contracts.customer import (
    ConsentState,
    CustomerCreated,
    CustomerMerged,
    CustomerState,
    CustomerUnmerged,
    CustomerUpdated,
    OrderPlaced,
    OrderState,
)
from shared.contracts.event import Event
from shared.contracts.segmentation import Membership, SegmentEntered, SegmentLeft
from shared.contracts.support_ticket import Recipient, SurveyInvited, TicketReplied, TicketState
from shared.ids import TenantId, new_id
from shared.security.principal import PrincipalKind
from tests.support.harness import ServiceHarness

RESOURCES = ("messages", "templates", "automations", "suppressions", "inbound", "reports")


def consent(
    at: datetime, *, purpose: str = "marketing", status: str = "granted", channel: str = "email"
) -> ConsentState:
    return ConsentState(purpose=purpose, channel=channel, status=status, changed_at=at)


@dataclass
class World:
    """A shop, its customers and what happens to them."""

    service: ServiceHarness
    delivery: Delivery
    tenant: TenantId
    clock: Any
    customers: dict[UUID, CustomerState] = field(default_factory=dict)

    def client(self, *scopes: str) -> httpx.AsyncClient:
        every = [f"{resource}:{verb}" for resource in RESOURCES for verb in ("read", "write")]
        return self.service.client(self.tenant, *(scopes or every))

    def visitor(self, **headers: str) -> httpx.AsyncClient:
        """Somebody who opened a link, without a login."""
        client = self.service.client(self.tenant, "public:pages", kind=PrincipalKind.PUBLIC)
        client.headers.update(headers)
        return client

    def new_customer(self, *, consents: Sequence[ConsentState] | None = None, **values: Any):
        """A customer who agreed to marketing by e-mail, unless said otherwise; told to nobody."""
        now, customer_id = self.clock.now(), new_id()
        given = {
            "customer_id": customer_id,
            "version": 1,
            "code": "KH000001",
            "stage": "customer",
            "name": "Nguyễn Văn Đức",
            "email": f"duc.{customer_id.hex}@example.com",
            "locale": "vi",
            "source": "test",
            "orders_count": 1,
            "consents": tuple(consents if consents is not None else [consent(now)]),
            "created_at": now,
            "updated_at": now,
        }
        return CustomerState(**{**given, **values})

    async def knows(self, *customers: CustomerState) -> None:
        """The customer service tells of customers for the first time."""
        events = [(c.customer_id, CustomerCreated(customer=c)) for c in customers]
        await self.hears("customer", *events)
        self.customers |= {c.customer_id: c for c in customers}

    async def customer(self, **values: Any) -> CustomerState:
        """A customer that this service knows."""
        customer = self.new_customer(**values)
        await self.knows(customer)
        return customer

    async def changes(self, customer: CustomerState, **values: Any) -> CustomerState:
        """The customer service tells of a change."""
        changed = customer.model_copy(update={"version": customer.version + 1, **values})
        await self.hears("customer", (changed.customer_id, CustomerUpdated(customer=changed)))
        return changed

    async def merges(self, customer: CustomerState, into: CustomerState) -> CustomerState:
        """Another record stands for this one from now on."""
        merged = customer.model_copy(
            update={"version": customer.version + 1, "merged_into": into.customer_id}
        )
        event = CustomerMerged(customer=merged, merge_id=new_id())
        await self.hears("customer", (merged.customer_id, event))
        return merged

    async def parts(
        self, customer: CustomerState, into: CustomerState | None = None
    ) -> CustomerState:
        """The record stands for itself again, or another one than before stands for it."""
        root_id = into.customer_id if into else None
        parted = customer.model_copy(
            update={"version": customer.version + 1, "merged_into": root_id}
        )
        event = CustomerUnmerged(customer=parted, merge_id=new_id())
        await self.hears("customer", (parted.customer_id, event))
        return parted

    async def orders(self, customer: CustomerState, **values: Any) -> OrderState:
        """The customer service tells of an order."""
        given = {
            "order_id": new_id(),
            "customer_id": customer.customer_id,
            "version": 1,
            "source": "shopify",
            "external_id": "1001",
            "number": "#1001",
            "status": "open",
            "financial_status": "paid",
            "currency": "VND",
            "total_minor": 1_250_000,
            "placed_at": self.clock.now(),
        }
        order = OrderState(**{**given, **values})
        await self.hears("customer", (customer.customer_id, OrderPlaced(order=order)))
        return order

    def membership(
        self,
        customer_id: UUID,
        segment_key: str = "new_customers",
        *,
        customer_version: int | None = None,
        reason: str = "event",
    ) -> Membership:
        return Membership(
            segment_id=new_id(),
            segment_key=segment_key,
            segment_name="Khách hàng mới",
            rule_version=1,
            customer_id=customer_id,
            at=self.clock.now(),
            reason=reason,
            customer_version=customer_version,
        )

    async def enters(
        self,
        *customers: CustomerState | UUID,
        segment_key: str = "new_customers",
        reason: str = "event",
    ) -> None:
        """Customers enter a segment in these states, in one batch."""
        memberships = [
            self.membership(c, segment_key, reason=reason)
            if isinstance(c, UUID)
            else self.membership(
                c.customer_id, segment_key, customer_version=c.version, reason=reason
            )
            for c in customers
        ]
        events = [(m.customer_id, SegmentEntered(membership=m)) for m in memberships]
        await self.hears("segmentation", *events)

    async def leaves(self, customer: CustomerState, segment_key: str = "new_customers") -> None:
        membership = self.membership(customer.customer_id, segment_key)
        await self.hears("segmentation", (customer.customer_id, SegmentLeft(membership=membership)))

    def ticket(self, customer: CustomerState | None, **values: Any) -> TicketState:
        given = {
            "ticket_id": new_id(),
            "version": 1,
            "code": "T-000045",
            "customer_id": customer.customer_id if customer else None,
            "subject": "Giao thiếu hàng",
            "type": "complaint",
            "urgency": "high",
            "priority": "high",
            "status": "open",
            "channel": "email",
            "opened_at": self.clock.now(),
        }
        return TicketState(**{**given, **values})

    async def replies(self, ticket: TicketState, recipient: Recipient, body: str) -> TicketReplied:
        event = TicketReplied(
            ticket=ticket, message_id=new_id(), agent_name="Lan", body=body, recipient=recipient
        )
        await self.hears("support_ticket", (ticket.ticket_id, event))
        return event

    async def invites(self, ticket: TicketState, recipient: Recipient, url: str) -> SurveyInvited:
        event = SurveyInvited(survey_id=new_id(), ticket=ticket, url=url, recipient=recipient)
        await self.hears("support_ticket", (ticket.ticket_id, event))
        return event

    async def hears(self, source: str, *events: tuple[UUID, Event]) -> None:
        await self.service.receive(self.tenant, source, events)

    async def sends(self) -> None:
        """Send everything that is due."""
        await self.delivery.send_due(self.tenant)

    async def told(self, *types: str) -> Sequence[dict[str, Any]]:
        return await self.service.told(self.tenant, *types)

    async def messages(self, **filters: Any) -> list[dict[str, Any]]:
        """The ledger over the API, planned last first."""
        async with self.client() as client:
            response = await client.get("/v1/messages", params={"limit": 200, **filters})
        assert response.status_code == 200, response.text
        data: list[dict[str, Any]] = response.json()["data"]
        return data

    async def message_to(self, customer: CustomerState) -> dict[str, Any]:
        """The one message of a customer."""
        (message,) = await self.messages(customer_id=customer.customer_id)
        return message

    async def decision_on(self, message: dict[str, Any]) -> dict[str, Any]:
        async with self.client() as client:
            response = await client.get(f"/v1/messages/{message['id']}/decision")
        assert response.status_code == 200, response.text
        decision: dict[str, Any] = response.json()
        return decision


def recipient(customer: CustomerState, **values: Any) -> Recipient:
    given = {
        "customer_id": customer.customer_id,
        "name": customer.name,
        "email": customer.email,
        "locale": customer.locale,
    }
    return Recipient(**{**given, **values})
